// Watches one video to its end: takes its frames by the clock, looks at the workspace in them, and hands on what is seen, a frame at a time.

import Foundation
import Robot
import Vision

extension IngestDemos {
  struct Watch {
    let rate: Double
    /// Side of what is looked at, pixels.
    let size: Int
    private(set) var frames = 0
    private(set) var notes: [String] = []
    /// For the contact sheet.
    private(set) var pictures: [ContactSheet.Cell] = []

    private let video: InputFile
    private let reader: VideoReader
    private let tracker: PushTTracker
    private let corner: (x: Int, y: Int)
    private let film: String
    private var copy: VideoWriter?
    private var clock: FrameClock
    private let maxLost: Double
    private let chosen: Set<Int>
    private var lost = 0

    init(_ video: InputFile, _ step: StepContext, pictures wanted: Bool) throws {
      self.video = video
      let reader = try VideoReader(path: video.path)
      reader.acceptsBrokenTail = step.string("broken_tail") == "keep"
      (self.reader, maxLost) = (reader, step.double("max_lost"))
      guard reader.fps > 0, reader.fps.isFinite else {
        throw VisionError("does not say how many frames it has a second", hint: "encode it again")
      }
      let asked = step.value("rate")?.double
      clock = FrameClock(fps: reader.fps, rate: asked)
      rate = clock.rate
      let square = (step.value("workspace")?.array ?? []).compactMap(\.int)
      if square.isEmpty {
        guard reader.width == reader.height else {
          throw VisionError(
            "has frames of \(reader.width)×\(reader.height) pixels, and the workspace is square",
            hint: "'workspace' says where in the picture it is: [left, top, side]")
        }
        (corner, size) = ((0, 0), reader.width)
      } else {
        guard square.count == 3, square[2] >= 32, square[0] + square[2] <= reader.width, square[1] + square[2] <= reader.height else {
          throw VisionError(
            "has frames of \(reader.width)×\(reader.height) pixels, in which the workspace \(square) does not lie",
            hint: "'workspace' is [left, top, side] in pixels, 32 or more a side")
        }
        (corner, size) = ((square[0], square[1]), square[2])
      }
      tracker = try PushTTracker(size: size)
      film = "\(step.output("dataset"))/videos/\(video.stem).mp4"
      // A film that is H.264 already and is taken whole is kept as it is.
      if !(reader.isH264 && asked == nil && square.isEmpty && video.fileName.hasSuffix(".mp4")) {
        copy = try VideoWriter(path: film, fps: rate, width: size + size % 2, height: size + size % 2)
      }
      chosen = wanted ? Set((0..<6).map { $0 * max(0, (reader.frameCount ?? 100) - 1) / 5 }) : []
    }

    mutating func run(
      _ writer: DemonstrationWriter, states: [[Double]]?, actions: [[Double]]?, sensors: [[Double]]?, rows: Range<Int>?, audit: inout PoseAudit
    ) throws {
      let ahead = FramesAhead(reader)
      let isWhole = size == reader.width && size == reader.height
      var part = Image(width: isWhole ? 1 : size, height: isWhole ? 1 : size)
      func take(_ frame: Image, _ time: Double) throws {
        if !isWhole { frame.crop(x: corner.x, y: corner.y, into: &part) }
        let view = isWhole ? frame : part
        let estimate = tracker.estimate(view)
        let (state, action) = (states.flatMap { frames < $0.count ? $0[frames] : nil }, actions.map { frames < $0.count ? $0[frames] : [0, 0] })
        audit.add(estimate, state: state)
        // More frames than rows are refused at the end.
        let told = sensors.map { frames < $0.count ? $0[frames] : Array(repeating: .nan, count: $0[0].count) } ?? []
        try writer.add(estimate, at: time, action: action, told: told)
        try copy?.add(view.width % 2 == 0 ? view : view.resized(width: view.width + 1, height: view.height + 1))
        if !estimate.agentFound || !estimate.blockFound { lost += 1 }
        if chosen.contains(frames) {
          let caption = frames == 0 ? video.fileName : "\(frames): \(Int((100 * estimate.block.coverage).rounded()))% covered"
          pictures.append(ContactSheet.Cell(estimate.drawn(over: view, size: 320), caption: caption))
        }
        frames += 1
      }
      var frame = Image(width: reader.width, height: reader.height, filledWith: 0)
      var before = frame
      var (first, taken) = (0.0, 0)
      while try ahead.next(into: &frame) {
        if ahead.framesRead == 1 { first = ahead.time }
        switch clock.see(ahead.time, fps: reader.fps) {
        case .take: try take(frame, max(0, ahead.time - first))
        case .takeBefore(let count):
          for _ in 0..<count {
            try take(before, Double(taken) / rate)
            taken += 1
          }
          swap(&before, &frame)
        case .uneven(let time, let even):
          throw VisionError(
            "is not even in time: frame \(ahead.framesRead - 1) is shown at \(Self.rounded(time)) s where \(Self.rounded(even)) s was due",
            hint: "'rate' takes frames at an even rate from it")
        }
      }
      for _ in 0..<clock.end() {
        try take(before, Double(taken) / rate)
        taken += 1
      }
      if let copy { copy.close() } else { try FileManager.default.copyItem(atPath: video.path, toPath: film) }
      if ahead.isCutShort { notes.append("ends after frame \(ahead.framesRead) of \(reader.frameCount ?? 0)") }
      try check(rows)
    }

    private func check(_ rows: Range<Int>?) throws(VisionError) {
      if let rows, rows.count != frames {
        throw VisionError(
          "has \(frames) frames, but \(rows.count) rows are recorded for it", hint: "'ends' and 'index' must describe these videos, one row a frame")
      }
      if Double(lost) > maxLost * Double(frames) {
        throw VisionError(
          "shows no agent and T in \(lost) of \(frames) frames", hint: "is it a video of this task, seen from above? 'max_lost' allows more")
      }
    }

    private static func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
  }
}
