// Soft actor-critic (Haarnoja et al., 2018) as RLPD has it (Ball et al., 2023): half of each batch from demonstrations, layer norm,
// an ensemble of critics of which two random ones set the target; and the actor is held near the demonstrations by a cloning loss.
// Over a base policy it learns a residual (Johannink et al., 2019). Actions are in -1…1 per column, `reach` units of the task each.

internal import Tensor

public enum SoftActorCritic {
  public struct Settings: Sendable {
    public var network = NetworkShape(hidden: [256, 256], layerNorm: true)
    public var critics = 2
    /// Control steps in the environment.
    public var steps = 20_000
    /// Critic updates at a time, and one of the actor; and control steps from one time to the next.
    public var updatesPerStep = 1
    public var stepsPerUpdate = 1
    /// Steps by chance (without demonstrations) or by the cloned actor, before learning from rewards begins.
    public var warmUp = 500
    /// Steps after the warm-up in which only the critics learn: so that an actor which can do something already is not led astray by them.
    public var criticsAlone = 0
    public var batch = 256
    /// Share of each batch drawn from demonstrations, if there are any.
    public var demonstrationShare = 0.5
    /// Updates of the actor by cloning alone, before the first step.
    public var cloningUpdates = 2_000
    /// Weight of the cloning loss beside the critics' value, which is scaled to a mean magnitude of 1.
    public var cloningWeight = 1.0
    /// Weight of staying near the base, for a residual: of the mean square of its mean action, in the same measure.
    public var baseWeight = 0.0
    public var discount = 0.98
    /// Steps whose rewards are summed before the critics are asked for the rest.
    public var returnSteps = 1
    /// Share by which targets follow the critics each update.
    public var following = 0.005
    public var rate = 3e-4
    public var temperature = 0.02
    /// Standard deviation of an action before anything is learnt, in -1…1.
    public var spread = 1.0
    /// Entropy that the temperature is steered to, a number of an action.
    public var targetEntropy = -1.0
    /// Task units of an action of 1, relative to the anchor.
    public var reach = 100.0
    /// Times the task's reward: less makes how near it is to done count less beside how long it takes.
    public var rewardWeight = 1.0
    /// Added to every reward: below zero, so that being done is better than being nearly done for ever.
    public var rewardOffset = -1.0
    public var capacity = 200_000
    /// Episodes of each evaluation of the actor without noise, and how many evaluations there are; the best actor is the policy.
    public var evaluationEpisodes = 10
    public var evaluations = 10
    /// Of libtorch and OpenBLAS. The same seed gives the same weights for the same count of threads.
    public var threads = 1

    public init() {}
  }

  /// With a base, what is learnt is added to what the base does.
  public static func train(
    in environment: LearningEnvironment, demonstrations: DataSet, task: String, features: Features, settings: Settings,
    base: LearnedActor.Base? = nil,
    seed: Int, at site: TrainingSite = TrainingSite()
  ) throws -> Trained {
    try environment.check(demonstrations, features, "soft actor-critic")
    Tensor.setThreads(settings.threads)
    var run = Run(environment: environment, task: task, features: features, settings: settings, base: base, seed: seed)
    try run.take(demonstrations)
    return try run.train(site)
  }
}
