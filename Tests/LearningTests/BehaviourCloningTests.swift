import Foundation
import JSON
import Learning
import Testing

@Suite struct BehaviourCloningTests {
  private static func settings(updates: Int = 400) -> BehaviourCloning.Settings {
    var settings = BehaviourCloning.Settings()
    settings.network = NetworkShape(hidden: [32, 32], activation: .silu, layerNorm: true)
    (settings.chunk, settings.batch, settings.updates, settings.averaging) = (3, 64, updates, 0.99)
    settings.noise = [0.1, 0.1]
    return settings
  }

  private static func train(_ settings: BehaviourCloning.Settings = settings(), seed: Int = 1, at site: TrainingSite = .init()) throws -> Trained {
    try BehaviourCloning.train(PointTask.demonstrations(40), task: "point", features: PointTask.features, settings: settings, seed: seed, at: site)
  }

  @Test func `A clone of going straight home goes home, from starts it has not seen`() throws {
    let trained = try Self.train()
    #expect(trained.outcome == .finished)
    #expect(try PointTask.environment().successes(of: LearnedActor(trained.policy), seeds: Array(0..<50)).successes >= 48)
    let loss = try #require(trained.curves["held-out loss"]).values
    #expect(loss.last! < loss.first! / 4)
  }

  @Test func `Flow matching learns it too, and acts the same way twice`() throws {
    var settings = Self.settings(updates: 1500)
    (settings.flowSteps, settings.averaging) = (6, 0.995)
    let policy = try Self.train(settings).policy
    #expect(try PointTask.environment().successes(of: LearnedActor(policy), seeds: Array(0..<50)).successes >= 40)
    let actor = LearnedActor(policy)
    let first = try actor.act([3, 4])
    actor.reset()
    #expect(try actor.act([3, 4]) == first)
    // The noise of an episode is drawn by how it starts; from the middle always, chance has no say.
    func atTheSamePlace(_ start: Double) throws -> [[Double]] {
      var policy = policy
      (policy.start, policy.ensembling) = (start, 20)
      let actor = LearnedActor(policy)
      return try [[3.0, 4], [-5, 1]].map { first in
        actor.reset()
        _ = try actor.act(first)
        return try actor.act([2, 2]).map { ($0 * 1e4).rounded() }
      }
    }
    let (drawn, middle) = (try atTheSamePlace(1), try atTheSamePlace(0))
    #expect(drawn[0] != drawn[1])
    #expect(middle[0] == middle[1])
  }

  @Test func `Several networks say their mean, which is kept and read again`() throws {
    var settings = Self.settings()
    settings.members = 3
    let policy = try Self.train(settings).policy
    let directory = FileManager.default.temporaryDirectory.appending(path: "members-\(UUID().uuidString)").path()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try policy.write(directory: directory)
    let actor = LearnedActor(try LearnedPolicy(directory: directory))
    #expect(try PointTask.environment().successes(of: actor, seeds: Array(0..<50)).successes >= 48)
    let alone = (0..<3).map { member in
      var one = policy
      one.members = 1
      for (index, layer) in policy.layers.enumerated() {
        one.layers[index].weight = Array(layer.weight.dropFirst(member * layer.inputs * layer.outputs).prefix(layer.inputs * layer.outputs))
        one.layers[index].bias = Array(layer.bias.dropFirst(member * layer.outputs).prefix(layer.outputs))
      }
      return LearnedActor(one)
    }
    let seen = [0.3, -0.4]
    let words = try alone.map { try $0.act(seen) }
    actor.reset()
    for (column, action) in try actor.act(seen).enumerated() {
      #expect(abs(action - words.map { $0[column] }.reduce(0, +) / 3) < 1e-4)
    }
    #expect(Set(words.map(\.description)).count == 3)
    settings.modes = 2
    #expect(throws: LearningError.self) { try Self.train(settings) }
  }

  @Test func `A chunk that is carried out whole is said once, and then the next one`() throws {
    var settings = Self.settings(updates: 50)
    settings.execute = 3
    let actor = LearnedActor(try Self.train(settings).policy)
    // What is seen within a chunk changes nothing until it is used up.
    let first = try [[3.0, 4], [9, 9], [9, 9], [3, 4]].map(actor.act)
    actor.reset()
    let again = try [[3.0, 4], [0, 0], [1, 1], [3, 4]].map(actor.act)
    #expect(first == again)
    #expect(first[0] == first[3])
  }

  @Test func `Where two ways were shown, one of several chunks is done and not their mean`() throws {
    // Half of the episodes go left from everywhere, half go right; the mean is to stay.
    var data = DataSet()
    for episode in 0..<40 {
      let way = episode % 2 == 0 ? 1.0 : -1.0, rows = (0..<20).map { [0.1 * Double($0) + 0.01 * Double(episode), 0.0] }
      data.append(observations: rows, actions: rows.map { [$0[0] + way, $0[1]] })
    }
    func ways(_ modes: Int, _ loss: BehaviourCloning.Loss, draws: Bool = false) throws -> [Double] {
      var settings = Self.settings(updates: 400)
      (settings.modes, settings.draws, settings.loss, settings.chunk, settings.noise) = (modes, draws, loss, 2, [])
      settings.ensembling = 20
      let policy = try BehaviourCloning.train(data, task: "point", features: PointTask.features, settings: settings, seed: 1).policy
      let directory = try temporaryDirectory()
      defer { try? FileManager.default.removeItem(atPath: directory) }
      try policy.write(directory: directory)
      let actor = try LearnedActor(directory: directory)
      let ways = try (0..<40).map { _ in try actor.act([1, 0])[0] - 1 }
      actor.reset()
      #expect(try (0..<40).map { _ in try actor.act([1, 0])[0] - 1 } == ways, "an episode goes the same way twice")
      return ways
    }
    #expect(try ways(1, .squared).allSatisfy { abs($0) < 0.4 })
    for loss in BehaviourCloning.Loss.allCases {
      let likeliest = try ways(4, loss), drawn = try ways(4, loss, draws: true)
      #expect(likeliest.allSatisfy { abs(abs($0) - 1) < 0.1 }, "\(loss): \(likeliest)")
      // Of four chunks two are enough for two ways; the others are seldom drawn.
      #expect(drawn.count { abs(abs($0) - 1) < 0.1 } >= 32, "\(loss): \(drawn)")
      #expect(likeliest.allSatisfy { $0 * likeliest[0] > 0 })
      #expect(8...32 ~= drawn.count { $0 > 0 })
    }
  }

  @Test func `A flow with several chunks is refused`() {
    var settings = Self.settings()
    (settings.flowSteps, settings.modes) = (4, 2)
    #expect(throws: LearningError("behaviour cloning: a flow tells ways apart by itself", hint: "set 'modes' to 1 or 'flow_steps' to 0")) {
      _ = try Self.train(settings)
    }
  }

  @Test func `More of a chunk than there is cannot be carried out`() {
    var settings = Self.settings()
    settings.execute = 4
    #expect(
      throws: LearningError("behaviour cloning: of a chunk of 3 actions 4 cannot be carried out", hint: "set 'execute' to at most 'chunk'")
    ) { _ = try Self.train(settings) }
  }

  @Test func `A data set without the columns that the features name is refused`() {
    var settings = Self.settings()
    settings.noise = []
    let features = Features(angles: [2], anchor: [0, 1], actionBounds: [-10...10, -10...10])
    #expect(throws: LearningError("behaviour cloning: the data set has 2 observation and 2 action columns; the task has others")) {
      _ = try BehaviourCloning.train(PointTask.demonstrations(3), task: "point", features: features, settings: settings, seed: 1)
    }
  }

  @Test(
    arguments: [
      ("history", 3, "an 'input' of 2 numbers, which its 'features' make of no observation"),
      ("shows_action", true, "an 'input' of 2 numbers, which its 'features' make of no observation"),
      ("angles", [0, 1], "an 'input' of 2 numbers, which its 'features' make of no observation"),
      ("angles", [1], "'features' that do not fit observations of 1 numbers and actions of 2"),
      ("anchor", [0, 2], "'features' that do not fit observations of 2 numbers and actions of 2"),
      ("anchor", [0, -1], "'features' that do not fit observations of 2 numbers and actions of 2"),
      ("anchor", [0], "'features' that do not fit observations of 2 numbers and actions of 2"),
    ] as [(String, JSON, String)])
  func `A policy whose input does not fit what it sees is refused by name`(name: String, value: JSON, problem: String) throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try Self.train(Self.settings(updates: 1)).policy.write(directory: directory)
    var json = try JSON(parsing: Data(contentsOf: URL(filePath: directory + "/policy.json")))
    json["features"]?[name] = value
    try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/policy.json"))
    #expect(throws: LearningError("policy \(directory): its policy.json has \(problem)")) { _ = try LearnedPolicy(directory: directory) }
  }

  @Test func `In the mirror, one half of a plane teaches the other`() throws {
    // The demonstrations are moved to where x is positive; success is asked for where it is negative.
    let all = PointTask.demonstrations(60)
    var half = DataSet()
    for episode in all.episodes where all.observations[episode.lowerBound][0] > 1 {
      half.append(observations: Array(all.observations[episode]), actions: Array(all.actions[episode]))
    }
    var settings = Self.settings(updates: 600)
    settings.chunk = 1
    let seeds = (0..<200 as Range<UInt64>).filter { PointTask.environment().reset($0)[0] < -2 }
    func successes(_ settings: BehaviourCloning.Settings) throws -> Int {
      let trained = try BehaviourCloning.train(half, task: "point", features: PointTask.features, settings: settings, seed: 1)
      return try PointTask.environment().successes(of: LearnedActor(trained.policy), seeds: seeds).successes
    }
    let without = try successes(settings)
    let mirror = [Symmetry.Column(0, factor: -1, offset: 0), Symmetry.Column(1, factor: 1, offset: 0)]
    settings.symmetry = Symmetry(observation: mirror, action: mirror)
    #expect(try successes(settings) > seeds.count * 9 / 10)
    #expect(without < seeds.count * 9 / 10)
  }

  @Test func `The same seed gives the same weights, bit for bit, and another seed others`() throws {
    let first = try Self.train(Self.settings(updates: 50))
    #expect(try Self.train(Self.settings(updates: 50)).policy.layers == first.policy.layers)
    #expect(try Self.train(Self.settings(updates: 50), seed: 2).policy.layers != first.policy.layers)
  }

  @Test func `Training that was interrupted resumes to the very same weights and curves`() throws {
    let whole = try Self.train()
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(throws: Interrupted.self) {
      _ = try Self.train(at: TrainingSite(directory: directory, every: 100) { done, _, _ in if done >= 252 { throw Interrupted() } })
    }
    var first: Int?
    let resumed = try Self.train(at: TrainingSite(directory: directory, every: 100) { done, _, _ in first = first ?? done })
    #expect(first == 204)
    #expect(resumed.policy.layers == whole.policy.layers)
    #expect(resumed.curves == whole.curves)
  }

  @Test func `A rate far too high ends as a recorded divergence, with finite weights`() throws {
    var settings = Self.settings()
    (settings.rate, settings.clip, settings.network) = (1e30, 0, NetworkShape(hidden: [8]))
    settings.decay = 0
    let trained = try Self.train(settings)
    guard case .diverged = trained.outcome else { Issue.record("it did not diverge"); return }
    #expect(trained.updates < 400)
    #expect(trained.policy.layers.allSatisfy { $0.weight.allSatisfy(\.isFinite) })
  }

  @Test func `A policy that was written and read acts exactly as before`() throws {
    let policy = try Self.train(Self.settings(updates: 20)).policy
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try policy.write(directory: directory)
    let (before, after) = (LearnedActor(policy), try LearnedActor(directory: directory))
    for step in 0..<5 { #expect(try before.act([Double(step), 3]) == after.act([Double(step), 3])) }
  }
}

func temporaryDirectory() throws -> String {
  let path = NSTemporaryDirectory() + "learning-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  return path
}
