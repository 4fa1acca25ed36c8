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

  /// 1,000 rounds cannot tell 0.85 from what is 0.1 worse than 0.94; they can tell that 0.5 is no tie with 0.95.
  @Test(arguments: [([0.85, 0.94], 0), ([0.5, 0.95], 1)])
  func `Who is worse by less than a tie stays and wins if cheaper, and who is worse by more leaves`(rates: [Double], best: Int) {
    var stream = RandomStream("contest", "tie", "\(rates)")
    let contests = (0..<20).map { _ in Self.play(rates, rounds: 1000, stream: &stream) }
    #expect(contests.count { $0.winner == best } >= 19)
    #expect(contests.count { $0.contest.end == .separated } == (best == 0 ? 0 : 20))
    #expect(contests.allSatisfy { best == 1 || $0.contest.live == [0, 1] })
  }

  @Test func `A sole candidate wins without a trial, and nothing is said to be separated`() {
    let contest = Contest(count: 1, rounds: 10, confidence: 0.9, tie: 0.1)
    #expect(contest.next?.candidate == nil)
    #expect(contest.verdict.winner == 0 && !contest.verdict.separated)
    #expect(contest.end == .onlyCandidate)
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
