// A stretch of observations with what is true of each of its frames: what verifiers are made and judged from.

/// Observations as a camera tells them, beside the truth that the verifier must find out.
public struct VerifierClip: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case success
    /// Almost: what a careless verifier takes for success.
    case nearMiss = "near-miss"
    case failure
  }

  public var name: String
  /// Where it comes from, as `simulator`.
  public var source: String
  /// The episode it comes from: clips of one episode are never on both sides of the split.
  public var episode: String
  public var kind: Kind
  public var observations: [Observation]
  /// What the observations tell after their own five numbers.
  public var senses: [Sense]
  /// For each frame, whether the task is done by then; nil where nobody can say.
  public var done: [Bool?]
  /// The share of the goal covered in its last frame: truly, where the truth is known, else as seen.
  public var coverage: Double

  public init(
    name: String, source: String, episode: String, kind: Kind, observations: [Observation], senses: [Sense] = [], done: [Bool?], coverage: Double
  ) {
    (self.name, self.source, self.episode, self.kind) = (name, source, episode, kind)
    (self.observations, self.senses, self.done, self.coverage) = (observations, senses, done, coverage)
  }

  /// What a verifier that asks for these is told; no number for what nobody knows.
  func observations(with wanted: [Sense]) -> [Observation] {
    guard wanted != senses else { return observations }
    let places = wanted.map { senses.firstIndex(of: $0) }
    return observations.map { seen in seen[..<5] + places.map { $0.map { seen[5 + $0] } ?? .nan } }
  }

  /// What a verifier's first "done" in this clip is worth.
  public enum Verdict: Sendable { case truePositive, falsePositive, trueNegative, falseNegative }

  /// - Parameter first: the frame at which the verifier first says done; nil if it never does. Saying it before it is so is false.
  public func verdict(first: Int?) -> Verdict {
    guard let first else { return kind == .success ? .falseNegative : .trueNegative }
    return kind == .success && done[first] != false ? .truePositive : .falsePositive
  }
}

/// Verdicts counted.
public struct VerdictCount: Sendable, Equatable {
  public var truePositives = 0
  public var falsePositives = 0
  public var trueNegatives = 0
  public var falseNegatives = 0

  public init() {}

  public mutating func add(_ verdict: VerifierClip.Verdict) {
    switch verdict {
    case .truePositive: truePositives += 1
    case .falsePositive: falsePositives += 1
    case .trueNegative: trueNegatives += 1
    case .falseNegative: falseNegatives += 1
    }
  }

  /// Of what it called done, what was; 0 if it called nothing done.
  public var precision: Rate { Rate(successes: truePositives, trials: truePositives + falsePositives) }
  /// Of what was done, what it called so. A clip it called done too early counts as false, not as found.
  public func recall(of successes: Int) -> Rate { Rate(successes: truePositives, trials: successes) }
}
