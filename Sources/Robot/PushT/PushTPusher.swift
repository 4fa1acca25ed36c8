// The least that can be called a Push-T policy: goes behind the block, seen from the goal, and pushes towards it. It plans nothing and does
// not turn the block, so it seldom solves an episode: a baseline, and a policy that costs nothing.

internal import Foundation

public final class PushTPusher: Policy {
  /// Units from the block's middle at which a push starts, and units a control step.
  private let standOff = 110.0
  private let pace = 25.0
  private var pushing = false

  public init() {}

  public func reset() { pushing = false }

  public func act(_ observation: Observation) throws -> Action {
    guard observation.count == 5 else { throw PusherError(count: observation.count) }
    let (agent, angle) = ((observation[0], observation[1]), observation[4])
    // The middle of the T, 45 units along its stem, now and at the goal.
    func middle(_ x: Double, _ y: Double, _ angle: Double) -> (Double, Double) { (x - 45 * sin(angle), y + 45 * cos(angle)) }
    let block = middle(observation[2], observation[3], angle)
    let goal = middle(PushTGeometry.goal.x, PushTGeometry.goal.y, PushTGeometry.goal.angle)
    let (dx, dy) = (goal.0 - block.0, goal.1 - block.1)
    let distance = max((dx * dx + dy * dy).squareRoot(), 1e-9)
    let start = (block.0 - standOff * dx / distance, block.1 - standOff * dy / distance)
    let away = ((agent.0 - start.0) * (agent.0 - start.0) + (agent.1 - start.1) * (agent.1 - start.1)).squareRoot()
    if away < 10 { pushing = true } else if away > 2 * standOff { pushing = false }
    let target = pushing ? goal : start
    let (tx, ty) = (target.0 - agent.0, target.1 - agent.1)
    let scale = min(1, pace / max((tx * tx + ty * ty).squareRoot(), 1e-9))
    return [min(max(agent.0 + tx * scale, 0), 512), min(max(agent.1 + ty * scale, 0), 512)]
  }
}

private struct PusherError: Error, CustomStringConvertible {
  let count: Int
  var description: String { "Push-T is observed by 5 numbers, not \(count)" }
}
