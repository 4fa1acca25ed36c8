// A learned policy as the robot's side knows policies.

import Learning
import Robot

final class LearnedPolicyActor: Policy {
  private let actor: LearnedActor

  init(directory: String) throws {
    do { actor = try LearnedActor(directory: directory) } catch let error as LearningError { throw StepFailure(error.sentence, hint: error.hint) }
  }

  func reset() { actor.reset() }
  func act(_ observation: Observation) throws -> Action { actor.act(observation) }
}
