// Two policies on the same seeds: only the seeds on which they differ tell which is better (McNemar, 1947; the exact form is a sign test).

internal import Foundation
public import JSON

public struct PairedComparison: Sendable, Equatable {
  /// Seeds on which both succeeded, only the first did, only the second did, neither did.
  public let both: Int, onlyFirst: Int, onlySecond: Int, neither: Int

  /// Pairs by seed; pairs with an unknown outcome are left out by the caller.
  public init(_ pairs: some Sequence<(first: Bool, second: Bool)>) {
    var counts = [0, 0, 0, 0]
    for pair in pairs { counts[(pair.first ? 0 : 2) + (pair.second ? 0 : 1)] += 1 }
    (both, onlyFirst, onlySecond, neither) = (counts[0], counts[1], counts[2], counts[3])
  }

  /// Two-sided, exact: how likely a split at least this uneven is if neither policy is better. For a count fixed beforehand.
  public var pValue: Double {
    let trials = onlyFirst + onlySecond
    return trials == 0 ? 1 : min(1, 2 * Binomial.cumulative(min(onlyFirst, onlySecond), of: trials, at: 0.5))
  }

  /// Evidence that the policies differ, valid however often one looks: under "no difference" it exceeds 1/α at any time with
  /// probability at most α. What no number can hold is told as the greatest one.
  public var evidence: Double {
    min(exp(ConfidenceSequence.logEvidence(against: 0.5, successes: onlyFirst, trials: onlyFirst + onlySecond)), .greatestFiniteMagnitude)
  }

  /// - Parameter fixedCount: whether the count was fixed beforehand; else there is no p-value.
  public func json(fixedCount: Bool) -> JSON {
    var json: JSON = [
      "both": .integer(both), "only_first": .integer(onlyFirst), "only_second": .integer(onlySecond), "neither": .integer(neither),
    ]
    if fixedCount { json["p_value"] = .number(pValue) }
    json["evidence"] = .number(evidence)
    return json
  }
}
