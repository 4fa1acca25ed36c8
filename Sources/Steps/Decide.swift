// The kind `decide`: keeps or discards an experiment on its evidence, writes that into its record, and appends the next round unless the goal is
// reached or the rounds are used up. What it compares with came with the proposal; it reads nothing that another agent could have moved meanwhile.

import JSON
import LLM
import Workflow

enum Decide: StepKind {
  static let kind = Kind(
    "decide", summary: "Keeps or discards an experiment by its result, and appends the agent's next round.", effect: .external, revision: 1,
    inputs: [Input("record", "the experiment's record, as `commit` wrote it"), Input("proposal", "what `propose` stated")],
    outputs: [
      Output("decision", .value, path: "decision.json", "keep, discard or crash, the evidence, the best so far, whether the goal is reached")
    ],
    appends: true)

  static func run(_ step: StepContext) throws {
    let proposal = try step.json("proposal")
    var record = try ExperimentRecord(json: step.json("record"))
    let incumbent = try proposal["best"].map { json throws(RecordError) in try ExperimentRecord(json: json) }
    let judgement = Judgement(record, against: incumbent, threshold: proposal["evidence"]?.double ?? 0.667)
    (record.decision, record.evidence) = (judgement.decision, judgement.evidence)
    let best = judgement.decision == .keep ? record : incumbent
    record.best = best.map { ExperimentRecord.Best(id: $0.id, rate: $0.outcome?.estimate) }
    try Hub(at: step.hub).commit(record, "decide \(record.decision.rawValue)")

    let reached = best.map { reaches(proposal["goal"] ?? [:], $0) } ?? false
    var decision: JSON = ["decision": .string(record.decision.rawValue), "experiment": .string(record.id), "agent": .string(record.agent)]
    decision["round"] = .integer(record.round)
    decision["evidence"] = judgement.evidence
    decision["best"] = record.json["best"]
    decision["reached"] = .bool(reached)
    decision["ends"] = .bool(reached || proposal["next"] == nil)
    try step.write(decision, to: "decision")
    step.log("\(record.id): \(record.decision.rawValue), \(judgement.evidence["rule"]?.string ?? "")")
    if !reached, let next = proposal["next"], let name = next["name"]?.string, let source = next["step"] { step.append([(name, source)]) }
  }

  /// Whether an experiment's rate, and the lower end of its interval, are what the goal asks for. An empty goal is never reached.
  private static func reaches(_ goal: JSON, _ record: ExperimentRecord) -> Bool {
    guard goal["rate"] != nil || goal["lower"] != nil, let outcome = record.outcome, let rate = outcome.estimate, outcome.unknown == 0 else {
      return false
    }
    return rate >= goal["rate"]?.double ?? 0 && (goal["lower"]?.double).map { outcome.lower ?? 0 >= $0 } ?? true
  }
}
