// Which of several candidates succeeds most often, found with few trials: rounds of one trial each on the same starts; a candidate
// whose interval lies below another's leaves. Intervals hold at every count at once (confidence sequences), and together for all candidates,
// so stopping early is no error: best-arm identification by successive elimination (Even-Dar, Mannor and Mansour, 2006), under a budget of
// trials and of station time. It knows no station: trials are asked for and told.

package import Robot

package struct Contest {
  /// Ordered from the cheapest to the dearest.
  package let count: Int
  package let rounds: Int
  /// Confidence that no interval of any candidate ever missed its rate.
  package let confidence: Double
  /// Rates no further apart than this are a tie, which goes to the cheaper.
  package let tie: Double
  /// Station time that may be used up by all candidates together, s. A trial that began is finished.
  package let stationSeconds: Double
  package private(set) var usedSeconds = 0.0
  package private(set) var outcomes: [[Bool?]]
  package private(set) var live: [Int]

  package init(count: Int, rounds: Int, confidence: Double, tie: Double, stationSeconds: Double = .infinity) {
    (self.count, self.rounds, self.confidence, self.tie, self.stationSeconds) = (count, rounds, confidence, tie, stationSeconds)
    outcomes = Array(repeating: [], count: count)
    live = Array(0..<count)
  }

  /// Whose trial comes next, and in which round; nil when it is decided or a budget is used up.
  package var next: (candidate: Int, round: Int)? {
    guard !isDecided, usedSeconds < stationSeconds, let candidate = live.min(by: { (outcomes[$0].count, $0) < (outcomes[$1].count, $1) }),
      outcomes[candidate].count < rounds
    else { return nil }
    return (candidate, outcomes[candidate].count)
  }

  /// Takes a trial's outcome; nil if nobody knows it. Candidates leave at the end of a round only, so that all have met the same starts.
  package mutating func tell(_ success: Bool?, of candidate: Int, stationSeconds: Double = 0) {
    usedSeconds += stationSeconds
    outcomes[candidate].append(success)
    guard Set(live.map { outcomes[$0].count }).count == 1 else { return }
    let best = live.map { rate($0).lower }.max() ?? 0
    live = live.filter { rate($0).upper >= best }
  }

  package func rate(_ candidate: Int) -> Rate {
    let known = outcomes[candidate].compactMap { $0 }
    return Rate(
      successes: known.count { $0 }, trials: outcomes[candidate].count, unknown: outcomes[candidate].count - known.count,
      confidence: 1 - (1 - confidence) / Double(max(1, count)), method: .confidenceSequence)
  }

  /// One is left, or no other can be better than the cheapest one left by more than a tie.
  private var isDecided: Bool {
    guard live.count > 1, Set(live.map { outcomes[$0].count }).count == 1 else { return live.count <= 1 }
    return live.dropFirst().allSatisfy { rate($0).upper <= rate(live[0]).lower + tie }
  }

  /// Why there were no more trials.
  package enum End: String { case separated, trials, stationTime = "station-time" }
  package var end: End { verdict.separated ? .separated : usedSeconds >= stationSeconds ? .stationTime : .trials }

  /// The cheapest of those within a tie of the best estimate, and why.
  package var verdict: (winner: Int, separated: Bool) {
    if live.count == 1 { return (live[0], true) }
    let best = live.map { rate($0).estimate ?? 0 }.max() ?? 0
    return (live.first { (rate($0).estimate ?? 0) >= best - tie } ?? 0, isDecided)
  }
}
