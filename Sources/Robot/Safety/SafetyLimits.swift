// What a policy may ask of a station, and who enforces it: fail-closed, outside the policy. An action that breaks a limit never reaches
// the station; it ends the trial as a failure. Part of the frozen environment.

public import JSON

public struct SafetyLimits: Sendable, Hashable {
  /// The least and greatest value of each number of an action; as many as the action has numbers.
  public var low: [Double]
  public var high: [Double]
  /// How far a target may lie from where the observation says the agent is (its first numbers), in the action's units; nil for no limit.
  public var maxJump: Double?
  /// Control steps until a trial counts as failed.
  public var steps: Int
  /// Control steps the agent holds still after a success, for a verifier that wants to see it last.
  public var settleSteps: Int

  public init(low: [Double], high: [Double], maxJump: Double? = nil, steps: Int, settleSteps: Int = 0) {
    self.low = low
    self.high = high
    self.maxJump = maxJump
    self.steps = steps
    self.settleSteps = settleSteps
  }

  /// The benchmark's own: targets in the workspace, 300 steps.
  public static let pushT = SafetyLimits(low: [0, 0], high: [512, 512], steps: 300)

  /// Why this action must not be carried out; nil if it may.
  public func violation(of action: Action, at observation: Observation) -> String? {
    guard action.count == low.count else { return "the action has \(action.count) numbers, not \(low.count)" }
    guard action.allSatisfy(\.isFinite) else { return "the action \(action) is not finite" }
    for (index, value) in action.enumerated() where !(low[index]...high[index]).contains(value) {
      return "the action \(action) leaves the workspace \(low)...\(high)"
    }
    if let maxJump {
      let distance = zip(action, observation).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      guard distance <= maxJump else { return "the action \(action) is \(distance) from the agent, more than \(maxJump)" }
    }
    return nil
  }
}

extension SafetyLimits {
  public var json: JSON {
    var json: JSON = [
      "low": .array(low.map(JSON.number)), "high": .array(high.map(JSON.number)), "steps": .integer(steps), "settle_steps": .integer(settleSteps),
    ]
    if let maxJump { json["max_jump"] = .number(maxJump) }
    return json
  }

  /// Every limit must be there and make sense: a limit that cannot be read is not a limit that is absent.
  public init(json: JSON) throws(LimitsError) {
    let known: Set = ["low", "high", "steps", "settle_steps", "max_jump"]
    if let stray = json.object?.keys.first(where: { !known.contains($0) }) { throw LimitsError(problem: "unknown limit '\(stray)'") }
    guard let low = json["low"]?.array?.compactMap(\.double), let high = json["high"]?.array?.compactMap(\.double), !low.isEmpty,
      low.count == high.count, zip(low, high).allSatisfy({ $0 < $1 })
    else { throw LimitsError(problem: "'low' and 'high' must be lists of numbers, each low below its high") }
    guard let steps = json["steps"]?.int, steps > 0 else { throw LimitsError(problem: "'steps' must be a positive integer") }
    let settle = json["settle_steps"] ?? 0
    guard let settleSteps = settle.int, 0...100 ~= settleSteps else { throw LimitsError(problem: "'settle_steps' must be an integer in 0...100") }
    let jump = json["max_jump"]
    guard jump == nil || (jump?.double ?? 0) > 0 else { throw LimitsError(problem: "'max_jump' must be a positive number") }
    self.init(low: low, high: high, maxJump: jump?.double, steps: steps, settleSteps: settleSteps)
  }
}

/// Limits that cannot be read.
public struct LimitsError: Error, CustomStringConvertible {
  let problem: String
  public var description: String { "limits: \(problem)" }
}
