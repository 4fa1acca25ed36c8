// Clips of Push-T with a known outcome: a planner pushes the T in the simulator of some station until it gets there, or until it is stopped
// almost there or long before, and what the referee of a trial would look at then is filmed. The truth stays beside the clip and out of
// the picture.

internal import Hashing
internal import Vision

public struct PlannerClips {
  /// When the referee looks: every `period` control steps, at the end, and at each of `settle` steps more while the agent is held.
  public struct Looks: Sendable, Hashable {
    public var period: Int
    public var settle: Int
    public init(period: Int = 5, settle: Int = 4) { (self.period, self.settle) = (period, settle) }
  }

  /// What is kept of the looks before the end.
  private static let before = 6
  /// By the benchmark: done above the first; a near miss reaches at least the second.
  private static let (solved, near) = (PushTGeometry.solvedCoverage, 0.85)
  /// Stations whose physics the episodes are drawn from, in turn: those of no fleet.
  private static let stations = 16

  private var random: RandomStream
  private let planner: PushTPlanner
  private let simulations: [PushTSimulation]
  private let looks: Looks
  private var episodes = 0
  /// Of episodes begun, what nobody took yet.
  private var spare: [VerifierClip.Kind: [Take]] = [:]

  public init(seed: Int, looks: Looks = Looks()) {
    random = RandomStream("push-t planner clips", String(seed))
    planner = PushTPlanner(.low)
    simulations = (0..<Self.stations).map { PushTSimulation(physics: .drawn(forStation: "clips-\($0)")) }
    self.looks = looks
  }

  /// The next clip that ends as `kind` does. At most one of each kind comes from an episode.
  public mutating func take(_ kind: VerifierClip.Kind) throws -> Take {
    while spare[kind, default: []].isEmpty {
      for take in try episode() { spare[take.kind, default: []].append(take) }
    }
    return spare[kind]!.removeFirst()
  }

  /// Plans an episode, and cuts it as one that gets there and as two that do not: almost there, at a coverage drawn evenly, and at a step
  /// drawn evenly. A cut that turns out otherwise once the T has come to rest is left out.
  private mutating func episode() throws -> [Take] {
    let number = episodes
    episodes += 1
    let simulation = simulations[number % Self.stations]
    let (seed, stopCoverage, stopShare) = (random.next() >> 32, random.uniform(Self.near...Self.solved), random.uniform())
    var observation = simulation.reset(seed: seed)
    planner.reset()
    var actions: [Action] = []
    var coverage = [simulation.truth.score]
    while coverage.last! <= Self.solved, actions.count < PushTSimulation.stepLimit {
      actions.append(try planner.act(observation))
      observation = simulation.step(actions.last!).observation
      coverage.append(simulation.truth.score)
    }
    let nearStop = coverage.firstIndex { $0 >= stopCoverage }
    let stops = [(VerifierClip.Kind.success, actions.count), (.nearMiss, nearStop ?? -1), (.failure, Int(stopShare * Double(actions.count)))]
    return stops.compactMap { kind, stop in
      guard stop > 0 else { return nil }
      let take = cut(simulation, seed, Array(actions[..<stop]), number, kind)
      return Self.kind(take.coverage) == kind ? take : nil
    }
  }

  /// The episode up to its last action, after which the agent is held.
  private func cut(_ simulation: PushTSimulation, _ seed: UInt64, _ actions: [Action], _ number: Int, _ kind: VerifierClip.Kind) -> Take {
    var observation = simulation.reset(seed: seed)
    var states = [simulation.truth.state]
    var coverage = [simulation.truth.score]
    func step(_ action: Action) {
      observation = simulation.step(action).observation
      states.append(simulation.truth.state)
      coverage.append(simulation.truth.score)
    }
    actions.forEach(step)
    let hold = [min(max(observation[0], 0), 512), min(max(observation[1], 0), 512)]
    for _ in 0..<looks.settle { step(hold) }
    let periodic = stride(from: 0, to: actions.count, by: looks.period).suffix(Self.before)
    var best = 0.0
    let done = coverage.map { value -> Bool in
      best = max(best, value)
      return best > Self.solved
    }
    let shown = Array(periodic) + Array(actions.count..<states.count)
    return Take(
      name: "\(kind.rawValue) \(number)", episode: "planned \(number)", kind: kind, scale: simulation.physics.blockScale,
      radius: simulation.physics.agentRadius,
      states: shown.map { index in states[index].map { ($0 * 1e4).rounded() / 1e4 } }, done: shown.map { done[$0] }, coverage: best)
  }

  private static func kind(_ best: Double) -> VerifierClip.Kind { best > solved ? .success : best >= near ? .nearMiss : .failure }
}

/// An episode's end as it truly was, at the looks.
public struct Take: Sendable, Equatable {
  public var name: String
  public var episode: String
  public var kind: VerifierClip.Kind
  /// How big its station's T and agent are: the T's unit and the disc's radius, units.
  public var scale: Double
  public var radius: Double
  /// Agent x, y, block x, y (units) and angle (rad) at each look.
  public var states: [[Double]]
  /// Whether the criterion was met by then.
  public var done: [Bool]
  /// The greatest coverage of the episode.
  public var coverage: Double

  /// The take as `eyes` see it in the pictures they are for, through a `camera`.
  public func seen(
    by eyes: PushTTracker, camera: CameraModel = CameraModel(), timed: (Duration) -> Void = { _ in }
  ) throws -> VerifierClip {
    eyes.reset()
    let clock = ContinuousClock()
    let observations = try states.map { state -> Observation in
      let frame = camera.seen(
        try PushTRenderer.image(of: state, size: eyes.form.size, scale: scale, radius: radius, drawing: eyes.form.drawing))
      let began = clock.now
      let estimate = eyes.estimate(frame)
      timed(clock.now - began)
      return estimate.seen + [estimate.seenSize]
    }
    return VerifierClip(
      name: name, source: "simulator", episode: episode, kind: kind, observations: observations, senses: [.size], done: done, coverage: coverage)
  }
}

extension PoseEstimate {
  /// As a verifier gets it: what is not found in the picture is no number, for nothing must be judged by where it was last seen.
  public var seen: Observation { agentFound && blockFound ? observation : Array(repeating: .nan, count: 5) }
  /// The T's unit, likewise.
  var seenSize: Double { blockFound ? block.size : .nan }
}
