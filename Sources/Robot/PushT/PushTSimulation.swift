// Push-T, exactly as gym-pusht 0.1.6 simulates it with pymunk 6 (the same engine, Chipmunk 7.0.3): a driven disc pushes a T into a goal pose.
// Its quirks are kept, for parity: the T's inertia is twice its bar's, and a start pose is turned about the centre of gravity
// after it was placed, then stepped once. What differs from it is said by `PushTPhysics`. It knows no policy and no verifier.

internal import Hashing
internal import Physics

/// What is really so, for the scorer and the audit; never for a policy, a verifier or an agent.
public struct PushTTruth: Sendable, Equatable {
  /// Agent x, y, block x, y (units) and the block's angle (rad, not wrapped).
  public var state: [Double]
  /// The share of the goal that the T covers, 0...1.
  public var coverage: Double
}

public final class PushTSimulation: Simulation {
  /// Control steps an episode may last.
  public static let stepLimit = 300
  /// Seconds a control step, and a physics step.
  public static let controlPeriod = 0.1
  private static let physicsPeriod = 0.01
  private static let physicsSteps = 10

  public let physics: PushTPhysics
  private let geometry: PushTGeometry
  private let moment: Double
  private var scene: Scene
  private var pending: [Vector] = []
  private var steps = 0
  private var noise = RandomStream(seed: 0)
  /// The state is agent x, y, block x, y (units) and the block's angle (rad, not wrapped); the score is the share of the goal covered.
  public private(set) var truth = Truth(state: [], score: 0)

  public init(physics: PushTPhysics = .nominal) {
    self.physics = physics
    geometry = PushTGeometry(scale: physics.blockScale)
    let bar = PlanarSpace.moment(ofPolygon: geometry.parts[0], mass: 1)
    moment = (bar + bar) * physics.inertiaFactor
    scene = Scene(physics, geometry, moment)
    truth = measured()
  }

  /// Starts an episode as gym-pusht does with this seed.
  public func reset(seed: UInt64) -> Observation {
    var generator = NumPyGenerator(seed: seed)
    let agent = (generator.integer(in: 50..<450), generator.integer(in: 50..<450))
    let block = (generator.integer(in: 100..<400), generator.integer(in: 100..<400))
    let angle = generator.uniform(from: -.pi, to: .pi)
    return reset(to: [Double(agent.0), Double(agent.1), Double(block.0), Double(block.1), angle], noiseSeed: seed)
  }

  /// Starts an episode as gym-pusht's option `reset_to_state` does: `state` is agent x, y, block x, y, angle, and the quirk moves the block.
  public func reset(to state: [Double], noiseSeed: UInt64 = 0) -> Observation {
    scene = Scene(physics, geometry, moment)
    scene.agent.position = Vector(state[0], state[1])
    scene.block.position = Vector(state[2], state[3])
    scene.block.angle = state[4]
    scene.space.step(seconds: Self.physicsPeriod)
    steps = 0
    truth = measured()
    pending = Array(repeating: scene.agent.position, count: physics.latencySteps)
    noise = RandomStream("push-t observation noise", String(noiseSeed))
    return observation()
  }

  public func step(_ action: Action) -> StepResult {
    pending.append(Vector(action[0], action[1]))
    let target = pending.removeFirst()
    for _ in 0..<Self.physicsSteps {
      let (position, velocity) = (scene.agent.position, scene.agent.velocity)
      let x = physics.gain * (target.x - position.x) + physics.derivativeGain * (0 - velocity.x)
      let y = physics.gain * (target.y - position.y) + physics.derivativeGain * (0 - velocity.y)
      scene.agent.velocity = Vector(velocity.x + x * Self.physicsPeriod, velocity.y + y * Self.physicsPeriod)
      scene.space.step(seconds: Self.physicsPeriod)
    }
    steps += 1
    truth = measured()
    let coverage = truth.score
    return StepResult(
      observation: observation(), reward: min(max(coverage / PushTGeometry.solvedCoverage, 0), 1),
      terminated: coverage > PushTGeometry.solvedCoverage, truncated: steps >= Self.stepLimit)
  }

  private func measured() -> Truth {
    let (agent, block, angle) = (scene.agent.position, scene.block.position, scene.block.angle)
    return Truth(state: [agent.x, agent.y, block.x, block.y, angle], score: geometry.coverage(x: block.x, y: block.y, angle: angle))
  }

  private func observation() -> Observation {
    var seen = truth.state
    if physics.observationNoise > 0 {
      for index in 0..<4 { seen[index] += physics.observationNoise * noise.normal() }
      seen[4] += physics.observationNoise / 60 * noise.normal()
    }
    seen[4] = wrapped(seen[4])
    return seen
  }
}

/// The angle in 0..<2π, as Python's `%` gives it.
private func wrapped(_ angle: Double) -> Double {
  let rest = angle.truncatingRemainder(dividingBy: 2 * .pi)
  return rest < 0 ? rest + 2 * .pi : rest
}

/// One episode's space. Bodies are added in gym-pusht's order, on which the solver's sums depend.
private struct Scene {
  let space: PlanarSpace
  let agent: PlanarBody
  let block: PlanarBody

  init(_ physics: PushTPhysics, _ geometry: PushTGeometry, _ moment: Double) {
    space = PlanarSpace(damping: physics.damping)
    // A contact's friction is the product of its shapes': one shape says it, the others have 1.
    let walls = [((5.0, 506.0), (5.0, 5.0)), ((5, 5), (506, 5)), ((506, 5), (506, 506)), ((5, 506), (506, 506))]
    for (a, b) in walls { space.addWall(from: Vector(a.0, a.1), to: Vector(b.0, b.1), radius: 2, friction: 1) }
    agent = space.addDrivenDisc(radius: physics.agentRadius, friction: 1)
    agent.position = Vector(256, 400)
    block = space.addBody(mass: 1, moment: moment, centre: geometry.centre, parts: geometry.parts, friction: physics.friction)
    block.angle = 0
    block.position = Vector(256, 300)
  }
}
