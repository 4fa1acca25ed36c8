// Reinforcement learning by imitating oneself: a clone of demonstrations that draws what it does plays several times from each start, and goes on
// learning from those of its own episodes that were done sooner than the others from there (Oh et al., 2018, keep what beat expectation; here that
// is the mean of the same start, as in Kool et al., 2019). No values are learnt, so none can be wrong. It knows no task.

internal import Foundation
internal import Hashing
internal import JSON

public enum SelfImitation {
  public struct Settings: Sendable {
    /// How demonstrations, and then what went well, are cloned: something that draws. `updates` are those before the first episode.
    public var cloning = BehaviourCloning.Settings()
    /// Starts of a round, and episodes from each.
    public var starts = 250, attempts = 4
    /// Rounds whose episodes are learnt from, and whether the demonstrations still are.
    public var memory = 4
    public var keepsDemonstrations = false
    /// Gradient steps of a round, and the largest rate of Adam in it.
    public var updates = 3000
    public var rate = 3e-4
    /// Control steps of all rounds; the last one is played to its end.
    public var steps = 50_000
    /// Episodes of the evaluation after each round, on starts of its own; the best actor is the policy, the last one if there are none.
    public var evaluationEpisodes = 10

    public init() {}
  }

  /// Throws for settings of cloning that never draw: all attempts from a start would be one.
  public static func train(
    in environment: LearningEnvironment, demonstrations: DataSet, task: String, features: Features, settings: Settings, seed: Int,
    at site: TrainingSite = TrainingSite()
  ) throws -> Trained {
    try environment.check(demonstrations, features, "self-imitation")
    guard settings.cloning.isDrawn else {
      throw LearningError("self-imitation: the clone does not draw what it does", hint: "set bc.head's 'modes' and 'draws'")
    }
    let run = Run(environment: environment, demonstrations: demonstrations, task: task, features: features, settings: settings, seed: seed)
    return try run.train(site)
  }

  private final class Run {
    let environment: LearningEnvironment, demonstrations: DataSet, task: String, features: Features, settings: Settings, seed: Int
    var policy: LearnedPolicy!, best: LearnedPolicy!
    /// Its own episodes that are learnt from, by round.
    var own: [DataSet] = []
    var state = State()
    var curves = LearningCurves()

    struct State {
      var round = 0, steps = 0, updates = 0, evaluationSteps = 0, bestRate = -1.0
    }

    init(environment: LearningEnvironment, demonstrations: DataSet, task: String, features: Features, settings: Settings, seed: Int) {
      (self.environment, self.demonstrations, self.task, self.features) = (environment, demonstrations, task, features)
      (self.settings, self.seed) = (settings, seed)
    }

    func train(_ site: TrainingSite) throws -> Trained {
      let total = settings.cloning.updates + settings.steps
      var outcome = TrainingOutcome.finished
      if try !restore(site) {
        if let directory = site.directory { try FileManager.default.createDirectory(atPath: directory + "/clone", withIntermediateDirectories: true) }
        let clone = TrainingSite(directory: site.directory.map { $0 + "/clone" }, every: site.every) { done, _, word in
          try site.progress(done, total, "cloning, " + word)
        }
        outcome = take(
          try BehaviourCloning.train(demonstrations, task: task, features: features, settings: settings.cloning, seed: seed, at: clone))
        best = policy
        if outcome == .finished {
          try evaluate()
          try save(site)
        }
      }
      while outcome == .finished, state.steps < settings.steps {
        try play { [state] in
          try site.progress(
            settings.cloning.updates + min($0, settings.steps), total, "round \(state.round), best success \(brief(state.bestRate))")
        }
        outcome = try learn()
        guard outcome == .finished else { break }
        try evaluate()
        state.round += 1
        try save(site)
      }
      best.regime = "rl"
      return Trained(
        policy: best, outcome: outcome, curves: curves, updates: state.updates, environmentSteps: state.steps + state.evaluationSteps)
    }

    private func stream(_ words: String, _ number: Int = 0) -> RandomStream { RandomStream("self-imitation", "\(seed)", words, "\(number)") }

    private func take(_ trained: Trained) -> TrainingOutcome {
      policy = trained.policy
      state.updates += trained.updates
      return trained.outcome
    }

    // MARK: A round

    private struct Episode { var observations: [[Double]] = [], actions: [[Double]] = [], isSolved = false }

    /// One episode from a start; `draw` says what is drawn.
    private func episode(from start: UInt64, draw: Int) throws -> Episode {
      policy.seed = draw
      let actor = LearnedActor(policy)
      var episode = Episode(), observation = environment.reset(start)
      while true {
        let action = try actor.act(observation)
        episode.observations.append(observation)
        episode.actions.append(action)
        let step = environment.step(action)
        observation = step.observation
        if step.terminated { episode.isSolved = true }
        if step.terminated || step.truncated { return episode }
      }
    }

    /// Keeps what is done, and done sooner than the mean from the same start; what is not done took as long as there was time.
    private func play(_ tell: (_ steps: Int) throws -> Void) throws {
      var stream = stream("round", state.round), kept = DataSet(), solved = 0
      for start in 0..<settings.starts {
        let place = LearningEnvironment.start(from: &stream)
        let episodes = try (0..<settings.attempts).map { _ in try episode(from: place, draw: Int(stream.next() >> 1)) }
        let steps = episodes.reduce(0) { $0 + $1.actions.count }
        state.steps += steps
        solved += episodes.count { $0.isSolved }
        for episode in episodes where episode.isSolved && episode.actions.count * episodes.count < steps {
          kept.append(observations: episode.observations, actions: episode.actions)
        }
        if start % max(1, settings.starts / 10) == 0 { try tell(state.steps) }
      }
      own = own.suffix(settings.memory - 1) + [kept]
      curves.add("solved", at: state.steps, Double(solved) / Double(settings.starts * settings.attempts), axis: "step")
      curves.add("kept", at: state.steps, Double(kept.episodes.count), axis: "step")
    }

    private func learn() throws -> TrainingOutcome {
      var data = settings.keepsDemonstrations ? demonstrations : DataSet(), cloning = settings.cloning
      for episodes in own { data.append(episodes) }
      if data.frames == 0 { return .finished }
      (cloning.updates, cloning.rate, cloning.heldOut) = (settings.updates, settings.rate, 0)
      var draw = stream("updates", state.round)
      let trained = try BehaviourCloning.train(
        data, task: task, features: features, settings: cloning, seed: Int(draw.next() >> 1), from: policy)
      if let loss = trained.curves["loss"]?.values.last { curves.add("loss", at: state.steps, loss, axis: "step") }
      return take(trained)
    }

    private func evaluate() throws {
      policy.seed = seed
      guard settings.evaluationEpisodes > 0 else {
        best = policy
        return
      }
      let outcome = try environment.successes(of: LearnedActor(policy), starts: settings.evaluationEpisodes, from: stream("evaluation"))
      let rate = Double(outcome.successes) / Double(settings.evaluationEpisodes)
      state.evaluationSteps += outcome.steps
      curves.add("success", at: state.steps, rate, axis: "step")
      if rate >= state.bestRate { (best, state.bestRate) = (policy, rate) }
    }

    // MARK: What an interruption leaves

    /// A round's directory is named only once it is whole.
    private func save(_ site: TrainingSite) throws {
      guard let directory = site.directory else { return }
      let place = "\(directory)/round-\(state.round)", files = FileManager.default
      try? files.removeItem(atPath: place)
      try policy.write(directory: place + "/policy")
      try best.write(directory: place + "/best")
      for (index, episodes) in own.enumerated() where episodes.frames > 0 { try episodes.write(directory: "\(place)/own-\(index)") }
      let state: JSON = [
        "round": .integer(state.round), "steps": .integer(state.steps), "updates": .integer(state.updates),
        "evaluation_steps": .integer(state.evaluationSteps), "best": .number(state.bestRate), "own": .integer(own.count), "curves": curves.json,
      ]
      try Data(state.canonical.utf8).write(to: URL(filePath: place + "/state.json"))
      try Data("\(self.state.round)".utf8).write(to: URL(filePath: directory + "/round"), options: .atomic)
      for name in try files.contentsOfDirectory(atPath: directory)
      where name.hasPrefix("round-") && name != "round-\(self.state.round)" || name == "clone" {
        try? files.removeItem(atPath: directory + "/" + name)
      }
    }

    private func restore(_ site: TrainingSite) throws -> Bool {
      guard let directory = site.directory, let named = FileManager.default.contents(atPath: directory + "/round") else { return false }
      let place = "\(directory)/round-\(String(decoding: named, as: UTF8.self))"
      guard let text = FileManager.default.contents(atPath: place + "/state.json"), let saved = try? JSON(parsing: text) else {
        throw LearningError("\(place) is not a checkpoint of this version", hint: "remove it to start over")
      }
      func number(_ name: String) -> Int { saved[name]?.int ?? 0 }
      policy = try LearnedPolicy(directory: place + "/policy")
      best = try LearnedPolicy(directory: place + "/best")
      own = try (0..<number("own")).map { index in
        let place = "\(place)/own-\(index)"
        return FileManager.default.fileExists(atPath: place) ? try DataSet(directory: place) : DataSet()
      }
      state = State(
        round: number("round"), steps: number("steps"), updates: number("updates"), evaluationSteps: number("evaluation_steps"),
        bestRate: saved["best"]?.double ?? -1)
      curves = LearningCurves(saved["curves"])
      return true
    }
  }
}
