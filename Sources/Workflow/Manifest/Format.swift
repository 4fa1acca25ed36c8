// The one form of a manifest's text: two spaces, members in their own order, and on one line whatever fits there. It follows from the
// content alone, so that formatting twice changes nothing. Words and numbers stay as they are written.

internal import Glibc
import JSON

public enum Format {
  /// Columns of a line.
  static let width = 150

  /// The text in its one form; an error with its place if it is no JSON. `file` is for that error.
  public static func format(_ text: [UInt8], file: String) throws -> [UInt8] {
    let root = try Reader(file: file, text: text).parse()
    var scanner = Scanner(text: text)
    var writer = Writer(isManifest: root["steps"]?.object != nil)
    writer.write(scanner.value(), path: [], indent: 0, column: 0, after: 0)
    return writer.out + [10]
  }

  private indirect enum Node {
    case word([UInt8])
    case list([Node], columns: Int)
    case object([(key: [UInt8], value: Node)], columns: Int)

    /// Columns that it takes on one line.
    var columns: Int {
      switch self {
      case .word(let bytes): Format.columns(bytes)
      case .list(_, let columns), .object(_, let columns): columns
      }
    }
  }

  /// Characters of UTF-8, whatever their width on a screen.
  private static func columns(_ bytes: [UInt8]) -> Int { bytes.count { $0 & 0xC0 != 0x80 } }

  /// Takes apart text that is known to be JSON.
  private struct Scanner {
    let text: [UInt8]
    var at = 0

    init(text: [UInt8]) { self.text = text }

    mutating func value() -> Node {
      skipSpace()
      switch text[at] {
      case UInt8(ascii: "{"):
        var members: [(key: [UInt8], value: Node)] = []
        each(until: UInt8(ascii: "}")) { scanner in
          let key = scanner.word()
          scanner.skipSpace()
          scanner.at += 1  // the colon
          members.append((key, scanner.value()))
        }
        // `{ "key": value, "key": value }`
        return .object(members, columns: 2 + members.reduce(0) { $0 + Format.columns($1.key) + $1.value.columns + 4 })
      case UInt8(ascii: "["):
        var elements: [Node] = []
        each(until: UInt8(ascii: "]")) { elements.append($0.value()) }
        return .list(elements, columns: elements.reduce(0) { $0 + $1.columns + 2 } + (elements.isEmpty ? 2 : 0))
      default: return .word(word())
      }
    }

    private mutating func each(until end: UInt8, _ body: (inout Scanner) -> Void) {
      at += 1
      while true {
        skipSpace()
        if text[at] == UInt8(ascii: ",") { at += 1 } else if text[at] == end { break } else { body(&self) }
      }
      at += 1
    }

    private mutating func skipSpace() { while text[at] <= 32 { at += 1 } }

    /// A string, number or name, as it is written.
    private mutating func word() -> [UInt8] {
      skipSpace()
      let start = at
      if text[at] == UInt8(ascii: "\"") {
        at += 1
        while text[at] != UInt8(ascii: "\"") { at += text[at] == UInt8(ascii: "\\") ? 2 : 1 }
        at += 1
      } else {
        while at < text.count, text[at] > 32, !Array(",]}".utf8).contains(text[at]) { at += 1 }
      }
      return Array(text[start..<at])
    }
  }

  private struct Writer {
    /// Its steps stand on lines of their own, however short.
    let isManifest: Bool
    var out: [UInt8] = []

    /// `column` is where the value begins, `after` how much follows it on its line.
    mutating func write(_ node: Node, path: [[UInt8]], indent: Int, column: Int, after: Int) {
      switch node {
      case .word(let bytes): out += bytes
      case .list(let elements, let columns):
        if elements.isEmpty || column + columns + after <= Format.width, !isSpread(path) { return writeFlat(node) }
        writeLines("[", elements.count, "]", indent) { writer, index, after in
          writer.write(elements[index], path: path + [[]], indent: indent + 1, column: 2 * (indent + 1), after: after)
        }
      case .object(let members, let columns):
        if members.isEmpty || column + columns + after <= Format.width && !isSpread(path) { return writeFlat(node) }
        writeLines("{", members.count, "}", indent) { writer, index, after in
          let (key, value) = members[index]
          writer.out += key + Array(": ".utf8)
          writer.write(value, path: path + [key], indent: indent + 1, column: 2 * (indent + 1) + Format.columns(key) + 2, after: after)
        }
      }
    }

    /// The document, and in a manifest `steps` and each step, are never on one line.
    private func isSpread(_ path: [[UInt8]]) -> Bool {
      path.isEmpty || isManifest && path.count <= 2 && path[0] == Array("\"steps\"".utf8)
    }

    private mutating func writeLines(_ open: String, _ count: Int, _ close: String, _ indent: Int, _ body: (inout Writer, Int, Int) -> Void) {
      out += Array(open.utf8)
      for index in 0..<count {
        out.append(10)
        out += [UInt8](repeating: 32, count: 2 * (indent + 1))
        let isLast = index + 1 == count
        body(&self, index, isLast ? 0 : 1)
        if !isLast { out.append(UInt8(ascii: ",")) }
      }
      out.append(10)
      out += [UInt8](repeating: 32, count: 2 * indent) + Array(close.utf8)
    }

    private mutating func writeFlat(_ node: Node) {
      switch node {
      case .word(let bytes): out += bytes
      case .list(let elements, _):
        out.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
          if index > 0 { out += Array(", ".utf8) }
          writeFlat(element)
        }
        out.append(UInt8(ascii: "]"))
      case .object(let members, _):
        if members.isEmpty { return out += Array("{}".utf8) }
        out += Array("{ ".utf8)
        for (index, member) in members.enumerated() {
          if index > 0 { out += Array(", ".utf8) }
          out += member.key + Array(": ".utf8)
          writeFlat(member.value)
        }
        out += Array(" }".utf8)
      }
    }
  }
}

extension Format {
  /// Formats a file in place, by one rename and with the mode it has; nil if it is in its form already, else the lines that differ.
  public static func format(file path: String, write: Bool) throws -> [String]? {
    // Formatting a link writes what it leads to.
    let path = Files.real(path) ?? path
    let text = try Files.read(path)
    let formatted = try format(text, file: path)
    if text == formatted { return nil }
    if write { try Files.write(formatted, to: path, mode: mode(of: path)) }
    return difference(text, formatted)
  }

  private static func mode(of path: String) -> mode_t {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0o644
  }

  /// The first lines that differ, `-` as they are and `+` as they should be.
  private static func difference(_ old: [UInt8], _ new: [UInt8]) -> [String] {
    let (a, b) = (lines(old), lines(new))
    let start = zip(a, b).prefix { $0 == $1 }.count
    let end = zip(a[start...].reversed(), b[start...].reversed()).prefix { $0 == $1 }.count
    let (gone, come) = (a[start..<(a.count - end)], b[start..<(b.count - end)])
    var difference = ["@@ line \(start + 1) @@"] + gone.prefix(10).map { "-" + $0 }
    if gone.count > 10 { difference.append("-… \(gone.count - 10) more") }
    difference += come.prefix(10).map { "+" + $0 }
    if come.count > 10 { difference.append("+… \(come.count - 10) more") }
    return difference
  }

  private static func lines(_ text: [UInt8]) -> [String] {
    text.split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
  }
}
