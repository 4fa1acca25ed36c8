// The constants of a Push-T scene. The nominal ones are gym-pusht 0.1.6's; a station may differ from them, as hardware differs from its model.

public import JSON

public struct PushTPhysics: Sendable, Hashable {
  /// Of the agent's disc, units.
  public var agentRadius = 15.0
  /// The T's unit: bar 4 × 1, stem 1 × 3. The goal has the same shape.
  public var blockScale = 30.0
  /// Times the moment of inertia that gym-pusht gives the T.
  public var inertiaFactor = 1.0
  /// The agent's proportional gain, 1/s², and derivative gain, 1/s.
  public var gain = 100.0
  public var derivativeGain = 20.0
  /// The share of its velocity that a free block keeps for a second; 0 stops it at once.
  public var damping = 0.0
  /// Coulomb coefficient between the T and whatever touches it.
  public var friction = 0.0
  /// Control steps of 0.1 s until an action takes effect.
  public var latencySteps = 0
  /// Standard deviation of each observed position, units; the angle has a sixtieth of it, in radians.
  public var observationNoise = 0.0

  public init() {}

  public static let nominal = PushTPhysics()
}

extension PushTPhysics {
  public var json: JSON {
    [
      "agent_radius": .number(agentRadius), "block_scale": .number(blockScale), "inertia_factor": .number(inertiaFactor), "gain": .number(gain),
      "derivative_gain": .number(derivativeGain), "damping": .number(damping), "friction": .number(friction),
      "latency_steps": .integer(latencySteps), "observation_noise": .number(observationNoise),
    ]
  }

  /// The nominal constants with those of `json` in their place. Throws for a name that is none, or a value out of its range.
  public init(json: JSON) throws {
    self.init()
    for (name, value) in json.object ?? [:] {
      func number(in range: ClosedRange<Double>) throws -> Double {
        guard let value = value.double, range.contains(value) else { throw PhysicsError(name: name, range: "a number in \(range)") }
        return value
      }
      switch name {
      case "agent_radius": agentRadius = try number(in: 1...100)
      case "block_scale": blockScale = try number(in: 5...60)
      case "inertia_factor": inertiaFactor = try number(in: 0.1...10)
      case "gain": gain = try number(in: 1...1000)
      case "derivative_gain": derivativeGain = try number(in: 0...100)
      case "damping": damping = try number(in: 0...1)
      case "friction": friction = try number(in: 0...2)
      case "observation_noise": observationNoise = try number(in: 0...50)
      case "latency_steps":
        guard let steps = value.int, 0...20 ~= steps else { throw PhysicsError(name: name, range: "an integer in 0...20") }
        latencySteps = steps
      default: throw PhysicsError(name: name, range: nil)
      }
    }
  }
}

/// A constant that does not exist, or is out of its range.
public struct PhysicsError: Error, CustomStringConvertible {
  let name: String
  let range: String?
  public var description: String { range.map { "'\(name)' must be \($0)" } ?? "Push-T has no physical constant '\(name)'" }
}
