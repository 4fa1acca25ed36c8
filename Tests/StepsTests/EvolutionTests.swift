// Two agents' rounds by the real step kinds, a real hub and requests as the engine writes them. Only `train` and `evaluate` are replaced: how a
// recipe scores is a known function here, and no robot is asked. Steps run in a random order that the graph allows, and some are killed after their
// work and run again.

import Foundation
import Hashing
import JSON
import LLM
import Steps
import Testing

@Suite struct EvolutionTests {
  @Test func neitherTheOrderNorKillsChangeWhatIsTriedAndDecided() throws {
    let plain = try study(order: 1, killing: false)
    #expect(plain.map(\.id) == ["baseline", "a-1", "b-1", "a-2", "b-2", "a-3", "b-3"])
    for order in 2...4 { #expect(try study(order: order, killing: true) == plain, "order \(order)") }
  }

  @Test func aPeersKeptIdeaIsAdoptedAndTheRateClimbs() throws {
    let records = try study(order: 1, killing: false)
    #expect(records.contains { $0.borrowedFrom != nil })
    let tree = IdeaTree(records: records)
    #expect(tree.curve().last?.best ?? 0 > tree.curve().first?.best ?? 1)
    #expect(records.allSatisfy { $0.isBaseline || $0.outcome?.perTrial?.count == 40 })
  }

  @Test func theSearchEndsWhenTheGoalIsReached() throws {
    let records = try study(order: 1, killing: false, goal: ["rate": 0.5])
    #expect(records.count < 7)
    #expect(records.contains { $0.decision == .keep && !$0.isBaseline && ($0.outcome?.estimate ?? 0) >= 0.5 })
  }

  @Test func aFailedTrainingIsACrashAndTheNextRoundComes() throws {
    let records = try study(order: 1, killing: false, failing: "evolve[agent=a]/1/train")
    let crashed = try #require(records.first { $0.id == "a-1" })
    #expect(crashed.decision == .crash && crashed.outcome == nil && crashed.best?.id == "baseline")
    #expect(records.contains { $0.id == "a-2" && $0.parent == "baseline" })
  }

  /// What stands in Git after the study, without the ids of commits.
  private func study(order: Int, killing: Bool, goal: JSON = [:], failing: String? = nil) throws -> [ExperimentRecord] {
    let directory = NSTemporaryDirectory() + "enpire-evolution-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var engine = try SmallEngine(directory: directory, order: order, killing: killing, failing: failing)
    for agent in ["a", "b"] { engine.add("evolve[agent=\(agent)]", SmallEngine.root(agent, goal: goal)) }
    try engine.run()
    return try Hub(readingAt: directory + "/hubs/workflow/hub.git").records().map { record in
      var record = record
      record.code.commit = nil
      return record
    }
  }
}

/// Runs steps one at a time: resolves references, honours `after` with `?`, takes appended steps.
private struct SmallEngine {
  let directory: String
  let killing: Bool
  let failing: String?
  var random: RandomStream
  var waiting: [String: JSON] = [:]
  /// Finished steps; nil for a failed one.
  var outputs: [String: [String: String]?] = [:]
  let kinds: [String: JSON]

  init(directory: String, order: Int, killing: Bool, failing: String?) throws {
    (self.directory, self.killing, self.failing) = (directory, killing, failing)
    random = RandomStream("order", String(order))
    kinds = Dictionary(uniqueKeysWithValues: (Worker.catalogue["kinds"]?.array ?? []).map { ($0["name"]!.string!, $0) })
    try Data(Self.recipe.pretty.utf8).write(to: URL(filePath: directory + "/recipe"))
    try Data(Self.result(Self.recipe).pretty.utf8).write(to: URL(filePath: directory + "/result"))
    try Data(Self.trials(Self.recipe).utf8).write(to: URL(filePath: directory + "/trials"))
    outputs["base"] = ["recipe": directory + "/recipe", "result": directory + "/result", "trials": directory + "/trials"]
  }

  static func root(_ agent: String, goal: JSON) -> JSON {
    [
      "uses": "propose", "in": ["recipe": "${step.base.recipe}", "baseline": "${step.base.result}", "baseline_trials": "${step.base.trials}"],
      "with": [
        "name": .string(agent), "peers": ["a", "b"], "rounds": 3, "goal": goal, "trials": 40,
        "space": [["path": "/x", "values": [1, 2]], ["path": "/y", "values": [3, 4]]],
      ],
    ]
  }

  mutating func add(_ name: String, _ step: JSON) { if outputs[name] == nil { waiting[name] = step } }

  mutating func run() throws {
    while !waiting.isEmpty {
      let ready = waiting.keys.sorted().filter(isReady)
      guard !ready.isEmpty else { throw StepFailure("no step can run: \(waiting.keys.sorted())") }
      let name = ready[random.index(below: ready.count)]
      let step = waiting[name]!
      if killing, random.uniform() < 0.3 { _ = try perform(name, step) }  // and nobody heard of it
      let (made, appended) = try perform(name, step)
      waiting[name] = nil
      outputs.updateValue(made, forKey: name)
      for (name, step) in appended { add(name, step) }
    }
  }

  private func isReady(_ name: String) -> Bool {
    let references = (waiting[name]!["in"]?.object ?? [:]).values.map { Self.parts($0.string!) }
    let after = (waiting[name]!["after"]?.array ?? []).map { String($0.string!.dropLast()) }
    return references.allSatisfy { outputs[$0.step] != nil }
      && after.allSatisfy { promised in
        let family = promised.prefix { $0 != "/" }
        return outputs[promised] != nil || !waiting.keys.contains { $0.prefix { $0 != "/" } == family }
      }
  }

  /// `${step.NAME.OUTPUT}`; the name may hold dots only in brackets, of which there are none here.
  private static func parts(_ reference: String) -> (step: String, output: String) {
    let inner = reference.dropFirst("${step.".count).dropLast().trimmingSuffix("?")
    let dot = inner.lastIndex(of: ".")!
    return (String(inner[..<dot]), String(inner[inner.index(after: dot)...]))
  }

  private func perform(_ name: String, _ step: JSON) throws -> (made: [String: String]?, appended: [(name: String, step: JSON)]) {
    let place = directory + "/" + String(name.map { $0 == "/" ? "_" : $0 })
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    var inputs: [String: [JSON]] = [:]
    for (port, reference) in step["in"]?.object ?? [:] {
      let (producer, output) = Self.parts(reference.string!)
      guard let path = outputs[producer]??[output] else { continue }
      let digest = Digest(of: FileManager.default.contents(atPath: path)!).hex
      inputs[port] = [["path": .string(path), "name": .string(output), "digest": .string(digest), "step": .string(producer)]]
    }
    let uses = step["uses"]!.string!
    if name == failing { return (nil, []) }
    if uses == "train" || uses == "evaluate" { return (try measure(uses, inputs, place), []) }

    var with = step["with"] ?? [:]
    for parameter in kinds[uses]!["parameters"]!.array! where with[parameter["name"]!.string!] == nil {
      with[parameter["name"]!.string!] = parameter["default"]
    }
    let made = Dictionary(uniqueKeysWithValues: kinds[uses]!["outputs"]!.array!.map { ($0["name"]!.string!, place + "/" + $0["path"]!.string!) })
    var request: JSON = ["step": .string(name), "kind": .string(uses), "with": with, "state": .string(directory), "source": step]
    request["inputs"] = .object(.init(uniqueKeysWithValues: inputs.map { ($0.key, .array($0.value)) }))
    request["outputs"] = .object(.init(uniqueKeysWithValues: made.map { ($0.key, .string($0.value)) }))
    request["append"] = .string(place + "/append.json")
    try Data(request.pretty.utf8).write(to: URL(filePath: place + "/request.json"))
    try Worker.run(requestAt: place + "/request.json")
    let appended = try JSON(parsing: FileManager.default.contents(atPath: place + "/append.json") ?? Data("{}".utf8))["steps"]?.object ?? [:]
    return (made, appended.map { ($0.key, $0.value) })
  }

  // MARK: The measurement

  static let recipe: JSON = ["x": 0, "y": 0]

  private func measure(_ uses: String, _ inputs: [String: [JSON]], _ place: String) throws -> [String: String]? {
    func write(_ text: String, _ name: String) throws -> String {
      try Data(text.utf8).write(to: URL(filePath: place + "/" + name))
      return place + "/" + name
    }
    guard let path = (inputs["recipe"] ?? inputs["policy"])?.first?["path"]?.string else { return nil }
    let recipe = try JSON(parsing: FileManager.default.contents(atPath: path)!)
    if uses == "train" { return ["policy": try write(recipe.pretty, "policy"), "curves": try write("{\"curves\": 1}", "curves")] }
    return ["result": try write(Self.result(recipe).pretty, "result"), "trials": try write(Self.trials(recipe), "trials")]
  }

  private static func succeeds(_ recipe: JSON, _ index: Int) -> Bool {
    var random = RandomStream("trial", String(index))
    return random.uniform() < 0.2 + 0.15 * Double(recipe["x"]!.int!) + 0.1 * Double(recipe["y"]!.int!)
  }

  private static func result(_ recipe: JSON) -> JSON {
    let successes = (0..<40).count { succeeds(recipe, $0) }
    return [
      "result": 1, "purpose": "search", "environment": "e", "trials": 40, "successes": .integer(successes), "unknown": 0, "seed_commitment": "s",
      "rate": ["trials": 40, "successes": .integer(successes), "unknown": 0, "lower": 0, "upper": 1], "robot_seconds": 12,
    ]
  }

  private static func trials(_ recipe: JSON) -> String {
    (0..<40).map { JSON.object(["index": .integer($0), "success": .bool(succeeds(recipe, $0))]).compact + "\n" }.joined()
  }
}

extension Substring {
  fileprivate func trimmingSuffix(_ suffix: String) -> Substring { hasSuffix(suffix) ? dropLast(suffix.count) : self }
}
