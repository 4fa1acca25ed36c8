// Freezes task, limits, reset, verifier and scorer under one hash, which every later trial checks and every record carries.
// The verifier is one that was synthesized, or a program that was compiled; its files are part of the environment.

import Foundation
import JSON
import Robot
import Workflow

enum FreezeEnvironment: StepKind {
  static let kind = Kind(
    "freeze-environment", summary: "Freeze task, limits, reset, verifier and scorer under one hash.", effect: .pure, revision: 3,
    inputs: [Input("verifier", "an accepted verifier (synthesize-reward), or a program that is one (compile-program)")],
    outputs: [Output("environment", .directory, path: "environment", "environment.json, and the verifier's program")],
    parameters: [
      Parameter("task", .oneOf(["push-t"]), default: "push-t", "the task"),
      Parameter("low", .list(.number(0...512)), default: [0, 0], "least x, y of a target, workspace units"),
      Parameter("high", .list(.number(0...512)), default: [512, 512], "greatest x, y of a target, workspace units"),
      Parameter("max_jump", .number(1...1000), optional: true, "how far a target may lie from the agent, units; no limit if not given"),
      Parameter("steps", .integer(1...100_000), default: 300, "control steps until a trial counts as failed"),
      Parameter("settle_steps", .integer(0...100), default: 4, "control steps the agent is held still when a trial has ended, for the verifier"),
      Parameter(
        "camera", .integer(32...1024), optional: true, "side of the pictures that the verifier is shown, pixels; as it was made for, or 384"),
      Parameter(
        "drawing", .oneOf(PictureForm.Drawing.allCases.map(\.rawValue)), optional: true,
        "how edges show in them, as for synthesize-reward; as it was made for, or smooth"),
      Parameter(
        "camera_period", .integer(1...100), default: 5, "control steps from one picture for the verifier to the next, until the trial settles"),
    ])

  static func run(_ step: StepContext) throws {
    let verifier = try step.input("verifier")
    do {
      let (description, files) = try read(verifier.path)
      let limits = SafetyLimits(
        low: step.value("low")?.array?.compactMap(\.double) ?? [], high: step.value("high")?.array?.compactMap(\.double) ?? [],
        maxJump: step.value("max_jump")?.double, steps: step.int("steps"), settleSteps: step.int("settle_steps"))
      let environment = try FrozenEnvironment.freeze(
        task: step.string("task"), limits: limits, verifier: description, program: try files.map { try Program(directory: $0) },
        pictures: try pictures(of: verifier, step), cameraPeriod: step.int("camera_period"))
      guard environment.limits.low.count == 2 else { throw StepFailure("'low' and 'high' hold \(environment.limits.low.count) numbers, not x and y") }
      if let files { try copy(environment.program, from: files, to: step.output("environment") + "/verifier") }
      try environment.write(to: step.output("environment"))
      step.log("frozen as \(environment.hash)")
    } catch let error as VerifierError {
      throw StepFailure(error.description, at: verifier.name, hint: "make it again with synthesize-reward")
    } catch let error as ProgramError {
      throw StepFailure(error.description, at: verifier.name, hint: "compile it again with compile-program")
    } catch let error as LimitsError { throw StepFailure(error.description, hint: "correct 'low', 'high', 'steps' in the manifest") }
  }

  /// The conditions, if it has any, and where the program's files are, if it is one.
  private static func read(_ path: String) throws -> (VerifierDescription?, String?) {
    let exists = { FileManager.default.fileExists(atPath: path + $0) }
    if exists("/program.json") {
      let role = try Program(directory: path).role
      guard role == .verifier else {
        throw StepFailure("the program is a \(role.rawValue), not a verifier", hint: "compile it with \"role\": \"verifier\"")
      }
      return (nil, path)
    }
    return (try VerifierDescription(json: StepContext.json(at: path + "/verifier.json")), exists("/program/program.json") ? path + "/program" : nil)
  }

  /// The form that is asked for, or the one that the verifier was made for, which must not differ.
  private static func pictures(of verifier: InputFile, _ step: StepContext) throws -> PictureForm {
    let path = verifier.path + "/report.json"
    let report = FileManager.default.fileExists(atPath: path) ? try StepContext.json(at: path) : .null
    if report["passed"]?.bool == false { step.log("the verifier was handed on below its bars") }
    let made = PictureForm(json: report["pictures"])
    let asked = PictureForm(
      size: step.value("camera")?.int ?? made?.size ?? 384,
      drawing: step.value("drawing")?.string.flatMap(PictureForm.Drawing.init) ?? made?.drawing ?? .smooth)
    guard made ?? asked == asked else {
      throw StepFailure(
        "the verifier was made for pictures of \(made!.sentence), not of \(asked.sentence)", at: verifier.name,
        hint: "leave 'camera' and 'drawing' out, or make the verifier again for these")
    }
    return asked
  }

  private static func copy(_ program: Program?, from files: String, to directory: String) throws {
    guard let program else { return }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for name in Set([program.run, program.source]) {
      try FileManager.default.copyItem(atPath: "\(files)/\(name)", toPath: "\(directory)/\(name)")
    }
  }
}
