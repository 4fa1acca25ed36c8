// Makes a program of a source file: Swift is compiled, confined like what comes of it; scripts and executables are taken as they are.
// What the compiler has against a source is a result, with lines and columns, not a failure of whoever asked.

internal import Confinement
internal import Foundation
public import JSON

public enum ProgramCompiler {
  /// What is wrong at a place of the source; lines and columns from 1.
  public struct Complaint: Sendable, Equatable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int
    public var message: String

    public var description: String { "\(file):\(line):\(column): \(message)" }
    public var json: JSON { ["file": .string(file), "line": .integer(line), "column": .integer(column), "message": .string(message)] }
  }

  public enum Outcome: Sendable {
    case made(Program)
    case refused([Complaint])
  }

  /// Copies the source into `directory`, makes what is run there, and writes `program.json`.
  /// - Throws: `ProgramError` if there is no compiler or no sandbox; nothing of the source has run then.
  public static func make(_ source: String, role: Program.Role, task: String, senses: [Sense] = [], in directory: String) throws -> Outcome {
    let name = source.split(separator: "/").last.map(String.init) ?? "program"
    let language: Program.Language = name.hasSuffix(".swift") ? .swift : name.hasSuffix(".py") ? .python : .executable
    let copy = directory + "/" + name
    guard let text = FileManager.default.contents(atPath: source) else { throw ProgramError("has no source that can be read at \(source)") }
    try text.write(to: URL(filePath: copy))
    chmod(copy, language == .executable ? 0o755 : 0o644)
    let run = language == .swift ? "program" : name
    let complaints =
      switch language {
      case .swift: try compile(copy, named: name, to: directory + "/" + run)
      case .python: try syntax(copy, named: name)
      case .executable: [Complaint]()
      }
    guard complaints.isEmpty else { return .refused(complaints) }
    let program = try Program(role: role, task: task, senses: senses, language: language, source: name, run: run, in: directory)
    try Data(program.json.pretty.utf8).write(to: URL(filePath: directory + "/program.json"))
    return .made(program)
  }

  /// The object first, by a name of its own: a compiler that links at once names a temporary file in its output, which then differs each time.
  private static let script = """
    "$0" -O -wmo -module-name program -diagnostic-style llvm -c "$1" -o /out/program.o &&
    "$0" -static-stdlib /out/program.o -o /out/program -Xlinker --gc-sections -Xlinker -s
    """

  private static func compile(_ source: String, named name: String, to executable: String) throws -> [Complaint] {
    guard let toolchain else {
      throw ProgramError(
        "is in Swift, and there is no Swift compiler", hint: "put the toolchain's own usr/bin on the PATH; swift.org has it for Debian 12")
    }
    let room = FileManager.default.temporaryDirectory.appending(path: "enpire-compile-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: room, withIntermediateDirectories: true)
    // Whoever the sandbox makes of us must be able to write there.
    chmod(room, 0o777)
    defer { try? FileManager.default.removeItem(atPath: room) }
    var mounts: [Confinement.Mount] = [.init(source, at: "/source/\(name)"), .init(room, at: "/out", writable: true)]
    if !toolchain.hasPrefix("/usr/") { mounts.append(.init(toolchain)) }
    let limits = Confinement.Limits(memory: 16 << 30, processorSeconds: 120, fileBytes: 512 << 20, mayFork: true)
    let end = try ending(
      ["/bin/sh", "-c", script, toolchain + "/bin/swiftc", "/source/\(name)"], within: 300,
      Confinement(mounts: mounts, limits: limits, seesProcesses: true))
    guard end.status != 0 else {
      try FileManager.default.moveItem(atPath: room + "/program", toPath: executable)
      chmod(executable, 0o755)
      return []
    }
    let complaints = complaints(in: end.errors, of: name)
    guard complaints.isEmpty else { return complaints }
    return [Complaint(file: name, line: 1, column: 1, message: "the compiler ended with code \(end.status): \(end.errors.suffix(500))")]
  }

  /// What Python has against the source before it runs a line of it.
  private static func syntax(_ source: String, named name: String) throws -> [Complaint] {
    guard let python = ProgramSession.python else { return [] }
    let seen = "/source/\(name)"
    let end = try ending([python, "-I", "-c", check, seen], within: 30, Confinement(mounts: [.init(source, at: seen)]))
    return end.status == 0 ? [] : Self.complaints(in: end.errors, of: name)
  }

  private static let check = """
    import sys
    path = sys.argv[1]
    try:
        compile(open(path, "rb").read(), path, "exec")
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        sys.exit(f"{path}:{line}:{column}: error: {getattr(error, 'msg', error)}")
    """

  private static func ending(
    _ argv: [String], within seconds: Double, _ confinement: Confinement
  ) throws -> (status: Int32, output: String, errors: String) {
    do { return try ConfinedProcess(argv, in: confinement).wait(seconds: seconds) } catch { throw ProgramError.noSandbox(error, toBe: "compiled") }
  }

  /// `/source/a.swift:3:5: error: …`, as the compiler prints it.
  static func complaints(in text: String, of name: String) -> [Complaint] {
    text.split(separator: "\n").compactMap { line in
      guard let match = line.wholeMatch(of: /\/source\/[^:]+:([0-9]+):([0-9]+): error: (.*)/), let row = Int(match.1), let column = Int(match.2)
      else {
        return nil
      }
      return Complaint(file: name, line: row, column: column, message: String(match.3))
    }
  }

  /// The directory that holds the compiler's bin and lib.
  private static let toolchain: String? = {
    guard let compiler = Confinement.program("swiftc") else { return nil }
    let root = URL(filePath: compiler).deletingLastPathComponent().deletingLastPathComponent().path
    return Confinement.exists(root + "/bin/swiftc") && Confinement.exists(root + "/lib/swift_static") ? root : nil
  }()
}
