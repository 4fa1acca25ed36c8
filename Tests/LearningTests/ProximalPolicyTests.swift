import Foundation
import Learning
import Testing

@Suite struct ProximalPolicyTests {
  private static func settings(steps: Int) -> ProximalPolicy.Settings {
    var settings = ProximalPolicy.Settings()
    settings.network = NetworkShape(hidden: [32, 32], layerNorm: true)
    (settings.steps, settings.round, settings.batch, settings.reach, settings.spread) = (steps, 1000, 128, 2, 0.5)
    (settings.rate, settings.valueRate, settings.discount) = (1e-3, 3e-3, 0.95)
    (settings.evaluations, settings.evaluationEpisodes) = (3, 20)
    return settings
  }

  private static func train(
    _ settings: ProximalPolicy.Settings, base: LearnedActor.Base? = nil, seed: Int = 1, at site: TrainingSite = .init()
  ) throws -> Trained {
    try ProximalPolicy.train(
      in: PointTask.environment(), task: "point", features: PointTask.features, settings: settings, base: base, seed: seed, at: site)
  }

  @Test(arguments: [0.0, 1.0])
  func `It learns to go home, by time alone too`(rewardWeight: Double) throws {
    var settings = Self.settings(steps: 40_000)
    settings.rewardWeight = rewardWeight
    let trained = try Self.train(settings)
    #expect(trained.outcome == .finished && trained.policy.regime == "rl")
    let (successes, steps) = try PointTask.environment().successes(of: LearnedActor(trained.policy), seeds: Array(0..<50))
    // 50 straight ways home take about 300 steps.
    #expect(successes >= 48 && steps < 600, "\(successes) in \(steps)")
    let spread = try #require(trained.curves["spread"]?.values), divergence = try #require(trained.curves["divergence"]?.values)
    #expect(spread.last! < spread.first! && divergence.allSatisfy { $0 < 1 })
  }

  @Test func `A residual makes good what its base does wrong, and begins as its base, to the bit`() throws {
    // The base goes home, but to a home that lies elsewhere; done means within 0.5.
    let base = LearnedActor.Base(reset: {}, act: { [$0[0] - ($0[0] - 1.2) * 0.5, $0[1] - ($0[1] + 1.2) * 0.5] })
    var settings = Self.settings(steps: 20_000)
    settings.valuesAlone = 3000
    let trained = try Self.train(settings, base: base), environment = PointTask.environment()
    #expect(trained.policy.residual)
    #expect(try environment.successes(of: LearnedActor(trained.policy, base: base), seeds: Array(0..<50)).successes >= 48)
    settings.steps = 2000
    let unlearnt = try LearnedActor(Self.train(settings, base: base).policy, base: base)
    var row = environment.reset(7), alone = false
    for _ in 0..<40 {
      let action = try unlearnt.act(row), step = environment.step(action)
      #expect(try action == base.act(row))
      (row, alone) = (step.observation, alone || step.terminated)
    }
    #expect(!alone, "the base alone ends beside home")
  }

  @Test func `Training that was interrupted resumes to the very same weights and curves`() throws {
    let whole = try Self.train(Self.settings(steps: 6000))
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(throws: Interrupted.self) {
      _ = try Self.train(
        Self.settings(steps: 6000), at: TrainingSite(directory: directory, every: 1500) { done, _, _ in if done >= 4500 { throw Interrupted() } })
    }
    var first: Int?
    let resumed = try Self.train(
      Self.settings(steps: 6000), at: TrainingSite(directory: directory, every: 1500) { done, _, _ in first = first ?? done })
    #expect(try #require(first) > 2500, "it began anew")
    #expect(resumed.policy.layers == whole.policy.layers && resumed.policy.input == whole.policy.input)
    #expect(resumed.curves == whole.curves)
    #expect(resumed.updates == whole.updates && resumed.environmentSteps == whole.environmentSteps)
  }

  @Test func `A loss that is not a number ends it, and is said`() throws {
    var environment = PointTask.environment()
    let step = environment.step
    environment.step = {
      var result = step($0)
      result.reward = .nan
      return result
    }
    let trained = try ProximalPolicy.train(
      in: environment, task: "point", features: PointTask.features, settings: Self.settings(steps: 3000), seed: 1)
    #expect(trained.outcome == .diverged(update: 1))
    #expect(trained.policy.layers.allSatisfy { $0.weight.allSatisfy(\.isFinite) })
  }
}
