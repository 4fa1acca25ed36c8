// A learned policy as the robot's side knows policies.

import Foundation
import Learning
import Robot

final class LearnedPolicyActor: ActionObserver {
  private let actor: LearnedActor

  /// A policy with a directory `base` adds to what the policy in there does, of whatever regime that is.
  init(directory: String) throws {
    do {
      let base = FileManager.default.fileExists(atPath: directory + "/base") ? try PolicyLoader.policy(at: directory + "/base").asBase : nil
      actor = try LearnedActor(directory: directory, base: base)
    } catch let error as LearningError { throw StepFailure(error.sentence, hint: error.hint) }
    // What was learnt from other observations or actions than the task's would fail at the first step.
    let (observation, action) = (actor.policy.observationSize, actor.policy.features.actionSize)
    guard observation == PushTLearning.observationSize, action == PushTLearning.actionSize else {
      throw StepFailure(
        "the policy takes \(observation) numbers and gives \(action); push-t's observations have \(PushTLearning.observationSize) "
          + "and its actions \(PushTLearning.actionSize)", at: "policy.json")
    }
  }

  func reset() { actor.reset() }
  func act(_ observation: Observation) throws -> Action { try actor.act(observation) }
  func carriedOut(_ action: Action) { actor.carriedOut(action) }
}

extension Policy {
  /// This policy as what a residual is added to.
  var asBase: LearnedActor.Base {
    LearnedActor.Base(reset: reset, act: act) { [observer = self as? any ActionObserver] in observer?.carriedOut($0) }
  }
}
