// Records as JSON, version 1, both ways; and the outcome as the `evaluate` step writes it.

public import JSON

/// A record that cannot be read: which, and why.
public struct RecordError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

extension ExperimentRecord {
  public static let version = 1

  public var json: JSON {
    var json: JSON = ["experiment": .integer(Self.version), "id": .string(id), "study": .string(study), "basis": .string(basis)]
    json["agent"] = .string(agent)
    json["round"] = .integer(round)
    json["hypothesis"] = .string(hypothesis)
    json["parent"] = parent.map { .string($0) }
    json["borrowed_from"] = borrowedFrom.map { .string($0) }
    json["branch"] = .string(branch)
    json["commit"] = code.commit.map { .string($0) }
    json["tree"] = code.tree.map { .string($0) }
    json["change"] = .array(change.map(\.json))
    json["regime"] = regime.map { .string($0) }
    json["config"] = config
    json["data"] = .object(.init(uniqueKeysWithValues: data.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    json["environment"] = environment.map { .string($0) }
    if let outcome { for (key, value) in outcome.json.object ?? [:] { json[key] = value } }
    json["robot_seconds"] = .number(cost.robotSeconds)
    json["tokens"] = ["uncached": .integer(cost.tokens.uncached), "cached": .integer(cost.tokens.cached), "output": .integer(cost.tokens.output)]
    json["money"] = .number(cost.money)
    json["decision"] = .string(decision.rawValue)
    json["evidence"] = evidence
    if let best {
      json["best"] = ["id": .string(best.id)]
      json["best"]?["rate"] = best.rate.map { .number($0) }
    }
    return json
  }

  public init(json: JSON) throws(RecordError) {
    guard let version = json["experiment"]?.int else { throw RecordError(description: "this is not an experiment record") }
    let id = json["id"]?.string ?? "?"
    guard version == Self.version else {
      throw RecordError(description: "experiment \(id) has record version \(version), this program reads version \(Self.version)")
    }
    func text(_ key: String) throws(RecordError) -> String {
      guard let text = json[key]?.string else { throw RecordError(description: "experiment \(id): '\(key)' is missing or not a string") }
      return text
    }
    guard let round = json["round"]?.int else { throw RecordError(description: "experiment \(id): 'round' is missing or not an integer") }
    guard let decision = Decision(rawValue: try text("decision")) else {
      throw RecordError(description: "experiment \(id): '\(try text("decision"))' is no decision")
    }
    self.init(
      id: try text("id"), study: try text("study"), basis: try text("basis"), agent: try text("agent"), round: round,
      hypothesis: try text("hypothesis"), parent: json["parent"]?.string, borrowedFrom: json["borrowed_from"]?.string, branch: try text("branch"),
      change: (json["change"]?.array ?? []).map(RecipeChange.init(json:)), config: json["config"] ?? [:])
    code = Code(commit: json["commit"]?.string, tree: json["tree"]?.string)
    data = Dictionary(uniqueKeysWithValues: (json["data"]?.object ?? [:]).compactMap { key, value in value.string.map { (key, $0) } })
    environment = json["environment"]?.string
    if json["trials"] != nil { outcome = Outcome(result: json) }
    cost.robotSeconds = json["robot_seconds"]?.double ?? 0
    let tokens = json["tokens"]
    cost.tokens = Tokens(uncached: tokens?["uncached"]?.int ?? 0, cached: tokens?["cached"]?.int ?? 0, output: tokens?["output"]?.int ?? 0)
    cost.money = json["money"]?.double ?? 0
    self.decision = decision
    evidence = json["evidence"]
    best = json["best"].flatMap { best in best["id"]?.string.map { Best(id: $0, rate: best["rate"]?.double) } }
  }
}

extension ExperimentRecord.Outcome {
  var json: JSON {
    var json: JSON = ["purpose": .string(purpose)]
    json["seed_commitment"] = seeds.map { .string($0) }
    json["trials"] = .integer(trials)
    json["successes"] = .integer(successes)
    json["unknown"] = .integer(unknown)
    json["rate"] = rate
    json["median_steps"] = medianSteps.map { .number($0) }
    json["outcomes"] = perTrial.map { .string($0) }
    return json
  }

  /// Reads an evaluation's result, or the same fields of a record. Nil if it holds no counts: then nothing is known.
  public init?(result: JSON, perTrial: String? = nil) {
    guard let trials = result["rate"]?["trials"]?.int ?? result["trials"]?.int,
      let successes = result["rate"]?["successes"]?.int ?? result["successes"]?.int
    else { return nil }
    let unknown = result["rate"]?["unknown"]?.int ?? result["unknown"]?.int ?? 0
    guard successes >= 0, unknown >= 0, successes + unknown <= trials else { return nil }
    self.init(
      purpose: result["purpose"]?.string ?? "search",
      seeds: result["seed_commitment"]?.string,
      trials: trials, successes: successes, unknown: unknown, rate: result["rate"],
      medianSteps: result["median_steps"]?.double ?? result["steps"]?["median"]?.double,
      perTrial: perTrial ?? result["outcomes"]?.string)
  }

  /// Each trial's end from the lines of a trials file (`index`, `success`), as `perTrial` holds it.
  public static func perTrial(lines: [JSON]) -> String? {
    let ends = lines.compactMap { line in line["index"]?.int.map { (index: $0, success: line["success"]?.bool) } }.sorted { $0.index < $1.index }
    guard !ends.isEmpty, ends.map(\.index) == Array(0..<ends.count) else { return nil }
    return ends.map { $0.success.map { $0 ? "1" : "0" } ?? "?" }.joined()
  }
}
