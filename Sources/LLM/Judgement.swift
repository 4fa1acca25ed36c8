// Whether an experiment is better than the best so far. Knows two outcomes and nothing of how they came about.
//
// The rule. With both sides' trials on the same seeds, only the seeds on which they differ say anything: of these, the candidate must win more than
// it loses, and the odds that it wins more often than not (uniform prior: P(Binomial(wins + losses + 1, 1/2) <= wins)) must reach the threshold.
// Otherwise the odds that its rate is higher (two independent Beta posteriors, uniform priors) must reach it. Equal rates are decided by the median
// of steps. An unknown trial counts against the side it would help: it is never a win. No known trial at all is a crash.

internal import Glibc
public import JSON

public struct Judgement: Sendable, Hashable {
  public let decision: ExperimentRecord.Decision
  /// The rule that decided, the numbers it had, and the threshold.
  public let evidence: JSON

  /// Judges `candidate` against the best so far; `threshold` is the least probability of being better that counts, 0.5...1.
  public init(_ candidate: ExperimentRecord, against best: ExperimentRecord?, threshold: Double) {
    (decision, evidence) = Self.judge(candidate, best, threshold)
  }

  private static func judge(_ candidate: ExperimentRecord, _ best: ExperimentRecord?, _ threshold: Double) -> (ExperimentRecord.Decision, JSON) {
    guard let new = candidate.outcome, let rate = new.estimate else { return (.crash, ["rule": "no trial has a known end"]) }
    guard let best, let old = best.outcome, let oldRate = old.estimate else {
      return (new.successes > 0 ? .keep : .discard, ["rule": "nothing to compare with: any success is an improvement", "rate": .number(rate)])
    }
    var facts: JSON = ["rule": "", "against": .string(best.id), "rate": .number(rate), "best": .number(oldRate), "threshold": .number(threshold)]
    func verdict(_ better: Bool, _ rule: String) -> (ExperimentRecord.Decision, JSON) {
      facts["rule"] = .string(rule)
      return (better ? .keep : .discard, facts)
    }
    guard candidate.environment == best.environment, new.purpose == old.purpose else {
      return verdict(false, "not comparable: another environment or purpose")
    }
    let pairs = Self.pairs(new, old)
    let difference: Double
    let probability: Double
    if let pairs {
      difference = Double(pairs.wins - pairs.losses)
      probability = Self.probability(wins: pairs.wins, losses: pairs.losses)
      facts["wins"] = .integer(pairs.wins)
      facts["losses"] = .integer(pairs.losses)
    } else {
      // Unknown trials of the candidate as failures, those of the best so far as successes.
      let (n, k, m, l) = (new.trials, new.successes, old.trials, old.successes + old.unknown)
      difference = Double(k) / Double(n) - Double(l) / Double(m)
      probability = Self.probability(that: (k, n - k), beats: (l, m - l))
    }
    facts["probability"] = .number(probability)
    if difference == 0, new.successes > 0, new.unknown == 0, let steps = new.medianSteps, let oldSteps = old.medianSteps {
      facts["median_steps"] = .number(steps)
      facts["best_median_steps"] = .number(oldSteps)
      return verdict(steps < oldSteps, "equal rates: fewer steps in the median success")
    }
    let rule = pairs == nil ? "odds that the rate is higher, independent trials" : "odds of winning where the two differ, same seeds"
    return verdict(difference > 0 && probability >= threshold, rule)
  }

  /// Seeds on which one side succeeded and the other failed or may have; nil if the trials do not pair.
  private static func pairs(_ new: ExperimentRecord.Outcome, _ old: ExperimentRecord.Outcome) -> (wins: Int, losses: Int)? {
    guard new.seeds == old.seeds, let a = new.perTrial?.utf8, let b = old.perTrial?.utf8, a.count == b.count, !a.isEmpty else { return nil }
    let (success, failure) = (UInt8(ascii: "1"), UInt8(ascii: "0"))
    let wins = zip(a, b).count { $0 == success && $1 == failure }
    let losses = zip(a, b).count { $0 != success && $1 != failure && ($0 == failure || $1 == success) }
    return (wins, losses)
  }

  /// P(q > 1/2) for a uniform prior on q, the chance of a win where the two differ.
  package static func probability(wins: Int, losses: Int) -> Double {
    let n = Double(wins + losses + 1)
    return (0...wins).reduce(0) { sum, k in
      let k = Double(k)
      let choices = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
      return sum + exp(choices - n * log(2))
    }
  }

  /// P(p > q) for independent uniform priors and (successes, failures) of each, in closed form:
  /// Σ_{i=0}^{s} B(t + 1 + i, f + g + 2) / ((f + 1 + i) B(1 + i, f + 1) B(t + 1, g + 1)), with (s, f) of p and (t, g) of q.
  package static func probability(that p: (Int, Int), beats q: (Int, Int)) -> Double {
    func logBeta(_ a: Double, _ b: Double) -> Double { lgamma(a) + lgamma(b) - lgamma(a + b) }
    let (f, t, g) = (Double(p.1), Double(q.0), Double(q.1))
    return (0...p.0).reduce(0) { sum, i in
      let i = Double(i)
      let numerator = logBeta(t + 1 + i, f + g + 2)
      let denominator = log(f + 1 + i) + logBeta(1 + i, f + 1) + logBeta(t + 1, g + 1)
      return sum + exp(numerator - denominator)
    }
  }
}
