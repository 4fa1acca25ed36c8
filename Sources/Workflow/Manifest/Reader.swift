// Reads members of a JSON document with errors that have a place. It knows no format.

internal import Glibc
import JSON
import OrderedCollections

struct Reader {
  let file: String
  let text: [UInt8]

  init(file: String, text: [UInt8]) { (self.file, self.text) = (file, text) }

  func parse() throws -> JSON {
    do { return try JSON(parsing: text) } catch {
      throw Problem(.manifest, error.message, at: Place(file: Files.display(file), line: error.line, column: error.column, text: text))
    }
  }

  /// The document without the members of `name`, and where each of these stands: a tree of all at once would be larger than what is made of them.
  /// Nil: the document has to be taken as a whole, as it is then.
  func parts(_ name: String) throws -> (root: JSON, members: [Range<Int>]?) {
    guard let all = JSONPointer.members(ofObject: text, in: 0..<text.count), let large = all.first(where: { $0.name == name }),
      let members = JSONPointer.members(ofObject: text, in: large.value)
    else { return (try parse(), nil) }
    let texts = all.map { $0.name == name ? Array("\"\(name)\":{}".utf8)[...] : text[$0.bytes] }
    guard let root = try? Self.object(texts) else { return (try parse(), nil) }
    return (root, members.map(\.bytes))
  }

  /// A member by its place: its name and its value.
  func member(at place: Range<Int>) throws -> (String, JSON) {
    guard let member = try? Self.object([text[place]]).object?.elements.first else {
      // The parser knows what is wrong with it, and where.
      _ = try parse()
      throw Problem(.internalError, "\(Files.display(file)): a member is no JSON, and the whole is")
    }
    return (member.key, member.value)
  }

  private static func object(_ members: [ArraySlice<UInt8>]) throws -> JSON {
    try JSON(parsing: [UInt8(ascii: "{")] + members.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "}")])
  }

  func problem(_ sentence: String, _ pointer: JSONPointer, key: Bool = false, hint: String? = nil) -> Problem {
    let place = pointer.place(in: text, key: key)
    return Problem(.manifest, sentence, at: Place(file: Files.display(file), line: place.line, column: place.column, text: text), hint: hint)
  }

  /// The format's version, `"manifest": 1`.
  func version(_ root: JSON, _ format: String) throws {
    guard let version = root[format]?.int else {
      throw problem(
        "\"\(format)\": 1 is missing", JSONPointer(root[format] == nil ? [] : [format]), hint: "it says which version of the format the file is in")
    }
    guard version == 1 else {
      throw problem("\(format) version \(version) is not known to this enpire", JSONPointer([format]), hint: "this one reads version 1")
    }
  }

  /// Names that people give; those of a matrix's instances and of a family's rounds are made of them.
  func checkName(_ name: String, _ pointer: JSONPointer, _ what: String = "a step's name") throws {
    guard Self.isWord(name) else { throw problem("'\(name)' cannot be \(what)", pointer, key: true, hint: "use letters, digits, _ and -") }
  }

  /// Letters, digits, _ and -.
  static func isWord(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { isalnum(Int32($0)) != 0 || "_-".utf8.contains($0) }
  }

  func onlyKeys(_ json: JSON, _ pointer: JSONPointer, _ known: [String]) throws {
    for key in json.object?.keys ?? [] where !known.contains(key) {
      throw problem("unknown key '\(key)'", pointer / key, key: true, hint: suggestion(for: key, among: known))
    }
  }

  func string(_ json: JSON, _ key: String, _ pointer: JSONPointer = JSONPointer()) throws -> String? {
    guard let value = json[key] else { return nil }
    guard let text = value.string else { throw problem("'\(key)' must be a string", pointer / key) }
    return text
  }

  func object(_ json: JSON?, _ pointer: @autoclosure () -> JSONPointer) throws -> OrderedDictionary<String, JSON> {
    guard let json else { return [:] }
    guard let members = json.object else { throw problem("'\(pointer().tokens.last ?? "")' must be an object", pointer()) }
    return members
  }

  /// A string or a list of strings.
  func strings(_ json: JSON, _ pointer: @autoclosure () -> JSONPointer) throws -> [String] {
    if let one = json.string { return [one] }
    guard let list = json.array else { throw problem("'\(pointer().tokens.last ?? "")' must be a string or a list of strings", pointer()) }
    return try list.enumerated().map { index, element in
      guard let text = element.string else { throw problem("must be a string", pointer() / index) }
      return text
    }
  }
}
