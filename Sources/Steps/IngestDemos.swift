// Demonstration videos in, a data set out: poses estimated from the pixels alone, actions and labels put beside them, and an audit
// against recorded states where there are any. The tracker knows the task's looks; this file knows only files.

import Foundation
import JSON
import Robot
import Vision
import Workflow

enum IngestDemos: StepKind {
  static let kind = Kind(
    "ingest-demos", summary: "Estimate poses from demonstration videos and put actions and labels beside them.", effect: .pure, revision: 1,
    inputs: [
      Input("videos", "video files, one an episode, that show the whole workspace", many: true),
      Input("labels", "what each span of frames shows (labels.json)", required: false),
      Input("actions", "recorded actions, [N, 2] (.npy)", required: false),
      Input("states", "recorded states for the audit, [N, 5] (.npy)", required: false),
      Input("ends", "end of each episode in these arrays, [E] (.npy)", required: false),
      Input("index", "which video is which episode (episodes.json); without it, videos are taken by name in order", required: false),
    ],
    outputs: [Output("dataset", .directory, path: "dataset", "episodes with poses, actions, labels, uncertainty and audit")],
    parameters: [
      Parameter("task", .oneOf(["push-t"]), default: "push-t", "whose looks the videos have"),
      Parameter("max_lost", .number(0...1), default: 0.2, "share of an episode's frames in which agent or block may not be found"),
    ])

  static func run(_ step: StepContext) throws {
    let videos = step.inputs("videos").sorted { $0.fileName < $1.fileName }
    guard !videos.isEmpty else {
      throw StepFailure("step \(step.name): no video is given", hint: "check the pattern under 'videos' in the manifest")
    }
    for (one, next) in zip(videos, videos.dropFirst()) where one.fileName == next.fileName {
      throw StepFailure("two videos are named \(one.fileName)", hint: "episodes are told apart by their file names")
    }
    let recorded = try Proprioception(step, videos: videos.map(\.fileName))
    let labels = try labels(step, videos: Set(videos.map(\.fileName)))
    var (set, audit) = (
      DemonstrationSet(
        task: step.string("task"), fps: 0, criterion: labels?.criterion, actionSource: recorded.actions == nil ? "seen" : "recorded", episodes: []),
      PoseAudit()
    )
    var trackers: [Int: PushTTracker] = [:]
    var sheet: [[ContactSheet.Cell]] = []
    for (index, video) in videos.enumerated() {
      step.progress(index, of: videos.count, video.fileName)
      do {
        let reader = try VideoReader(path: video.path)
        let tracker = try trackers[reader.width] ?? PushTTracker(size: reader.width)
        trackers[reader.width] = tracker
        let rows = recorded.rows[video.fileName]
        let seen = try watch(reader, with: tracker, states: rows.flatMap { recorded.states?[$0] }, audit: &audit, pictures: sheet.count < 24)
        try check(seen, against: rows, of: step.double("max_lost"))
        if seen.pictures.count > 0 { sheet.append(seen.pictures) }
        if set.fps == 0 { set.fps = reader.fps }
        guard reader.fps == set.fps else { throw VisionError("has \(reader.fps) frames a second where the others have \(set.fps)") }
        let observations = seen.estimates.map(\.observation)
        set.episodes.append(
          DemonstrationSet.Episode(
            name: video.fileName, source: video.digest, size: reader.width, spans: try spans(labels, video.fileName, frames: observations.count),
            observations: observations, actions: rows.flatMap { recorded.actions?[$0] } ?? nextPlaces(observations),
            uncertainty: seen.estimates.map { [$0.agentDeviation, $0.blockDeviation] }))
      } catch let error as VisionError {
        throw StepFailure(error.problem, at: video.fileName, hint: error.hint)
      }
    }
    let directory = step.output("dataset")
    try set.write(to: directory)
    try Data(audit.json.pretty.utf8).write(to: URL(filePath: directory + "/audit.json"))
    try ContactSheet(title: "estimates over frames (red: found)", cell: 160, rows: sheet).image().writePNG(to: directory + "/contact-sheet.png")
    step.log("\(set.episodes.count) episodes, \(audit.frames) frames, \(audit.lost) lost; audit \(audit.json.compact)")
  }

  private struct Seen {
    var estimates: [PoseEstimate] = []
    var pictures: [ContactSheet.Cell] = []
  }

  /// Watches one video to its end, one frame in memory at a time.
  private static func watch(
    _ reader: VideoReader, with tracker: PushTTracker, states: [[Double]]?, audit: inout PoseAudit, pictures wanted: Bool
  ) throws(VisionError) -> Seen {
    guard reader.width == reader.height else {
      throw VisionError(
        "has frames of \(reader.width)×\(reader.height) pixels; Push-T's camera shows the square workspace and nothing else",
        hint: "crop the video to the workspace, as with ffmpeg -vf crop")
    }
    guard reader.fps > 0, reader.fps.isFinite else { throw VisionError("does not say how many frames it has a second", hint: "encode it again") }
    tracker.reset()
    var seen = Seen()
    let chosen = Set((0..<6).map { $0 * max(0, (reader.frameCount ?? 100) - 1) / 5 })
    while let frame = try reader.next() {
      let estimate = tracker.estimate(frame)
      let index = seen.estimates.count
      audit.add(estimate, state: states.flatMap { index < $0.count ? $0[index] : nil })
      seen.estimates.append(estimate)
      guard wanted, chosen.contains(index) else { continue }
      let name = reader.path.split(separator: "/").last.map(String.init) ?? ""
      let caption = index == 0 ? name : "\(index): \(Int((100 * estimate.block.coverage).rounded()))% covered"
      seen.pictures.append(ContactSheet.Cell(estimate.drawn(over: frame, size: 320), caption: caption))
    }
    return seen
  }

  private static func check(_ seen: Seen, against rows: Range<Int>?, of allowed: Double) throws(VisionError) {
    let count = seen.estimates.count
    if let rows, rows.count != count {
      throw VisionError(
        "has \(count) frames, but \(rows.count) rows are recorded for it", hint: "'ends' and 'index' must describe these videos, one row a frame")
    }
    let lost = seen.estimates.count { !$0.agentFound || !$0.blockFound }
    if Double(lost) > allowed * Double(count) {
      throw VisionError(
        "shows no agent and T in \(lost) of \(count) frames", hint: "is it a video of this task, seen from above? 'max_lost' allows more")
    }
  }

  /// Without recorded actions, the demonstrator wanted the agent where it was seen next.
  private static func nextPlaces(_ observations: [Observation]) -> [Action] {
    observations.indices.map { Array(observations[min($0 + 1, observations.count - 1)][0..<2]) }
  }

  private static func labels(_ step: StepContext, videos: Set<String>) throws -> ClipLabels? {
    guard let file = step.inputs("labels").first else { return nil }
    do throws(ClipLabels.Problem) {
      return try ClipLabels(json: (try? StepContext.json(at: file.path)) ?? .null)
    } catch { throw StepFailure(error.description, at: file.fileName, hint: "the format is described in workflows/demos/push-t/README.md") }
  }

  private static func spans(_ labels: ClipLabels?, _ name: String, frames: Int) throws(VisionError) -> [ClipLabels.Span] {
    let spans = labels?.clips[name] ?? []
    if let beyond = spans.first(where: { $0.frames.upperBound > frames }) {
      throw VisionError("has \(frames) frames, but its labels go to frame \(beyond.frames.upperBound)", hint: "the labels belong to another video")
    }
    return spans
  }
}

extension InputFile {
  /// The last part of the name.
  var fileName: String { name.split(separator: "/").last.map(String.init) ?? name }
}
