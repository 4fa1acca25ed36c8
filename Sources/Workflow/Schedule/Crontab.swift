// The user's crontab: one block for each schedule, between two marked lines. Whatever else stands there is nobody's business here and stays, to
// the byte. It asks `crontab` to read and write.

internal import Glibc

public enum Crontab {
  /// cron cuts longer commands off, without a word.
  static let longest = 990

  public struct Block: Sendable, Equatable {
    public var name: String
    public var manifest: String
    /// Lines of cron between the marks.
    public var lines: [String]

    public init(name: String, manifest: String, lines: [String]) { (self.name, self.manifest, self.lines) = (name, manifest, lines) }

    var begin: String { "# >>> enpire \(name) \(manifest)" }
    var end: String { "# <<< enpire \(name) \(manifest)" }
    public var text: String { ([begin] + lines + [end]).joined(separator: "\n") + "\n" }
  }

  /// A command as cron hands it to the shell: it takes % for the end of a line.
  public static func line(_ time: String, _ command: String) throws -> String {
    guard !command.contains(where: \.isNewline) else { throw Problem(.usage, "a crontab cannot hold a name with a line break in it") }
    let command = command.replacing("%", with: "\\%")
    guard command.utf8.count <= longest else {
      throw Problem(
        .usage, "the command has \(command.utf8.count) bytes, and cron takes \(longest)", hint: "a shorter PATH will do, or --systemd")
    }
    return time + " " + command
  }

  // MARK: Text

  /// The blocks in a crontab. Throws for marks that do not match: somebody's hand was here, and it is not guessed what is whose.
  public static func blocks(in text: String) throws -> [(block: Block, lines: Range<Int>)] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var found: [(Block, Range<Int>)] = []
    var open: (index: Int, head: Substring)?
    for (index, line) in lines.enumerated() {
      if line.hasPrefix("# >>> enpire ") {
        if open != nil { throw damaged(index) }
        open = (index, line.dropFirst("# >>> enpire ".count))
      } else if line.hasPrefix("# <<< enpire ") {
        guard let begun = open, begun.head == line.dropFirst("# <<< enpire ".count), let space = begun.head.firstIndex(of: " ") else {
          throw damaged(index)
        }
        let block = Block(
          name: String(begun.head[..<space]), manifest: String(begun.head[begun.head.index(after: space)...]),
          lines: lines[(begun.index + 1)..<index].map(String.init))
        found.append((block, begun.index..<(index + 1)))
        open = nil
      }
    }
    if let open { throw damaged(open.index) }
    return found
  }

  private static func damaged(_ line: Int) -> Problem {
    Problem(
      .conflict, "line \(line + 1) of the crontab is half of enpire's marks; nothing was changed",
      hint: "crontab -e, and remove what is left of that block")
  }

  /// The text with this block in place of the one of the same schedule, or at the end.
  public static func installing(_ block: Block, in text: String) throws -> String {
    guard let old = try blocks(in: text).first(where: { $0.block.name == block.name && $0.block.manifest == block.manifest }) else {
      return text + (text.isEmpty || text.hasSuffix("\n") ? "" : "\n") + block.text
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    lines.replaceSubrange(old.lines, with: block.text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    return lines.joined(separator: "\n")
  }

  /// The text without that block; nil if it has none.
  public static func removing(_ name: String, _ manifest: String, from text: String) throws -> String? {
    guard let old = try blocks(in: text).first(where: { $0.block.name == name && $0.block.manifest == manifest }) else { return nil }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    lines.removeSubrange(old.lines)
    return lines.joined(separator: "\n")
  }

  // MARK: The program

  /// The user's crontab; empty if there is none.
  public static func read() throws -> String {
    let (end, output, errors) = try call(["-l"])
    if end == .exited(0) { return output }
    // What crontab says if there is none is its only word for that.
    if errors.contains("no crontab for") { return "" }
    throw Problem(.inputOutput, "crontab -l: \(errors.split(separator: "\n").first ?? "it failed")")
  }

  /// Puts a text in its place, and looks whether it is there.
  public static func write(_ text: String) throws {
    let file = temporary("new")
    defer { unlink(file) }
    try Files.write(Array(text.utf8), to: file, mode: 0o600)
    let (end, _, errors) = try call(text.isEmpty ? ["-r"] : [file])
    guard end == .exited(0) || (text.isEmpty && errors.contains("no crontab for")) else {
      throw Problem(.inputOutput, "crontab did not take it: \(errors.split(separator: "\n").first ?? "")")
    }
    guard try read() == text else {
      throw Problem(.conflict, "the crontab is not what was written: somebody else changes it", hint: "crontab -l shows it; try again")
    }
  }

  private static func temporary(_ word: String) -> String {
    (getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp") + "/enpire-crontab-\(word)-\(getpid())"
  }

  private static func call(_ words: [String]) throws -> (Child.End, output: String, errors: String) {
    let (output, errors) = (temporary("out"), temporary("err"))
    defer { for file in [output, errors] { unlink(file) } }
    for file in [output, errors] { try Files.write([], to: file, mode: 0o600) }
    var environment = Child.inheritedEnvironment
    environment["LC_ALL"] = "C"
    let script =
      "command -v crontab >/dev/null || { echo 'there is no crontab' >&2; exit 127; }; exec crontab \"$@\" >\(Shell.quote(output)) 2>\(Shell.quote(errors))"
    let end = try Child.spawn(["/bin/sh", "-c", script, "sh"] + words, environment: environment, directory: "/", output: "/dev/null").wait()
    if end == .exited(127) { throw Problem(.inputOutput, "there is no crontab on this machine", hint: "apt-get install cron, or --systemd") }
    func text(_ file: String) -> String { (try? Files.read(file)).map { String(decoding: $0, as: UTF8.self) } ?? "" }
    return (end, text(output), text(errors))
  }
}
