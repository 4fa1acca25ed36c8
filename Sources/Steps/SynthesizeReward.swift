// Makes a verifier from labelled clips: searches on one half of the episodes, scores the best once on the other, and refuses to hand on
// what stays below the bar. The search and the scoring are in Robot; this file knows bars, splits and reports.

import Foundation
import Hashing
import JSON
import Robot
import Workflow

enum SynthesizeReward: StepKind {
  static let kind = Kind(
    "synthesize-reward", summary: "Search a verifier on labelled clips and prove it on sealed ones.", effect: .pure, revision: 1,
    inputs: [Input("demos", "data set of demonstrations (ingest-demos)")],
    outputs: [Output("verifier", .directory, path: "verifier", "verifier.json and report.json")],
    parameters: [
      Parameter("task", .oneOf(["push-t"]), default: "push-t", "the task to judge"),
      Parameter(
        "criterion", .oneOf(["benchmark", "human"]), default: "benchmark",
        "what done means: more than 95 % of the goal covered, or as the demonstrator had it"),
      Parameter("precision", .number(0...1), default: 0.95, "least precision on sealed clips"),
      Parameter("recall", .number(0...1), default: 0.9, "least recall on sealed clips"),
      Parameter("latency_ms", .number(0.01...10_000), default: 50, "longest a verdict may take (95th percentile, measured)"),
      Parameter("clips", .integer(12...10_000), default: 360, "clips to film for the benchmark's criterion, half of them sealed"),
      Parameter("camera", .integer(32...1024), default: 384, "side of the pictures, pixels, for the benchmark's criterion"),
      Parameter("seed", .integer(0...(1 << 53)), default: 0, "of the clips and of the split"),
    ])

  static func run(_ step: StepContext) throws {
    let criterion = step.string("criterion")
    let demos = try DemonstrationSet(directory: step.input("demos").path)
    guard demos.task == step.string("task") else {
      throw StepFailure("the demonstrations are of task '\(demos.task)', not '\(step.string("task"))'", at: try step.input("demos").name)
    }
    var times: [Duration] = []
    var clips = demos.clips(criterion: criterion, window: PushTClips.before + PushTClips.after)
    if criterion == "benchmark" {
      var studio = try PushTClips(seed: step.int("seed"), size: step.int("camera")) { times.append($0) }
      let count = step.int("clips")
      clips += try studio.make(count) { done in if done % 20 == 0 { step.progress(done, of: count, "filming clips") } }
    } else if demos.criterion != "human" {
      throw StepFailure(
        "the demonstrations carry no labels by criterion 'human'", at: try step.input("demos").name, hint: "give 'labels' to ingest-demos")
    }
    let (search, sealed) = split(clips, seed: step.int("seed"))
    for (part, name) in [(search, "search"), (sealed, "sealed")] where Set(part.map { $0.kind == .success }).count < 2 {
      throw StepFailure(
        "the \(name) clips lack \(part.contains { $0.kind == .success } ? "failures" : "successes")", hint: "give more labelled episodes")
    }
    let searching = VerifierSearch(search)
    let bars = VerifierSearch.Bars(precision: step.double("precision"), recall: step.double("recall"))
    step.log("searching on \(search.count) clips; \(sealed.count) are sealed")
    let (candidates, tried) = searching.best(task: step.string("task"), criterion: criterion, bars: bars)
    let verifier = candidates[0].verifier
    let score = try VerifierScore(of: verifier, on: sealed)
    try refuse(score, bars, step)
    try judgeLatency(times, step)
    let report: JSON = [
      "report": 1, "criterion": .string(criterion), "camera": criterion == "benchmark" ? .integer(step.int("camera")) : .null,
      "clips": ["search": kinds(search), "sealed": kinds(sealed)],
      "sealed": score.json, "search": try VerifierScore(of: verifier, on: search).json, "tried": .integer(tried),
      "candidates": .array(candidates.map(Self.json)), "delay_frames": .integer(candidates[0].delay),
      "curve": .array(
        searching.curve(of: verifier).map { point in
          [
            "threshold": .number(point.threshold), "precision": point.count.precision.estimate.map(JSON.number) ?? .null,
            "true_positives": .integer(point.count.truePositives), "false_positives": .integer(point.count.falsePositives),
            "true_negatives": .integer(point.count.trueNegatives), "false_negatives": .integer(point.count.falseNegatives),
          ]
        }),
    ]
    let directory = URL(filePath: step.output("verifier"))
    try Data(verifier.json.pretty.utf8).write(to: directory.appending(path: "verifier.json"))
    try Data(report.pretty.utf8).write(to: directory.appending(path: "report.json"))
    step.log("\(verifier.json.compact)\nsealed: precision \(score.precision.sentence), recall \(score.recall.sentence)")
  }

  /// Half of the episodes of each kind on either side; an episode's clips stay together.
  private static func split(_ clips: [VerifierClip], seed: Int) -> (search: [VerifierClip], sealed: [VerifierClip]) {
    var random = RandomStream("synthesize-reward split", String(seed))
    var sealed: Set<String> = []
    // An episode counts as the best thing it shows; episodes of one source and kind are halved among themselves.
    var best: [String: (source: String, kind: VerifierClip.Kind)] = [:]
    for clip in clips where best[clip.episode].map({ $0.kind.rank < clip.kind.rank }) ?? true { best[clip.episode] = (clip.source, clip.kind) }
    for source in Set(clips.map(\.source)).sorted() {
      for kind in VerifierClip.Kind.allCases {
        let episodes = best.filter { $0.value == (source, kind) }.keys.sorted().shuffled(using: &random)
        sealed.formUnion(episodes.prefix(episodes.count / 2))
      }
    }
    return (clips.filter { !sealed.contains($0.episode) }, clips.filter { sealed.contains($0.episode) })
  }

  private static func refuse(_ score: VerifierScore, _ bars: VerifierSearch.Bars, _ step: StepContext) throws {
    let (precision, recall) = (score.precision.estimate ?? 0, score.recall.estimate ?? 0)
    guard precision < bars.precision || recall < bars.recall else { return }
    let worst = score.wrong.prefix(5).map {
      "\($0.clip.name) (\(percent($0.clip.coverage)) covered, said \($0.verdict == .falsePositive ? "done" : "not done"))"
    }
    throw StepFailure(
      "the best verifier found has precision \(score.precision.sentence) and recall \(score.recall.sentence) on sealed clips; "
        + "wanted are \(percent(bars.precision)) and \(percent(bars.recall)). Worst clips: \(worst.joined(separator: "; "))",
      hint: "a larger 'camera' sees more exactly; more or cleaner labels help; or lower the bar in the manifest")
  }

  /// Latency is a fact of this machine, so it stays out of the output.
  private static func judgeLatency(_ times: [Duration], _ step: StepContext) throws {
    guard !times.isEmpty else { return }
    let sorted = times.sorted()
    let worst = sorted[sorted.count * 95 / 100] / .milliseconds(1)
    step.telemetry("latency_ms", ["median": .number(sorted[sorted.count / 2] / .milliseconds(1)), "p95": .number(worst)])
    guard worst > step.double("latency_ms") else { return }
    throw StepFailure(
      "a verdict takes \((worst * 100).rounded() / 100) ms (95th percentile of \(times.count)), longer than \(step.double("latency_ms")) ms",
      hint: "use a smaller 'camera', or raise 'latency_ms'")
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

  private static func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
}

extension VerifierClip.Kind {
  /// How near to success.
  fileprivate var rank: Int {
    switch self {
    case .failure: 0
    case .nearMiss: 1
    case .success: 2
    }
  }
}

extension Rate {
  /// For people: estimate, counts, interval.
  var sentence: String {
    func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10)" }
    return "\(percent(estimate ?? 0)) % (\(successes) of \(trials), \(percent(confidence)) % interval \(percent(lower))–\(percent(upper)))"
  }
}
