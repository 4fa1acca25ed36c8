// A verifier's score on clips it was not made from: counts, intervals, and the clips it was wrong about. Runs the program itself, as a trial would.

public import JSON

public struct VerifierScore: Sendable {
  public private(set) var count = VerdictCount()
  public private(set) var successes = 0
  /// Wrong verdicts, worst first: false alarms before missed ones, each by how far from the criterion the clip was.
  public private(set) var wrong: [(clip: VerifierClip, verdict: VerifierClip.Verdict)] = []

  public init(of verifier: VerifierDescription, on clips: [VerifierClip]) throws {
    let program = VerifierProgram(verifier)
    for clip in clips {
      program.reset()
      var first: Int?
      for (frame, observation) in clip.observations.enumerated() where first == nil {
        if try program.verify(observation) { first = frame }
      }
      let verdict = clip.verdict(first: first)
      count.add(verdict)
      if clip.kind == .success { successes += 1 }
      if verdict == .falsePositive || verdict == .falseNegative { wrong.append((clip, verdict)) }
    }
    wrong.sort { a, b in
      if (a.verdict == .falsePositive) != (b.verdict == .falsePositive) { return a.verdict == .falsePositive }
      return a.verdict == .falsePositive ? a.clip.coverage < b.clip.coverage : a.clip.coverage > b.clip.coverage
    }
  }

  public var precision: Rate { count.precision }
  public var recall: Rate { count.recall(of: successes) }

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
