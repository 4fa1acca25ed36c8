// The contract between a task, what simulates or drives it, and what acts in it. It knows no task and no policy.

public import Vision

/// What a policy sees at one control step: plain numbers whose meaning the task fixes.
/// Push-T: agent x, agent y, block x, block y (workspace units, 0...512, y down), block angle (rad, 0..<2π).
public typealias Observation = [Double]

/// What a policy asks for. Push-T: the agent's target position x, y (workspace units).
public typealias Action = [Double]

/// Acts from observations and its own past actions alone: no environment handle, no seed, no verifier.
public protocol Policy: AnyObject {
  /// Forgets the last episode.
  func reset()
  func act(_ observation: Observation) throws -> Action
}

/// A policy that predicts what its actions do, and so has to know when another action was carried out.
public protocol ActionObserver: Policy {
  /// What was carried out after the last `act` instead of what that said.
  func carriedOut(_ action: Action)
}

/// What one control step brought; Gymnasium's words.
public struct StepResult: Sendable {
  public var observation: Observation
  /// The benchmark's own reward.
  public var reward: Double
  /// The benchmark's own criterion was met. Simulator truth: for the scorer and the audit, never for a policy or an agent.
  public var terminated: Bool
  /// The time limit was reached.
  public var truncated: Bool

  public init(observation: Observation, reward: Double, terminated: Bool, truncated: Bool) {
    self.observation = observation
    self.reward = reward
    self.terminated = terminated
    self.truncated = truncated
  }
}

/// A simulated environment: synchronous, deterministic by seed, as fast as its physics. For one thread at a time.
public protocol Simulation: AnyObject {
  /// Starts an episode; the same seed gives the same start.
  func reset(seed: UInt64) -> Observation
  func step(_ action: Action) -> StepResult
  /// The scene as a camera above it sees it, 8-bit RGB.
  func render(_ form: PictureForm) throws -> Image
}

/// The frozen judgement of an episode, from what sensors tell.
public protocol Verifier: AnyObject {
  /// What it wants to be told after the observation's own numbers, in that order.
  var senses: [Sense] { get }
  func reset()
  /// Judges the newest observation. True once the task counts as done.
  func verify(_ observation: Observation) throws -> Bool
}

extension Verifier {
  public var senses: [Sense] { [] }
}
