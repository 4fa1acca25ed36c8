// The kind `commit`: writes one experiment's record into Git. With a proposal, on its agent's branch; without one, as the baseline on the trunk.
// Idempotent by the record's id and content: run again, it changes nothing.

import Foundation
import Hashing
import JSON
import LLM
import Workflow

enum Commit: StepKind {
  static let kind = Kind(
    "commit", summary: "Commits an experiment's record to the hub.", effect: .external, revision: 1,
    inputs: [
      Input("result", "what `evaluate` measured; without it the outcome is unknown", required: false),
      Input("proposal", "what `propose` stated; without it this is the baseline", required: false),
      Input("trials", "the evaluation's trials, for comparisons seed by seed", required: false),
      Input("recipe", "the baseline's recipe", required: false),
      Input("policy", "named by its digest", required: false, many: true),
      Input("curves", "named by its digest", required: false, many: true),
    ],
    outputs: [Output("record", .value, path: "record.json", "the record as it stands in Git, before the decision")],
    parameters: [
      Parameter("id", .string, optional: true, "of a record without a proposal; 'baseline', or 'baseline-PURPOSE', if not given"),
      Parameter("hypothesis", .string, default: .string(ExperimentRecord.baselineHypothesis), "of a record without a proposal: what is expected"),
    ])

  static func run(_ step: StepContext) throws {
    let hub = try Hub(at: step.hub)
    let result = try step.jsonIfGiven("result")
    let trials = try step.inputs("trials").first.map { try perTrial(at: $0.path) } ?? nil
    var data: [String: String] = [:]
    for input in ["policy", "curves", "trials"] {
      for (index, file) in step.inputs(input).enumerated() { data[index == 0 ? input : "\(input)-\(index + 1)"] = file.digest }
    }
    guard !step.inputs("proposal").isEmpty else {
      let given = try step.jsonIfGiven("recipe")
      let recipe = given ?? [:]
      var record = baseline(study: "", result: result, perTrial: trials, recipe: recipe, hypothesis: step.string("hypothesis"))
      record.data.merge(data) { $1 }
      if let id = step.value("id")?.string { record.id = id }
      try step.write(try hub.publishBaseline(record, recipe: given).json, to: "record")
      return
    }
    var record = try proposed(step.json("proposal"))
    record.data.merge(data) { $1 }
    record.take(result, perTrial: trials)
    // A decision that was taken on the very same facts stays.
    if var present = try hub.record(record.id, on: record.branch) {
      (present.decision, present.evidence, present.best) = (.pending, nil, nil)
      if present == record { return try step.write(record.json, to: "record") }
    }
    try hub.commit(record, "record \(record.outcome?.words ?? "no result")")
    step.log("\(record.id): \(record.outcome?.words ?? "no result")")
    try step.write(record.json, to: "record")
  }

  /// The record that a proposal announced.
  private static func proposed(_ proposal: JSON) throws -> ExperimentRecord {
    var json = proposal
    json["experiment"] = .integer(ExperimentRecord.version)
    json["decision"] = "pending"
    for key in ["best", "goal", "evidence", "next", "proposal"] { json[key] = nil }
    return try ExperimentRecord(json: json)
  }

  /// The record of what was there before any agent: `baseline` for the purpose of search, else `baseline-PURPOSE`.
  static func baseline(study: String, result: JSON?, perTrial: String?, recipe: JSON, hypothesis: String) -> ExperimentRecord {
    let purpose = result?["purpose"]?.string ?? "search"
    var record = ExperimentRecord(
      id: purpose == "search" ? "baseline" : "baseline-" + purpose, study: study, basis: Digest(of: (result ?? .null).canonical).hex,
      agent: "", round: 0, hypothesis: hypothesis, branch: Hub.trunk, config: recipe)
    record.take(result, perTrial: perTrial)
    record.decision = record.outcome == nil ? .pending : .keep
    record.best = record.outcome.map { ExperimentRecord.Best(id: record.id, rate: $0.estimate) }
    return record
  }

  /// Each trial's end from a file of JSON lines.
  static func perTrial(at path: String) throws -> String? {
    let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    return try ExperimentRecord.Outcome.perTrial(lines: text.split(separator: "\n").map { try JSON(parsing: $0.utf8) })
  }
}

extension StepContext {
  /// The JSON given for an optional input. (`nil` beside a JSON would be JSON's own null.)
  func jsonIfGiven(_ name: String) throws -> JSON? { try inputs(name).isEmpty ? JSON?.none : json(name) }
}

extension ExperimentRecord {
  /// Takes over what an evaluation measured.
  fileprivate mutating func take(_ result: JSON?, perTrial: String?) {
    guard let result else { return }
    outcome = Outcome(result: result, perTrial: perTrial)
    environment = result["environment"]?.string ?? result["environment"]?["hash"]?.string
    cost.robotSeconds = result["robot_seconds"]?.double ?? 0
  }
}
