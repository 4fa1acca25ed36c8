// A training's state on disk: networks, moments, own experience and counters. Checkpoints fall between episodes, or between updates by cloning
// alone before the first one, so the environment needs no saving.

internal import JSON
internal import Tensor

extension SoftActorCritic.Run {
  func checkpoint() -> Checkpoint {
    var out = Checkpoint()
    out.put("actor", actor.parameters)
    out.put("best", best.parameters)
    out.put("critics", critics.parameters)
    out.put("targets", targets.parameters)
    out.put("temperature", [temperature])
    out.put("actor.moments", actorMoments)
    out.put("critic.moments", criticMoments)
    out.put("temperature.moments", temperatureMoments)
    out.put("own", rows: own.rows, width: own.rowWidth)
    out.state = [
      "steps": .integer(steps), "episodes": .integer(episodes), "actor_updates": .integer(actorUpdates), "critic_updates": .integer(criticUpdates),
      "evaluated": .integer(evaluated), "evaluation_steps": .integer(evaluationSteps), "best": .number(bestRate),
      "next": .integer(own.next), "scaling": scaling.json, "curves": curves.json,
    ]
    return out
  }

  mutating func restore(_ saved: Checkpoint) throws {
    try saved.get("actor", into: actor.parameters)
    try saved.get("best", into: best.parameters)
    try saved.get("critics", into: critics.parameters)
    try saved.get("targets", into: targets.parameters)
    try saved.get("temperature", into: [temperature])
    try saved.get("actor.moments", into: actorMoments)
    try saved.get("critic.moments", into: criticMoments)
    try saved.get("temperature.moments", into: temperatureMoments)
    func number(_ name: String) -> Int { saved.state[name]?.int ?? 0 }
    own.restore(rows: try saved.rows("own"), next: number("next"))
    (steps, episodes, actorUpdates, criticUpdates) = (number("steps"), number("episodes"), number("actor_updates"), number("critic_updates"))
    (evaluated, evaluationSteps) = (number("evaluated"), number("evaluation_steps"))
    bestRate = saved.state["best"]?.double ?? -1
    scaling = Scaling(saved.state["scaling"]) ?? scaling
    curves = LearningCurves(saved.state["curves"])
  }
}
