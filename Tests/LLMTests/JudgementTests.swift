import Foundation
import JSON
import Testing

import LLM

@Suite struct JudgementTests {
  private func record(_ id: String, _ perTrial: String, seeds: String = "s", steps: Double? = nil) -> ExperimentRecord {
    var record = ExperimentRecord(id: id, study: "s", basis: "", agent: "a", round: 1, hypothesis: "", branch: "agent/a", config: [:])
    let known = perTrial.count { $0 != "?" }
    record.outcome = ExperimentRecord.Outcome(
      purpose: "search", seeds: seeds, trials: perTrial.count, successes: perTrial.count { $0 == "1" }, unknown: perTrial.count - known, rate: nil,
      medianSteps: steps, perTrial: perTrial)
    return record
  }

  /// Candidate, best so far, and what is decided on the same seeds.
  @Test(arguments: [
    ("1100", "1000", ExperimentRecord.Decision.keep),  // one win, no loss
    ("1000", "1100", .discard),
    ("0110", "1000", .keep),  // two wins, one loss: 11/16
    ("0111000", "1000110", .discard),  // three against three
    ("?111", "1110", .discard),  // the crash hides a loss: one win, one loss
    ("1?", "?1", .discard),
    ("????", "0000", .crash),
    ("11?", "00?", .keep),
  ]) func onTheSameSeedsOnlyTheDifferencesCount(candidate: String, best: String, decision: ExperimentRecord.Decision) {
    #expect(Judgement(record("c", candidate), against: record("b", best), threshold: 0.667).decision == decision)
  }

  @Test func onOtherSeedsTheOddsOfAHigherRateCount() {
    let best = record("b", String(repeating: "10", count: 20))
    let slightly = record("c", String(repeating: "10", count: 19) + "11", seeds: "t")
    let clearly = record("c", String(repeating: "110", count: 10), seeds: "t")
    #expect(Judgement(slightly, against: best, threshold: 0.667).decision == .discard)
    #expect(Judgement(clearly, against: best, threshold: 0.667).decision == .keep)
  }

  @Test func equalRatesAreDecidedByTheStepsOfTheMedianSuccess() {
    let best = record("b", "1100", steps: 100)
    #expect(Judgement(record("c", "1100", steps: 99), against: best, threshold: 0.667).decision == .keep)
    #expect(Judgement(record("c", "1100", steps: 100), against: best, threshold: 0.667).decision == .discard)
    #expect(Judgement(record("c", "1100"), against: best, threshold: 0.667).decision == .discard)
  }

  @Test func withNothingToCompareAnySuccessIsKept() {
    #expect(Judgement(record("c", "0001"), against: nil, threshold: 0.667).decision == .keep)
    #expect(Judgement(record("c", "0000"), against: nil, threshold: 0.667).decision == .discard)
  }

  @Test func anotherEnvironmentIsNotComparable() {
    var candidate = record("c", "1111")
    candidate.environment = "other"
    let judgement = Judgement(candidate, against: record("b", "0000"), threshold: 0.667)
    #expect(judgement.decision == .discard)
    #expect(judgement.evidence["rule"] == "not comparable: another environment or purpose")
  }

  @Test func theProbabilitiesAreThoseOfTheirFormulas() {
    #expect(abs(Judgement.probability(wins: 2, losses: 1) - 11.0 / 16) < 1e-12)
    #expect(abs(Judgement.probability(wins: 0, losses: 0) - 0.5) < 1e-12)
    #expect(abs(Judgement.probability(that: (3, 7), beats: (3, 7)) - 0.5) < 1e-12)
    // Numerical integral of P(p > q): p ~ Beta(9, 3), q ~ Beta(5, 7).
    let (n, a, b) = (20_000, (8.0, 2.0), (4.0, 6.0))
    var (below, total, sum, norm) = (0.0, 0.0, 0.0, 0.0)
    for index in 0..<n {
      let x = (Double(index) + 0.5) / Double(n)
      let q = pow(x, b.0) * pow(1 - x, b.1)
      total += q
      below += q / 2
      let p = pow(x, a.0) * pow(1 - x, a.1)
      sum += p * below
      norm += p
      below += q / 2
    }
    #expect(abs(Judgement.probability(that: (8, 2), beats: (4, 6)) - sum / norm / total) < 1e-6)
  }
}
