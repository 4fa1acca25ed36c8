// What a reinforcement learner needs of an environment, as closures: it knows no robot and no simulator.

public import Hashing

public struct LearningEnvironment {
  public struct Step {
    public var observation: [Double]
    public var reward: Double
    /// The task is done; nothing can be won after it.
    public var terminated: Bool
    /// The time is up; more could have been won.
    public var truncated: Bool
    public init(observation: [Double], reward: Double, terminated: Bool, truncated: Bool) {
      (self.observation, self.reward, self.terminated, self.truncated) = (observation, reward, terminated, truncated)
    }
  }

  public var observationSize: Int
  /// Starts an episode; the same seed gives the same start.
  public var reset: (UInt64) -> [Double]
  public var step: ([Double]) -> Step
  /// The reward of being seen like this, and whether the task is then done: what gives demonstrations their rewards. Nil if it cannot be told.
  public var judge: (([Double]) -> (reward: Double, terminated: Bool))?

  public init(
    observationSize: Int, reset: @escaping (UInt64) -> [Double], step: @escaping ([Double]) -> Step,
    judge: (([Double]) -> (reward: Double, terminated: Bool))? = nil
  ) {
    (self.observationSize, self.reset, self.step, self.judge) = (observationSize, reset, step, judge)
  }

  /// Throws for demonstrations of something else.
  func check(_ demonstrations: DataSet, _ features: Features, _ algorithm: String) throws {
    guard demonstrations.frames == 0 || (demonstrations.observationSize, demonstrations.actionSize) == (observationSize, features.actionSize)
    else { throw LearningError("\(algorithm): the demonstrations' columns are not the environment's") }
  }

  /// A seed for learning: evaluations on stations draw 32-bit seeds, and these are longer.
  public static func start(from stream: inout RandomStream) -> UInt64 { 1 << 62 | stream.next() >> 2 }

  /// Runs whole episodes, one a seed; how many ended with the task done, and after how many steps in all.
  public func successes(of actor: LearnedActor, seeds: [UInt64]) throws -> (successes: Int, steps: Int) {
    var successes = 0, steps = 0
    for seed in seeds {
      var observation = reset(seed)
      actor.reset()
      while true {
        let step = try self.step(actor.act(observation))
        observation = step.observation
        steps += 1
        if step.terminated { successes += 1 }
        if step.terminated || step.truncated { break }
      }
    }
    return (successes, steps)
  }

  /// As `successes(of:seeds:)`, from so many starts of the stream.
  func successes(of actor: LearnedActor, starts count: Int, from stream: RandomStream) throws -> (successes: Int, steps: Int) {
    var stream = stream
    return try successes(of: actor, seeds: (0..<count).map { _ in Self.start(from: &stream) })
  }
}
