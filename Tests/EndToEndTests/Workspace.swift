// A temporary workspace and the built program in it, as a person would use them.

import Foundation
import JSON

/// What a program said and how it ended.
struct Outcome {
  let code: Int32
  let output: String
  let errors: String
}

final class Workspace {
  let directory: URL

  /// `manifest` is the text of `enpire.json`; `files` are written beside it.
  init(_ manifest: String = "", files: [String: String] = [:]) throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "enpire-" + UUID().uuidString).resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try write(manifest, to: "enpire.json")
    for (name, text) in files { try write(text, to: name) }
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  static let repository = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  /// Built beside the test program.
  static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "enpire")

  func path(_ name: String) -> URL { directory.appending(path: name) }

  func write(_ text: String, to name: String) throws {
    try FileManager.default.createDirectory(at: path(name).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: path(name))
  }

  func read(_ name: String) -> String? {
    FileManager.default.contents(atPath: path(name).path(percentEncoded: false)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// How often each step ran in all runs so far: the steps of these tests add a line to `ran` beside the workspace.
  var ran: [String] { (read("ran") ?? "").split(separator: "\n").map(String.init) }

  /// Starts enpire; its output goes to files, so that a child that holds them open blocks nobody.
  func start(_ arguments: [String], environment: [String: String] = [:], program: URL = Workspace.program, number: Int = 0) throws -> Process {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = directory
    // Many tests watch a step by what it writes outside; those of the sandbox ask for one.
    process.environment = ProcessInfo.processInfo.environment.merging(["ENPIRE_SANDBOX": "none", "MAKEFLAGS": ""]) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    for (name, keyPath) in [("output", \Process.standardOutput), ("errors", \Process.standardError)] {
      let file = path(".\(name)-\(number)")
      try Data().write(to: file)
      process[keyPath: keyPath] = try FileHandle(forWritingTo: file)
    }
    try process.run()
    return process
  }

  func outcome(of process: Process, number: Int = 0) -> Outcome {
    process.waitUntilExit()
    return Outcome(code: process.terminationStatus, output: read(".output-\(number)") ?? "", errors: read(".errors-\(number)") ?? "")
  }

  @discardableResult
  func enpire(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome { try enpire(arguments, environment: environment) }

  func enpire(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    outcome(of: try start(arguments, environment: environment))
  }

  /// The summary of a run, from its JSON lines.
  func summary(_ arguments: String...) throws -> JSON {
    let outcome = outcome(of: try start(["run", "--json"] + arguments))
    let lines = outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
    return lines.last { $0["event"] == "summary" } ?? ["missing": .string(outcome.errors)]
  }

  /// Waits until the file exists.
  func wait(for name: String) {
    while !FileManager.default.fileExists(atPath: path(name).path()) { usleep(2000) }
  }
}
