// One training by soft actor-critic: its networks, what it has seen, and the episodes it plays.
// How it updates is SoftActorCritic+Updates; what it keeps on disk, SoftActorCritic+Checkpoint.

internal import Hashing
internal import JSON
internal import Tensor

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

    /// What is shown for this observation, and the base's action there.
    func look(_ window: [[Double]], lastAction: [Double]?) throws -> (seen: [Float], under: [Double]?) {
      let seen = features.values(window: window, lastAction: lastAction)
      guard let base else { return (seen, nil) }
      let under = try base.act(window[0])
      return (seen + features.label(under, at: window[0]).map(Float.init), under)
    }

    /// A reward of the task as it is learnt from.
    private func worth(_ reward: Double) -> Double { settings.rewardWeight * reward + settings.rewardOffset }

    /// Takes demonstrations as experience. With a base, an action out of the residual's reach is left out, for it could not be done.
    mutating func take(_ data: DataSet) throws {
      var seen: [[Float]] = []
      for episode in data.episodes {
        base?.reset()
        let looks = try episode.map { frame in
          try look(
            (0..<features.history).map { data.observations[max(episode.lowerBound, frame - $0)] },
            lastAction: frame > episode.lowerBound ? data.actions[frame - 1] : nil)
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
      guard settings.evaluations > 0 else { return }
      var stream = RandomStream("sac", "\(seed)", "evaluation")
      let seeds = (0..<settings.evaluationEpisodes).map { _ in 1 << 62 | stream.next() >> 2 }
      guard !seeds.isEmpty else { return }
      let outcome = try environment.successes(of: LearnedActor(policy(actor), base: base), seeds: seeds)
      let rate = Double(outcome.successes) / Double(seeds.count)
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
      // Evaluations on stations draw 32-bit seeds; these are longer.
      var window = [environment.reset(1 << 62 | starts.next() >> 2)]
      base?.reset()
      var (seen, under) = try look(window, lastAction: nil)
      var returns = Returns(length: settings.returnSteps, discount: settings.discount)
      var won = 0.0
      while true {
        let action = act(seen, at: window[0], over: under)
        let step = environment.step(action)
        window.insert(step.observation, at: 0)
        if window.count > max(2, features.history) { window.removeLast() }
        let before = under, next: [Float]
        (next, under) = try look(window, lastAction: action)
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
      let label = units.map { $0 * settings.reach }
      return under.map { features.bounded(zip($0, label).map(+)) } ?? features.action(label, at: observation)
    }

    /// Without demonstrations the first steps tell how large things are.
    private mutating func measure() {
      scaling = Scaling(measuring: (0..<own.count).map { Array(own.rows[$0 * own.rowWidth..<$0 * own.rowWidth + width]) })
    }
  }
}
