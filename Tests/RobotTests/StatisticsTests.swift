import Hashing
import JSON
import Testing

import Robot

@Suite struct StatisticsTests {
  // Values of scipy.stats.binomtest(...).proportion_ci(method="exact").
  @Test(arguments: [
    (1000, 1000, 0.9963179161033608, 1.0), (368, 368, 0.9900259451730189, 1.0), (367, 367, 0.9899989042678793, 1.0),
    (199, 200, 0.9724581015424416, 0.9998734189719902), (33, 60, 0.4161191456331914, 0.6787784765366434),
    (0, 60, 0.0, 0.05962949228633472), (5, 10, 0.1870860284474045, 0.8129139715525955),
  ]) func `Clopper-Pearson gives the known bounds`(successes: Int, trials: Int, lower: Double, upper: Double) {
    let rate = Rate(successes: successes, trials: trials)
    #expect(abs(rate.lower - lower) < 1e-10 && abs(rate.upper - upper) < 1e-10, "\(rate.lower) \(rate.upper)")
  }

  @Test func `the incomplete beta function agrees with sums of the binomial law`() {
    // P(X <= 2), X ~ Bin(5, 0.3) = 0.83692
    #expect(abs(Binomial.cumulative(2, of: 5, at: 0.3) - 0.83692) < 1e-12)
    #expect(abs(Binomial.incompleteBeta(0.5, 50, 50) - 0.5) < 1e-12)
    #expect(abs(Binomial.incompleteBeta(0.3, 1, 1) - 0.3) < 1e-14)
    // Values of scipy.special.betainc.
    let known = [(0.01, 3.5, 120.0, 0.06824200407583222), (0.69, 700, 301, 0.25880885033080164), (0.99, 5000, 40, 0.05724607843814526)]
    for (x, a, b, value) in known {
      #expect(abs(Binomial.incompleteBeta(x, a, b) - value) < 1e-10)
    }
  }

  @Test(arguments: [0.5, 0.9, 0.99]) func `Clopper-Pearson covers the true rate at a fixed count`(p: Double) {
    var random = RandomStream("coverage", "\(p)")
    let rates = (0...60).map { Rate(successes: $0, trials: 60) }
    let covered = (0..<4000).count { _ in
      let rate = rates[(0..<60).count { _ in random.uniform() < p }]
      return rate.lower <= p && p <= rate.upper
    }
    #expect(covered >= 3780)
  }

  @Test(arguments: [0.5, 0.95]) func `the confidence sequence covers the true rate at all counts at once, where the fixed interval fails`(p: Double) {
    var random = RandomStream("sequence", "\(p)")
    let (runs, looks) = (500, 200)
    var broken = (sequence: 0, fixed: 0)
    for _ in 0..<runs {
      var successes = 0
      var out = (sequence: false, fixed: false)
      for trials in 1...looks {
        if random.uniform() < p { successes += 1 }
        // Membership by the definition, which is what the interval's ends are found from.
        if ConfidenceSequence.logEvidence(against: p, successes: successes, trials: trials) >= 2.995732 { out.sequence = true }
        if !out.fixed {
          let fixed = Binomial.clopperPearson(successes: successes, trials: trials, confidence: 0.95)
          if !(fixed.lower...fixed.upper).contains(p) { out.fixed = true }
        }
      }
      broken.sequence += out.sequence ? 1 : 0
      broken.fixed += out.fixed ? 1 : 0
    }
    #expect(broken.sequence <= runs / 20)
    #expect(broken.fixed > runs / 20)
  }

  @Test(arguments: [0.5, 0.9]) func `a sequential test is seldom wrong, and decides what is clear`(bar: Double) {
    var random = RandomStream("test", "\(bar)")
    func side(of p: Double) -> SequentialTest {
      var test = SequentialTest(bar: bar, confidence: 0.95)
      for _ in 0..<400 { test.add(random.uniform() < p) }
      return test
    }
    // At the bar itself every answer is wrong.
    #expect((0..<1000).count { _ in side(of: bar).side != nil } <= 50)
    #expect((0..<100).count { _ in side(of: bar - 0.2).side == .below } >= 95)
    #expect((0..<100).count { _ in side(of: bar == 0.9 ? 0.99 : 0.7).side == .above } >= 95)
    #expect((0..<20).allSatisfy { _ in side(of: bar - 0.2).trials < 400 })
  }

  @Test func `trials of which nobody knows the outcome decide nothing`() {
    var test = SequentialTest(bar: 0.5, confidence: 0.95)
    for _ in 0..<1000 { test.add(nil) }
    #expect(test.side == nil && test.trials == 1000)
    for _ in 0..<999 { test.add(true) }
    #expect(test.side == nil, "they might all have failed")
  }

  @Test func `a confidence sequence is wider than the fixed interval and its ends have the limit's evidence`() {
    for (successes, trials) in [(95, 100), (50, 100), (400, 400), (0, 30), (1, 1)] {
      let (fixed, always) = (Rate(successes: successes, trials: trials), Rate(successes: successes, trials: trials, method: .confidenceSequence))
      #expect(always.lower <= fixed.lower + 1e-12 && always.upper >= fixed.upper - 1e-12)
      if successes > 0 {
        let evidence = ConfidenceSequence.logEvidence(against: always.lower, successes: successes, trials: trials)
        #expect(abs(evidence - 2.995732273553991) < 1e-6)
      }
    }
  }

  @Test func `unknown outcomes widen the interval on both sides and are never successes`() {
    let (known, some) = (Rate(successes: 90, trials: 100), Rate(successes: 90, trials: 110, unknown: 10))
    #expect(known.estimate == some.estimate)
    #expect(some.lower < known.lower && some.upper > known.lower)
    #expect(some.lower == Rate(successes: 90, trials: 110).lower)
    #expect(some.upper == Rate(successes: 100, trials: 110).upper)
    let none = Rate(successes: 0, trials: 5, unknown: 5)
    #expect(none.estimate == nil && none.lower == 0 && none.upper == 1)
    #expect(Rate(successes: 0, trials: 0).lower == 0)
  }

  @Test func `a rate read from JSON has its interval worked out anew`() throws {
    let rate = Rate(successes: 9, trials: 12, unknown: 1)
    var json = rate.json
    json["lower"] = 0.99
    #expect(Rate(json: json) == rate)
    json["successes"] = 13
    #expect(Rate(json: json) == nil)
  }

  @Test func `a paired comparison counts only the seeds that differ`() {
    let pairs =
      Array(repeating: (first: true, second: true), count: 80) + Array(repeating: (first: false, second: true), count: 9)
      + [(first: true, second: false)] + Array(repeating: (first: false, second: false), count: 10)
    let comparison = PairedComparison(pairs)
    #expect(comparison.both == 80 && comparison.onlyFirst == 1 && comparison.onlySecond == 9 && comparison.neither == 10)
    // 2 · (1 + 10) / 2^10
    #expect(abs(comparison.pValue - 22.0 / 1024) < 1e-12)
    #expect(comparison.evidence > 5 && comparison.evidence < 1 / comparison.pValue)
    #expect(PairedComparison([(first: true, second: true)]).pValue == 1)
  }

  /// 40 episodes of 5 clips, whose outcomes are one draw in half of the episodes. Near 1 it falls short of 95 %, for the variance between so few
  /// episodes is little known itself.
  @Test(arguments: [(0.5, 376), (0.8, 368), (0.9, 350)])
  func `a clustered rate covers the true one, where the interval of independent trials fails`(p: Double, least: Int) {
    var random = RandomStream("clustered", "\(p)")
    var covered = 0, coveredAsIndependent = 0
    for _ in 0..<400 {
      var outcomes: [(episode: String, right: Bool)] = []
      for episode in 0..<40 {
        let (together, drawn) = (random.uniform() < 0.5, random.uniform() < p)
        for _ in 0..<5 { outcomes.append((episode: "\(episode)", right: together ? drawn : random.uniform() < p)) }
      }
      let rate = Rate(clustered: outcomes)
      if rate.lower <= p, p <= rate.upper { covered += 1 }
      // The definition of Clopper and Pearson's interval.
      let below = Binomial.cumulative(rate.successes, of: 200, at: p), above = 1 - Binomial.cumulative(rate.successes - 1, of: 200, at: p)
      if below > 0.025, above > 0.025 { coveredAsIndependent += 1 }
    }
    #expect(covered >= least)
    #expect(coveredAsIndependent <= 320)
  }

  @Test func `between equals a paired p-value is seldom small at a fixed count, and too often at some count; evidence at none`() {
    var random = RandomStream("paired", "null")
    var small = (atTheEnd: 0, ever: 0, evidence: 0)
    for _ in 0..<200 {
      var pairs: [(first: Bool, second: Bool)] = []
      var out = (p: false, evidence: false)
      for _ in 0..<100 {
        pairs.append((first: random.uniform() < 0.7, second: random.uniform() < 0.7))
        guard pairs.last!.first != pairs.last!.second else { continue }
        let comparison = PairedComparison(pairs)
        if comparison.pValue <= 0.05 { out.p = true }
        if comparison.evidence >= 20 { out.evidence = true }
      }
      small.atTheEnd += PairedComparison(pairs).pValue <= 0.05 ? 1 : 0
      small.ever += out.p ? 1 : 0
      small.evidence += out.evidence ? 1 : 0
    }
    #expect(1...10 ~= small.atTheEnd)
    #expect(small.ever > 20)
    #expect(small.evidence <= 10)
  }

  @Test func `without a fixed count a comparison has no p-value, and an audit's rates hold at every count`() {
    let comparison = PairedComparison([(first: true, second: false)])
    #expect(comparison.json(fixedCount: true)["p_value"] == 1)
    #expect(comparison.json(fixedCount: false)["p_value"] == nil && comparison.json(fixedCount: false)["evidence"] != nil)
    let audit = VerifierAudit([], method: .confidenceSequence)
    #expect(audit.falsePositives.method == .confidenceSequence && audit.falseNegatives.method == .confidenceSequence)
    #expect(VerifierAudit([]).falsePositives.method == .clopperPearson)
  }

  @Test func `small probabilities and great evidence are told as such`() {
    let sure = PairedComparison(Array(repeating: (first: true, second: false), count: 60))
    // 2 / 2^60
    #expect(abs(sure.pValue / 1.734723475976807e-18 - 1) < 1e-9)
    let surest = PairedComparison(Array(repeating: (first: true, second: false), count: 3000))
    #expect(surest.pValue >= 0 && surest.pValue < 1e-300 && surest.evidence == .greatestFiniteMagnitude)
  }
}
