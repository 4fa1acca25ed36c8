// Where in a document a value stands: a JSON pointer (RFC 6901), and the line and column it has in the text.
// Parsing keeps no places; they are found by a second scan when an error needs one.

public struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
  public var tokens: [String]

  public init(_ tokens: [String] = []) { self.tokens = tokens }

  public static func / (pointer: JSONPointer, token: String) -> JSONPointer { JSONPointer(pointer.tokens + [token]) }
  public static func / (pointer: JSONPointer, index: Int) -> JSONPointer { pointer / String(index) }

  public var description: String {
    tokens.map { token in
      var escaped = "/"
      for character in token { escaped += character == "~" ? "~0" : character == "/" ? "~1" : String(character) }
      return escaped
    }.joined()
  }
}

/// A place in a text: line and column, from 1, columns in bytes.
public struct TextPlace: Sendable, Hashable {
  public let line: Int
  public let column: Int
  public init(line: Int, column: Int) { (self.line, self.column) = (line, column) }
}

extension JSONPointer {
  /// The place of the value in `text`, or of its nearest enclosing value that exists. `text` must be valid JSON.
  /// With `key`, the place of the member's name instead of its value.
  public func place(in text: [UInt8], key: Bool = false) -> TextPlace {
    var scan = Scan(text: text)
    let offset = scan.find(tokens[...], key: key)
    let before = text[..<min(offset, text.count)]
    let lineStart = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
    return TextPlace(line: before.count { $0 == 10 } + 1, column: offset - lineStart + 1)
  }
}

extension JSONPointer {
  /// The members of the object here: each name, and the bytes from its first quote to the end of its value.
  /// One pass over the text, no values made. `text` must be valid JSON; nil if no object stands here.
  public func members(in text: [UInt8]) -> [(name: String, bytes: Range<Int>)]? {
    var scan = Scan(text: text)
    return scan.enter(tokens[...]) ? scan.members() : nil
  }
}

/// A member of an object in a text: the bytes from its name's first quote to the end of its value, and those of its value.
public struct JSONMember: Equatable {
  public let name: String
  public let bytes: Range<Int>
  public let value: Range<Int>
}

extension JSONPointer {
  /// The members of the object that these bytes are. One pass, and no values made; what is in a value is not looked at. Nil unless all around
  /// the values is as JSON has to be and no name comes twice.
  public static func members(ofObject text: [UInt8], in range: Range<Int>) -> [JSONMember]? {
    var scan = Scan(text: text, at: range.lowerBound)
    return scan.strictMembers(to: range.upperBound)
  }
}

/// Finds places in one text again and again: lines and the members two levels down are looked up, not searched for.
public struct PlaceFinder {
  public let text: [UInt8]
  /// Where each line starts.
  private let lines: [Int]
  /// By the first name of a pointer, where the names of its members start.
  private var members: [String: [String: Int]] = [:]

  /// `text` must be valid JSON.
  public init(_ text: [UInt8]) {
    self.text = text
    lines = [0] + text.indices.lazy.filter { text[$0] == 10 }.map { $0 + 1 }
  }

  /// As `JSONPointer.place(in:key:)`.
  public mutating func place(of pointer: JSONPointer, key: Bool = false) -> TextPlace {
    var scan = Scan(text: text)
    var tokens = pointer.tokens[...]
    if tokens.count >= 2 {
      let first = tokens[0]
      if members[first] == nil {
        let all = JSONPointer([first]).members(in: text) ?? []
        members[first] = Dictionary(all.map { ($0.name, $0.bytes.lowerBound) }) { one, _ in one }
      }
      if let start = members[first]![tokens[1]] {
        if tokens.count == 2, key { return place(at: start) }
        scan.at = start
        scan.skipName()
        tokens = tokens.dropFirst(2)
      }
    }
    return place(at: scan.find(tokens, key: key))
  }

  /// The bytes of a line, from 1.
  public func line(_ number: Int) -> ArraySlice<UInt8> {
    guard lines.indices.contains(number - 1) else { return [] }
    return text[lines[number - 1]..<(number < lines.count ? lines[number] - 1 : text.count)]
  }

  private func place(at offset: Int) -> TextPlace {
    var (low, high) = (0, lines.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lines[middle] <= offset { low = middle } else { high = middle }
    }
    return TextPlace(line: low + 1, column: offset - lines[low] + 1)
  }
}

private struct Scan {
  let text: [UInt8]
  var at = 0

  /// Where the value stands, or its nearest enclosing value that exists.
  mutating func find(_ path: ArraySlice<String>, key wantsKey: Bool) -> Int {
    skipSpace()
    let start = at
    guard let token = path.first, at < text.count else { return start }
    if text[at] == UInt8(ascii: "{") {
      at += 1
      while true {
        skipSpace()
        guard at < text.count, text[at] == UInt8(ascii: "\"") else { return start }
        let keyStart = at
        let key = string()
        skipSpace()
        at += 1  // the colon
        if key == token {
          if wantsKey && path.count == 1 { return keyStart }
          return find(path.dropFirst(), key: wantsKey)
        }
        skipValue()
        skipSpace()
        guard at < text.count, text[at] == UInt8(ascii: ",") else { return start }
        at += 1
      }
    }
    if text[at] == UInt8(ascii: "["), let index = Int(token) {
      at += 1
      for _ in 0..<index {
        skipValue()
        skipSpace()
        guard at < text.count, text[at] == UInt8(ascii: ",") else { return start }
        at += 1
      }
      return find(path.dropFirst(), key: wantsKey)
    }
    return start
  }

  mutating func skipName() {
    skipString()
    skipSpace()
    at += 1  // the colon
  }

  /// Goes to the value that a path of member names leads to; false if there is none.
  mutating func enter(_ path: ArraySlice<String>) -> Bool {
    skipSpace()
    guard let token = path.first else { return at < text.count }
    guard at < text.count, text[at] == UInt8(ascii: "{") else { return false }
    at += 1
    while true {
      skipSpace()
      guard at < text.count, text[at] == UInt8(ascii: "\"") else { return false }
      let key = string()
      skipSpace()
      at += 1  // the colon
      if key == token { return enter(path.dropFirst()) }
      skipValue()
      skipSpace()
      guard at < text.count, text[at] == UInt8(ascii: ",") else { return false }
      at += 1
    }
  }

  mutating func members() -> [(name: String, bytes: Range<Int>)]? {
    guard at < text.count, text[at] == UInt8(ascii: "{") else { return nil }
    at += 1
    var members: [(String, Range<Int>)] = []
    while true {
      skipSpace()
      guard at < text.count, text[at] == UInt8(ascii: "\"") else { return members }
      let start = at
      let key = string()
      skipSpace()
      at += 1  // the colon
      skipValue()
      members.append((key, start..<at))
      skipSpace()
      guard at < text.count, text[at] == UInt8(ascii: ",") else { return members }
      at += 1
    }
  }

  mutating func strictMembers(to end: Int) -> [JSONMember]? {
    func isNext(_ character: Unicode.Scalar) -> Bool { at < end && text[at] == UInt8(ascii: character) }
    func skipWhite() { while at < end, [32, 10, 13, 9].contains(text[at]) { at += 1 } }
    func take(_ character: Unicode.Scalar) -> Bool {
      skipWhite()
      guard isNext(character) else { return false }
      at += 1
      return true
    }
    guard take("{") else { return nil }
    var members: [JSONMember] = []
    var names: Set<String> = []
    if !take("}") {
      repeat {
        skipWhite()
        guard isNext("\"") else { return nil }
        let start = at
        let name = string()
        guard take(":") else { return nil }
        skipWhite()
        let value = at
        skipValue()
        guard at > value, at <= end, names.insert(name).inserted else { return nil }
        members.append(JSONMember(name: name, bytes: start..<at, value: value..<at))
      } while take(",")
      guard take("}") else { return nil }
    }
    skipWhite()
    return at == end ? members : nil
  }

  private mutating func skipSpace() { while at < text.count, text[at] <= 32 { at += 1 } }

  private mutating func string() -> String {
    let start = at
    skipString()
    let plain = text[(start + 1)..<max(start + 1, at - 1)]
    if !plain.contains(UInt8(ascii: "\\")) { return String(decoding: plain, as: UTF8.self) }
    return (try? JSON(parsing: text[start..<at]))?.string ?? ""
  }

  mutating func skipString() {
    at += 1
    while at < text.count, text[at] != UInt8(ascii: "\"") { at += text[at] == UInt8(ascii: "\\") ? 2 : 1 }
    // The text may end within it.
    at = min(at + 1, text.count)
  }

  /// Passes over one value by counting brackets outside strings.
  private mutating func skipValue() {
    skipSpace()
    var depth = 0
    while at < text.count {
      switch text[at] {
      case UInt8(ascii: "\""): skipString(); if depth == 0 { return }; continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return }
        depth -= 1
        if depth == 0 { at += 1; return }
      case UInt8(ascii: ","): if depth == 0 { return }
      case 0...32: if depth == 0 { return }  // after a number or a word
      default: break
      }
      at += 1
    }
  }
}
