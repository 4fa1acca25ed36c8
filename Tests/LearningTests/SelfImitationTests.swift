import Foundation
import Learning
import Testing

@Suite struct SelfImitationTests {
  private static func settings(steps: Int) -> SelfImitation.Settings {
    var settings = SelfImitation.Settings()
    settings.cloning.network = NetworkShape(hidden: [32, 32], layerNorm: true)
    (settings.cloning.chunk, settings.cloning.modes, settings.cloning.draws, settings.cloning.loss) = (1, 4, true, .absolute)
    (settings.cloning.batch, settings.cloning.updates, settings.cloning.averaging) = (64, 300, 0.9)
    (settings.starts, settings.attempts, settings.memory, settings.updates, settings.rate) = (20, 6, 3, 150, 1e-3)
    (settings.steps, settings.evaluationEpisodes) = (steps, 20)
    return settings
  }

  /// Ways home that stray: half of the steps lead anywhere.
  private static func straying() -> DataSet { PointTask.demonstrations(30, straying: 0.5) }

  private static func train(_ settings: SelfImitation.Settings, seed: Int = 1, at site: TrainingSite = .init()) throws -> Trained {
    try SelfImitation.train(
      in: PointTask.environment(), demonstrations: straying(), task: "point", features: PointTask.features, settings: settings, seed: seed, at: site)
  }

  @Test func `It comes to do better than what it was shown`() throws {
    let trained = try Self.train(Self.settings(steps: 30_000))
    #expect(trained.outcome == .finished && trained.policy.regime == "rl" && trained.policy.draws)
    let solved = try #require(trained.curves["solved"]?.values), kept = try #require(trained.curves["kept"]?.values)
    #expect(solved.count > 5 && kept.allSatisfy { $0 > 0 })
    let seeds = Array(UInt64(0)..<200), environment = PointTask.environment()
    let shown = try BehaviourCloning.train(
      Self.straying(), task: "point", features: PointTask.features, settings: Self.settings(steps: 1).cloning, seed: 1)
    let before = try environment.successes(of: LearnedActor(shown.policy), seeds: seeds)
    let after = try environment.successes(of: LearnedActor(trained.policy), seeds: seeds)
    // 115 and 176 were seen.
    #expect(after.successes >= before.successes + 30 && after.steps < before.steps, "\(before) then \(after)")
  }

  @Test func `Training that was interrupted resumes to the very same weights and curves`() throws {
    let whole = try Self.train(Self.settings(steps: 12_000))
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var told = 0
    #expect(throws: Interrupted.self) {
      _ = try Self.train(
        Self.settings(steps: 12_000),
        at: TrainingSite(directory: directory, every: 100) { done, _, _ in
          told = done
          if done >= 300 + 7000 { throw Interrupted() }
        })
    }
    #expect(told >= 7300)
    var first: Int?
    let resumed = try Self.train(
      Self.settings(steps: 12_000), at: TrainingSite(directory: directory, every: 100) { done, _, _ in first = first ?? done })
    #expect(try #require(first) > 300 + 3000, "it began anew")
    #expect(resumed.policy.layers == whole.policy.layers && resumed.policy.input == whole.policy.input)
    #expect(resumed.curves == whole.curves)
    #expect(resumed.updates == whole.updates && resumed.environmentSteps == whole.environmentSteps)
  }

  @Test func `What never does otherwise has nothing of its own to imitate`() throws {
    var settings = Self.settings(steps: 100)
    settings.cloning.draws = false
    #expect(throws: LearningError.self) { _ = try Self.train(settings) }
  }

  @Test func `Demonstrations of something else are refused`() throws {
    var data = DataSet()
    data.append(observations: [[0, 0, 0], [1, 0, 0]], actions: [[1, 0], [1, 0]])
    #expect(throws: LearningError("self-imitation: the demonstrations' columns are not the environment's")) {
      _ = try SelfImitation.train(
        in: PointTask.environment(), demonstrations: data, task: "point", features: PointTask.features, settings: Self.settings(steps: 100), seed: 1)
    }
  }
}
