// The frozen environment as an evaluation needs it: its hash, its limits and its verifier, from the artifact of `freeze-environment`.

import JSON
import Robot

struct FrozenEnvironment {
  let hash: String
  let limits: SafetyLimits
  let verifier: (any Verifier)?

  init(directory: String) throws {
    let json = try StepContext.json(at: directory + "/environment.json")
    let place = "environment.json"
    guard let hash = json["hash"]?.string else { throw StepFailure("the environment has no 'hash'", at: place) }
    guard let limits = json["limits"] else { throw StepFailure("the environment has no 'limits'", at: place) }
    self.hash = hash
    do { self.limits = try SafetyLimits(json: limits) } catch { throw StepFailure("\(error)", at: place) }
    verifier = try json["verifier"].flatMap { $0 == .null ? nil : try Self.verifier($0) }
  }

  /// The one place that knows verifiers. An environment whose verifier cannot be loaded is not evaluated without it.
  private static func verifier(_ json: JSON) throws -> any Verifier {
    throw StepFailure("this build cannot load the environment's verifier", at: "environment.json")
  }
}
