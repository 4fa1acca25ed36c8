// Value to text. The canonical form (sorted keys, no white space) is what gets hashed; the pretty form is for people.

extension JSON {
  /// Compact, keys sorted by their UTF-8 bytes: equal values give equal text.
  public var canonical: String { text(pretty: false, sorted: true) }

  /// Compact, members in their own order: one line, for JSON lines.
  public var compact: String { text(pretty: false, sorted: false) }

  /// Two spaces of indent, members in their own order, ends with a newline.
  public var pretty: String { text(pretty: true, sorted: false) + "\n" }

  private func text(pretty: Bool, sorted: Bool) -> String {
    var out = ""
    write(to: &out, pretty: pretty, sorted: sorted, depth: 0)
    return out
  }

  private func write(to out: inout String, pretty: Bool, sorted: Bool, depth: Int) {
    func newline(_ depth: Int) {
      guard pretty else { return }
      out += "\n" + String(repeating: "  ", count: depth)
    }
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .integer(let value): out += String(value)
    case .number(let value):
      // A number without a fraction is written as the integer it equals; JSON has no word for the rest.
      if let whole = Int(exactly: value), abs(whole) < 1 << 53 {
        out += String(whole)
      } else if value.isFinite {
        out += value.description
      } else {
        out += "null"
      }
    case .string(let value): Self.quote(value, into: &out)
    case .array(let elements):
      if elements.isEmpty { out += "[]"; return }
      // A row of plain values stays on one line.
      let flat = pretty && elements.allSatisfy { $0.array == nil && $0.object == nil }
      out += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { out += flat ? ", " : "," }
        if !flat { newline(depth + 1) }
        element.write(to: &out, pretty: pretty, sorted: sorted, depth: depth + 1)
      }
      if !flat { newline(depth) }
      out += "]"
    case .object(let members):
      if members.isEmpty { out += "{}"; return }
      out += "{"
      let elements = members.elements
      let order = sorted ? elements.indices.sorted { elements[$0].key.utf8.lexicographicallyPrecedes(elements[$1].key.utf8) } : nil
      for index in elements.indices {
        let (key, value) = elements[order?[index] ?? index]
        if index > 0 { out += "," }
        newline(depth + 1)
        Self.quote(key, into: &out)
        out += pretty ? ": " : ":"
        value.write(to: &out, pretty: pretty, sorted: sorted, depth: depth + 1)
      }
      newline(depth)
      out += "}"
    }
  }

  private static func quote(_ text: String, into out: inout String) {
    out += "\""
    defer { out += "\"" }
    var text = text
    let isPlain = text.withUTF8 { bytes in bytes.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") } }
    if isPlain {
      out += text
      return
    }
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      case "\0"..<" ":
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
  }
}
