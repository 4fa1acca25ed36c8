import Foundation
import JSON
import NumPy
import Testing
import Vision

import Robot

/// The demonstrations that come with the project; `ENPIRE_DEMOS` points to a larger folder with the same layout.
private let demos =
  ProcessInfo.processInfo.environment["ENPIRE_DEMOS"]
  ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../workflows/demos/push-t").standardizedFileURL.path

private struct Recording {
  let states: NumPyArray
  let ends: [Int]
  let videos: [String]

  init() throws {
    states = try NumPyArray(contentsOf: demos + "/state.npy")
    ends = try NumPyArray(contentsOf: demos + "/episode_ends.npy").values.map { Int($0) }
    let index = try JSON(parsing: Data(contentsOf: URL(filePath: demos + "/episodes.json")))
    videos = index.array?.compactMap { $0["video"]?.string.map { demos + "/" + $0 } } ?? []
  }
}

@Suite("Rendering")
struct RenderingTests {
  @Test("a rendered state looks like the human episodes' frame of that state")
  func matchesRecordedFrames() throws {
    let recording = try Recording()
    for episode in recording.videos.indices.prefix(4) {
      let reader = try VideoReader(path: recording.videos[episode])
      var row = episode == 0 ? 0 : recording.ends[episode - 1]
      while let frame = try reader.next() {
        let state = Array(recording.states[row: row])
        let image = try PushTRenderer.image(agent: (state[0], state[1]), block: (state[2], state[3]), angle: state[4], size: 96)
        let error = zip(image.pixels, frame.pixels).reduce(0.0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(frame.pixels.count)
        // The films are lossy; a T that is 4 units off gives twice this.
        #expect(error < 2.5, "episode \(episode), row \(row)")
        row += 1
      }
    }
  }

  @Test("what cannot be drawn is an error")
  func refuses() {
    #expect(throws: VisionError.self) { try PushTRenderer.image(agent: (.nan, 0), block: (1, 1), angle: 0, size: 96) }
    #expect(throws: VisionError.self) { try PushTRenderer.image(agent: (1, 1), block: (1, 1), angle: 0, size: 0) }
  }
}

@Suite("Perception")
struct PerceptionTests {
  @Test("poses estimated from the human episodes' pixels agree with the recorded states")
  func humanEpisodes() throws {
    let recording = try Recording()
    var audit = PoseAudit()
    for (episode, video) in recording.videos.enumerated() {
      let reader = try VideoReader(path: video)
      let tracker = try PushTTracker(size: reader.width)
      var row = episode == 0 ? 0 : recording.ends[episode - 1]
      while let frame = try reader.next() {
        audit.add(tracker.estimate(frame), state: Array(recording.states[row: row]))
        row += 1
      }
      #expect(row == recording.ends[episode])
    }
    let json = audit.json
    #expect(audit.lost == 0)
    #expect(json["block"]?["median"]?.double ?? 99 < 1)
    #expect(json["block"]?["p95"]?.double ?? 99 < 2)
    #expect(json["agent"]?["median"]?.double ?? 99 < 2)
    #expect(json["angle"]?["median"]?.double ?? 99 < 0.01)
  }

  @Test("a T at any angle is found in a single frame, with the agent on top of it or not", arguments: [96, 384])
  func anyAngle(size: Int) throws {
    let tracker = try PushTTracker(size: size)
    for index in 0..<24 {
      tracker.reset()
      let angle = Double(index) * .pi / 12 + 0.1
      let pose = TeePose(x: 200 + 5 * Double(index), y: 260, angle: angle)
      let agent = index % 2 == 0 ? (x: pose.x - 60 * sin(angle), y: pose.y + 60 * cos(angle)) : (x: 60.0, y: 60.0)
      let frame = try PushTRenderer.image(agent: (agent.x, agent.y), block: (pose.x, pose.y), angle: angle, size: size)
      let estimate = tracker.estimate(frame)
      #expect(estimate.blockFound && estimate.agentFound)
      #expect(estimate.block.distance(to: pose) < 3 && estimate.block.rotation(to: pose) < 0.05, "at angle \(angle): \(estimate)")
    }
  }

  @Test("a T and an agent of another size are seen where they are and as big as they are, and the next episode's may differ", arguments: [96, 384])
  func sizes(pixels: Int) throws {
    let tracker = try PushTTracker(size: pixels)
    for (scale, radius) in [(28.5, 17.0), (33, 13), (30, 15)] {
      tracker.reset()
      var off: [(place: Double, agent: Double)] = []
      for step in 0..<30 {
        let (angle, x) = (0.3 + 0.05 * Double(step), 220 + 2.3 * Double(step))
        let agent = (x: 120 + 5.1 * Double(step), y: 140.0)
        let frame = try PushTRenderer.image(agent: agent, block: (x, 250), angle: angle, size: pixels, scale: scale, radius: radius)
        let seen = tracker.estimate(frame)
        off.append((hypot(seen.block.x - x, seen.block.y - 250), hypot(seen.agentX - agent.x, seen.agentY - agent.y)))
        guard step == 29 else { continue }
        #expect(abs(seen.block.size - scale) < (pixels == 96 ? 0.5 : 0.2) && abs(seen.agentRadius - radius) < 1, "\(scale), \(radius): \(seen)")
      }
      // A nominal T would be laid 2 to 3 units beside one of these.
      let middle = off.map(\.place).sorted()[15]
      #expect(middle < (pixels == 96 ? 1 : 0.4), "\(scale): \(middle)")
      #expect(off.map(\.agent).sorted()[15] < (pixels == 96 ? 2 : 0.7))
    }
  }

  @Test("a camera's picture is the mean of a finer one, wherever on the table T and agent are", arguments: [96, 384, 480, 500])
  func means(size: Int) throws {
    for (agent, block, angle) in [
      ((100.3, 222.7), (256.1, 240.9), 0.4), ((14.6, 490.2), (112.5, 420.1), 2.9), ((262.4, 352.7), (256.1, 240.9), 0.1),
      ((-90, 256), (250.2, 255.7), 0.8),
    ] {
      func picture(_ size: Int) throws -> Image { try PushTRenderer.image(agent: agent, block: block, angle: angle, size: size, drawing: .smooth) }
      let (seen, fine) = (try picture(size), try picture(2048).resized(width: size, height: size, .area))
      let off = zip(seen.pixels, fine.pixels).map { abs(Int($0) - Int($1)) }
      let largest = off.max() ?? 0
      #expect(largest <= 1, "\(largest), \(off.count { $0 > 1 }) values, first at pixel \((off.firstIndex { $0 > 1 } ?? 0) / 3)")
    }
  }

  @Test("as a camera shows it, a T's place is seen to a tenth of a pixel or so, and its size and coverage alike")
  func smooth() throws {
    let form = PictureForm(size: 384, drawing: .smooth), tracker = try PushTTracker(form)
    for (scale, radius) in [(28.5, 17.0), (33, 13)] {
      tracker.reset()
      for step in 0..<12 {
        let pose = TeePose(
          x: TeePose.goal.x + 0.37 * Double(step), y: TeePose.goal.y - 0.29 * Double(step), angle: TeePose.goal.angle + 0.004 * Double(step),
          size: scale)
        // It comes to stand on the T.
        let agent = (100 + 11.3 * Double(step), 140.4)
        let frame = try PushTRenderer.image(
          agent: agent, block: (pose.x, pose.y), angle: pose.angle, size: form.size, scale: scale, radius: radius, drawing: form.drawing)
        let seen = tracker.estimate(frame)
        #expect(seen.blockFound && seen.block.distance(to: pose) < 0.15, "\(step): \(seen.block) is \(pose)")
        #expect(abs(seen.block.size - scale) < 0.05 && abs(seen.block.coverage - pose.coverage) < 0.003)
        #expect(hypot(seen.agentX - agent.0, seen.agentY - agent.1) < 0.7 && abs(seen.agentRadius - radius) < 0.7)
      }
    }
  }

  @Test("an empty table shows neither agent nor T, and what was known stands with no certainty")
  func emptyTable() throws {
    let tracker = try PushTTracker(size: 96)
    let seen = tracker.estimate(try PushTRenderer.image(agent: (100, 100), block: (300, 200), angle: 1, size: 96))
    let empty = tracker.estimate(try PushTRenderer.image(agent: (-100, -100), block: (-500, -500), angle: 0, size: 96))
    #expect(!empty.agentFound && !empty.blockFound && empty.blockDeviation == 512)
    #expect(empty.observation == seen.observation)
  }

  @Test("labels that make no sense are refused with the clip's name")
  func labels() throws {
    let bad: [(JSON, String)] = [
      ([:], "does not hold labels of version 1 (\"labels\": 1)"),
      (
        ["labels": 1, "clips": [["clip": "a.mp4", "spans": [["from": 3, "to": 3, "label": "success"]]]]],
        "clip 'a.mp4': a span needs 'from' and 'to' with 0 <= from < to, not {\"from\":3,\"to\":3,\"label\":\"success\"}"
      ),
      (
        ["labels": 1, "clips": [["clip": "a.mp4", "spans": [["from": 0, "to": 3, "label": "good"]]]]],
        "clip 'a.mp4': a label is success, failure or ambiguous, not \"good\""
      ),
      (
        [
          "labels": 1,
          "clips": [["clip": "a.mp4", "spans": [["from": 0, "to": 30, "label": "failure"], ["from": 20, "to": 40, "label": "success"]]]],
        ], "clip 'a.mp4': frame 20 is both failure and success"
      ),
    ]
    for (json, message) in bad {
      do {
        _ = try ClipLabels(json: json)
        Issue.record("accepted \(json.compact)")
      } catch { #expect(error.description == message) }
    }
  }
}
