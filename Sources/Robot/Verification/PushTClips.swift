// Clips of Push-T with a known outcome: scripted pushes towards the goal in the simulator, some of which get there, some almost,
// some not; filmed, and seen again through the same eyes as a real video. The truth stays beside the clip and out of the picture.

internal import Foundation
internal import Hashing
internal import Vision

public struct PushTClips {
  /// Frames before the end of the push, and after it while everything stands.
  public static let (before, after) = (6, 4)
  /// By the benchmark: done above the first; a near miss reaches at least the second.
  private static let (solved, near) = (PushTGeometry.solvedCoverage, 0.85)

  private var random: RandomStream
  private let simulation = PushTSimulation()
  private let tracker: PushTTracker
  private let size: Int
  /// Called with the time that sight took for each frame.
  private let timed: (Duration) -> Void

  /// - Parameter size: of the camera's picture, pixels square.
  public init(seed: Int, size: Int, timed: @escaping (Duration) -> Void = { _ in }) throws {
    random = RandomStream("push-t clips", String(seed))
    tracker = try PushTTracker(size: size)
    (self.size, self.timed) = (size, timed)
  }

  /// `count` clips, equal parts success, near miss and failure, in this order again and again.
  public mutating func make(_ count: Int, progress: (Int) -> Void = { _ in }) throws -> [VerifierClip] {
    var clips: [VerifierClip] = []
    var spare: [VerifierClip.Kind: [Push]] = [:]
    while clips.count < count {
      progress(clips.count)
      let wanted = VerifierClip.Kind.allCases[clips.count % 3]
      while spare[wanted, default: []].isEmpty {
        let push = push()
        if let kind = push.kind { spare[kind, default: []].append(push) }
      }
      clips.append(try seen(spare[wanted]!.removeFirst(), as: wanted, number: clips.count))
    }
    return clips
  }

  /// A push as it truly went: states and coverage frame by frame.
  struct Push {
    var states: [[Double]] = []
    var coverage: [Double] = []

    var best: Double { coverage.max() ?? 0 }

    /// Nil for one that went past what it ends with, which nobody would put on either side.
    var kind: VerifierClip.Kind? {
      func kind(_ coverage: Double) -> VerifierClip.Kind {
        coverage > PushTClips.solved ? .success : coverage >= PushTClips.near ? .nearMiss : .failure
      }
      return kind(best) == kind(coverage.last ?? 0) ? kind(best) : nil
    }
  }

  /// The four ways to push the T without turning it, through its centre of gravity: where on the T (body frame), and towards where.
  private static let ways: [(u: Double, v: Double, du: Double, dv: Double)] = [(0, 0, 0, 1), (0, 120, 0, -1), (15, 45, -1, 0), (-15, 45, 1, 0)]

  /// The T starts short of the goal along one of the ways, a little beside it and turned; the agent pushes it on for about as long as it takes.
  private mutating func push() -> Push {
    let way = Self.ways[random.index(below: Self.ways.count)]
    let distance = random.uniform(8...45)
    let start = TeePose(
      x: TeePose.goal.x + 1.5 * random.normal(), y: TeePose.goal.y + 1.5 * random.normal(), angle: TeePose.goal.angle + 0.02 * random.normal())
    let direction = (x: cos(start.angle) * way.du - sin(start.angle) * way.dv, y: sin(start.angle) * way.du + cos(start.angle) * way.dv)
    let pose = TeePose(x: start.x - distance * direction.x, y: start.y - distance * direction.y, angle: start.angle)
    let contact = pose.point(way.u, way.v)
    let beside = random.normal()
    let ready = (x: contact.x - 20 * direction.x - beside * direction.y, y: contact.y - 20 * direction.y + beside * direction.x)
    let speed = random.uniform(4...16)
    // The agent's centre stops a radius short of where it has pushed to.
    let travel = 5 + distance + 8 * random.normal()

    var push = Push()
    _ = simulation.reset(to: Self.unturned([ready.x, ready.y, pose.x, pose.y, pose.angle]))
    var gone = 0.0
    var target = ready
    while gone < travel {
      gone = min(travel, gone + speed)
      target = (ready.x + gone * direction.x, ready.y + gone * direction.y)
      step(towards: target, &push)
    }
    // The script ends where it ends, whatever is true by then; then everything stands.
    let frames = push.states.count
    for _ in 0..<Self.after { step(towards: target, &push) }
    let first = max(0, frames - Self.before)
    push.states = Array(push.states[first...])
    push.coverage = Array(push.coverage[first...])
    return push
  }

  private func step(towards target: (x: Double, y: Double), _ push: inout Push) {
    _ = simulation.step([target.x, target.y])
    let truth = simulation.truth
    push.states.append(truth.state)
    push.coverage.append(truth.score)
  }

  /// The start state that the simulator's reset turns into `state` (it turns the T about its centre of gravity, 45 units along the stem).
  private static func unturned(_ state: [Double]) -> [Double] {
    let (sine, cosine) = (sin(state[4]), cos(state[4]))
    return [state[0], state[1], state[2] - 45 * sine, state[3] - 45 * (1 - cosine), state[4]]
  }

  private func seen(_ push: Push, as kind: VerifierClip.Kind, number: Int) throws -> VerifierClip {
    tracker.reset()
    var observations: [Observation] = []
    for state in push.states {
      let frame = try picture(of: state)
      let clock = ContinuousClock()
      let began = clock.now
      let estimate = tracker.estimate(frame)
      timed(clock.now - began)
      observations.append(estimate.blockFound && estimate.agentFound ? estimate.observation : Array(repeating: .nan, count: 5))
    }
    var best = 0.0
    let done = push.coverage.map { coverage -> Bool? in
      best = max(best, coverage)
      return best > Self.solved
    }
    let name = "\(kind.rawValue) \(number)"
    return VerifierClip(
      name: name, source: "simulator", episode: name, kind: kind, observations: observations, done: done, coverage: push.coverage.last ?? 0)
  }

  private func picture(of state: [Double]) throws -> Image {
    try PushTRenderer.image(agent: (state[0], state[1]), block: (state[2], state[3]), angle: state[4], size: size)
  }
}
