// The kind `adopt`: after an evolution, takes the recipe of the experiment with the best evidence, whichever agent's it was.
// It compares kept experiments with each other by the rule that kept them; it does not know how they were made.

import Foundation
import JSON
import LLM
import Workflow

enum Adopt: StepKind {
  static let kind = Kind(
    "adopt", summary: "Takes the recipe of the best kept experiment of all agents it comes after; the given one if none was kept.",
    effect: .pure, revision: 1,
    inputs: [Input("recipe", "the recipe to stay with if no experiment was kept")],
    outputs: [
      Output("recipe", .file, path: "recipe.json", "the adopted recipe"),
      Output("adoption", .value, path: "adoption.json", "experiment id, agent, round, hypothesis, what it was compared with and how it came out"),
    ],
    readsStudy: true)

  static func run(_ step: StepContext) throws {
    let kept = try candidates(step.study)
    var best: ExperimentRecord?
    var comparisons: [JSON] = []
    for record in kept {
      guard let incumbent = best else {
        best = record
        continue
      }
      let judgement = Judgement(record, against: incumbent, threshold: 0.5)
      comparisons.append(["experiment": .string(record.id), "verdict": .string(judgement.decision.rawValue), "evidence": judgement.evidence])
      if judgement.decision == .keep { best = record }
    }
    let recipe = try best?.config ?? step.json("recipe")
    try Data(recipe.pretty.utf8).write(to: URL(filePath: step.output("recipe")))
    var adoption: JSON = ["adoption": 1, "candidates": .integer(kept.count), "comparisons": .array(comparisons)]
    if let best {
      adoption["experiment"] = .string(best.id)
      adoption["agent"] = .string(best.agent)
      adoption["round"] = .integer(best.round)
      adoption["hypothesis"] = .string(best.hypothesis)
      adoption["rate"] = best.outcome?.rate
    }
    try step.write(adoption, to: "adoption")
    step.log(best.map { "adopted \($0.id): \($0.hypothesis)" } ?? "no experiment was kept; the recipe stays as it is")
  }

  /// The records of the experiments that were kept, by round and agent.
  private static func candidates(_ study: [StudyStep]) throws -> [ExperimentRecord] {
    var kept: Set<String> = []
    for decision in study.compactMap({ $0.outputs["decision"] }) {
      let json = try StepContext.json(at: decision.path)
      if json["decision"]?.string == ExperimentRecord.Decision.keep.rawValue, let id = json["experiment"]?.string { kept.insert(id) }
    }
    return try study.compactMap { $0.outputs["record"] }
      .map { file in try ExperimentRecord(json: StepContext.json(at: file.path)) }
      .filter { kept.contains($0.id) }
      .sorted { ($0.round, $0.agent) < ($1.round, $1.agent) }
  }
}
