// Which of several candidates succeeds most often, found with few trials: rounds of one trial each on the same starts; a candidate
// whose interval lies below a cheaper one's, or by more than a tie below a dearer one's, leaves. Intervals hold at every count at once
// (confidence sequences), and together for all candidates, so stopping early is no error: best-arm identification by successive elimination
// (Even-Dar, Mannor and Mansour, 2006), under a budget of trials and of station time. It knows no station: trials are asked for and told.

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
    let rates = live.map { ($0, rate($0)) }
    live = rates.filter { candidate, own in
      !rates.contains { other, rate in own.upper + (other > candidate ? tie : 0) < rate.lower }
    }.map { $0.0 }
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
    let cheapest = rate(live[0]).lower
    return live.dropFirst().allSatisfy { rate($0).upper <= cheapest + tie }
  }

  /// Why there were no more trials.
  package enum End: String { case separated, trials, stationTime = "station-time", onlyCandidate = "only-candidate" }
  package var end: End {
    if count == 1 { return .onlyCandidate }
    return verdict.separated ? .separated : usedSeconds >= stationSeconds ? .stationTime : .trials
  }

  /// The cheapest of those that tie with the best estimate, and whether the intervals tell.
  package var verdict: (winner: Int, separated: Bool) {
    if live.count == 1 { return (live[0], count > 1) }
    let rates = live.map { ($0, rate($0)) }
    guard let best = rates.max(by: { ($0.1.estimate ?? 0) < ($1.1.estimate ?? 0) })?.1 else { return (0, false) }
    return (rates.first { isTied($0.1, with: best) }?.0 ?? 0, isDecided)
  }

  /// Whether a rate is below the best by no more than a tie, and the standard error of the difference: in doubt it is a tie.
  private func isTied(_ rate: Rate, with best: Rate) -> Bool {
    func variance(_ rate: Rate) -> Double {
      let estimate = rate.estimate ?? 0
      return estimate * (1 - estimate) / Double(max(1, rate.trials - rate.unknown))
    }
    return (best.estimate ?? 0) - (rate.estimate ?? 0) - tie <= (variance(rate) + variance(best)).squareRoot()
  }
}
