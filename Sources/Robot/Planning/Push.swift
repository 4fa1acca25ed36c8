// One push: where the disc sets on, which way it goes, how it bends and how fast. Relative to the block, so it can be tried again from another pose.

internal import Hashing

struct Push {
  /// Share of the T's outline at which the disc sets on; nil: from where the disc is.
  var along: Double?
  /// Direction, rad: off the normal into the T, or in the world's frame for one without a place on the outline.
  var direction: Double
  /// Turn a px, rad.
  var bend: Double
  /// Way a control step, px.
  var speed: Double

  static let speeds = 4.0...45.0

  /// The disc stays where it is, while the block slides.
  static let wait = Push(along: nil, direction: 0, bend: 0, speed: 0)

  /// Draws a push. Of a few places on the outline the one is taken whose normal promises most towards the goal.
  static func draw(
    _ random: inout RandomStream, _ state: PushTModel.State, _ outline: TeeOutline, _ model: PushTModel,
    _ goal: PushTGoal, freely share: Double, choices: Int
  ) -> Push {
    let slides = model.keep > 0
    let ratio = random.uniform()
    // A block that slides on wants to be touched gently too.
    let speed = slides ? 1.5 * raise(speeds.upperBound / 1.5, ratio) : speeds.lowerBound + (speeds.upperBound - speeds.lowerBound) * ratio
    let bend = random.normal() * 0.006
    if random.uniform() < share { return Push(along: nil, direction: random.uniform(-Double.pi...Double.pi), bend: bend, speed: speed) }
    var best = 0.0
    var bestPromise = -Double.infinity
    // What will be missing if the block slides on: one that goes too far wants to be braked.
    let time = slides ? model.slideTime(steps: 8) : 0
    let error = goal.centre - state.block - state.velocity * time
    let turn = (PushTGoal.angle - state.angle - state.spin * time).remainder(dividingBy: 2 * .pi)
    for _ in 0..<max(1, choices) {
      let along = random.uniform()
      let (point, inward) = outline.point(along)
      // A unit impulse along the normal sets the block moving by (normal, lever / I); times the error, in the metric of mass and inertia.
      let promise = error.dot(inward.rotated(by: state.rotation)) + point.cross(inward) * turn
      if promise > bestPromise {
        bestPromise = promise
        best = along
      }
    }
    return Push(along: best, direction: random.uniform(-0.9...0.9), bend: bend, speed: speed)
  }

  /// A push near this one; `spread` 1 is wide.
  func varied(_ random: inout RandomStream, spread: Double) -> Push {
    var push = self
    if let along { push.along = along + random.normal() * 0.04 * spread }
    push.direction += random.normal() * 0.3 * spread
    push.bend += random.normal() * 0.003 * spread
    if speed > 0 { push.speed = min(Self.speeds.upperBound, max(1.5, speed * (1 + random.normal() * 0.3 * spread))) }
    return push
  }
}
