// Measures the eyes: how exactly poses are read from a folder of demonstrations, as filmed and drawn anew in another size, and how fast, beside
// plain decoding. Prints JSON; study.py makes the documents of it.
//   eyes-study poses FOLDER [SIZE [stations|smooth]]   every episode of the folder; with SIZE, drawn anew from the recorded states in that size;
//                                        with T and agent as big as on a simulated station, another for each episode; or as a camera shows it
//   eyes-study film PATH FRAMES FPS      a film of 640×480 pixels with the workspace in its middle
//   eyes-study coverage SIZE COUNT gym|smooth   how exactly coverage is seen at the ends of a planner's episodes
//   eyes-study speed PATH                frames a second of decoding alone and of decoding with tracking, in turn

import Foundation
import JSON
import NumPy
import Robot
import Vision

let words = Array(CommandLine.arguments.dropFirst())

func poses(_ folder: String, _ form: PictureForm?, stations: Bool = false) throws -> JSON {
  let states = try NumPyArray(contentsOf: folder + "/state.npy")
  let ends = try NumPyArray(contentsOf: folder + "/episode_ends.npy").values.map { Int($0) }
  let index = try JSON(parsing: Data(contentsOf: URL(filePath: folder + "/episodes.json"))).array ?? []
  var audit = PoseAudit()
  var episodes: [JSON] = []
  var eyes: PushTTracker?
  for (number, episode) in index.enumerated() {
    var own = PoseAudit()
    var row = number == 0 ? 0 : ends[number - 1]
    func take(_ frame: Image) throws {
      if eyes == nil { eyes = try PushTTracker(form ?? PictureForm(size: frame.width)) }
      if row == (number == 0 ? 0 : ends[number - 1]) { eyes!.reset() }
      let (estimate, state) = (eyes!.estimate(frame), Array(states[row: row]))
      audit.add(estimate, state: state)
      own.add(estimate, state: state)
      row += 1
    }
    if let form {
      let physics = stations ? PushTPhysics.drawn(forStation: "poses-\(number)") : .nominal
      while row < ends[number] {
        try take(
          PushTRenderer.image(
            of: Array(states[row: row]), size: form.size, scale: physics.blockScale, radius: physics.agentRadius, drawing: form.drawing))
      }
    } else {
      let reader = try VideoReader(path: folder + "/" + (episode["video"]?.string ?? ""))
      while let frame = try reader.next() { try take(frame) }
    }
    precondition(row == ends[number], "episode \(number) has another count of frames than of rows")
    episodes.append(["block": own.json["block"]?["median"] ?? .null, "agent": own.json["agent"]?["median"] ?? .null])
  }
  var json = audit.json
  json["episodes"] = .array(episodes)
  return json
}

func film(_ path: String, _ frames: Int, _ fps: Double) throws {
  let writer = try VideoWriter(path: path, fps: fps, width: 640, height: 480)
  var picture = Image(width: 640, height: 480, filledWith: 40)
  for frame in 0..<frames {
    let t = Double(frame) / 10
    let state = [256 + 180 * cos(t / 3), 256 + 180 * sin(t / 3), 256 + 60 * sin(t / 7), 230 + 60 * cos(t / 11), t / 17]
    picture.paste(try PushTRenderer.image(of: state, size: 480), x: 80, y: 0)
    try writer.add(picture)
  }
  writer.close()
}

func speed(_ path: String) throws -> JSON {
  let clock = ContinuousClock()
  /// Processor seconds of all threads so far.
  func processor() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
  }
  var processing: [String: [Double]] = [:]
  func rate(_ name: String, _ work: (VideoReader) throws -> Void) throws -> Double {
    let reader = try VideoReader(path: path)
    let begun = processor()
    let took = try clock.measure { try work(reader) }
    processing[name, default: []].append((processor() - begun) * 1000 / Double(reader.framesRead))
    return Double(reader.framesRead) / (took / .seconds(1))
  }
  var decoding: [Double] = []
  var tracking: [Double] = []
  for _ in 0..<5 {
    decoding.append(
      try rate("decoding") { reader in
        var frame = Image(width: reader.width, height: reader.height)
        while try reader.next(into: &frame) {}
      })
    tracking.append(
      try rate("tracking") { reader in
        let eyes = try PushTTracker(size: reader.height)
        // As ingest-demos does it.
        let ahead = FramesAhead(reader)
        var (frame, part) = (Image(width: reader.width, height: reader.height), Image(width: 480, height: 480))
        while try ahead.next(into: &frame) {
          frame.crop(x: 80, y: 0, into: &part)
          _ = eyes.estimate(part)
        }
      })
  }
  let median = { (values: [Double]) in values.sorted()[values.count / 2] }
  return [
    "decoding": .array(decoding.map(JSON.number)), "tracking": .array(tracking.map(JSON.number)),
    "ratio": .number(median(tracking) / median(decoding)),
    "processor_ms": ["decoding": .number(median(processing["decoding"]!)), "tracking": .number(median(processing["tracking"]!))],
  ]
}

/// How exactly coverage is seen near the goal, on ends of a planner's episodes.
func coverage(_ form: PictureForm, _ count: Int) throws -> JSON {
  var studio = PlannerClips(seed: 7)
  let eyes = try PushTTracker(form)
  var errors: [Double] = []
  var sizes: [Double] = []
  var lost = 0
  for index in 0..<count {
    let take = try studio.take(index % 2 == 0 ? .success : .nearMiss)
    let clip = try take.seen(by: eyes)
    for (state, seen) in zip(take.states, clip.observations).suffix(5) {
      guard seen.allSatisfy(\.isFinite) else {
        lost += 1
        continue
      }
      let truth = TeePose(x: state[2], y: state[3], angle: state[4], size: take.scale)
      errors.append(TeePose(x: seen[2], y: seen[3], angle: seen[4], size: seen[5]).coverage - truth.coverage)
      sizes.append(seen[5] - take.scale)
      if abs(errors.last!) > 0.01 {
        FileHandle.standardError.write(
          Data("\(take.name) scale \(take.scale) radius \(take.radius) \(state) \(seen) \(truth.coverage) off by \(errors.last!)\n".utf8))
      }
    }
  }
  func ranks(_ values: [Double]) -> JSON {
    let sorted = values.sorted()
    return .array([0.02, 0.16, 0.5, 0.84, 0.98].map { .number((sorted[Int($0 * Double(sorted.count - 1))] * 1e5).rounded() / 1e5) })
  }
  return ["looks": .integer(errors.count), "lost": .integer(lost), "coverage": ranks(errors), "size": ranks(sizes)]
}

switch (words.first, words.count) {
case ("coverage", 4):
  print(try coverage(PictureForm(size: Int(words[1]) ?? 384, drawing: .init(rawValue: words[3]) ?? .smooth), Int(words[2]) ?? 100).compact)
case ("poses", 2): print(try poses(words[1], nil).compact)
case ("poses", 3): print(try poses(words[1], PictureForm(size: Int(words[2]) ?? 384)).compact)
case ("poses", 4):
  let form = PictureForm(size: Int(words[2]) ?? 384, drawing: words[3] == "smooth" ? .smooth : .gym)
  print(try poses(words[1], form, stations: words[3] == "stations").compact)
case ("film", 4): try film(words[1], Int(words[2]) ?? 0, Double(words[3]) ?? 10)
case ("speed", 2): print(try speed(words[1]).compact)
default:
  let usage = "usage: eyes-study poses FOLDER [SIZE [stations|smooth]] |\n  coverage SIZE COUNT gym|smooth | film PATH FRAMES FPS | speed PATH\n"
  FileHandle.standardError.write(Data(usage.utf8))
  exit(64)
}
