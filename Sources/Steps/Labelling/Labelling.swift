// `enpire label`: helps a person say what each stretch of each clip shows. Serves a page on the loopback with the keys s, f and a, or writes
// contact sheets; keeps the labels in a file that nothing else is read from. It knows clips as frames, and no verifier.

import Foundation
public import JSON
import Loopback
import Robot
import Vision

public struct Labelling {
  /// The words of the command line, already split.
  public struct Request: Sendable {
    public var videos: [String]
    public var file: String
    public var by: String
    public var criterion: String
    public var port: UInt16
    /// Write contact sheets into this directory instead of serving a page.
    public var sheets: String?

    /// `{"videos": […], "file", "by", "criterion", "port", "sheets"}`, as `enpire` writes it.
    public init(json: JSON) {
      videos = (json["videos"]?.array ?? []).compactMap(\.string)
      (file, by) = (json["file"]?.string ?? "labels.json", json["by"]?.string ?? "")
      (criterion, sheets) = (json["criterion"]?.string ?? "human", json["sheets"]?.string)
      port = UInt16(clamping: json["port"]?.int ?? 0)
    }
  }

  private let request: Request
  private let clips: [ClipFrames]
  private var labels: ClipLabels

  /// Opens the clips and reads the labels that are there.
  public init(_ request: Request) throws {
    self.request = request
    guard !request.videos.isEmpty else { throw StepFailure("no video is given", hint: "enpire label videos/*.mp4") }
    do { clips = try request.videos.map(ClipFrames.init) } catch let error as VisionError {
      throw StepFailure(error.problem, at: error.path, hint: error.hint)
    }
    if let twice = Dictionary(grouping: clips, by: \.name).first(where: { $0.value.count > 1 }) {
      throw StepFailure("two videos are named \(twice.key)", hint: "labels tell clips apart by their file names")
    }
    labels = ClipLabels(criterion: request.criterion, by: request.by)
    guard FileManager.default.fileExists(atPath: request.file) else { return }
    do { labels = try ClipLabels(json: StepContext.json(at: request.file)) } catch let error as ClipLabels.Problem {
      throw StepFailure(error.description, at: request.file, hint: "mend it, or name another file with -o")
    }
    guard labels.criterion == request.criterion else {
      throw StepFailure(
        "holds labels by criterion '\(labels.criterion)', not '\(request.criterion)'", at: request.file, hint: "one file is for one criterion")
    }
  }

  public mutating func run(say: (String) -> Void) throws {
    if let directory = request.sheets {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      for clip in clips {
        let path = "\(directory)/\(clip.name).png"
        try sheet(clip).writePNG(to: path)
        say(path)
      }
      return
    }
    let server: LoopbackServer
    do { server = try LoopbackServer(port: request.port) } catch { throw StepFailure(error.description, hint: "give another --port, or none") }
    say("label at \(server.address) (Ctrl-C or the page's end button ends); labels go to \(request.file)")
    server.run { answer($0) }
  }

  private mutating func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Response? {
    let words = request.path.split(separator: "/")
    do {
      switch (request.method, words.first ?? "", words.count) {
      case ("GET", "", 0): return .init(type: "text/html; charset=utf-8", body: Array(LabelPage.html.utf8))
      case ("GET", "clips", 1): return .init(body: Array(state.compact.utf8))
      case ("GET", "frame", 3): return .init(type: "image/png", body: Array(try clip(words[1]).png(of: number(words[2]))))
      case ("GET", "sheet", 2): return .init(type: "image/png", body: Array(try sheet(clip(words[1])).pngData()))
      case ("POST", "labels", 1):
        try take(JSON(parsing: request.body))
        return .init(body: Array("{}".utf8))
      case ("POST", "end", 1): return nil
      default: return .init(status: 404, type: "text/plain", body: Array("nothing is here".utf8))
      }
    } catch { return .init(status: 400, type: "text/plain", body: Array("\(error)".utf8)) }
  }

  private func number(_ word: Substring) throws -> Int {
    guard let number = Int(word.prefix { $0 != "." }) else { throw StepFailure("'\(word)' is no number") }
    return number
  }

  private func clip(_ word: Substring) throws -> ClipFrames {
    let index = try number(word)
    guard clips.indices.contains(index) else { throw StepFailure("there is no clip \(index)") }
    return clips[index]
  }

  private var state: JSON {
    [
      "criterion": .string(labels.criterion), "by": .string(request.by), "file": .string(request.file),
      "clips": .array(
        clips.map { clip in
          [
            "clip": .string(clip.name), "frames": .integer(clip.count), "fps": .number(clip.fps),
            "spans": .array((labels.clips[clip.name] ?? []).map(\.json)),
          ]
        }),
    ]
  }

  /// The spans of one clip, checked as they would be when read, and the whole file written at once.
  private mutating func take(_ json: JSON) throws {
    let name = json["clip"]?.string ?? ""
    guard let clip = clips.first(where: { $0.name == name }) else { throw StepFailure("there is no clip '\(name)'") }
    let read = try ClipLabels(json: ["labels": 1, "clips": [json]])
    let spans = read.clips[name] ?? []
    guard spans.allSatisfy({ $0.frames.upperBound <= clip.count }) else { throw StepFailure("a span goes beyond the last frame of '\(name)'") }
    labels.clips[name] = spans.map { span in
      var span = span
      // Who shortens or splits another's stretch has not said anew what the rest of it shows.
      let before = labels.clips[name, default: []].first { $0.label == span.label && $0.frames.contains(span.frames) }
      span.by = before.map(\.by) ?? (request.by.isEmpty || request.by == labels.by ? nil : request.by)
      return span
    }
    try Data(labels.json.pretty.utf8).write(to: URL(filePath: request.file), options: .atomic)
  }

  /// Evenly spread frames with their numbers, framed by the colour of their label.
  private func sheet(_ clip: ClipFrames) throws -> Image {
    let marks = ClipLabels.frames(labels.clips[clip.name] ?? [], count: clip.count)
    let count = min(24, clip.count)
    let cells = try (0..<count).map { index -> ContactSheet.Cell in
      let frame = count == 1 ? 0 : index * (clip.count - 1) / (count - 1)
      let seconds = (Double(frame) / clip.fps * 10).rounded() / 10
      return ContactSheet.Cell(try clip.image(of: frame), caption: "\(frame)  \(seconds) s  \(marks[frame].rawValue)", mark: marks[frame].colour)
    }
    return ContactSheet(
      title: "\(clip.name), \(clip.count) frames", cell: 160,
      rows: stride(from: 0, to: cells.count, by: 6).map { Array(cells[$0..<min($0 + 6, count)]) }
    ).image()
  }
}

extension ClipLabels.Label {
  fileprivate var colour: Colour {
    switch self {
    case .success: Colour(40, 160, 70)
    case .failure: Colour(205, 60, 50)
    case .ambiguous: Colour(150, 150, 150)
    }
  }
}
