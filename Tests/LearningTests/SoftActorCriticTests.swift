import Foundation
import Learning
import Testing

extension SoftActorCritic.Settings {
  fileprivate var withoutCloning: Self {
    var settings = self
    settings.cloningUpdates = 0
    return settings
  }
}

@Suite struct SoftActorCriticTests {
  private static func settings(steps: Int) -> SoftActorCritic.Settings {
    var settings = SoftActorCritic.Settings()
    settings.network = NetworkShape(hidden: [32, 32], layerNorm: true)
    (settings.steps, settings.warmUp, settings.batch, settings.reach) = (steps, 200, 64, 2)
    (settings.rate, settings.following, settings.cloningUpdates) = (1e-3, 0.01, 100)
    (settings.evaluations, settings.evaluationEpisodes, settings.discount) = (4, 10, 0.95)
    return settings
  }

  private static func train(_ settings: SoftActorCritic.Settings, demonstrations: DataSet = .init(), seed: Int = 1, at site: TrainingSite = .init())
    throws -> Trained
  {
    try SoftActorCritic.train(
      in: PointTask.environment(), demonstrations: demonstrations, task: "point", features: PointTask.features, settings: settings, seed: seed,
      at: site)
  }

  @Test func `It learns to go home from rewards alone`() throws {
    var settings = Self.settings(steps: 3000)
    settings.critics = 3
    let trained = try Self.train(settings)
    #expect(trained.outcome == .finished)
    let (successes, steps) = try PointTask.environment().successes(of: LearnedActor(trained.policy), seeds: Array(0..<50))
    #expect(successes >= 48)
    // 50 straight ways home take about 300 steps.
    #expect(steps < 600)
  }

  @Test func `It learns from rewards of several steps at once, by time alone, and updates as seldom as it is told`() throws {
    var settings = Self.settings(steps: 4000)
    (settings.returnSteps, settings.stepsPerUpdate, settings.rewardWeight) = (3, 2, 0)
    let trained = try Self.train(settings)
    let (successes, steps) = try PointTask.environment().successes(of: LearnedActor(trained.policy), seeds: Array(0..<50))
    #expect(successes >= 48 && steps < 600)
    // Of the critics and of the actor, one each at every second step from the warm-up on.
    #expect((3700...3820).contains(trained.updates))
  }

  @Test func `A few demonstrations make the first steps good`() throws {
    var settings = Self.settings(steps: 300)
    settings.cloningUpdates = 400
    let trained = try Self.train(settings, demonstrations: PointTask.demonstrations(10))
    #expect(try PointTask.environment().successes(of: LearnedActor(trained.policy), seeds: Array(0..<50)).successes >= 45)
  }

  @Test func `A residual makes good what its base does wrong, and the base is told of each action that was done`() throws {
    // The base goes home, but to a home that lies elsewhere; done means within 0.5.
    var (said, done, differed) = ([[Double]](), [[Double]](), 0)
    let base = LearnedActor.Base(
      reset: {},
      act: {
        said.append([$0[0] - ($0[0] - 1.2) * 0.5, $0[1] - ($0[1] + 1.2) * 0.5])
        return said.last!
      },
      carriedOut: {
        done.append($0)
        if $0 != said.last { differed += 1 }
      })
    var settings = Self.settings(steps: 2000)
    (settings.spread, settings.targetEntropy) = (0.3, -2)
    let trained = try SoftActorCritic.train(
      in: PointTask.environment(), demonstrations: DataSet(), task: "point", features: PointTask.features, settings: settings, base: base, seed: 1)
    #expect(trained.policy.residual)
    // The last look of an episode is followed by no action.
    #expect(done.count > 2000 && said.count > done.count && differed > done.count / 2)
    let environment = PointTask.environment()
    (said, done) = ([], [])
    let actor = LearnedActor(trained.policy, base: base)
    let action = try actor.act(environment.reset(2))
    #expect(done == [action] && said.count == 1 && action != said[0])
    var row = environment.reset(1), alone = false
    for _ in 0..<40 {
      let step = environment.step(try base.act(row))
      (row, alone) = (step.observation, alone || step.terminated)
    }
    #expect(!alone && abs(row[0] - 1.2) < 0.01, "the base alone ends beside home")
    #expect(try PointTask.environment().successes(of: LearnedActor(trained.policy, base: base), seeds: Array(0..<50)).successes >= 45)
  }

  @Test func `A residual that has learnt nothing yet is its base, to the bit`() throws {
    let base = LearnedActor.Base(reset: {}, act: { [$0[0] - ($0[0] - 1.2) * 0.5, $0[1] - ($0[1] + 1.2) * 0.3] })
    // Critics learn alone to the end, so the actor has the weights that it was made with.
    var settings = Self.settings(steps: 300)
    (settings.warmUp, settings.criticsAlone) = (50, 1000)
    let trained = try SoftActorCritic.train(
      in: PointTask.environment(), demonstrations: PointTask.demonstrations(5), task: "point", features: PointTask.features,
      settings: settings.withoutCloning, base: base, seed: 1)
    #expect(trained.updates > 100)
    let actor = LearnedActor(trained.policy, base: base), environment = PointTask.environment()
    var row = environment.reset(7)
    for _ in 0..<20 {
      let action = try actor.act(row)
      #expect(try action == base.act(row))
      row = environment.step(action).observation
    }
  }

  @Test func `Training that was interrupted resumes to the very same weights and curves`() throws {
    let demonstrations = PointTask.demonstrations(5)
    let whole = try Self.train(Self.settings(steps: 500), demonstrations: demonstrations)
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(throws: Interrupted.self) {
      _ = try Self.train(
        Self.settings(steps: 500), demonstrations: demonstrations,
        at: TrainingSite(directory: directory, every: 150) { done, _, _ in if done >= 100 + 420 { throw Interrupted() } })
    }
    var first: Int?
    let resumed = try Self.train(
      Self.settings(steps: 500), demonstrations: demonstrations,
      at: TrainingSite(directory: directory, every: 150) { done, _, _ in first = first ?? done })
    #expect(try #require(first) > 100 + 150)
    #expect(resumed.policy.layers == whole.policy.layers)
    #expect(resumed.curves == whole.curves)
    #expect(resumed.environmentSteps == whole.environmentSteps)
  }

  @Test func `Training that was interrupted while it cloned goes on there, to the very same weights and curves`() throws {
    let demonstrations = PointTask.demonstrations(5)
    let whole = try Self.train(Self.settings(steps: 300), demonstrations: demonstrations)
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(throws: Interrupted.self) {
      _ = try Self.train(
        Self.settings(steps: 300), demonstrations: demonstrations,
        at: TrainingSite(directory: directory, every: 30) { done, _, _ in if done >= 70 { throw Interrupted() } })
    }
    var first: Int?
    let resumed = try Self.train(
      Self.settings(steps: 300), demonstrations: demonstrations,
      at: TrainingSite(directory: directory, every: 30) { done, _, _ in first = first ?? done })
    // 60 updates were kept; progress is told every 4.
    #expect(first == 64)
    #expect(resumed.policy.layers == whole.policy.layers)
    #expect(resumed.curves == whole.curves)
    #expect(resumed.environmentSteps == whole.environmentSteps)
  }

  @Test func `What evaluations simulate is counted too`() throws {
    var environment = PointTask.environment(), count = 0
    let step = environment.step
    environment.step = {
      count += 1
      return step($0)
    }
    let trained = try SoftActorCritic.train(
      in: environment, demonstrations: DataSet(), task: "point", features: PointTask.features, settings: Self.settings(steps: 250), seed: 1)
    #expect(trained.environmentSteps == count)
    // At least four evaluations of ten episodes.
    #expect(trained.environmentSteps > 250 + 40)
  }

  @Test func `A rate far too high ends as a recorded divergence`() throws {
    var settings = Self.settings(steps: 1000)
    settings.rate = 1e30
    guard case .diverged = try Self.train(settings).outcome else { Issue.record("it did not diverge"); return }
  }
}
