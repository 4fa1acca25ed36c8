// What a recipe's sections can say, as tables of settings; lengths in Push-T's workspace units (px).

import JSON
import Learning

/// Behaviour cloning and what is shown to it.
struct CloningSettings {
  var learner = BehaviourCloning.Settings()
  var history = 2
  var differences = false
  var showsAction = false
  /// Standard deviation of the shift of positions in training, px; of angles a sixtieth of it, rad.
  var noise = 2.0
  /// Whether half of the samples are seen in the mirror along the goal's stem.
  var mirror = false

  static var table: [Setting<CloningSettings>] {
    [
      Setting("network.hidden", .counts(\.learner.network.hidden, 8...1024, most: 6), "units of each hidden layer"),
      Setting("network.activation", .choice(\.learner.network.activation), "what follows each hidden layer"),
      Setting("network.layer_norm", .flag(\.learner.network.layerNorm), "normalise each hidden layer"),
      Setting("network.members", .count(\.learner.members, 1...16), "networks trained side by side, whose words are averaged"),
      Setting("head.chunk", .count(\.learner.chunk, 1...64), "actions said at once, one a control step"),
      Setting("head.ensembling", .number(\.learner.ensembling, 0...20), "how fast older words fade: weight exp(-ensembling · age)"),
      Setting("head.execute", .count(\.learner.execute, 1...64), "actions of a chunk carried out before the next is said; 1 for ensembling"),
      Setting("head.flow_steps", .count(\.learner.flowSteps, 0...100), "steps from noise to actions by flow matching; 0 says the mean action"),
      Setting("head.redraw", .count(\.learner.redraw, 0...300), "chunks after which a flow starts from new noise; 0: once an episode"),
      Setting("head.start", .number(\.learner.start, 0...1), "spread of the noise a flow starts from when it acts; 0: from the middle always"),
      Setting(
        "head.modes", .count(\.learner.modes, 1...32),
        "chunks said at once with their likelihoods, of which the likeliest is done; 1 says their mean"),
      Setting("head.draws", .flag(\.learner.draws), "whether a chunk is drawn by its likelihood instead"),
      Setting("data.history", .count(\.history, 1...8), "observations shown, the present one among them"),
      Setting("data.differences", .flag(\.differences), "whether older observations are shown as differences from the present one"),
      Setting("data.shows_action", .flag(\.showsAction), "whether the last action is shown too"),
      Setting("data.mirror", .flag(\.mirror), "whether half of the samples are seen in the mirror along the goal's stem"),
      Setting("data.noise", .number(\.noise, 0...50), "spread of shifts of positions in training, px; of angles a sixtieth, rad"),
      Setting("data.held_out", .number(\.learner.heldOut, 0...0.5), "share of episodes kept for measuring the loss"),
      Setting("optimiser.loss", .choice(\.learner.loss), "of the difference between said and shown"),
      Setting("optimiser.batch", .count(\.learner.batch, 8...4096), "samples an update"),
      Setting("optimiser.rate", .number(\.learner.rate, 1e-6...0.1), "Adam's largest rate"),
      Setting("optimiser.decay", .number(\.learner.decay, 0...1), "decoupled weight decay"),
      Setting("optimiser.clip", .number(\.learner.clip, 0...1000), "largest norm of a gradient; 0 for none"),
      Setting("optimiser.averaging", .number(\.learner.averaging, 0...0.99999), "decay of the running average of the weights, which acts"),
      Setting("optimiser.threads", .count(\.learner.threads, 1...64), "threads of the numerics; another count may give other bits"),
      Setting("schedule.updates", .count(\.learner.updates, 1...10_000_000), "gradient steps"),
      Setting("schedule.warm_up", .count(\.learner.warmUp, 0...100_000), "updates until the rate is full; then it falls as a cosine"),
    ]
  }
}

/// Soft actor-critic and what is shown to it; proximal policy optimisation, of which the same can be said; and self-imitation, whose clone the
/// section "bc" describes.
struct ReinforcementSettings {
  enum Algorithm: String, CaseIterable {
    case softActorCritic = "soft-actor-critic"
    case proximalPolicy = "proximal-policy"
    case selfImitation = "self-imitation"
  }

  var algorithm = Algorithm.softActorCritic
  var learner = SoftActorCritic.Settings()
  var imitation = SelfImitation.Settings()
  var proximal = ProximalPolicy.Settings()
  var history = 2
  var differences = false
  var showsAction = false

  static var table: [Setting<ReinforcementSettings>] {
    [
      Setting(
        "algorithm", .choice(\.algorithm),
        "what learns; proximal-policy takes 'proximal', and of the rest what it shares; self-imitation clones as 'bc' says, and takes 'imitation', "
          + "'schedule.steps' and '.evaluation_episodes'"),
      Setting("network.hidden", .counts(\.learner.network.hidden, 8...1024, most: 6), "units of each hidden layer"),
      Setting("network.activation", .choice(\.learner.network.activation), "what follows each hidden layer"),
      Setting("network.layer_norm", .flag(\.learner.network.layerNorm), "normalise each hidden layer"),
      Setting("network.critics", .count(\.learner.critics, 2...10), "members of the critics' ensemble"),
      Setting("data.history", .count(\.history, 1...8), "observations shown, the present one among them"),
      Setting("data.differences", .flag(\.differences), "whether older observations are shown as differences from the present one"),
      Setting("data.shows_action", .flag(\.showsAction), "whether the last action is shown too"),
      Setting("data.demonstration_share", .number(\.learner.demonstrationShare, 0...1), "share of a batch drawn from demonstrations"),
      Setting("data.capacity", .count(\.learner.capacity, 1000...2_000_000), "control steps remembered"),
      Setting("action.reach", .number(\.learner.reach, 5...512), "largest distance of a target from the agent, per axis, px"),
      Setting("action.spread", .number(\.learner.spread, 0.01...1), "spread of an action before anything is learnt, as a share of the reach"),
      Setting("reward.weight", .number(\.learner.rewardWeight, 0...100), "times each reward: less makes nearness count less beside time"),
      Setting("reward.offset", .number(\.learner.rewardOffset, -10...10), "added to each reward; below zero, so that being done is best"),
      Setting("reward.discount", .number(\.learner.discount, 0...0.9999), "worth of a reward one step later"),
      Setting("reward.steps", .count(\.learner.returnSteps, 1...100), "steps whose rewards are summed before the critics are asked for the rest"),
      Setting("imitation.starts", .count(\.imitation.starts, 1...100_000), "starts of a round"),
      Setting("imitation.attempts", .count(\.imitation.attempts, 2...100), "episodes from each; those done sooner than their mean are kept"),
      Setting("imitation.memory", .count(\.imitation.memory, 1...1000), "rounds whose kept episodes are learnt from"),
      Setting(
        "imitation.keeps_demonstrations", .flag(\.imitation.keepsDemonstrations), "whether the demonstrations are learnt from in each round too"),
      Setting("imitation.updates", .count(\.imitation.updates, 1...1_000_000), "gradient steps of a round"),
      Setting("imitation.rate", .number(\.imitation.rate, 1e-6...0.1), "Adam's largest rate in a round"),
      Setting("proximal.round", .count(\.proximal.round, 100...10_000_000), "control steps of a round"),
      Setting("proximal.passes", .count(\.proximal.passes, 1...100), "passes over a round"),
      Setting("proximal.batch", .count(\.proximal.batch, 8...65_536), "control steps an update"),
      Setting("proximal.clip", .number(\.proximal.clip, 0.01...1), "largest change of a likelihood that pays, as a share"),
      Setting("proximal.divergence", .number(\.proximal.divergence, 1e-4...10), "nats from the round's actor after which its passes end"),
      Setting("proximal.trace", .number(\.proximal.trace, 0...1), "whom advantages believe: 1 the returns, 0 the values"),
      Setting("proximal.value_rate", .number(\.proximal.valueRate, 1e-6...0.1), "Adam's rate for the values; the actor's is optimiser.rate"),
      Setting("optimiser.batch", .count(\.learner.batch, 8...4096), "transitions an update"),
      Setting("optimiser.rate", .number(\.learner.rate, 1e-6...0.1), "Adam's rate"),
      Setting("optimiser.following", .number(\.learner.following, 1e-4...1), "share by which target critics follow, an update"),
      Setting("optimiser.temperature", .number(\.learner.temperature, 1e-6...10), "weight of the entropy at the start"),
      Setting("optimiser.target_entropy", .number(\.learner.targetEntropy, -10...1), "entropy aimed at, a number of an action"),
      Setting("optimiser.cloning_weight", .number(\.learner.cloningWeight, 0...100), "weight of staying near the demonstrations"),
      Setting("optimiser.base_weight", .number(\.learner.baseWeight, 0...100), "weight of staying near the base, for a residual"),
      Setting("optimiser.threads", .count(\.learner.threads, 1...64), "threads of the numerics; another count may give other bits"),
      Setting("schedule.steps", .count(\.learner.steps, 1...1_000_000_000), "control steps in the nominal simulation"),
      Setting("schedule.updates_per_step", .count(\.learner.updatesPerStep, 1...32), "critic updates at a time, beside one of the actor"),
      Setting("schedule.steps_per_update", .count(\.learner.stepsPerUpdate, 1...1000), "control steps from one such time to the next"),
      Setting("schedule.warm_up", .count(\.learner.warmUp, 1...100_000), "control steps before rewards are learnt from"),
      Setting("schedule.critics_alone", .count(\.learner.criticsAlone, 0...100_000_000), "control steps after that in which the actor stays"),
      Setting("schedule.cloning_updates", .count(\.learner.cloningUpdates, 0...1_000_000), "updates by cloning alone, before the first step"),
      Setting("schedule.evaluations", .count(\.learner.evaluations, 0...1000), "how often the actor is tried without noise; the best one is kept"),
      Setting("schedule.evaluation_episodes", .count(\.learner.evaluationEpisodes, 1...1000), "episodes of each of those"),
    ]
  }
}

/// What `choose-regime` may spend on the station.
struct ChoiceBudget {
  var pilotTrials = 12
  var stationSeconds = 3600.0

  static var table: [Setting<ChoiceBudget>] {
    [
      Setting("pilot_trials", .count(\.pilotTrials, 1...10_000), "most trials of each regime; fewer if it is decided earlier"),
      Setting("station_seconds", .number(\.stationSeconds, 1...1_000_000), "station time for all of them together; a trial that began is finished"),
    ]
  }
}

extension Setting.Storage {
  fileprivate static func choice<Choice: RawRepresentable<String> & CaseIterable>(_ path: WritableKeyPath<Root, Choice>) -> Self {
    .word(
      Choice.allCases.map(\.rawValue), get: { $0[keyPath: path].rawValue },
      set: { $0[keyPath: path] = Choice(rawValue: $1) ?? $0[keyPath: path] })
  }
}
