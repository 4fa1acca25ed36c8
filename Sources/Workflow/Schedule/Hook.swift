// A webhook as it is declared, in a manifest's `notify` or in the user's configuration: where a summary goes, and of which runs.
// An address may be a secret as well as a token is: both can come from the environment or a file, and neither is ever shown.

internal import Glibc
import JSON

public struct Hook: Sendable, Equatable {
  public enum Text: Sendable, Equatable {
    case plain(String), environment(String)
    /// A file's content without its last newline; an absolute path.
    case file(String)
  }

  /// `summary`: the whole summary; `text`: `{"text": …}`, as Slack, Mattermost and others take it.
  public enum Form: String, Sendable, CaseIterable { case summary, text }

  public var url: Text
  public var token: Text?
  public var form = Form.summary
  public var on: Set<Summary.Transition> = [.failure, .stillFailing, .recovery]
  /// Seconds for one try, and how many there are.
  public var timeout = 10.0
  public var tries = 4

  static let keys = ["url", "token", "form", "on", "timeout", "tries"]
  private static let words: [String: Set<Summary.Transition>] = [
    "failure": [.failure, .stillFailing], "recovery": [.recovery], "success": [.success], "unfinished": [.unfinished], "skipped": [.skipped],
  ]

  /// One or a list of them; paths start at `directory`.
  static func list(_ json: JSON?, _ reader: Reader, directory: String) throws -> [Hook] {
    guard let json else { return [] }
    let pointer = JSONPointer(["notify"])
    if json.object != nil { return [try Hook(json, reader, pointer, directory)] }
    guard let list = json.array else { throw reader.problem("'notify' must be an object or a list of them", pointer) }
    return try list.enumerated().map { try Hook($1, reader, pointer / $0, directory) }
  }

  private init(_ json: JSON, _ reader: Reader, _ pointer: JSONPointer, _ directory: String) throws {
    guard json.object != nil else { throw reader.problem("a hook must be an object with a 'url'", pointer) }
    try reader.onlyKeys(json, pointer, Self.keys)
    func text(_ key: String, plain: Bool) throws -> Text? {
      guard let value = json[key] else { return nil }
      if plain, let text = value.string {
        guard text.hasPrefix("https://") || text.hasPrefix("http://") else {
          throw reader.problem("'url' must begin with https:// or http://", pointer / key)
        }
        return .plain(text)
      }
      if value.object?.count == 1 {
        if let name = value["env"]?.string, !name.isEmpty { return .environment(name) }
        if let path = value["file"]?.string, !path.isEmpty { return .file(Files.absolute(path, in: directory)) }
      }
      throw reader.problem(
        "'\(key)' must be \(plain ? "an address, or " : "")where it is: {\"file\": PATH} or {\"env\": VARIABLE}", pointer / key,
        hint: plain ? nil : "a token written here would be in Git; cron has no variables but those of its line, so take a file")
    }
    guard let url = try text("url", plain: true) else { throw reader.problem("a hook needs a 'url'", pointer) }
    self.url = url
    token = try text("token", plain: false)
    if let word = try reader.string(json, "form", pointer) {
      guard let form = Form(rawValue: word) else { throw reader.problem("'form' must be summary or text", pointer / "form") }
      self.form = form
    }
    if let on = json["on"] {
      self.on = []
      for word in try reader.strings(on, pointer / "on") {
        guard let transitions = Self.words[word] else {
          throw reader.problem("a hook is told of no '\(word)'", pointer / "on", hint: suggestion(for: word, among: Self.words.keys.sorted()))
        }
        self.on.formUnion(transitions)
      }
    }
    if let timeout = json["timeout"] {
      guard let seconds = timeout.double, (0.1...60).contains(seconds) else {
        throw reader.problem("'timeout' must be 0.1 to 60 seconds", pointer / "timeout")
      }
      self.timeout = seconds
    }
    if let tries = json["tries"] {
      guard let count = tries.int, (1...8).contains(count) else { throw reader.problem("'tries' must be 1 to 8", pointer / "tries") }
      self.tries = count
    }
  }

  /// Of a manifest that may be wrong elsewhere: a workflow that cannot be read is told of too.
  public static func list(inManifest path: String) -> [Hook] {
    let path = Files.absolute(path)
    guard let text = try? Files.read(path) else { return [] }
    let reader = Reader(file: path, text: text)
    return (try? list(try reader.parse()["notify"], reader, directory: Files.parent(of: path) ?? "/")) ?? []
  }
}

extension Hook.Text {
  /// Throws a sentence without the value.
  func value() throws -> String {
    switch self {
    case .plain(let text): return text
    case .environment(let name):
      guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { throw Problem(.usage, "\(name) is not set") }
      return value
    case .file(let path):
      guard var bytes = try? Files.read(path) else { throw Problem(.usage, "\(Files.display(path)) cannot be read") }
      while bytes.last == 10 || bytes.last == 13 { bytes.removeLast() }
      guard !bytes.isEmpty, !bytes.contains(10) else { throw Problem(.usage, "\(Files.display(path)) does not hold one line") }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}
