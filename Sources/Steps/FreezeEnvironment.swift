// Freezes task, limits, reset, verifier and scorer under one hash, which every later trial checks and every record carries.

import JSON
import Robot
import Workflow

enum FreezeEnvironment: StepKind {
  static let kind = Kind(
    "freeze-environment", summary: "Freeze task, limits, reset, verifier and scorer under one hash.", effect: .pure, revision: 1,
    inputs: [Input("verifier", "an accepted verifier (synthesize-reward)")],
    outputs: [Output("environment", .directory, path: "environment", "environment.json")],
    parameters: [
      Parameter("task", .oneOf(["push-t"]), default: "push-t", "the task"),
      Parameter("low", .list(.number(0...512)), default: [0, 0], "least x, y of a target, workspace units"),
      Parameter("high", .list(.number(0...512)), default: [512, 512], "greatest x, y of a target, workspace units"),
      Parameter("max_jump", .number(1...1000), optional: true, "how far a target may lie from the agent, units; no limit if not given"),
      Parameter("steps", .integer(1...100_000), default: 300, "control steps until a trial counts as failed"),
      Parameter("settle_steps", .integer(0...100), default: 4, "control steps the agent holds still after a success, for the verifier"),
      Parameter("camera", .integer(32...1024), default: 384, "side of the pictures that the verifier was made for, pixels"),
      Parameter(
        "camera_period", .integer(1...100), default: 5, "control steps from one picture for the verifier to the next, until the trial settles"),
    ])

  static func run(_ step: StepContext) throws {
    let path = try step.input("verifier").path + "/verifier.json"
    do {
      let limits = SafetyLimits(
        low: step.value("low")?.array?.compactMap(\.double) ?? [], high: step.value("high")?.array?.compactMap(\.double) ?? [],
        maxJump: step.value("max_jump")?.double, steps: step.int("steps"), settleSteps: step.int("settle_steps"))
      let environment = try FrozenEnvironment.freeze(
        task: step.string("task"), limits: limits, verifier: VerifierDescription(json: StepContext.json(at: path)), cameraSize: step.int("camera"),
        cameraPeriod: step.int("camera_period"))
      guard environment.limits.low.count == 2 else { throw StepFailure("'low' and 'high' hold \(environment.limits.low.count) numbers, not x and y") }
      try environment.write(to: step.output("environment"))
      step.log("frozen as \(environment.hash)")
    } catch let error as VerifierError {
      throw StepFailure(error.description, at: try step.input("verifier").name, hint: "make it again with synthesize-reward")
    } catch let error as LimitsError { throw StepFailure(error.description, hint: "correct 'low', 'high', 'steps' in the manifest") }
  }
}
