// What the planner believes: the model run in lock-step with the world. Velocities are the model's own, poses are corrected by each observation.
// It keeps the episode, so that another model can be tried on it. It knows no goal.

/// How the velocities of the belief come about; the last two are there to be compared with.
package enum VelocityBelief: String, Sendable, CaseIterable {
  case lockStep = "lock-step"
  case finiteDifference = "finite-difference"
  case zero
}

package struct BeliefTracker: Sendable {
  package private(set) var model: PushTModel
  /// Share of the difference between observed and predicted pose that is believed, 0...1; 1 overwrites.
  package private(set) var poseGain: Double
  private let velocities: VelocityBelief
  /// The belief at the newest observation.
  package private(set) var state: PushTModel.State
  /// Squared innovation of each observation after the first: see `innovation`.
  private var innovations: [Double] = []

  private var observed: [Observation] = []
  private var issued: [PlaneVector] = []
  private var states: [PushTModel.State] = []

  package init(model: PushTModel, poseGain: Double = 1, velocities: VelocityBelief = .lockStep) {
    self.model = model
    self.poseGain = poseGain
    self.velocities = velocities
    state = model.state(at: [0, 0, 0, 0, 0])
  }

  /// Forgets the episode, and starts the next with the given model.
  package mutating func reset(model: PushTModel, poseGain: Double) {
    self = BeliefTracker(model: model, poseGain: poseGain, velocities: velocities)
  }

  /// Takes the newest observation in. The action that led here has been told by `issue`.
  package mutating func observe(_ observation: Observation) {
    if observed.isEmpty {
      state = model.state(at: observation)
    } else {
      model.step(&state, toward: Self.applied(issued, at: issued.count - 1, latency: model.parameters.latency, hold: start))
      innovations.append(Self.correct(&state, model, by: observation, gain: poseGain))
      if velocities != .lockStep { overrideVelocities(observation) }
    }
    observed.append(observation)
    states.append(state)
  }

  package mutating func issue(_ target: PlaneVector) { issued.append(target) }

  /// Another target was carried out than the last one issued.
  package mutating func reissue(_ target: PlaneVector) { issued[issued.count - 1] = target }

  /// The belief at the moment when the next action takes effect: the present one after all actions under way.
  package var ahead: PushTModel.State {
    var ahead = state
    let latency = model.parameters.latency
    for step in 0..<latency {
      model.step(&ahead, toward: Self.applied(issued, at: issued.count + step, latency: latency, hold: start))
    }
    return ahead
  }

  /// Mean squared innovation over the last `window` transitions, px².
  package func fit(window: Int) -> Double {
    let recent = innovations.suffix(window)
    return recent.isEmpty ? 0 : recent.reduce(0, +) / Double(recent.count)
  }

  package var transitions: Int { innovations.count }

  private var start: PlaneVector { PlaneVector(observed[0][0], observed[0][1]) }

  /// The target in effect during transition `index`.
  private static func applied(_ issued: [PlaneVector], at index: Int, latency: Int, hold: PlaneVector) -> PlaneVector {
    index >= latency ? issued[index - latency] : hold
  }

  /// Draws the pose towards the observed one. Returns the squared innovation: agent and block (angle times 50 px), each bounded by 400 px².
  private static func correct(_ state: inout PushTModel.State, _ model: PushTModel, by observation: Observation, gain: Double) -> Double {
    let agent = PlaneVector(observation[0], observation[1])
    let block = PlaneVector(observation[2], observation[3])
    let position = model.position(state)
    let turn = (observation[4] - state.angle).remainder(dividingBy: 2 * .pi)
    let agentError = agent - state.agent
    let blockError = block - position
    let agentSquared = agentError.dot(agentError)
    let blockSquared = blockError.dot(blockError) + 2500 * turn * turn
    if gain >= 1 {
      state.agent = agent
      model.setBlock(&state, position: block, angle: observation[4])
    } else {
      state.agent += gain * agentError
      model.setBlock(&state, position: position + gain * blockError, angle: state.angle + gain * turn)
    }
    return agentSquared / (1 + agentSquared / 400) + blockSquared / (1 + blockSquared / 400)
  }

  private mutating func overrideVelocities(_ observation: Observation) {
    let last = observed[observed.count - 1]
    let seconds = PushTModel.substep * Double(PushTModel.substeps)
    let known = velocities == .finiteDifference
    state.agentVelocity = known ? (PlaneVector(observation[0], observation[1]) - PlaneVector(last[0], last[1])) / seconds : .zero
    state.velocity = known ? (PlaneVector(observation[2], observation[3]) - PlaneVector(last[2], last[3])) / seconds : .zero
    state.spin = known ? (observation[4] - last[4]).remainder(dividingBy: 2 * .pi) / seconds : 0
    state.biasVelocity = .zero
    state.biasSpin = 0
  }

  // MARK: - Another model

  /// The innovations and the last state that another model would have had over the last `window` transitions.
  struct Replay {
    var total = 0.0
    var innovations: [Double] = []
    var state: PushTModel.State
  }

  /// Replays the last `window` transitions; gives up (nil) once the sum of innovations passes `limit`.
  func replay(_ other: PushTModel, poseGain: Double, window: Int, limit: Double) -> Replay? {
    let first = max(0, observed.count - 1 - window)
    var replay = Replay(state: states[first])
    other.setBlock(&replay.state, position: PlaneVector(observed[first][2], observed[first][3]), angle: observed[first][4])
    replay.innovations.reserveCapacity(window)
    // The velocities at the beginning of the window are the old model's: let them fade before counting.
    let settle = first == 0 ? 0 : 3
    let latency = other.parameters.latency
    for index in first..<(observed.count - 1) {
      other.step(&replay.state, toward: Self.applied(issued, at: index, latency: latency, hold: start))
      let innovation = Self.correct(&replay.state, other, by: observed[index + 1], gain: poseGain)
      if index - first < settle { continue }
      replay.total += innovation
      replay.innovations.append(innovation)
      if replay.total > limit { return nil }
    }
    return replay
  }

  /// Goes on with another model, from where its replay ended.
  mutating func adopt(_ other: PushTModel, poseGain: Double, _ replay: Replay) {
    model = other
    self.poseGain = poseGain
    state = replay.state
    innovations.replaceSubrange(max(0, innovations.count - replay.innovations.count)..., with: replay.innovations)
  }
}
