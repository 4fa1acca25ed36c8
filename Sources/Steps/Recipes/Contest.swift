// Which of several candidates succeeds most often, found with few trials: rounds of one trial each on the same starts; a candidate
// whose interval lies below another's leaves. Intervals hold at every count at once (confidence sequences), and together for all candidates,
// so stopping early is no error. It knows no station: trials are asked for and told.

import Robot

struct Contest {
  /// Ordered from the cheapest to the dearest.
  let count: Int
  let rounds: Int
  /// Confidence that no interval of any candidate ever missed its rate.
  let confidence: Double
  /// Rates no further apart than this are a tie, which goes to the cheaper.
  let tie: Double
  private(set) var outcomes: [[Bool?]]
  private(set) var live: [Int]

  init(count: Int, rounds: Int, confidence: Double, tie: Double) {
    (self.count, self.rounds, self.confidence, self.tie) = (count, rounds, confidence, tie)
    outcomes = Array(repeating: [], count: count)
    live = Array(0..<count)
  }

  /// Whose trial comes next, and in which round; nil when it is decided.
  var next: (candidate: Int, round: Int)? {
    guard !isDecided, let candidate = live.min(by: { (outcomes[$0].count, $0) < (outcomes[$1].count, $1) }), outcomes[candidate].count < rounds
    else { return nil }
    return (candidate, outcomes[candidate].count)
  }

  /// Takes a trial's outcome; nil if nobody knows it. Candidates leave at the end of a round only, so that all have met the same starts.
  mutating func tell(_ success: Bool?, of candidate: Int) {
    outcomes[candidate].append(success)
    guard Set(live.map { outcomes[$0].count }).count == 1 else { return }
    let best = live.map { rate($0).lower }.max() ?? 0
    live = live.filter { rate($0).upper >= best }
  }

  func rate(_ candidate: Int) -> Rate {
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

  /// The cheapest of those within a tie of the best estimate, and why.
  var verdict: (winner: Int, separated: Bool) {
    if live.count == 1 { return (live[0], true) }
    let best = live.map { rate($0).estimate ?? 0 }.max() ?? 0
    return (live.first { (rate($0).estimate ?? 0) >= best - tie } ?? 0, isDecided)
  }
}
