// Demonstration videos in, a data set out: poses estimated from the pixels alone, actions and labels put beside them, and an audit
// against recorded states where there are any. One frame is in memory at a time. The tracker knows the task's looks; this file knows only files.

import Foundation
import JSON
import Robot
import Vision
import Workflow

enum IngestDemos: StepKind {
  static let kind = Kind(
    "ingest-demos", summary: "Estimate poses from demonstration videos and put actions and labels beside them.", effect: .pure, revision: 4,
    inputs: [
      Input("videos", "video files, one an episode, that show the whole workspace", many: true),
      Input("labels", "what each span of frames shows (labels.json)", required: false),
      Input("actions", "recorded actions, [N, 2] (.npy or .csv)", required: false),
      Input("states", "recorded states for the audit, [N, 5] (.npy or .csv)", required: false),
      Input(
        "sensors", "what else the arm told in each frame, [N, K] (.npy or .csv): of its columns 'height' and 'force' are taken", required: false),
      Input("ends", "end of each episode in these arrays, [E] (.npy or .csv)", required: false),
      Input("index", "which video is which episode (episodes.json); without it, videos are taken by name in order", required: false),
    ],
    outputs: [Output("dataset", .directory, path: "dataset", "episodes with poses, actions, times, labels, films, uncertainty and audit")],
    parameters: [
      Parameter(
        "sensor_names", .list(.string), default: [], "what the columns of 'sensors' are; without it, the first line of the .csv says so"),
      Parameter("task", .oneOf(["push-t"]), default: "push-t", "whose looks the videos have"),
      Parameter("max_lost", .number(0...1), default: 0.2, "share of an episode's frames in which agent or block may not be found"),
      Parameter(
        "workspace", .list(.integer(0...10_000)), default: [],
        "where in the picture the workspace is: left, top and side of a square, pixels; the whole picture, which must be square, if empty"),
      Parameter(
        "rate", .number(0.1...1000), optional: true, "frames a second to take, from films of any and of uneven rates; every frame if not given"),
      Parameter(
        "broken_tail", .oneOf(["refuse", "keep"]), default: "refuse", "what becomes of a film that ends before the count of frames it promises"),
    ])

  static func run(_ step: StepContext) throws {
    let videos = step.inputs("videos").sorted { $0.fileName < $1.fileName }
    guard !videos.isEmpty else {
      throw StepFailure("step \(step.name): no video is given", hint: "check the pattern under 'videos' in the manifest")
    }
    for (one, next) in zip(videos, videos.dropFirst()) where one.stem == next.stem {
      throw StepFailure("two videos are named \(one.stem)", hint: "episodes are told apart by their file names")
    }
    let recorded = try Proprioception(step, videos: videos.map(\.fileName))
    let labels = try labels(step)
    for name in (labels?.clips.keys.sorted() ?? []) where !videos.contains(where: { $0.fileName == name }) {
      step.log("labels: no video is named '\(name)'")
    }
    let directory = step.output("dataset")
    try FileManager.default.createDirectory(atPath: directory + "/videos", withIntermediateDirectories: true)
    let writer = try DemonstrationWriter(directory: directory, senses: recorded.senses)
    var audit = PoseAudit()
    var sheet: [[ContactSheet.Cell]] = []
    var rate: Double?
    for (index, video) in videos.enumerated() {
      step.progress(index, of: videos.count, video.fileName)
      do {
        var watch = try Watch(video, step, pictures: sheet.count < 24)
        if let rate, watch.rate != rate {
          throw VisionError("has \(watch.rate) frames a second where the others have \(rate)", hint: "'rate' takes frames at one rate from all")
        }
        rate = watch.rate
        let rows = recorded.rows[video.fileName]
        try watch.run(
          writer, states: rows.flatMap { recorded.states?[$0] }, actions: rows.flatMap { recorded.actions?[$0] },
          sensors: rows.flatMap { recorded.sensors?[$0] }, rows: rows, audit: &audit)
        let spans = try spans(labels, video.fileName, frames: watch.frames)
        if !watch.pictures.isEmpty { sheet.append(watch.pictures) }
        try writer.end(.init(name: video.fileName, source: video.digest, size: watch.size, spans: spans, notes: watch.notes))
      } catch let error as VisionError {
        throw StepFailure(error.problem, at: video.fileName, hint: error.hint)
      }
    }
    let actions = recorded.actions == nil ? "seen" : "recorded"
    try writer.finish(task: step.string("task"), fps: rate ?? 0, criterion: labels?.criterion, actionSource: actions)
    try writeProvenance(step, videos, actions, to: directory)
    if let file = step.inputs("labels").first { try FileManager.default.copyItem(atPath: file.path, toPath: directory + "/labels.json") }
    try Data(audit.json.pretty.utf8).write(to: URL(filePath: directory + "/audit.json"))
    try ContactSheet(title: "estimates over frames (red: found)", cell: 160, rows: sheet).image().writePNG(to: directory + "/contact-sheet.png")
    step.log("\(videos.count) episodes, \(audit.frames) frames, \(audit.lost) lost; audit \(audit.json.compact)")
  }

  /// What it was made from, by content.
  private static func writeProvenance(_ step: StepContext, _ videos: [InputFile], _ actions: String, to directory: String) throws {
    var inputs: JSON = [:]
    for name in ["labels", "actions", "states", "sensors", "ends", "index"] {
      if let file = step.inputs(name).first { inputs[name] = ["name": .string(file.fileName), "digest": .string(file.digest)] }
    }
    let json: JSON = [
      "provenance": 1, "kind": .string(kind.name), "revision": .integer(kind.revision), "with": step.request["with"] ?? .null,
      "poses": "estimated from pixels", "actions": .string(actions), "inputs": inputs,
      "videos": .array(videos.map { ["name": .string($0.fileName), "digest": .string($0.digest)] }),
    ]
    try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/provenance.json"))
  }

  private static func labels(_ step: StepContext) throws -> ClipLabels? {
    guard let file = step.inputs("labels").first else { return nil }
    let json: JSON
    do { json = try JSON(parsing: FileManager.default.contents(atPath: file.path) ?? Data()) } catch {
      throw StepFailure(error.message, at: "\(file.fileName):\(error.line):\(error.column)")
    }
    do throws(ClipLabels.Problem) {
      return try ClipLabels(json: json)
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
  /// That without what follows its last dot.
  var stem: String { fileName.lastIndex(of: ".").map { String(fileName[..<$0]) } ?? fileName }
}
