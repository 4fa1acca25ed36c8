// compile-program: a source file that an agent or a person wrote becomes a program that runs confined: a policy for evaluate, or a verifier
// for freeze-environment. What the compiler has against it is a result. How programs talk is in docs/programs.md.

import Foundation
import JSON
import Robot
import Workflow

enum CompileProgram: StepKind {
  static let kind = Kind(
    "compile-program", summary: "Make a confined program, a policy or a verifier, of a source file.", effect: .pure, revision: 2,
    inputs: [Input("source", "a .swift or .py file, or any executable, that speaks the protocol of docs/programs.md")],
    outputs: [
      Output("program", .directory, path: "program", "the source, what is run, and program.json; a policy's has policy.json too"),
      Output("report", .value, path: "report.json", "whether it compiled and answered, and if not what is wrong, with lines and columns"),
    ],
    parameters: [
      Parameter("role", .oneOf(Program.Role.allCases.map(\.rawValue)), default: "policy", "what it is for"),
      Parameter("task", .oneOf(["push-t"]), default: "push-t", "the task whose observations it gets"),
      Parameter(
        "senses", .list(.string), default: [], "what a verifier wants to be told after an observation's own numbers: size, height, force"),
      Parameter(
        "must", .bool, default: true,
        "whether a source that does not compile, or a program that gives no answer, fails the step; else it is in the report"),
    ])

  static func run(_ step: StepContext) throws {
    let source = try step.input("source")
    let role = Program.Role(rawValue: step.string("role")) ?? .policy
    let directory = step.output("program")
    // Inputs may be named by their digest; the file's own name says what language it is in.
    let named = step.progressDirectory + "/" + source.fileName
    try? FileManager.default.removeItem(atPath: named)
    try FileManager.default.copyItem(atPath: source.path, toPath: named)
    let senses: [Sense]
    do { senses = try Sense.list(step.strings("senses")) } catch { throw StepFailure("step \(step.name): \(error)") }
    guard role == .verifier || senses.isEmpty else {
      throw StepFailure("step \(step.name): a policy is told nothing beside the observation", hint: "leave 'senses' out")
    }
    var complaints: [ProgramCompiler.Complaint] = []
    var problem: String?
    do {
      switch try ProgramCompiler.make(named, role: role, task: step.string("task"), senses: senses, in: directory) {
      case .refused(let list): complaints = list
      case .made(let program): problem = try trial(of: program, in: directory)
      }
    } catch let error as ProgramError { throw StepFailure(error.problem, at: source.fileName, hint: error.hint) }
    if step.bool("must") {
      if let first = complaints.first {
        throw StepFailure(
          first.message, at: "\(first.file):\(first.line):\(first.column)",
          hint: complaints.count > 1
            ? "and \(complaints.count - 1) more: \(complaints.dropFirst().prefix(5).map(\.description).joined(separator: "; "))" : nil)
      }
      if let problem { throw StepFailure(problem, at: source.fileName, hint: "docs/programs.md has the protocol and examples") }
    }
    let isGood = complaints.isEmpty && problem == nil
    // A policy of this kind is loaded like any other.
    if role == .policy, isGood {
      let policy: JSON = ["policy": 1, "task": .string(step.string("task")), "regime": "program"]
      try Data(policy.pretty.utf8).write(to: URL(filePath: directory + "/policy.json"))
    }
    try step.write(
      ["report": 1, "compiled": .bool(complaints.isEmpty), "errors": .array(complaints.map(\.json)), "problem": problem.map(JSON.string) ?? .null],
      to: "report")
    step.log(isGood ? "\(source.fileName) answers" : problem ?? complaints.map(\.description).joined(separator: "\n"))
  }

  /// Asks it about one observation; nil if it answers.
  /// - Throws: `ProgramError` where no sandbox can be made.
  private static func trial(of program: Program, in directory: String) throws -> String? {
    let observation: Observation = [100, 100, 256, 300, 1] + program.senses.map { $0 == .size ? 30 : 0 }
    let ask: () throws -> Void
    switch program.role {
    case .policy:
      let policy = try ProgramPolicy(program, in: directory)
      ask = { _ = try policy.act(observation) }
    case .verifier:
      let verifier = try ProgramVerifier(program, in: directory)
      ask = { _ = try verifier.verify(observation) }
    }
    do { try ask() } catch let error as ProgramError { return error.problem }
    return nil
  }
}
