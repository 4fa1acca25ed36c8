// A verifier's score on clips it was not made from: counts, intervals, and the clips it was wrong about. Asks the verifier itself, as a trial
// would. Clips of one episode are alike, so the intervals count episodes, not clips, as far as that matters.

public import JSON

public struct VerifierScore: Sendable {
  public private(set) var count = VerdictCount()
  public private(set) var successes = 0
  public let precision: Rate
  public let recall: Rate
  /// Wrong verdicts, worst first: false alarms before missed ones, each by how far from the criterion the clip was.
  public private(set) var wrong: [(clip: VerifierClip, verdict: VerifierClip.Verdict)] = []

  public init(of verifier: any Verifier, on clips: [VerifierClip], timed: (Duration) -> Void = { _ in }) throws {
    var called: [(episode: String, right: Bool)] = []
    var found: [(episode: String, right: Bool)] = []
    let clock = ContinuousClock()
    for clip in clips {
      verifier.reset()
      var first: Int?
      for (frame, observation) in clip.observations(with: verifier.senses).enumerated() where first == nil {
        let began = clock.now
        let done = try verifier.verify(observation)
        timed(clock.now - began)
        if done { first = frame }
      }
      let verdict = clip.verdict(first: first)
      count.add(verdict)
      if first != nil { called.append((clip.episode, verdict == .truePositive)) }
      if clip.kind == .success {
        successes += 1
        found.append((clip.episode, verdict == .truePositive))
      }
      if verdict == .falsePositive || verdict == .falseNegative { wrong.append((clip, verdict)) }
    }
    (precision, recall) = (Rate(clustered: called), Rate(clustered: found))
    wrong.sort { a, b in
      if (a.verdict == .falsePositive) != (b.verdict == .falsePositive) { return a.verdict == .falsePositive }
      return a.verdict == .falsePositive ? a.clip.coverage < b.clip.coverage : a.clip.coverage > b.clip.coverage
    }
  }

  public var json: JSON {
    [
      "precision": precision.json, "recall": recall.json,
      "true_positives": .integer(count.truePositives), "false_positives": .integer(count.falsePositives),
      "true_negatives": .integer(count.trueNegatives), "false_negatives": .integer(count.falseNegatives),
      "wrong": .array(
        wrong.map {
          [
            "clip": .string($0.clip.name), "said": .string($0.verdict == .falsePositive ? "done" : "not done"),
            "coverage": .number(($0.clip.coverage * 1e4).rounded() / 1e4),
          ]
        }),
    ]
  }
}
