// What an evaluation says, worked out from its trials alone, so that shards joined give what one run would have given.

import Hashing
import JSON
import Robot

struct EvaluationResult {
  /// What the trials have in common.
  struct Header {
    var purpose: Purpose
    var environment: String?
    /// Digests, in the order of the inputs.
    var policies: [String]
    var paired: Bool
    var confidence: Double
    /// Attempts within a trial; 1: none after the first.
    var attempts = 1
    var seedCommitment: Digest
  }

  let header: Header
  let trials: [Sample]
  /// Whether the count was fixed before the first trial: nobody had asked for another one, and no test ended it.
  let isFixed: Bool
  /// What told when there were enough.
  var stop: EarlyStop? = nil

  var json: JSON {
    let counted = header.paired ? trials.filter { $0.policy == 0 } : trials
    let method: Rate.Method = isFixed ? .clopperPearson : .confidenceSequence
    let rate = Self.rate(counted, header.confidence, method)
    var json: JSON = [
      "result": 1, "metric": "pass@1", "purpose": .string(header.purpose.rawValue), "environment": header.environment.map(JSON.string) ?? .null,
      "trials": .integer(rate.trials), "successes": .integer(rate.successes), "unknown": .integer(rate.unknown), "rate": rate.json,
      "rate_anytime": Self.rate(counted, header.confidence, .confidenceSequence).json, "steps": Self.steps(counted),
      "policies": .array(
        header.policies.enumerated().map { number, digest in
          ["digest": .string(digest), "rate": Self.rate(trials.filter { $0.policy == number }, header.confidence, method).json]
        }),
      "stations": .array(
        Set(trials.map(\.trial.station)).sorted().map { name in
          ["station": .string(name), "rate": Self.rate(trials.filter { $0.trial.station == name }, header.confidence, method).json]
        }),
      "verifier": VerifierAudit(trials.map(\.trial), confidence: header.confidence, method: method).json,
      "robot_seconds": .number((trials.reduce(0) { $0 + $1.trial.robotSeconds } * 1000).rounded() / 1000),
      "seed_commitment": .string(header.seedCommitment.hex), "paired": .bool(header.paired),
    ]
    if header.attempts > 1 {
      let rate = Rate(
        successes: counted.count { $0.successWithRetries == true }, trials: counted.count, unknown: counted.count { $0.successWithRetries == nil },
        confidence: header.confidence, method: method)
      json["retry"] = ["metric": "retry-k", "k": .integer(header.attempts), "rate": rate.json]
    }
    if let stop { json["stop"] = stop.json }
    if header.paired { json["comparisons"] = .array((1..<header.policies.count).map { comparison(with: $0).json(fixedCount: isFixed) }) }
    return json
  }

  /// The first policy against another, on the starts that both met with a known outcome.
  private func comparison(with other: Int) -> PairedComparison {
    let byRound = Dictionary(grouping: trials) { $0.index / header.policies.count }
    return PairedComparison(
      byRound.keys.sorted().compactMap { round in
        guard let first = byRound[round]?.first(where: { $0.policy == 0 })?.success,
          let second = byRound[round]?.first(where: { $0.policy == other })?.success
        else { return nil }
        return (first, second)
      })
  }

  /// One JSON line a trial.
  var trialLines: String {
    trials.map { $0.json(withSeed: !header.purpose.isSecret, withPoses: false).compact + "\n" }.joined()
  }

  private static func rate(_ trials: [Sample], _ confidence: Double, _ method: Rate.Method = .clopperPearson) -> Rate {
    Rate(
      successes: trials.count { $0.success == true }, trials: trials.count, unknown: trials.count { $0.success == nil }, confidence: confidence,
      method: method)
  }

  /// Control steps of the successes: median and 95th percentile, by the nearest rank.
  private static func steps(_ trials: [Sample]) -> JSON {
    let sorted = trials.filter { $0.success == true }.map(\.trial.steps).sorted()
    guard !sorted.isEmpty else { return ["median": nil, "p95": nil] }
    func rank(_ share: Double) -> JSON { .integer(sorted[max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)]) }
    return ["median": rank(0.5), "p95": rank(0.95)]
  }
}

extension Sample {
  /// By the benchmark's criterion; nil if unknown.
  var success: Bool? {
    switch trial.outcome {
    case .success: true
    case .failure: false
    case .unknown: nil
    }
  }

  /// By any of its attempts.
  fileprivate var successWithRetries: Bool? {
    guard success == false, let retry = trial.retry else { return success }
    return retry.success
  }
}

extension EvaluationResult.Header {
  /// From the results of the shards, which must agree in it.
  init(joining results: [JSON]) throws {
    let headers = results.map { result in
      (
        result["purpose"], result["environment"], (result["policies"]?.array ?? []).map { $0["digest"] }, result["paired"],
        result["rate"]?["confidence"], [result["seed_commitment"], result["retry"]?["k"]]
      )
    }
    guard let first = headers.first else { throw StepFailure("an evaluation has no shards to gather") }
    guard headers.allSatisfy({ $0 == first }) else { throw StepFailure("the shards of an evaluation disagree on what was evaluated") }
    guard let purpose = Purpose(rawValue: first.0?.string ?? ""), let confidence = first.4?.double,
      let commitment = Digest(hex: first.5[0]?.string ?? "")
    else { throw StepFailure("a shard's result is not one of 'evaluate'") }
    self.init(
      purpose: purpose, environment: first.1?.string, policies: first.2.compactMap { $0?.string }, paired: first.3?.bool ?? false,
      confidence: confidence, attempts: first.5[1]?.int ?? 1, seedCommitment: commitment)
  }
}
