// Makes a verifier from labelled clips: searches on one half of the episodes, writes what it found as a program, has that scored in its
// sandbox on the other half, and refuses to hand on what stays below the bar. Search and scoring are in Robot; this file knows bars and splits.

import Foundation
import Hashing
import JSON
import Robot
import Vision
import Workflow

enum SynthesizeReward: StepKind {
  static let kind = Kind(
    "synthesize-reward", summary: "Search a verifier on labelled clips and prove it on sealed ones.", effect: .pure, revision: 4,
    inputs: [Input("demos", "data set of demonstrations (ingest-demos)")],
    outputs: [Output("verifier", .directory, path: "verifier", "the program, its conditions, the report, the sealed clips")],
    parameters: [
      Parameter("task", .oneOf(["push-t"]), default: "push-t", "the task to judge"),
      Parameter(
        "criterion", .oneOf(["benchmark", "human"]), default: "benchmark",
        "what done means: more than 95 % of the goal covered, or as the demonstrator had it"),
      Parameter("precision", .number(0...1), default: 0.95, "least precision on sealed clips"),
      Parameter("recall", .number(0...1), default: 0.9, "least recall on sealed clips"),
      Parameter("latency_ms", .number(0.01...10_000), default: 50, "longest a verdict may take (95th percentile, measured)"),
      Parameter("clips", .integer(12...10_000), default: 360, "clips to film for the benchmark's criterion, half of them sealed"),
      Parameter("looks", .integer(1...6), default: 3, "families of conditions that may be scored on the sealed clips, each once"),
      Parameter("camera", .integer(32...1024), default: 384, "side of the pictures, pixels, for the benchmark's criterion"),
      Parameter(
        "drawing", .oneOf(PictureForm.Drawing.allCases.map(\.rawValue)), default: "smooth",
        "how edges show in them: as a camera shows them, or with corners on whole units as gym-pusht draws them"),
      Parameter(
        "enforce", .bool, default: true, "whether a verifier below the bars fails the step; else the first is handed on, and its report tells"),
      Parameter("seed", .integer(0...(1 << 53)), default: 0, "of the clips and of the split"),
    ])

  static func run(_ step: StepContext) throws {
    let criterion = step.string("criterion")
    let demos = try DemonstrationSet(directory: step.input("demos").path)
    guard demos.task == step.string("task") else {
      throw StepFailure("the demonstrations are of task '\(demos.task)', not '\(step.string("task"))'", at: try step.input("demos").name)
    }
    let form = PictureForm(size: step.int("camera"), drawing: PictureForm.Drawing(rawValue: step.string("drawing")) ?? .smooth)
    var times: [Duration] = []
    let filmed = demos.clips(criterion: criterion, window: 10)
    var takes: [String: Take] = [:]
    var clips = filmed
    if criterion == "benchmark" {
      takes = Dictionary(uniqueKeysWithValues: try film(step).map { ($0.name, $0) })
      let eyes = try PushTTracker(form)
      clips = try takes.values.sorted { $0.name < $1.name }.map { take in
        try take.seen(by: eyes, timed: { times.append($0) })
      }
    } else if demos.criterion != "human" {
      throw StepFailure(
        "the demonstrations carry no labels by criterion 'human'", at: try step.input("demos").name, hint: "give 'labels' to ingest-demos")
    }
    let (search, rest) = split(clips, seed: step.int("seed"))
    let sealed = evened(rest)
    for (part, name) in [(search, "search"), (sealed, "sealed")] where Set(part.map { $0.kind == .success }).count < 2 {
      throw StepFailure(
        "the \(name) clips lack \(part.contains { $0.kind == .success } ? "failures" : "successes")", hint: "give more labelled episodes")
    }
    let searching = VerifierSearch(search)
    let bars = VerifierSearch.Bars(precision: step.double("precision"), recall: step.double("recall"))
    step.log("searching on \(search.count) clips; \(sealed.count) are sealed")
    let (candidates, tried) = searching.best(task: step.string("task"), criterion: criterion, bars: bars)

    // Each family of conditions may look at the sealed clips once, in the order of the search, until one passes; every look is told.
    var looks: [SealedLook] = []
    for candidate in candidates.prefix(step.int("looks")) where looks.last?.passes(bars) != true {
      looks.append(try SealedLook(candidate, sealed: sealed, in: step.progressDirectory + "/candidate-\(looks.count + 1)"))
      step.log("\(candidate.verifier.json.compact)\nsealed: \(looks[looks.count - 1].sentence)")
    }
    let passed = looks.last.flatMap { $0.passes(bars) ? $0 : nil }
    let accepted = passed ?? looks[0]
    let report = SynthesisReport(
      criterion: criterion, pictures: criterion == "benchmark" ? form : nil, bars: bars, search: search, sealed: sealed, looks: looks,
      accepted: accepted, candidates: candidates, tried: tried, searching: searching)
    var json = try report.json
    if passed == nil, step.bool("enforce") {
      try Data(json.pretty.utf8).write(to: URL(filePath: step.progressDirectory + "/report.json"))
      throw try refusal(looks, bars, step)
    }
    try judgeLatency(sight: times, verdict: accepted.times, step)

    let directory = step.output("verifier")
    if criterion == "benchmark" {
      // People's videos, whatever their size: by this criterion all of them are failures or near misses.
      json["demonstrations"] = try VerifierScore(of: accepted.verifier, on: filmed).json
      let kept = sealed.compactMap { takes[$0.name]?.json }
      try Data((["sealed": 1, "pictures": form.json, "takes": .array(kept)] as JSON).compact.utf8)
        .write(to: URL(filePath: directory + "/sealed.json"))
    }
    try Data(accepted.candidate.verifier.json.pretty.utf8).write(to: URL(filePath: directory + "/verifier.json"))
    try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/report.json"))
    try FileManager.default.copyItem(atPath: accepted.directory, toPath: directory + "/program")
    try sheet(of: accepted.score.wrong, step)?.writePNG(to: directory + "/wrong.png")
  }

  /// Ends of a planner's episodes, of each kind as many.
  private static func film(_ step: StepContext) throws -> [Take] {
    let count = step.int("clips")
    var studio = PlannerClips(seed: step.int("seed"))
    return try (0..<count).map { index in
      if index % 20 == 0 { step.progress(index, of: count, "planning episodes") }
      return try studio.take(VerifierClip.Kind.allCases[index % 3])
    }
  }

  /// As many clips of each kind that is there as of the rarest, for precision depends on how many there are of each.
  private static func evened(_ clips: [VerifierClip]) -> [VerifierClip] {
    let counts = Dictionary(grouping: clips, by: \.kind).mapValues(\.count)
    var left = counts.mapValues { _ in counts.values.min() ?? 0 }
    return clips.filter { clip in
      left[clip.kind, default: 0] -= 1
      return left[clip.kind, default: 0] >= 0
    }
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

  private static func refusal(_ looks: [SealedLook], _ bars: VerifierSearch.Bars, _ step: StepContext) throws -> StepFailure {
    let best = looks[0]
    let worst = best.score.wrong.prefix(5).map {
      "\($0.clip.name) (\(percent($0.clip.coverage)) covered, said \($0.verdict == .falsePositive ? "done" : "not done"))"
    }
    let picture = step.progressDirectory + "/worst-clips.png"
    try sheet(of: best.score.wrong, step)?.writePNG(to: picture)
    return StepFailure(
      "the best verifier found has \(best.sentence) on sealed clips; wanted are \(percent(bars.precision)) and \(percent(bars.recall)), which none of "
        + "\(looks.count) tried reaches. Worst clips: \(worst.joined(separator: "; ")). They are shown in \(picture), the report with its curves is beside it",
      hint: "a larger 'camera' sees more exactly; more or cleaner labels help; or lower the bar in the manifest. "
        + "Another 'seed' has other sealed clips")
  }

  /// The last looks of the clips that a verifier was most wrong about; nil if it was right about all.
  private static func sheet(of wrong: [(clip: VerifierClip, verdict: VerifierClip.Verdict)], _ step: StepContext) throws -> Image? {
    guard !wrong.isEmpty else { return nil }
    let rows = try wrong.prefix(8).map { clip, verdict in
      let looks = clip.observations.suffix(6)
      return try looks.enumerated().map { index, seen -> ContactSheet.Cell in
        // The row's first picture is named, the second tells the truth and the third what was said.
        let words = [clip.name, "\(percent(clip.coverage)) in truth", verdict == .falsePositive ? "said done" : "missed"]
        guard seen.allSatisfy(\.isFinite) else { return ContactSheet.Cell(Image(width: 128, height: 128), caption: "lost") }
        let tee = TeePose(x: seen[2], y: seen[3], angle: seen[4], size: clip.senses.first == .size ? seen[5] : Tee.size)
        return ContactSheet.Cell(
          try PushTRenderer.image(of: seen, size: 128, scale: tee.size),
          caption: index < words.count && looks.count > words.count ? words[index] : "seen \(percent(tee.coverage))")
      }
    }
    return ContactSheet(title: "clips judged wrongly: their last looks, drawn by what was seen", cell: 128, rows: rows).image()
  }

  /// Latency is a fact of this machine, so it stays out of the output.
  private static func judgeLatency(sight: [Duration], verdict: [Duration], _ step: StepContext) throws {
    func rank(_ times: [Duration], _ share: Int) -> Double {
      times.isEmpty ? 0 : times.sorted()[times.count * share / 100] / .milliseconds(1)
    }
    let worst = rank(sight, 95) + rank(verdict, 95)
    step.telemetry("latency_ms", ["median": .number(rank(sight, 50) + rank(verdict, 50)), "p95": .number(worst)])
    guard worst > step.double("latency_ms") else { return }
    throw StepFailure(
      "a verdict takes \((worst * 100).rounded() / 100) ms (95th percentiles of sight and program), longer than \(step.double("latency_ms")) ms",
      hint: "use a smaller 'camera', or raise 'latency_ms'")
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
