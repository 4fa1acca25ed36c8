// Proximal policy optimisation (Schulman et al., 2017): whole episodes by a normal around what the actor says, then a few passes over them, in which
// what went better than the values expected becomes likelier by a bounded share. Over a base policy it learns a residual, which begins at zero and
// with little spread (Ankile et al., 2024): the base is neither changed nor taken a gradient of. It knows no task.

internal import Hashing
internal import JSON
internal import Tensor

public enum ProximalPolicy {
  public struct Settings: Sendable {
    /// Of the actor; the values have one of their own of the same shape.
    public var network = NetworkShape(hidden: [256, 256])
    /// Control steps in the environment, and those of a round, the last one's too; its last episode is played to its end.
    public var steps = 1_000_000
    public var round = 16_384
    /// Passes over a round, and the samples of an update.
    public var passes = 5
    public var batch = 2_048
    /// Largest change of a sample's likelihood that pays, as a share.
    public var clip = 0.2
    /// Mean divergence from the round's own actor, in nats, after which its passes end.
    public var divergence = 0.03
    /// Weight of what comes later in an advantage, beside the discount: 1 believes the returns, 0 the values (Schulman et al., 2016).
    public var trace = 0.95
    public var discount = 0.99
    /// Adam's rates at the beginning; they fall in a line, and end at a tenth.
    public var rate = 1e-4
    public var valueRate = 3e-4
    /// Steps in which only the values learn.
    public var valuesAlone = 0
    /// Standard deviation of an action at the beginning, in units of `reach`.
    public var spread = 0.2
    /// Task units of an action of 1, relative to the anchor or the base's action.
    public var reach = 25.0
    /// Times the task's reward, and what is added to it: below zero, so that being done is better than being nearly done for ever.
    public var rewardWeight = 1.0
    public var rewardOffset = -1.0
    /// Episodes of each evaluation of the actor without noise, and how many evaluations there are; the best actor is the policy.
    public var evaluationEpisodes = 100
    public var evaluations = 10
    /// Of libtorch and OpenBLAS. The same seed gives the same weights for the same count of threads.
    public var threads = 1

    public init() {}
  }

  public static func train(
    in environment: LearningEnvironment, task: String, features: Features, settings: Settings, base: LearnedActor.Base? = nil, seed: Int,
    at site: TrainingSite = TrainingSite()
  ) throws -> Trained {
    Tensor.setThreads(settings.threads)
    return try Run(environment, task, features, settings, base, seed).train(site)
  }

  private final class Run {
    let environment: LearningEnvironment, task: String, features: Features, settings: Settings, base: LearnedActor.Base?, seed: Int
    let width: Int, size: Int
    let actor: Network, values: Network, best: Network
    /// The logarithm of the spread of each number of an action.
    let spread: Tensor
    let actorMoments: AdamMoments, valueMoments: AdamMoments
    var scaling: Scaling?
    var curves = LearningCurves()
    var state = State()

    struct State {
      var rounds = 0, steps = 0, episodes = 0, actorUpdates = 0, valueUpdates = 0, evaluated = 0, evaluationSteps = 0, bestRate = -1.0
    }

    init(
      _ environment: LearningEnvironment, _ task: String, _ features: Features, _ settings: Settings, _ base: LearnedActor.Base?, _ seed: Int
    ) {
      (self.environment, self.task, self.features, self.settings, self.base, self.seed) = (environment, task, features, settings, base, seed)
      size = features.actionSize
      width = features.size(observation: environment.observationSize) + (base == nil ? 0 : size)
      var stream = RandomStream("ppo", "\(seed)", "weights")
      actor = Network(input: width, output: size, shape: settings.network, lastGain: base == nil ? 0.1 : 0, from: &stream)
      values = Network(input: width, output: 1, shape: settings.network, lastGain: 0.1, from: &stream)
      best = actor.copy()
      spread = Tensor(Array(repeating: Float(naturalLogarithm(settings.spread)), count: size), shape: [size]).requiringGradient()
      actorMoments = AdamMoments(for: actor.parameters + [spread])
      valueMoments = AdamMoments(for: values.parameters)
    }

    private func stream(_ words: String, _ number: Int) -> RandomStream { RandomStream("ppo", "\(seed)", words, "\(number)") }

    private func policy(_ network: Network) -> LearnedPolicy {
      let none = [Float](repeating: 0, count: width)
      return LearnedPolicy(
        task: task, regime: "rl", seed: seed, features: features, input: scaling ?? Scaling(mean: none, spread: none.map { _ in 1 }),
        output: Scaling(mean: Array(repeating: 0, count: size), spread: Array(repeating: Float(settings.reach), count: size)), squashed: false,
        chunk: 1, ensembling: 0, residual: base != nil, network: network, outputs: size)
    }

    func train(_ site: TrainingSite) throws -> Trained {
      if let directory = site.directory, let saved = try Checkpoint(directory: directory) { try restore(saved) }
      if scaling == nil {
        // How large things are, seen before anything is learnt.
        let seen = try (0..<20).flatMap { try episode(policy(actor), stream("measure", $0)).seen.dropLast() }
        state.evaluationSteps += seen.count
        scaling = Scaling(measuring: seen)
      }
      if state.evaluated == 0 { try evaluate() }
      var savedAt = state.steps, outcome = TrainingOutcome.finished
      while outcome == .finished, state.steps < settings.steps {
        if try !learn(from: play()) { outcome = .diverged(update: state.actorUpdates + state.valueUpdates) }
        state.rounds += 1
        if state.steps * settings.evaluations >= settings.steps * state.evaluated { try evaluate() }
        if let directory = site.directory, state.steps - savedAt >= site.every {
          try checkpoint().write(directory: directory)
          savedAt = state.steps
        }
        try site.progress(
          min(state.steps, settings.steps), settings.steps, "round \(state.rounds), best success " + brief(max(0, state.bestRate)))
      }
      return Trained(
        policy: policy(settings.evaluations > 0 ? best : actor), outcome: outcome, curves: curves,
        updates: state.actorUpdates + state.valueUpdates, environmentSteps: state.steps + state.evaluationSteps)
    }

    // MARK: A round

    /// What was seen, the end too, and what was done there, in units of `reach`.
    private struct Episode {
      var seen: [[Float]] = [], actions: [[Float]] = [], rewards: [Double] = []
      /// Of each action, the sum of squares of what was drawn for it from a standard normal.
      var noise: [Float] = []
      var isSolved = false
    }

    private func episode(_ policy: LearnedPolicy, _ stream: RandomStream) throws -> Episode {
      var stream = stream, episode = Episode(), isOver = false
      let spreads = spread.values.map { naturalExponential(Double($0)) }
      var window = [environment.reset(LearningEnvironment.start(from: &stream))], lastAction: [Double]?
      base?.reset()
      while true {
        let (shown, under) = try features.look(window, lastAction: lastAction, over: base), seen = policy.input.apply(shown)
        episode.seen.append(seen)
        if isOver { return episode }
        let said = policy.forward(seen), noise = said.map { _ in stream.normal() }
        let drawn = (0..<size).map { Double(said[$0]) + spreads[$0] * noise[$0] }
        let action = features.action(drawn.map { $0 * settings.reach }, at: window[0], over: under)
        base?.carriedOut(action)
        let step = environment.step(action)
        episode.actions.append(drawn.map(Float.init))
        episode.noise.append(Float(noise.reduce(0) { $0 + $1 * $1 }))
        // So that what all that comes is worth is of the size of one reward.
        episode.rewards.append((settings.rewardWeight * step.reward + settings.rewardOffset) * (1 - settings.discount))
        if step.terminated { episode.isSolved = true }
        isOver = step.terminated || step.truncated
        window.insert(step.observation, at: 0)
        if window.count > features.history { window.removeLast() }
        lastAction = action
      }
    }

    private func play() throws -> [Episode] {
      let policy = policy(actor), end = state.steps + min(settings.round, settings.steps)
      var episodes: [Episode] = []
      while state.steps < end {
        episodes.append(try episode(policy, stream("episode", state.episodes)))
        state.steps += episodes.last!.actions.count
        state.episodes += 1
      }
      curves.add("solved", at: state.steps, Double(episodes.count { $0.isSolved }) / Double(episodes.count), axis: "step")
      return episodes
    }

    private func rows(_ rows: [[Float]]) -> Tensor { Tensor(Array(rows.joined()), shape: [rows.count, rows[0].count]) }

    /// How much better each action was than expected (generalised advantages), and what each place is worth by that.
    private func judge(_ episode: Episode) -> (advantages: [Double], worths: [Double]) {
      var expected = Tensor.unrecorded { values(rows(episode.seen)).values }.map { Double($0) }
      // Nothing comes after it is done; more could have come when only the time was up.
      if episode.isSolved { expected[expected.count - 1] = 0 }
      var advantages = episode.rewards, after = 0.0
      for step in advantages.indices.reversed() {
        let surprise = episode.rewards[step] + settings.discount * expected[step + 1] - expected[step]
        after = surprise + settings.discount * settings.trace * after
        advantages[step] = after
      }
      return (advantages, zip(advantages, expected).map(+))
    }

    /// False if anything was not finite; then nothing more was changed.
    private func learn(from episodes: [Episode]) throws -> Bool {
      let judged = episodes.map(judge)
      let seen = episodes.flatMap { $0.seen.dropLast() }, actions = episodes.flatMap(\.actions), worths = judged.flatMap(\.worths)
      var advantages = judged.flatMap(\.advantages)
      let count = advantages.count, mean = advantages.reduce(0, +) / Double(count)
      let deviation = (advantages.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
      advantages = advantages.map { ($0 - mean) / (deviation + 1e-8) }
      let shift = spread.values.reduce(0, +), densities = episodes.flatMap { $0.noise.map { -0.5 * $0 - shift } }
      let left = max(0.1, 1 - Double(state.steps) / Double(settings.steps)), learnsActor = state.steps > settings.valuesAlone
      var divergence = 0.0, loss = 0.0, isNear = learnsActor
      for pass in 0..<settings.passes {
        var stream = stream("pass", state.rounds * settings.passes + pass)
        let order = Array(0..<count).shuffled(using: &stream)
        for start in stride(from: 0, to: count, by: settings.batch) {
          let batch = order[start..<min(count, start + settings.batch)]
          let input = rows(batch.map { seen[$0] })
          let off = values(input).meanSquaredError(to: Tensor(batch.map { Float(worths[$0]) }, shape: [batch.count, 1]))
          loss = off.item
          off.backward()
          state.valueUpdates += 1
          let norm = valueMoments.step(values.parameters, number: state.valueUpdates, rate: settings.valueRate * left, clip: 1)
          guard loss.isFinite, norm.isFinite else { return false }
          if !isNear { continue }
          let way = (rows(batch.map { actions[$0] }) - actor(input)) / spread.exp
          let density = (way.squared * -0.5 - spread).sum(over: 1)
          let change = density - Tensor(batch.map { densities[$0] }, shape: [batch.count])
          let ratio = change.exp, better = Tensor(batch.map { Float(advantages[$0]) }, shape: [batch.count])
          divergence = (ratio - change - 1).detached.mean().item
          guard divergence.isFinite else { return false }
          isNear = divergence <= settings.divergence
          if !isNear { continue }
          let gains = [ratio * better, ratio.clamped(1 - settings.clip...1 + settings.clip) * better].map { $0.reshaped([1, batch.count]) }
          (-Tensor.concatenate(gains, along: 0).least(over: 0)).mean().backward()
          state.actorUpdates += 1
          let step = actorMoments.step(actor.parameters + [spread], number: state.actorUpdates, rate: settings.rate * left, clip: 1)
          guard step.isFinite else { return false }
        }
      }
      curves.add("value loss", at: state.steps, loss, axis: "step")
      if learnsActor { curves.add("divergence", at: state.steps, divergence, axis: "step") }
      curves.add("spread", at: state.steps, naturalExponential(Double(spread.values.reduce(0, +)) / Double(size)), axis: "step")
      return true
    }

    /// Success of the actor without noise, on seeds of its own; keeps the best.
    private func evaluate() throws {
      state.evaluated += 1
      guard settings.evaluations > 0, settings.evaluationEpisodes > 0 else { return }
      let outcome = try environment.successes(
        of: LearnedActor(policy(actor), base: base), starts: settings.evaluationEpisodes, from: stream("evaluation", 0))
      let rate = Double(outcome.successes) / Double(settings.evaluationEpisodes)
      state.evaluationSteps += outcome.steps
      curves.add("success", at: state.steps, rate, axis: "step")
      if rate >= state.bestRate {
        Tensor.unrecorded { for (kept, now) in zip(best.parameters, actor.parameters) { kept.values = now.values } }
        state.bestRate = rate
      }
    }

    // MARK: What an interruption leaves

    private func checkpoint() -> Checkpoint {
      var out = Checkpoint()
      out.put("actor", actor.parameters + [spread])
      out.put("values", values.parameters)
      out.put("best", best.parameters)
      out.put("actor.moments", actorMoments)
      out.put("value.moments", valueMoments)
      out.state = [
        "rounds": .integer(state.rounds), "steps": .integer(state.steps), "episodes": .integer(state.episodes),
        "actor_updates": .integer(state.actorUpdates), "value_updates": .integer(state.valueUpdates), "evaluated": .integer(state.evaluated),
        "evaluation_steps": .integer(state.evaluationSteps), "best": .number(state.bestRate), "scaling": scaling!.json, "curves": curves.json,
      ]
      return out
    }

    private func restore(_ saved: Checkpoint) throws {
      try saved.get("actor", into: actor.parameters + [spread])
      try saved.get("values", into: values.parameters)
      try saved.get("best", into: best.parameters)
      try saved.get("actor.moments", into: actorMoments)
      try saved.get("value.moments", into: valueMoments)
      func number(_ name: String) -> Int { saved.state[name]?.int ?? 0 }
      state = State(
        rounds: number("rounds"), steps: number("steps"), episodes: number("episodes"), actorUpdates: number("actor_updates"),
        valueUpdates: number("value_updates"), evaluated: number("evaluated"), evaluationSteps: number("evaluation_steps"),
        bestRate: saved.state["best"]?.double ?? -1)
      scaling = Scaling(saved.state["scaling"])
      curves = LearningCurves(saved.state["curves"])
    }
  }
}
