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
    let flow = Setting<CloningSettings>.Condition("'flow_steps' is above 0") { $0.learner.flowSteps > 0 }
    let modes = Setting<CloningSettings>.Condition("'modes' is above 1") { $0.learner.modes > 1 }
    let newest = Setting<CloningSettings>.Condition("'execute' is 1") { $0.learner.execute == 1 }
    return [
      Setting("network.hidden", .counts(\.learner.network.hidden, 8...1024, most: 6), "units of each hidden layer"),
      Setting("network.activation", .choice(\.learner.network.activation), "what follows each hidden layer"),
      Setting("network.layer_norm", .flag(\.learner.network.layerNorm), "normalise each hidden layer"),
      Setting("network.members", .count(\.learner.members, 1...16), "networks trained side by side, whose words are averaged"),
      Setting("head.chunk", .count(\.learner.chunk, 1...64), "actions said at once, one a control step"),
      Setting("head.ensembling", .number(\.learner.ensembling, 0...20), "how fast older words fade: weight exp(-ensembling · age)", when: newest),
      Setting("head.execute", .count(\.learner.execute, 1...64), "actions of a chunk carried out before the next is said; 1 for ensembling"),
      Setting("head.flow_steps", .count(\.learner.flowSteps, 0...100), "steps from noise to actions by flow matching; 0 says the mean action"),
      Setting("head.redraw", .count(\.learner.redraw, 0...300), "chunks after which a flow starts from new noise; 0: once an episode", when: flow),
      Setting(
        "head.start", .number(\.learner.start, 0...1), "spread of the noise a flow starts from when it acts; 0: from the middle always", when: flow),
      Setting(
        "head.modes", .count(\.learner.modes, 1...32),
        "chunks said at once with their likelihoods, of which the likeliest is done; 1 says their mean"),
      Setting("head.draws", .flag(\.learner.draws), "whether a chunk is drawn by its likelihood instead", when: modes),
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
    func with(_ algorithms: Algorithm...) -> Setting<ReinforcementSettings>.Condition {
      let names = algorithms.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
      return Setting.Condition("'algorithm' is " + names) { algorithms.contains($0.algorithm) }
    }
    let critic = with(.softActorCritic), proximal = with(.proximalPolicy), imitation = with(.selfImitation)
    let rewards = with(.softActorCritic, .proximalPolicy)
    return [
      Setting(
        "algorithm", .choice(\.algorithm),
        "what learns; self-imitation clones as 'bc' says; a setting that the algorithm does not use is refused"),
      Setting("network.hidden", .counts(\.learner.network.hidden, 8...1024, most: 6), "units of each hidden layer", when: rewards),
      Setting("network.activation", .choice(\.learner.network.activation), "what follows each hidden layer", when: rewards),
      Setting("network.layer_norm", .flag(\.learner.network.layerNorm), "normalise each hidden layer", when: rewards),
      Setting("network.critics", .count(\.learner.critics, 2...10), "members of the critics' ensemble", when: critic),
      Setting("data.history", .count(\.history, 1...8), "observations shown, the present one among them", when: rewards),
      Setting("data.differences", .flag(\.differences), "whether older observations are shown as differences from the present one", when: rewards),
      Setting("data.shows_action", .flag(\.showsAction), "whether the last action is shown too", when: rewards),
      Setting("data.demonstration_share", .number(\.learner.demonstrationShare, 0...1), "share of a batch drawn from demonstrations", when: critic),
      Setting("data.capacity", .count(\.learner.capacity, 1000...2_000_000), "control steps remembered", when: critic),
      Setting("action.reach", .number(\.learner.reach, 5...512), "largest distance of a target from the agent, per axis, px", when: rewards),
      Setting(
        "action.spread", .number(\.learner.spread, 0.01...1), "spread of an action before anything is learnt, as a share of the reach", when: rewards),
      Setting(
        "reward.weight", .number(\.learner.rewardWeight, 0...100), "times each reward: less makes nearness count less beside time", when: rewards),
      Setting(
        "reward.offset", .number(\.learner.rewardOffset, -10...10), "added to each reward; below zero, so that being done is best", when: rewards),
      Setting("reward.discount", .number(\.learner.discount, 0...0.9999), "worth of a reward one step later", when: rewards),
      Setting(
        "reward.steps", .count(\.learner.returnSteps, 1...100), "steps whose rewards are summed before the critics are asked for the rest",
        when: critic),
      Setting("imitation.starts", .count(\.imitation.starts, 1...100_000), "starts of a round", when: imitation),
      Setting(
        "imitation.attempts", .count(\.imitation.attempts, 2...100), "episodes from each; those done sooner than their mean are kept", when: imitation
      ),
      Setting("imitation.memory", .count(\.imitation.memory, 1...1000), "rounds whose kept episodes are learnt from", when: imitation),
      Setting(
        "imitation.keeps_demonstrations", .flag(\.imitation.keepsDemonstrations), "whether the demonstrations are learnt from in each round too",
        when: imitation),
      Setting("imitation.updates", .count(\.imitation.updates, 1...1_000_000), "gradient steps of a round", when: imitation),
      Setting("imitation.rate", .number(\.imitation.rate, 1e-6...0.1), "Adam's largest rate in a round", when: imitation),
      Setting("proximal.round", .count(\.proximal.round, 100...10_000_000), "control steps of a round", when: proximal),
      Setting("proximal.passes", .count(\.proximal.passes, 1...100), "passes over a round", when: proximal),
      Setting("proximal.batch", .count(\.proximal.batch, 8...65_536), "control steps an update", when: proximal),
      Setting("proximal.clip", .number(\.proximal.clip, 0.01...1), "largest change of a likelihood that pays, as a share", when: proximal),
      Setting(
        "proximal.divergence", .number(\.proximal.divergence, 1e-4...10), "nats from the round's actor after which its passes end", when: proximal),
      Setting("proximal.trace", .number(\.proximal.trace, 0...1), "whom advantages believe: 1 the returns, 0 the values", when: proximal),
      Setting(
        "proximal.value_rate", .number(\.proximal.valueRate, 1e-6...0.1), "Adam's rate for the values; the actor's is optimiser.rate", when: proximal),
      Setting("optimiser.batch", .count(\.learner.batch, 8...4096), "transitions an update", when: critic),
      Setting("optimiser.rate", .number(\.learner.rate, 1e-6...0.1), "Adam's rate", when: rewards),
      Setting("optimiser.following", .number(\.learner.following, 1e-4...1), "share by which target critics follow, an update", when: critic),
      Setting("optimiser.temperature", .number(\.learner.temperature, 1e-6...10), "weight of the entropy at the start", when: critic),
      Setting("optimiser.target_entropy", .number(\.learner.targetEntropy, -10...1), "entropy aimed at, a number of an action", when: critic),
      Setting("optimiser.cloning_weight", .number(\.learner.cloningWeight, 0...100), "weight of staying near the demonstrations", when: critic),
      Setting("optimiser.base_weight", .number(\.learner.baseWeight, 0...100), "weight of staying near the base, for a residual", when: critic),
      Setting("optimiser.threads", .count(\.learner.threads, 1...64), "threads of the numerics; another count may give other bits", when: rewards),
      Setting(
        "schedule.steps", .count(\.learner.steps, 1...1_000_000_000), "control steps in the nominal simulation; the last episode is played to its end"
      ),
      Setting(
        "schedule.updates_per_step", .count(\.learner.updatesPerStep, 1...32), "critic updates at a time, beside one of the actor", when: critic),
      Setting("schedule.steps_per_update", .count(\.learner.stepsPerUpdate, 1...1000), "control steps from one such time to the next", when: critic),
      Setting("schedule.warm_up", .count(\.learner.warmUp, 1...100_000), "control steps before rewards are learnt from", when: critic),
      Setting(
        "schedule.critics_alone", .count(\.learner.criticsAlone, 0...100_000_000), "control steps after that in which the actor stays", when: rewards),
      Setting(
        "schedule.cloning_updates", .count(\.learner.cloningUpdates, 0...1_000_000), "updates by cloning alone, before the first step", when: critic),
      Setting(
        "schedule.evaluations", .count(\.learner.evaluations, 0...1000), "how often the actor is tried without noise; the best one is kept",
        when: rewards),
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
