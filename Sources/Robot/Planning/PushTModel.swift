// The planner's own model of Push-T: a kinematic disc pushes two rectangles inside four walls.
//
// It does Chipmunk's arithmetic (10 substeps of 10 ms; impulses solved in sequence, 10 iterations, warm start; penetration
// taken out by a separate bias velocity) for these shapes alone, so that a planner can afford a million control steps a second.
// It knows no goal, no policy and no environment. Against Chipmunk it is exact to about 1e-6 px away from the walls; wedged into a wall
// it differs, because the contact of a rectangle with a wall is simplified to its two corners that are nearest.

package struct PushTModel: Sendable {
  package let parameters: Parameters

  static let substeps = 10
  static let substep = 0.01
  static let iterations = 10
  /// Chipmunk's collision slop (px) and the share of penetration left after one second, (1 - 0.1)^60.
  static let slop = 0.1
  static let biasRate: Double = 1 - power(power(0.9, 60), substep)
  /// Inner faces of the walls: segments at 5 and 506 with a radius of 2.
  static let wallLow = 7.0
  static let wallHigh = 504.0
  /// A block pressed deeper than this (px) into a wall may come out on the other side.
  static let deepest = 6.0

  /// 1 / moment of inertia per mass, 1/px².
  let inverseInertia: Double
  /// The share of velocity kept over a substep.
  let keep: Double
  /// The same over a control step, and the time (s) for which the velocity at its start would have to last to go as far.
  let keepOverStep: Double
  let slide: Double
  /// Centre of gravity in the block's own frame (origin: middle of the bar's outer edge).
  let centre: PlaneVector
  /// The two rectangles in the frame of the centre of gravity: centres and half extents.
  let bar: (centre: PlaneVector, half: PlaneVector)
  let stem: (centre: PlaneVector, half: PlaneVector)
  /// Distance of the farthest corner from the centre of gravity.
  let reach: Double
  /// One control step of the drive: x += pull (u - x) + coast v; v = drag v + haul (u - x).
  package let pull: Double
  package let coast: Double
  let drag: Double
  let haul: Double

  package init(_ parameters: Parameters = Parameters()) {
    self.parameters = parameters
    let s = parameters.blockScale
    inverseInertia = 1 / (parameters.inertia * s * s)
    keep = parameters.damping <= 0 ? 0 : Self.power(parameters.damping, Self.substep)
    keepOverStep = Self.power(keep, Double(Self.substeps))
    slide = keep >= 1 ? 0.1 : Self.substep * (1 - keepOverStep) / (1 - keep)
    centre = PlaneVector(0, 45) * s
    bar = (PlaneVector(0, -30) * s, PlaneVector(60, 15) * s)
    stem = (PlaneVector(0, 30) * s, PlaneVector(15, 45) * s)
    reach = PlaneVector(15, 75).length * s
    func response(_ x: Double, _ v: Double, _ u: Double) -> (Double, Double) {
      var (x, v) = (x, v)
      for _ in 0..<Self.substeps {
        v += (parameters.gain * (u - x) - parameters.derivativeGain * v) * Self.substep
        x += v * Self.substep
      }
      return (x, v)
    }
    (pull, haul) = response(0, 0, 1)
    (coast, drag) = response(0, 1, 0)
  }

  // MARK: - State

  /// Positions px, angles rad, velocities px/s and rad/s.
  package struct State: Sendable {
    package internal(set) var agent: PlaneVector
    package internal(set) var agentVelocity = PlaneVector.zero
    /// Centre of gravity of the block.
    package internal(set) var block: PlaneVector
    package internal(set) var angle: Double
    /// Cosine and sine of the angle.
    var rotation: PlaneVector
    package internal(set) var velocity = PlaneVector.zero
    package internal(set) var spin = 0.0
    /// Added to the next substep's motion only, to take penetration out.
    var biasVelocity = PlaneVector.zero
    var biasSpin = 0.0
    /// Accumulated impulses (normal, tangential) of the disc on bar and stem; touching in the last substep.
    var barImpulse = PlaneVector.zero
    var stemImpulse = PlaneVector.zero
    var touchesBar = false
    var touchesStem = false
    var touchesWall = false
    /// Accumulated normal impulses of the walls by corner (bar 0...3, stem 4...7) and axis (x: 0...7, y: 8...15); below zero: no contact.
    var wallImpulses = SIMD16<Double>(repeating: -1)
    /// Their tangential impulses, under friction.
    var wallFriction = SIMD16<Double>(repeating: 0)

    /// How far the deepest corner is in a wall, px.
    var wallDepth = 0.0

    var isAtRest: Bool { velocity == .zero && spin == 0 && biasVelocity == .zero && biasSpin == 0 }
    /// The disc touched the block at the end of the last step.
    package var isTouching: Bool { touchesBar || touchesStem }
  }

  /// The state at the start of an episode, observed as agent x, y, block x, y (origin of its frame), angle:
  /// at rest after one physics step, in which an overlap has begun to push the block away.
  package func state(at observation: Observation) -> State {
    var state = State(agent: PlaneVector(observation[0], observation[1]), block: .zero, angle: 0, rotation: PlaneVector(1, 0))
    setBlock(&state, position: PlaneVector(observation[2], observation[3]), angle: observation[4])
    withUnsafeTemporaryAllocation(of: Contact.self, capacity: Contact.most) { substep(&state, toward: state.agent, $0.baseAddress!) }
    return state
  }

  /// Overwrites the block's pose and keeps its velocities.
  func setBlock(_ state: inout State, position: PlaneVector, angle: Double) {
    state.angle = angle
    state.rotation = PlaneVector(cosine(angle), sine(angle))
    state.block = position + centre.rotated(by: state.rotation)
  }

  /// The block's position as observed: the origin of its frame.
  @inline(__always) public func position(_ state: State) -> PlaneVector { state.block - centre.rotated(by: state.rotation) }

  /// What would be observed; the angle in 0..<2π.
  package func observation(_ state: State) -> Observation {
    let position = position(state)
    let turn = 2 * Double.pi
    let angle = state.angle - (state.angle / turn).rounded(.down) * turn
    return [state.agent.x, state.agent.y, position.x, position.y, angle]
  }

  // MARK: - Control

  /// The target that brings the agent to `reference` after one control step, from the inverse of the drive; inside the workspace.
  @inline(__always) public func target(reaching reference: PlaneVector, from state: State) -> PlaneVector {
    let u = state.agent + (reference - state.agent - coast * state.agentVelocity) / pull
    return u.clamped(lowerBound: PlaneVector(repeating: 0), upperBound: PlaneVector(repeating: 512))
  }

  /// One control step (0.1 s) with the agent drawn to `target`. Latency is not applied here: the caller delays.
  package func step(_ s: inout State, toward target: PlaneVector) {
    if isClear(s, of: target) {
      glide(&s, toward: target)
      return
    }
    withUnsafeTemporaryAllocation(of: Contact.self, capacity: Contact.most) { contacts in
      for _ in 0..<Self.substeps { substep(&s, toward: target, contacts.baseAddress!) }
    }
    // Keep the rotation on the unit circle: it is advanced by small turns.
    s.rotation *= 1.5 - 0.5 * s.rotation.dot(s.rotation)
  }

  /// Disc and block cannot meet during this step, and the block meets no wall.
  @inline(__always) private func isClear(_ s: State, of target: PlaneVector) -> Bool {
    if s.touchesWall { return false }
    // The drive's response to the target and to its own velocity both grow over the whole step, so their sum bounds the way.
    var travel = 1.2 * (pull * (target - s.agent).length + abs(coast) * s.agentVelocity.length) + parameters.radius
    if !s.isAtRest {
      travel += (s.velocity.length + reach * abs(s.spin)) * slide + (s.biasVelocity.length + reach * abs(s.biasSpin)) * Self.substep
      if s.block.min() < Self.wallLow + travel + reach || s.block.max() > Self.wallHigh - travel - reach { return false }
    }
    let local = (s.agent - s.block).unrotated(by: s.rotation)
    @inline(__always) func gapSquared(_ box: (centre: PlaneVector, half: PlaneVector)) -> Double {
      let q = local - box.centre
      let outside = q - q.clamped(lowerBound: -box.half, upperBound: box.half)
      return outside.dot(outside)
    }
    return min(gapSquared(bar), gapSquared(stem)) > travel * travel
  }

  /// A control step without any contact, in closed form.
  @inline(__always) private func glide(_ s: inout State, toward target: PlaneVector) {
    let gap = target - s.agent
    s.agent += pull * gap + coast * s.agentVelocity
    s.agentVelocity = drag * s.agentVelocity + haul * gap
    s.touchesBar = false
    s.touchesStem = false
    if s.isAtRest { return }
    s.block += s.velocity * slide + s.biasVelocity * Self.substep
    s.angle += s.spin * slide + s.biasSpin * Self.substep
    s.rotation = PlaneVector(cosine(s.angle), sine(s.angle))
    s.velocity *= keepOverStep
    s.spin *= keepOverStep
    s.biasVelocity = .zero
    s.biasSpin = 0
  }

  /// Where the block comes to rest if nothing touches it for `steps` control steps: its motion scales by this, seconds.
  func slideTime(steps: Int) -> Double {
    if keep == 0 { return Self.substep }
    return Self.substep * (1 - Self.power(keep, Double(steps * Self.substeps))) / (1 - keep)
  }

  private static func power(_ base: Double, _ exponent: Double) -> Double { raise(base, exponent) }
}
