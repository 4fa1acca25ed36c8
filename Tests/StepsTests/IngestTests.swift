// Demonstrations that are damaged or do not fit together, each with its message; and films that are odd but can be read.

import Foundation
import JSON
import NumPy
import Robot
import Testing
import Vision

/// A film of the agent going right beside a T, with what happens to it afterwards.
private struct Film {
  var size = 96
  var frames = 10
  var fps = 10.0
  var shows = true
  var name = "a.mp4"

  func write(to directory: String) throws -> String {
    let path = directory + "/" + name
    let writer = try VideoWriter(path: path, fps: fps, width: size, height: size)
    for index in 0..<frames {
      let image =
        shows
        ? try PushTRenderer.image(agent: (100 + 8 * Double(index), 120), block: (300, 260), angle: 0.7, size: size)
        : Image(width: size, height: size, filledWith: 90)
      try writer.add(image)
    }
    writer.close()
    return path
  }

  /// Inside a wider picture, the workspace in its middle.
  func writeWide(to directory: String) throws -> String {
    let path = directory + "/" + name
    let writer = try VideoWriter(path: path, fps: fps, width: size + 32, height: size)
    for index in 0..<frames {
      var image = Image(width: size + 32, height: size, filledWith: 40)
      image.paste(try PushTRenderer.image(agent: (100 + 8 * Double(index), 120), block: (300, 260), angle: 0.7, size: size), x: 16, y: 0)
      try writer.add(image)
    }
    writer.close()
    return path
  }
}

@Suite struct `Damaged demonstrations` {
  private static let defaults: JSON = ["task": "push-t", "max_lost": 0.2, "workspace": [], "broken_tail": "refuse"]

  private func ingest(_ run: StepRun, _ inputs: [String: String], _ with: JSON = [:]) throws {
    var all = Self.defaults
    for (name, value) in with.object ?? [:] { all[name] = value }
    try? FileManager.default.removeItem(atPath: run.directory + "/dataset")
    try run.run("ingest-demos", inputs: inputs, with: all, outputs: ["dataset": "dataset"])
  }

  /// What is wrong, and the start of the sentence that says so.
  private static let damages: [(what: String, message: String)] = [
    ("no file", "a.mp4: does not exist\n  hint: check the pattern"),
    ("an empty file", "a.mp4: is empty\n  hint: copy or record"),
    ("no film", "a.mp4: is not a video that can be read, or its end is missing\n  hint: a video is what OpenCV reads"),
    ("an index cut off", "a.mp4: is not a video that can be read, or its end is missing"),
    ("a broken tail", "a.mkv: ends after frame "),
    ("a picture that is not square", "a.mp4: has frames of 128×96 pixels, and the workspace is square\n  hint: 'workspace' says where"),
    ("a workspace outside", "a.mp4: has frames of 96×96 pixels, in which the workspace [50, 0, 96] does not lie"),
    ("another scene", "a.mp4: shows no agent and T in 10 of 10 frames\n  hint: is it a video of this task"),
    ("too small", "a.mp4: frames of 24 pixels are too small to see the T in"),
    ("uneven times", "uneven.mp4: is not even in time: frame "),
    ("too few rows", "a.mp4: has 10 frames, but 9 rows are recorded for it"),
    ("rows that do not fit their ends", "action.npy: has 9 rows, but the last episode ends at row 10"),
    ("a word in a table", "states.csv:3: holds '1,2,three,4,5' where 5 numbers are wanted"),
    ("an array of another shape", "states.npy: has shape [10, 4] where [N, 5] is wanted"),
    ("an array cut short", "states.npy: holds 392 bytes of data where its shape [10, 5] says 400"),
    ("a gap in an array", "states.npy: holds a value in row 3 that is not a finite number"),
    ("an end that is no count", "ends.npy: holds 9.5 in row 0, which is no count of frames"),
    ("sensors without names", "sensors.csv: does not name its columns\n  hint: 'sensor_names' names them"),
    ("sensors of no use", "sensors.csv: has the columns heat, taste, none of which is height or force"),
    ("labels beyond the film", "a.mp4: has 10 frames, but its labels go to frame 11"),
    ("labels that are no JSON", "labels.json:1:6: invalid token near 'labels'"),
    ("a label of no kind", "labels.json: clip 'a.mp4': a label is success, failure or ambiguous, not \"good\""),
  ]

  @Test(arguments: damages.map(\.what)) func `each damage has its message`(what: String) throws {
    let run = try StepRun()
    defer { run.remove() }
    let message = try #require(Self.damages.first { $0.what == what }?.message)
    #expect { try damage(what, run) } throws: { error in
      let text = "\(error)".replacingOccurrences(of: run.directory + "/", with: "")
      if !text.hasPrefix(message) { Issue.record("\(text)") }
      return text.hasPrefix(message)
    }
  }

  @Test func `every damage is in the document, with its message`() throws {
    let page = try String(contentsOfFile: StepRun.checkout + "docs/demonstrations.md", encoding: .utf8)
    for (what, message) in Self.damages {
      let sentence = message.split(separator: "\n")[0]
      #expect(page.contains("| \(what) | `\(sentence)"), "\(what)")
    }
  }

  private func damage(_ what: String, _ run: StepRun) throws {
    let directory = run.directory
    func array(_ name: String, _ shape: [Int]) throws -> String {
      try NumPyArray(shape: shape, values: Array(repeating: 1, count: shape.reduce(1, *))).write(to: directory + "/" + name)
      return directory + "/" + name
    }
    func ends(_ end: Int) throws -> String {
      try Data("\(end)\n".utf8).write(to: URL(filePath: directory + "/ends.csv"))
      return directory + "/ends.csv"
    }
    func damaged(_ change: (Data) -> Data) throws -> String {
      let path = try Film().write(to: directory)
      try change(Data(contentsOf: URL(filePath: path))).write(to: URL(filePath: path))
      return path
    }
    switch what {
    case "no file": try ingest(run, ["videos": directory + "/a.mp4"])
    case "an empty file": try ingest(run, ["videos": damaged { _ in Data() }])
    case "no film": try ingest(run, ["videos": damaged { _ in Data("this is no film\n".utf8) }])
    case "an index cut off": try ingest(run, ["videos": damaged { $0.prefix($0.count * 2 / 3) }])
    case "a broken tail": try ingest(run, ["videos": try brokenTail(directory)])
    case "a picture that is not square": try ingest(run, ["videos": Film().writeWide(to: directory)])
    case "a workspace outside": try ingest(run, ["videos": Film().write(to: directory)], ["workspace": [50, 0, 96]])
    case "another scene": try ingest(run, ["videos": Film(shows: false).write(to: directory)])
    case "too small": try ingest(run, ["videos": Film(size: 24).write(to: directory)])
    case "uneven times": try ingest(run, ["videos": films + "uneven.mp4"])
    case "too few rows":
      try ingest(run, ["videos": Film().write(to: directory), "actions": array("action.npy", [9, 2]), "ends": ends(9)])
    case "rows that do not fit their ends":
      try ingest(run, ["videos": Film().write(to: directory), "actions": array("action.npy", [9, 2]), "ends": ends(10)])
    case "a word in a table":
      try Data("a,b,c,d,e\n1,2,3,4,5\n1,2,three,4,5\n".utf8).write(to: URL(filePath: directory + "/states.csv"))
      try ingest(run, ["videos": Film().write(to: directory), "states": directory + "/states.csv", "ends": ends(2)])
    case "an array of another shape":
      try ingest(run, ["videos": Film().write(to: directory), "states": array("states.npy", [10, 4]), "ends": ends(10)])
    case "an array cut short":
      let path = try array("states.npy", [10, 5])
      try Data(contentsOf: URL(filePath: path)).dropLast(8).write(to: URL(filePath: path))
      try ingest(run, ["videos": Film().write(to: directory), "states": path, "ends": ends(10)])
    case "a gap in an array":
      try NumPyArray(shape: [10, 5], values: (0..<50).map { $0 == 17 ? .nan : 1 }).write(to: directory + "/states.npy")
      try ingest(run, ["videos": Film().write(to: directory), "states": directory + "/states.npy", "ends": ends(10)])
    case "an end that is no count":
      try NumPyArray(shape: [1], values: [9.5]).write(to: directory + "/ends.npy")
      try ingest(run, ["videos": Film().write(to: directory), "actions": array("action.npy", [10, 2]), "ends": directory + "/ends.npy"])
    case "sensors without names": try ingest(run, ["videos": Film().write(to: directory), "sensors": sensors(run, "1,2"), "ends": ends(10)])
    case "sensors of no use": try ingest(run, ["videos": Film().write(to: directory), "sensors": sensors(run, "heat,taste"), "ends": ends(10)])
    case "labels beyond the film": try ingest(run, ["videos": Film().write(to: directory), "labels": labels(run, to: 11, "success")])
    case "labels that are no JSON":
      try Data("labels: 1\n".utf8).write(to: URL(filePath: directory + "/labels.json"))
      try ingest(run, ["videos": Film().write(to: directory), "labels": directory + "/labels.json"])
    case "a label of no kind": try ingest(run, ["videos": Film().write(to: directory), "labels": labels(run, to: 9, "good")])
    default: Issue.record("nobody knows the damage '\(what)'")
    }
  }

  /// Ten rows under a first line.
  private func sensors(_ run: StepRun, _ first: String) throws -> String {
    let rows = (0..<10).map { row in first.split(separator: ",").indices.map { "\(Double(10 * $0 + row))" }.joined(separator: ",") }
    try Data(([first] + rows).joined(separator: "\n").utf8).write(to: URL(filePath: run.directory + "/sensors.csv"))
    return run.directory + "/sensors.csv"
  }

  @Test func `a table may come from another machine, with its mark in front and its lines ended by two characters`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let row = "222,97,222.99,381.59,3.02"
    for (name, lines) in [("names", ["\u{feff}x,y,bx,by,a"]), ("numbers", [])] {
      let table = run.directory + "/\(name).csv", ends = run.directory + "/ends.csv"
      let first = lines.isEmpty ? "\u{feff}" : ""
      try Data((first + (lines + Array(repeating: row, count: 10)).joined(separator: "\r\n") + "\r\n").utf8).write(to: URL(filePath: table))
      try Data("10\r\n".utf8).write(to: URL(filePath: ends))
      try? FileManager.default.removeItem(atPath: run.directory + "/dataset")
      try ingest(run, ["videos": Film().write(to: run.directory), "states": table, "ends": ends])
      #expect(try dataset(run).episodes[0].observations.count == 10)
    }
  }

  @Test func `what the arm told goes into the data set by name, and from there into a verifier's clips`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let ends = run.directory + "/ends.csv"
    try Data("10\n".utf8).write(to: URL(filePath: ends))
    let inputs = ["videos": try Film().write(to: run.directory), "ends": ends, "labels": try labels(run, to: 10, "success")]
    try ingest(run, inputs.merging(["sensors": sensors(run, "force,heat,height")]) { $1 })
    let set = try dataset(run)
    #expect(set.senses == [.force, .height] && set.episodes[0].told == (0..<10).map { [Double($0), Double(20 + $0)] })
    #expect(try run.json("dataset/dataset.json")["senses"] == ["force", "height"])
    let clip = set.clips(criterion: "human", window: 10)[0]
    #expect(clip.senses == [.force, .height] && clip.observations[3][5...] == [3, 23])
    // NumPy's arrays have no names of their own.
    try NumPyArray(shape: [10, 2], values: (0..<20).map(Double.init)).write(to: run.directory + "/sensors.npy")
    try ingest(
      run, inputs.merging(["sensors": run.directory + "/sensors.npy"]) { $1 }, ["sensor_names": ["torque", "height"]])
    #expect(try dataset(run).senses == [.height] && dataset(run).episodes[0].told[4] == [9])
  }

  private func labels(_ run: StepRun, to end: Int, _ label: String) throws -> String {
    try run.write(
      ["labels": 1, "clips": [["clip": "a.mp4", "spans": [["from": 0, "to": .integer(end), "label": .string(label)]]]]], to: "labels.json")
  }

  /// Matroska keeps what it has when it is cut; its header promises the whole.
  private func brokenTail(_ directory: String) throws -> String {
    let path = try Film(frames: 60, name: "a.mkv").write(to: directory)
    let data = try Data(contentsOf: URL(filePath: path))
    try data.prefix(data.count * 2 / 3).write(to: URL(filePath: path))
    return path
  }

  private func dataset(_ run: StepRun) throws -> DemonstrationSet { try DemonstrationSet(directory: run.directory + "/dataset") }

  @Test func `a broken tail is kept where that is asked for, and noted`() throws {
    let run = try StepRun()
    defer { run.remove() }
    try ingest(run, ["videos": brokenTail(run.directory)], ["broken_tail": "keep"])
    let frames = try dataset(run).episodes[0].observations.count
    #expect((5..<60).contains(frames))
    #expect(try run.json("dataset/dataset.json")["episodes"]?[0]?["notes"]?[0] == .string("ends after frame \(frames) of 60"))
  }

  @Test func `an uneven film is taken at the rate that is asked for, each tick what was shown then`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let straight = try watched(run, StepRun.checkout + "workflows/demos/push-t/videos/episode_000.mp4")
    let shown: [Double] = (0..<20).map { frame -> Double in
      let late = frame >= 12 ? 0.33 : frame >= 6 ? 0.2 : 0
      return Double(frame) / 10 + late
    }
    for rate in [10.0, 5, 20] {
      let seen = try watched(run, films + "uneven.mp4", ["rate": .number(rate)])
      // At each tick the frame that was shown by then.
      let ticks = Int(shown[19] * rate + 1e-6) + 1
      let expected: [Int] = (0..<ticks).map { tick -> Int in
        let time = Double(tick) / rate + 1e-6
        return shown.lastIndex { $0 <= time } ?? 0
      }
      #expect(seen.count == expected.count)
      for (observation, frame) in zip(seen, expected) { #expect(hypot(observation[0] - straight[frame][0], observation[1] - straight[frame][1]) < 2) }
      #expect(try dataset(run).fps == rate)
    }
    let times = try NumPyArray(contentsOf: run.directory + "/dataset/timestamp.npy")
    #expect(times.shape.count == 1 && abs(times.values[7] - 7.0 / 20) < 1e-12)
  }

  @Test func `a film that asks to be rotated is rotated`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let straight = try watched(run, StepRun.checkout + "workflows/demos/push-t/videos/episode_000.mp4")
    for (seen, expected) in zip(try watched(run, films + "lying.mp4"), straight) { #expect(zip(seen, expected).allSatisfy { abs($0 - $1) < 5 }) }
  }

  private let films = StepRun.checkout + "Tests/Films/"

  /// What is seen in a film, frame by frame.
  private func watched(_ run: StepRun, _ film: String, _ with: JSON = [:]) throws -> [Observation] {
    try ingest(run, ["videos": film], with)
    return try dataset(run).episodes[0].observations
  }

  @Test func `a workspace in a wider picture is found where it is said to be, and the data set holds all that is documented`() throws {
    let run = try StepRun()
    defer { run.remove() }
    try ingest(
      run, ["videos": Film().writeWide(to: run.directory), "labels": labels(run, to: 9, "success")], ["workspace": [16, 0, 96]])
    let episode = try dataset(run).episodes[0]
    #expect(abs(episode.observations[9][0] - 172) < 4 && abs(episode.observations[0][2] - 300) < 3)
    // Without recorded actions, the agent was wanted where it is seen next.
    #expect(episode.actions[3] == Array(episode.observations[4][0..<2]) && episode.actions[9] == Array(episode.observations[9][0..<2]))
    let film = try VideoReader(path: run.directory + "/dataset/videos/a.mp4")
    #expect(film.width == 96 && film.height == 96 && film.frameCount == 10 && film.isH264)
    let provenance = try run.json("dataset/provenance.json")
    #expect(provenance["kind"] == "ingest-demos" && provenance["videos"]?[0]?["name"] == "a.mp4" && provenance["actions"] == "seen")
    #expect(try run.json("dataset/labels.json")["labels"] == 1)
  }
}
