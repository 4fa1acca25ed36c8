// Whether a success rate is above or below a bar, asked after every trial: the answer, once it is given, is wrong with a probability of no more
// than 1 - confidence, however many trials there might have been. Source: Ville's inequality, as for ConfidenceSequence.

internal import Foundation

package struct SequentialTest {
  package enum Side: String { case above, below }

  package let bar: Double
  package let confidence: Double
  package private(set) var trials = 0
  package private(set) var side: Side?
  private var (successes, unknown) = (0, 0)

  /// `bar`: a rate between 0 and 1, both excluded.
  package init(bar: Double, confidence: Double) { (self.bar, self.confidence) = (bar, confidence) }

  /// Takes the next trial into account; nil is an outcome that nobody knows, which speaks for neither side. What comes after the answer is ignored.
  package mutating func add(_ success: Bool?) {
    guard side == nil else { return }
    trials += 1
    if success == true { successes += 1 } else if success == nil { unknown += 1 }
    if Double(successes) > bar * Double(trials), isExcluded(successes) { side = .above }
    if Double(successes + unknown) < bar * Double(trials), isExcluded(successes + unknown) { side = .below }
  }

  private func isExcluded(_ successes: Int) -> Bool {
    ConfidenceSequence.logEvidence(against: bar, successes: successes, trials: trials) >= -log(1 - confidence)
  }
}
