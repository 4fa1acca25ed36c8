// Film strips of trials: what happened, for people, drawn from the poses in the trials' records.
// A directory of PNG files and `films.json`, which lists them.

import Foundation
import JSON
import Robot
import Vision

enum Films {
  private struct Film {
    let file: String
    let index: Int
    let success: Bool
    let json: JSON

    init?(_ json: JSON) {
      guard let file = json["file"]?.string, let index = json["index"]?.int, let success = json["success"]?.bool else { return nil }
      (self.file, self.index, self.success, self.json) = (file, index, success, json)
    }
  }

  /// Draws the first `count` successes and the first `count` failures.
  static func draw(_ trials: [Sample], count: Int, into directory: String) throws {
    let chosen = [true, false].flatMap { success in trials.filter { $0.success == success && !$0.trial.poses.isEmpty }.prefix(count) }
    let films = try chosen.sorted { $0.index < $1.index }.map { sample in
      let trial = sample.trial
      let word = sample.success == true ? "success" : "failure"
      let file = "trial-\(String(repeating: "0", count: max(0, 5 - String(trial.index).count)))\(trial.index)-\(word).png"
      try strip(trial, "trial \(trial.index) on \(trial.station): \(word) after \(trial.steps) steps, coverage \(percent(trial.bestScore))")
        .writePNG(to: directory + "/" + file)
      return JSON.object(["file": .string(file), "index": .integer(trial.index), "success": .bool(sample.success == true)])
    }
    try list(films, directory)
  }

  /// Copies the first `count` of each kind out of the shards' directories.
  static func gather(_ shards: [String], count: Int, into directory: String) throws {
    let films = try shards.flatMap { shard in
      try (StepContext.json(at: shard + "/films.json")["list"]?.array ?? []).compactMap(Film.init).map { (shard, $0) }
    }.sorted { $0.1.index < $1.1.index }
    let chosen = [true, false].flatMap { success in films.filter { $0.1.success == success }.prefix(count) }.sorted { $0.1.index < $1.1.index }
    for (shard, film) in chosen {
      try FileManager.default.copyItem(atPath: shard + "/" + film.file, toPath: directory + "/" + film.file)
    }
    try list(chosen.map(\.1.json), directory)
  }

  private static func list(_ films: [JSON], _ directory: String) throws {
    let json: JSON = ["films": 1, "list": .array(films)]
    try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/films.json"))
  }

  private static func strip(_ trial: TrialRecord, _ title: String) throws -> Image {
    let cells = try trial.poses.filter { $0.count == 5 }.map { pose in
      ContactSheet.Cell(try PushTRenderer.image(agent: (pose[0], pose[1]), block: (pose[2], pose[3]), angle: pose[4], size: 128))
    }
    return ContactSheet(title: title, cell: 128, rows: stride(from: 0, to: cells.count, by: 6).map { Array(cells[$0..<min($0 + 6, cells.count)]) })
      .image()
  }

  private static func percent(_ share: Double) -> String { "\((share * 1000).rounded(.down) / 10) %" }
}
