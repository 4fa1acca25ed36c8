// Soft actor-critic (Haarnoja et al., 2018) as RLPD has it (Ball et al., 2023): half of each batch from demonstrations, layer norm,
// an ensemble of critics of which two random ones set the target; and the actor is held near the demonstrations by a cloning loss.
// Over a base policy it learns a residual (Johannink et al., 2019). Actions are in -1…1 per column, `reach` units of the task each.

internal import Hashing
internal import JSON
internal import Tensor

public enum SoftActorCritic {
  public struct Settings: Sendable {
    public var network = NetworkShape(hidden: [256, 256], layerNorm: true)
    public var critics = 2
    /// Control steps in the environment; the last episode is played to its end.
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

// MARK: - Experience and episodes

extension SoftActorCritic {
  struct Run {
    let environment: LearningEnvironment, task: String, features: Features, settings: Settings, base: LearnedActor.Base?, seed: Int
    let width: Int, actionSize: Int
    let actor: Network, critics: Network, targets: Network
    let temperature: Tensor
    let actorMoments: AdamMoments, criticMoments: AdamMoments, temperatureMoments: AdamMoments
    var demonstrations: Replay, own: Replay
    var scaling: Scaling
    var curves = LearningCurves()
    var steps = 0, episodes = 0, actorUpdates = 0, criticUpdates = 0, evaluated = 0
    /// Control steps of the evaluations, which are not learnt from.
    var evaluationSteps = 0
    var best: Network, bestRate = -1.0

    init(environment: LearningEnvironment, task: String, features: Features, settings: Settings, base: LearnedActor.Base?, seed: Int) {
      (self.environment, self.task, self.features, self.settings, self.base, self.seed) = (environment, task, features, settings, base, seed)
      actionSize = features.actionSize
      width = features.size(observation: environment.observationSize) + (base == nil ? 0 : actionSize)
      var stream = RandomStream("sac", "\(seed)", "weights")
      // A residual begins at zero: the base as it is.
      actor = Network(
        input: width, output: 2 * actionSize, shape: settings.network, lastGain: base == nil ? 0.1 : 0, from: &stream)
      let bias = actor.parameters[actor.parameters.count - 1]
      let count = actionSize, spread = Float(naturalLogarithm(settings.spread))
      bias.values = (0..<2 * count).map { $0 < count ? 0 : spread }
      critics = Network(
        input: width + actionSize, output: 1, shape: settings.network, members: max(2, settings.critics), lastGain: 0.1, from: &stream)
      targets = critics.copy()
      best = actor.copy()
      temperature = Tensor([Float(naturalLogarithm(settings.temperature))], shape: [1]).requiringGradient()
      actorMoments = AdamMoments(for: actor.parameters)
      criticMoments = AdamMoments(for: critics.parameters)
      temperatureMoments = AdamMoments(for: [temperature])
      demonstrations = Replay(width: width, actionSize: actionSize, capacity: .max)
      own = Replay(width: width, actionSize: actionSize, capacity: settings.capacity)
      scaling = Scaling(mean: Array(repeating: 0, count: width), spread: Array(repeating: 1, count: width))
    }

    func stream(_ words: String, _ number: Int) -> RandomStream { RandomStream("sac", "\(seed)", words, "\(number)") }

    // MARK: Experience

    /// An action of the task in the actor's units, short of ±1, where tanh has no inverse.
    func units(_ action: [Double], at observation: [Double], over under: [Double]?) -> [Float] {
      let way = under.map { zip(action, $0).map(-) } ?? features.label(action, at: observation)
      return way.map { Float(min(max($0 / settings.reach, -0.999), 0.999)) }
    }

    /// A reward of the task as it is learnt from.
    private func worth(_ reward: Double) -> Double { settings.rewardWeight * reward + settings.rewardOffset }

    /// Takes demonstrations as experience. With a base, an action out of the residual's reach is left out, for it could not be done.
    mutating func take(_ data: DataSet) throws {
      var seen: [[Float]] = []
      for episode in data.episodes {
        base?.reset()
        let looks = try episode.map { frame in
          defer { base?.carriedOut(data.actions[frame]) }
          return try features.look(
            (0..<features.history).map { data.observations[max(episode.lowerBound, frame - $0)] },
            lastAction: frame > episode.lowerBound ? data.actions[frame - 1] : nil, over: base)
        }
        var returns = Returns(length: settings.returnSteps, discount: settings.discount)
        for frame in episode.dropLast() {
          let judged = environment.judge?(data.observations[frame + 1]) ?? (reward: 0, terminated: frame + 2 == episode.upperBound)
          let (now, under) = looks[frame - episode.lowerBound]
          seen.append(now)
          let action = units(data.actions[frame], at: data.observations[frame], over: under)
          let rows = returns.add(
            now, action: action, reward: worth(judged.reward), next: looks[frame + 1 - episode.lowerBound].seen,
            terminated: judged.terminated, ended: judged.terminated || frame + 2 == episode.upperBound)
          for row in rows where under == nil || row.action.allSatisfy({ abs($0) < 0.99 }) { demonstrations.append(row) }
          if judged.terminated { break }
        }
      }
      if !seen.isEmpty { scaling = Scaling(measuring: seen) }
    }

    // MARK: Training

    private func policy(_ network: Network) -> LearnedPolicy {
      let output = Scaling(mean: Array(repeating: 0, count: actionSize), spread: Array(repeating: Float(settings.reach), count: actionSize))
      return LearnedPolicy(
        task: task, regime: "rl", seed: seed, features: features, input: scaling, output: output, squashed: true, chunk: 1, ensembling: 0,
        residual: base != nil, network: network, outputs: actionSize)
    }

    /// Success of the actor without noise, on seeds of its own; keeps the best.
    private mutating func evaluate() throws {
      guard settings.evaluations > 0, settings.evaluationEpisodes > 0 else { return }
      let outcome = try environment.successes(
        of: LearnedActor(policy(actor), base: base), starts: settings.evaluationEpisodes, from: RandomStream("sac", "\(seed)", "evaluation"))
      let rate = Double(outcome.successes) / Double(settings.evaluationEpisodes)
      evaluationSteps += outcome.steps
      curves.add("success", at: steps, rate, axis: "step")
      evaluated += 1
      if rate >= bestRate { (best, bestRate) = (actor.copy(), rate) }
    }

    mutating func train(_ site: TrainingSite) throws -> Trained {
      if let directory = site.directory, let saved = try Checkpoint(directory: directory) { try restore(saved) }
      var outcome = TrainingOutcome.finished, savedAt = steps
      func trained(_ network: Network) -> Trained {
        Trained(
          policy: policy(network), outcome: outcome, curves: curves, updates: actorUpdates + criticUpdates,
          environmentSteps: steps + evaluationSteps)
      }
      let cloning = demonstrations.count > 0 ? settings.cloningUpdates : 0
      let total = cloning + settings.steps
      while episodes == 0, actorUpdates < cloning {
        guard let loss = updateActor(cloningOnly: true) else {
          outcome = .diverged(update: actorUpdates)
          return trained(actor)
        }
        if actorUpdates % max(1, total / 100) == 0 {
          curves.add("cloning loss", at: actorUpdates, loss)
          try site.progress(actorUpdates, total, "cloning, loss " + brief(loss))
        }
        if let directory = site.directory, actorUpdates % site.every == 0, actorUpdates < cloning {
          try checkpoint().write(directory: directory)
        }
      }
      if episodes == 0, evaluated == 0, (cloning > 0 || base != nil) { try evaluate() }
      while steps < settings.steps {
        if let directory = site.directory, steps - savedAt >= site.every {
          try checkpoint().write(directory: directory)
          savedAt = steps
        }
        if let failure = try episode(site, cloning: cloning, total: total) {
          outcome = failure
          break
        }
        if Double(steps) >= Double(settings.steps) * Double(evaluated) / Double(max(1, settings.evaluations)) { try evaluate() }
      }
      return trained(bestRate > 0 ? best : actor)
    }

    /// One episode with its updates; the outcome if it diverged.
    private mutating func episode(_ site: TrainingSite, cloning: Int, total: Int) throws -> TrainingOutcome? {
      var starts = stream("episode", episodes)
      var window = [environment.reset(LearningEnvironment.start(from: &starts))]
      base?.reset()
      var (seen, under) = try features.look(window, lastAction: nil, over: base)
      var returns = Returns(length: settings.returnSteps, discount: settings.discount)
      var won = 0.0
      while true {
        let action = act(seen, at: window[0], over: under)
        base?.carriedOut(action)
        let step = environment.step(action)
        window.insert(step.observation, at: 0)
        if window.count > max(2, features.history) { window.removeLast() }
        let before = under, next: [Float]
        (next, under) = try features.look(window, lastAction: action, over: base)
        let rows = returns.add(
          seen, action: units(action, at: window[1], over: before), reward: worth(step.reward), next: next,
          terminated: step.terminated, ended: step.terminated || step.truncated)
        for row in rows { own.append(row) }
        seen = next
        won += step.reward
        steps += 1
        if steps == settings.warmUp, demonstrations.count == 0 { measure() }
        if steps >= settings.warmUp, steps % settings.stepsPerUpdate == 0, own.count > 0 {
          for _ in 0..<settings.updatesPerStep {
            guard let loss = updateCritics() else { return .diverged(update: actorUpdates + criticUpdates) }
            if criticUpdates % max(1, settings.steps * settings.updatesPerStep / 100) == 0 {
              curves.add("critic loss", at: steps, loss, axis: "step")
            }
          }
          guard steps < settings.warmUp + settings.criticsAlone || updateActor() != nil else {
            return .diverged(update: actorUpdates + criticUpdates)
          }
        }
        if steps % max(1, settings.steps / 100) == 0 {
          try site.progress(
            cloning + min(steps, settings.steps), total, "episode \(episodes), best success " + (bestRate < 0 ? "unknown" : brief(bestRate)))
        }
        if step.terminated || step.truncated { break }
      }
      curves.add("return", at: steps, won, axis: "step")
      episodes += 1
      return nil
    }

    private mutating func act(_ seen: [Float], at observation: [Double], over under: [Double]?) -> [Double] {
      var stream = stream("act", steps)
      let units: [Double]
      if demonstrations.count == 0, base == nil, steps < settings.warmUp {
        units = (0..<actionSize).map { _ in stream.uniform(-1...1) }
      } else {
        let input = Tensor(scaling.apply(seen), shape: [1, width])
        units = Tensor.unrecorded { draw(input, from: &stream).action.values }.map(Double.init)
      }
      return features.action(units.map { $0 * settings.reach }, at: observation, over: under)
    }

    /// Without demonstrations the first steps tell how large things are.
    private mutating func measure() {
      scaling = Scaling(measuring: (0..<own.count).map { Array(own.rows[$0 * own.rowWidth..<$0 * own.rowWidth + width]) })
    }
  }
}

// MARK: - Updates

extension SoftActorCritic.Run {
  private func batch(_ count: Int, demonstrationShare: Double, from stream: inout RandomStream) -> (tensors: Tensors, shown: Int) {
    var batch = Replay.Batch()
    let shown = demonstrations.count == 0 ? 0 : own.count == 0 ? count : Int((Double(count) * demonstrationShare).rounded())
    demonstrations.draw(shown, into: &batch, scaling: scaling, from: &stream)
    own.draw(count - shown, into: &batch, scaling: scaling, from: &stream)
    return (
      Tensors(
        features: Tensor(batch.features, shape: [count, width]), actions: Tensor(batch.actions, shape: [count, actionSize]),
        rewards: Tensor(batch.rewards, shape: [count, 1]), bootstraps: Tensor(batch.bootstraps, shape: [count, 1]),
        next: Tensor(batch.next, shape: [count, width])), shown
    )
  }

  private struct Tensors { let features: Tensor, actions: Tensor, rewards: Tensor, bootstraps: Tensor, next: Tensor }

  // MARK: Networks

  /// A squashed normal action for each row and the logarithm of its density [batch, 1]; and the mean, squashed.
  func draw(_ seen: Tensor, from stream: inout RandomStream) -> (action: Tensor, logDensity: Tensor, mean: Tensor) {
    let rows = seen.shape[0]
    let noise = Tensor((0..<rows * actionSize).map { _ in Float(stream.normal()) }, shape: [rows, actionSize])
    return actor(seen).squashedNormal(noise: noise, spreads: -5...1)
  }

  /// One update of the critics; nil if it was not finite.
  mutating func updateCritics() -> Double? {
    var stream = stream("critics", criticUpdates)
    let batch = batch(settings.batch, demonstrationShare: settings.demonstrationShare, from: &stream).tensors
    let wanted = Tensor.unrecorded {
      let next = draw(batch.next, from: &stream)
      let values = targets(Tensor.concatenate([batch.next, next.action], along: 1))
      let first = stream.index(below: targets.members), step = 1 + stream.index(below: targets.members - 1)
      let second = (first + step) % targets.members
      let pair = Tensor.concatenate([values.slice(first..<first + 1, of: 0), values.slice(second..<second + 1, of: 0)], along: 0)
      let value = pair.least(over: 0) - temperature.exp * next.logDensity
      return batch.rewards + batch.bootstraps * value
    }
    let loss = critics(Tensor.concatenate([batch.features, batch.actions], along: 1)).meanSquaredError(to: wanted.repeated(critics.members))
    let value = loss.item
    loss.backward()
    criticUpdates += 1
    let norm = criticMoments.step(critics.parameters, number: criticUpdates, rate: settings.rate, clip: 10)
    guard value.isFinite, norm.isFinite else { return nil }
    Tensor.blend(targets.parameters, towards: critics.parameters, by: settings.following)
    return value
  }

  /// One update of actor and temperature, or by cloning alone; nil if it was not finite.
  mutating func updateActor(cloningOnly: Bool = false) -> Double? {
    var stream = stream("actor", actorUpdates)
    let (batch, shown) = batch(settings.batch, demonstrationShare: cloningOnly ? 1 : settings.demonstrationShare, from: &stream)
    let drawn = draw(batch.features, from: &stream)
    let baseWeight = base == nil ? 0 : settings.baseWeight
    var loss = Tensor(zeros: [])
    if !cloningOnly {
      let values = critics(Tensor.concatenate([batch.features, drawn.action], along: 1), frozen: true).mean(over: 0)
      let scale = demonstrations.count > 0 && settings.cloningWeight > 0 || baseWeight > 0 ? 1 / max(1e-3, values.detached.magnitude.mean().item) : 1
      loss = (temperature.detached.exp * drawn.logDensity - values).mean() * scale
    }
    if shown > 0, cloningOnly || settings.cloningWeight > 0 {
      let cloning = drawn.mean.slice(0..<shown, of: 0).meanSquaredError(to: batch.actions.slice(0..<shown, of: 0))
      // Spread towards the demonstrations' own, while nothing else teaches it.
      let density = cloningOnly ? drawn.logDensity.mean() * 0.001 : Tensor(zeros: [])
      loss = loss + cloning * (cloningOnly ? 1 : settings.cloningWeight) + density
    }
    if !cloningOnly, baseWeight > 0 { loss = loss + drawn.mean.squared.mean() * baseWeight }
    let value = loss.item
    loss.backward()
    actorUpdates += 1
    let norm = actorMoments.step(actor.parameters, number: actorUpdates, rate: settings.rate, clip: 10)
    guard value.isFinite, norm.isFinite else { return nil }
    if !cloningOnly {
      let surplus = drawn.logDensity.detached.mean() + settings.targetEntropy * Double(actionSize)
      (temperature.exp * surplus * -1.0).sum().backward()
      _ = temperatureMoments.step([temperature], number: actorUpdates, rate: settings.rate)
    }
    return value
  }
}

// MARK: - What an interruption leaves

extension SoftActorCritic.Run {
  func checkpoint() -> Checkpoint {
    var out = Checkpoint()
    out.put("actor", actor.parameters)
    out.put("best", best.parameters)
    out.put("critics", critics.parameters)
    out.put("targets", targets.parameters)
    out.put("temperature", [temperature])
    out.put("actor.moments", actorMoments)
    out.put("critic.moments", criticMoments)
    out.put("temperature.moments", temperatureMoments)
    out.put("own", rows: own.rows, width: own.rowWidth)
    out.state = [
      "steps": .integer(steps), "episodes": .integer(episodes), "actor_updates": .integer(actorUpdates), "critic_updates": .integer(criticUpdates),
      "evaluated": .integer(evaluated), "evaluation_steps": .integer(evaluationSteps), "best": .number(bestRate),
      "next": .integer(own.next), "scaling": scaling.json, "curves": curves.json,
    ]
    return out
  }

  mutating func restore(_ saved: Checkpoint) throws {
    try saved.get("actor", into: actor.parameters)
    try saved.get("best", into: best.parameters)
    try saved.get("critics", into: critics.parameters)
    try saved.get("targets", into: targets.parameters)
    try saved.get("temperature", into: [temperature])
    try saved.get("actor.moments", into: actorMoments)
    try saved.get("critic.moments", into: criticMoments)
    try saved.get("temperature.moments", into: temperatureMoments)
    func number(_ name: String) -> Int { saved.state[name]?.int ?? 0 }
    own.restore(rows: try saved.rows("own"), next: number("next"))
    (steps, episodes, actorUpdates, criticUpdates) = (number("steps"), number("episodes"), number("actor_updates"), number("critic_updates"))
    (evaluated, evaluationSteps) = (number("evaluated"), number("evaluation_steps"))
    bestRate = saved.state["best"]?.double ?? -1
    scaling = Scaling(saved.state["scaling"]) ?? scaling
    curves = LearningCurves(saved.state["curves"])
  }
}
