// How a verifier came about, for people and for whoever has to believe it: what was tried, each look at the sealed clips, and the curves.

import Foundation
import JSON
import Robot

/// One family's verifier, made a program, and its one look at the sealed clips.
struct SealedLook {
  let candidate: VerifierSearch.Candidate
  let directory: String
  let verifier: ProgramVerifier
  let score: VerifierScore
  let times: [Duration]

  /// Writes the source into `directory`, compiles it, and scores the program in its sandbox.
  init(_ candidate: VerifierSearch.Candidate, sealed: [VerifierClip], in directory: String) throws {
    (self.candidate, self.directory) = (candidate, directory)
    try? FileManager.default.removeItem(atPath: directory)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let source = directory + ".source/verifier.swift"
    try FileManager.default.createDirectory(atPath: directory + ".source", withIntermediateDirectories: true)
    try Data(candidate.verifier.swiftSource.utf8).write(to: URL(filePath: source))
    do {
      switch try ProgramCompiler.make(source, role: .verifier, task: candidate.verifier.task, senses: candidate.verifier.senses, in: directory) {
      case .made(let program): verifier = try ProgramVerifier(program, in: directory)
      case .refused(let complaints): throw StepFailure("the verifier's source does not compile: \(complaints[0])")
      }
      var times: [Duration] = []
      score = try VerifierScore(of: verifier, on: sealed) { times.append($0) }
      self.times = times
    } catch let error as ProgramError { throw StepFailure(error.description) }
  }

  func passes(_ bars: VerifierSearch.Bars) -> Bool {
    score.precision.estimate ?? 0 >= bars.precision && score.recall.estimate ?? 0 >= bars.recall
  }

  var sentence: String { "precision \(score.precision.sentence) and recall \(score.recall.sentence)" }
}

struct SynthesisReport {
  let criterion: String
  /// Those it was made for, if it was made for pictures.
  let pictures: PictureForm?
  let bars: VerifierSearch.Bars
  let search: [VerifierClip]
  let sealed: [VerifierClip]
  /// In the order of the search.
  let looks: [SealedLook]
  let accepted: SealedLook
  let candidates: [VerifierSearch.Candidate]
  let tried: Int
  let searching: VerifierSearch

  var json: JSON {
    get throws {
      let verifier = accepted.candidate.verifier
      return [
        "report": 2, "criterion": .string(criterion), "pictures": pictures?.json ?? .null,
        "passed": .bool(accepted.passes(bars)), "bars": ["precision": .number(bars.precision), "recall": .number(bars.recall)],
        "clips": ["search": Self.kinds(search), "sealed": Self.kinds(sealed)],
        "sealed": accepted.score.json, "search": try VerifierScore(of: VerifierProgram(verifier), on: search).json, "tried": .integer(tried),
        "looks": .array(
          looks.map { ["conditions": $0.candidate.verifier.json["conditions"] ?? .null, "sealed": $0.score.json, "passed": .bool($0.passes(bars))] }),
        "candidates": .array(candidates.map(Self.json)), "delay_frames": .integer(accepted.candidate.delay),
        "curves": ["search": searching.curve(of: verifier).json, "sealed": VerifierSearch(sealed).curve(of: verifier).json],
      ]
    }
  }

  private static func kinds(_ clips: [VerifierClip]) -> JSON {
    var json: JSON = [:]
    for kind in VerifierClip.Kind.allCases {
      let coverage = clips.filter { $0.kind == kind }.map { ($0.coverage * 1e4).rounded() / 1e4 }.sorted()
      guard !coverage.isEmpty else { continue }
      json[kind.rawValue] = [
        "clips": .integer(coverage.count),
        "coverage": [.number(coverage[0]), .number(coverage[coverage.count / 2]), .number(coverage[coverage.count - 1])],
      ]
    }
    json["episodes"] = .integer(Set(clips.map(\.episode)).count)
    return json
  }

  private static func json(_ candidate: VerifierSearch.Candidate) -> JSON {
    [
      "conditions": candidate.verifier.json["conditions"] ?? .null, "debounce": candidate.verifier.json["debounce"] ?? .null,
      "true_positives": .integer(candidate.count.truePositives), "false_positives": .integer(candidate.count.falsePositives),
      "false_negatives": .integer(candidate.count.falseNegatives),
    ]
  }
}

extension Rate {
  /// For people: estimate, counts, interval.
  var sentence: String {
    func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10)" }
    return "\(percent(estimate ?? 0)) % (\(successes) of \(trials), \(percent(confidence)) % interval \(percent(lower))–\(percent(upper)))"
  }
}
