// What each threshold of a verifier's first condition would give: the points of its ROC and of its precision–recall curve.

public import JSON

public struct VerifierCurve: Sendable {
  public struct Point: Sendable {
    public var threshold: Double
    public var count: VerdictCount
    /// Clips called done at any time: of the successes, also those called too early, which `count` has as false; and of all others.
    public var successesCalled: Int
    public var othersCalled: Int
  }

  /// From the strictest threshold to the laxest.
  public var points: [Point]
  /// How many clips there are of either.
  public var successes: Int
  public var others: Int

  /// Counts and rates at each threshold, and the areas under both curves.
  public var json: JSON {
    func rounded(_ value: Double) -> JSON { .number((value * 1e5).rounded() / 1e5) }
    return [
      "roc_area": rounded(rocArea), "pr_area": rounded(prArea),
      "points": .array(
        points.map { point in
          [
            "threshold": .number(point.threshold), "true_positive_rate": rounded(found(point)), "false_positive_rate": rounded(falseAlarms(point)),
            "recall": rounded(recall(point)), "precision": point.count.precision.estimate.map(rounded) ?? .null,
            "true_positives": .integer(point.count.truePositives), "false_positives": .integer(point.count.falsePositives),
            "true_negatives": .integer(point.count.trueNegatives), "false_negatives": .integer(point.count.falseNegatives),
          ]
        }),
    ]
  }

  private func found(_ point: Point) -> Double { Double(point.successesCalled) / Double(max(1, successes)) }
  private func falseAlarms(_ point: Point) -> Double { Double(point.othersCalled) / Double(max(1, others)) }
  private func recall(_ point: Point) -> Double { Double(point.count.truePositives) / Double(max(1, successes)) }

  /// By trapezes, from (0, 0) to the last point and on to (1, 1).
  private var rocArea: Double {
    var (area, x, y) = (0.0, 0.0, 0.0)
    for (nextX, nextY) in points.map({ (falseAlarms($0), found($0)) }) + [(1, 1)] {
      area += (nextX - x) * (nextY + y) / 2
      (x, y) = (nextX, nextY)
    }
    return area
  }

  /// Average precision: each gain in recall at the precision it was made with.
  private var prArea: Double {
    var (area, found) = (0.0, 0.0)
    for point in points {
      let next = recall(point)
      if next > found { area += (next - found) * (point.count.precision.estimate ?? 1) }
      found = max(found, next)
    }
    return area
  }
}
