// What the tests of the evolution share: temporary hubs, and experiments whose outcome is a known function of the recipe.

import Foundation
import Hashing
import JSON

import LLM

func withDirectory<R>(_ body: (String) throws -> R) throws -> R {
  let directory = NSTemporaryDirectory() + "enpire-llm-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: directory) }
  return try body(directory)
}

/// A recipe of three factors, and a hidden chance of success that depends on all of them.
struct Laboratory {
  static let recipe: JSON = ["regime": "heuristic", "planner": ["margin": 2, "horizon": 10, "gain": 1.0]]

  static let space = try! SearchSpace(json: [
    ["path": "/planner/margin", "values": [4, 6, 8], "why": "the pusher slips less"],
    ["path": "/planner/horizon", "values": [20, 30]],
    ["path": "/planner/gain", "range": [0.1, 10], "scale": "log"],
  ])

  /// 0...1; highest, 1, at margin 6 and horizon 30.
  static func chance(_ recipe: JSON) -> Double {
    let margin: Double = ["2": 0.2, "4": 0.3, "6": 0.5, "8": 0.1][recipe[at: "/planner/margin"]!.compact] ?? 0
    let horizon: Double = ["10": 0.1, "20": 0.3, "30": 0.5][recipe[at: "/planner/horizon"]!.compact] ?? 0
    return margin + horizon
  }

  /// The same seeds for every recipe: a better recipe succeeds where a worse one did.
  static func outcome(of recipe: JSON, trials: Int = 40) -> JSON {
    let chance = chance(recipe)
    let ends = (0..<trials).map { index -> String in
      var random = RandomStream("laboratory", String(index))
      return random.uniform() < chance ? "1" : "0"
    }
    let successes = ends.count { $0 == "1" }
    return [
      "purpose": "search", "seed_commitment": "commitment", "environment": "env", "outcomes": .string(ends.joined()),
      "rate": ["trials": .integer(trials), "successes": .integer(successes), "lower": .number(Double(successes) / Double(trials) - 0.1)],
    ]
  }

  static func baseline(study: String = "s") -> ExperimentRecord {
    var record = ExperimentRecord(
      id: "baseline", study: study, basis: "b", agent: "", round: 0, hypothesis: ExperimentRecord.baselineHypothesis, branch: Hub.trunk,
      config: recipe)
    record.outcome = ExperimentRecord.Outcome(result: outcome(of: recipe))
    record.environment = "env"
    record.decision = .keep
    return record
  }

  /// What `agent` tries in this round, run and decided.
  static func round(_ round: Int, of agent: String, team: [String], records: [ExperimentRecord]) -> ExperimentRecord? {
    let briefing = Briefing(study: "s", agent: agent, round: round, team: team, from: records)
    guard let idea = SearchAgent().propose(briefing, recipe: recipe, space: space) else { return nil }
    var record = ExperimentRecord(
      id: "\(agent)-\(round)", study: "s", basis: briefing.digest.hex, agent: agent, round: round, hypothesis: idea.hypothesis, parent: idea.parent,
      borrowedFrom: idea.borrowedFrom, branch: Hub.branch(of: agent), change: idea.change, config: idea.recipe)
    record.outcome = ExperimentRecord.Outcome(result: outcome(of: idea.recipe))
    record.environment = "env"
    let judgement = Judgement(record, against: briefing.best(of: agent), threshold: 0.667)
    (record.decision, record.evidence) = (judgement.decision, judgement.evidence)
    return record
  }
}
