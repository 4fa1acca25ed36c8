// How often the verifier was right, by the benchmark's truth: what its word is worth where no truth is known.

public import JSON

public struct VerifierAudit: Sendable, Equatable {
  /// Of the failed trials, those it called done; of the successful ones, those it did not.
  public let falsePositives: Rate
  public let falseNegatives: Rate
  /// Trials without a verdict, or without a truth.
  public let unknown: Int

  public init(_ trials: [TrialRecord], confidence: Double = 0.95, method: Rate.Method = .clopperPearson) {
    var counts = (failed: 0, calledDone: 0, succeeded: 0, missed: 0, unknown: 0)
    for trial in trials {
      switch (trial.outcome, trial.verdict) {
      case (.unknown, _), (_, nil): counts.unknown += 1
      case (.failure, let done?):
        counts.failed += 1
        if done { counts.calledDone += 1 }
      case (.success, let done?):
        counts.succeeded += 1
        if !done { counts.missed += 1 }
      }
    }
    falsePositives = Rate(successes: counts.calledDone, trials: counts.failed, confidence: confidence, method: method)
    falseNegatives = Rate(successes: counts.missed, trials: counts.succeeded, confidence: confidence, method: method)
    unknown = counts.unknown
  }

  public var json: JSON {
    ["false_positives": falsePositives.json, "false_negatives": falseNegatives.json, "unknown": .integer(unknown)]
  }
}
