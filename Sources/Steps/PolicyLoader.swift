// From a policy artifact to something that acts: the regime in policy.json says what.
// A regime is one line of the table below.

import Foundation
import JSON
import Learning
import Robot

enum PolicyLoader {
  /// Makes a policy from its directory and its policy.json.
  private typealias Maker = @Sendable (_ directory: String, _ json: JSON) throws -> any Policy

  private static let regimes: [(name: String, make: Maker)] = [
    ("scripted", { _, _ in PushTPusher() }),
    ("heuristic", { _, json in try PushTPlanner(json: json["parameters"] ?? [:]) }),
    ("program", { directory, _ in try ProgramPolicy(Program(directory: directory), in: directory) }),
    ("bc", { directory, _ in try LearnedPolicyActor(directory: directory) }),
    ("rl", { directory, _ in try LearnedPolicyActor(directory: directory) }),
  ]

  /// The policy in `directory`. Throws if it is of another task, or of a regime that nobody knows.
  static func policy(at directory: String, task: String = "push-t") throws -> any Policy {
    let json = try StepContext.json(at: directory + "/policy.json")
    let place = "policy.json"
    if let other = json["task"]?.string, other != task { throw StepFailure("the policy is for task '\(other)', not '\(task)'", at: place) }
    guard let name = json["regime"]?.string else { throw StepFailure("the policy names no 'regime'", at: place) }
    guard let regime = regimes.first(where: { $0.name == name }) else {
      throw StepFailure("no regime '\(name)'", at: place, hint: "regimes are " + regimes.map(\.name).joined(separator: ", "))
    }
    return try regime.make(directory, json)
  }
}
