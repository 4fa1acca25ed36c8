import Hashing
import Testing

import Steps

@Suite struct ContestTests {
  /// Plays a contest of candidates with these rates, from the cheapest; the winner and the trials it took.
  private static func play(_ rates: [Double], rounds: Int = 60, tie: Double = 0.1, seconds: Double = .infinity, stream: inout RandomStream)
    -> (contest: Contest, winner: Int, trials: Int)
  {
    var contest = Contest(count: rates.count, rounds: rounds, confidence: 0.9, tie: tie, stationSeconds: seconds)
    var trials = 0
    while let (candidate, _) = contest.next {
      let solved = stream.uniform() < rates[candidate]
      contest.tell(solved, of: candidate, stationSeconds: solved ? 3 : 30)
      trials += 1
    }
    return (contest, contest.verdict.winner, trials)
  }

  @Test(arguments: [([0.95, 0.3, 0.1], 0), ([0.1, 0.9, 0.2], 1), ([0.2, 0.4, 0.95], 2)])
  func `Whoever is best by far is chosen, wherever it stands, with few trials`(rates: [Double], best: Int) {
    var stream = RandomStream("contest", "\(rates)")
    var wrong = 0, trials = 0
    for _ in 0..<200 {
      let outcome = Self.play(rates, stream: &stream)
      wrong += outcome.winner == best ? 0 : 1
      trials += outcome.trials
    }
    #expect(wrong <= 20, "a confidence of 0.9 allows 20 of 200")
    #expect(trials / 200 < 100, "of 180 that the budget allows")
  }

  @Test func `Equals are a tie, which the cheaper one wins`() {
    var stream = RandomStream("contest", "equals")
    let cheapest = (0..<200).count { _ in Self.play([0.9, 0.9], rounds: 200, stream: &stream).winner == 0 }
    #expect(cheapest >= 195)
  }

  @Test func `Station time ends it, at most one trial late, and it says so`() {
    var stream = RandomStream("contest", "time")
    for _ in 0..<50 {
      let outcome = Self.play([0.5, 0.5], seconds: 200, stream: &stream)
      #expect(outcome.contest.usedSeconds < 230)
      if outcome.contest.end == .stationTime { #expect(outcome.contest.usedSeconds >= 200) }
    }
    #expect(Self.play([0.05, 0.05], tie: 0, seconds: 200, stream: &stream).contest.end == .stationTime)
  }
}
