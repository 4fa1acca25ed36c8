// The binomial law's exact bounds. Sources: Clopper and Pearson, Biometrika 26 (1934); the incomplete beta function by its continued
// fraction (Lentz's method; Abramowitz and Stegun 26.5.8). It knows no trials.

internal import Foundation

package enum Binomial {
  /// The regularised incomplete beta function I_x(a, b), for a, b > 0 and x in 0...1.
  package static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast on one side of the mean; the other side follows by symmetry.
    guard x <= (a + 1) / (a + b + 2) else { return 1 - incompleteBeta(1 - x, b, a) }
    let front = exp(a * log(x) + b * log1p(-x) - logBeta(a, b)) / a
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (a + b) * x / (a + 1)
    d = 1 / (abs(d) < tiny ? tiny : d)
    var fraction = d
    for m in 1...10_000 {
      let m = Double(m)
      for term in [m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))] {
        d = 1 + term * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + term / c
        c = abs(c) < tiny ? tiny : c
        fraction *= c * d
      }
      if abs(c * d - 1) < 1e-15 { break }
    }
    return min(front * fraction, 1)
  }

  package static func logBeta(_ a: Double, _ b: Double) -> Double { lgamma(a) + lgamma(b) - lgamma(a + b) }

  /// The interval of Clopper and Pearson: it covers the true rate with at least `confidence`, if the count of trials was fixed beforehand.
  package static func clopperPearson(successes: Int, trials: Int, confidence: Double) -> (lower: Double, upper: Double) {
    clopperPearson(successes: Double(successes), trials: Double(trials), confidence: confidence)
  }

  /// The same for counts that need not be whole, as those of clustered trials.
  package static func clopperPearson(successes: Double, trials: Double, confidence: Double) -> (lower: Double, upper: Double) {
    guard trials > 0 else { return (0, 1) }
    let (s, f, tail) = (successes, trials - successes, (1 - confidence) / 2)
    let lower = s <= 0 ? 0 : root { incompleteBeta($0, s, f + 1) >= tail }
    let upper = f <= 0 ? 1 : root { incompleteBeta($0, s + 1, f) >= 1 - tail }
    return (lower, upper)
  }

  /// The probability of at most `successes` of `trials` at the rate `p`.
  package static func cumulative(_ successes: Int, of trials: Int, at p: Double) -> Double {
    // Not as 1 less its complement, beside which a small probability would be lost.
    successes >= trials ? 1 : incompleteBeta(1 - p, Double(trials - successes), Double(successes + 1))
  }

  /// The least x in `low...high` for which `holds` is true, given that it turns from false to true once.
  package static func root(from low: Double = 0, to high: Double = 1, _ holds: (Double) -> Bool) -> Double {
    var (low, high) = (low, high)
    for _ in 0..<200 {
      let middle = (low + high) / 2
      guard middle > low, middle < high else { break }
      if holds(middle) { high = middle } else { low = middle }
    }
    return (low + high) / 2
  }
}
