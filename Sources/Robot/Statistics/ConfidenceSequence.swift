// An interval for a success rate that holds at every count of trials at once, so that one may look after each trial and stop when one likes.
// Source: the beta-binomial mixture martingale (Robbins, 1970; Howard, Ramdas, McAuliffe and Sekhon, 2021) and Ville's inequality.

internal import Foundation

package enum ConfidenceSequence {
  /// Jeffreys' prior: tight near 0 and 1, where rates of interest lie.
  private static let prior = (a: 0.5, b: 0.5)

  /// All rates p whose evidence against, after these trials, is below 1 / (1 - confidence).
  package static func interval(successes: Int, trials: Int, confidence: Double) -> (lower: Double, upper: Double) {
    guard trials > 0 else { return (0, 1) }
    let limit = -log(1 - confidence)
    let rate = Double(successes) / Double(trials)
    let inside = { (p: Double) in logEvidence(against: p, successes: successes, trials: trials) < limit }
    let lower = successes == 0 ? 0 : Binomial.root(from: 0, to: rate, inside)
    let upper = successes == trials ? 1 : Binomial.root(from: rate, to: 1) { !inside($0) }
    return (lower, upper)
  }

  /// The logarithm of the mixture's likelihood over that of the rate p. Under p its exponential is a martingale that starts at 1.
  package static func logEvidence(against p: Double, successes: Int, trials: Int) -> Double {
    let (s, f) = (Double(successes), Double(trials - successes))
    let likelihood = (successes > 0 ? s * log(p) : 0) + (trials > successes ? f * log1p(-p) : 0)
    return Binomial.logBeta(prior.a + s, prior.b + f) - Binomial.logBeta(prior.a, prior.b) - likelihood
  }
}
