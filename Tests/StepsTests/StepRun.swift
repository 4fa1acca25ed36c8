// Runs a step kind as the engine would, from a request file in a directory of its own.

import Foundation
import JSON
import Steps

struct StepRun {
  let directory: String
  /// The checkout, for files that tests share with users.
  static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path()

  init() throws {
    directory = NSTemporaryDirectory() + "step-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory + "/progress", withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(atPath: directory) }

  /// Runs it; outputs go to files named as given below the directory.
  func run(_ kind: String, inputs: [String: String], with: JSON, outputs: [String: String], station: JSON = .null) throws {
    var files: JSON = [:], places: JSON = [:]
    for (name, path) in inputs { files[name] = [["path": .string(path), "name": .string(URL(filePath: path).lastPathComponent), "digest": "0"]] }
    for (name, path) in outputs { places[name] = .string(directory + "/" + path) }
    let request: JSON = [
      "step": "tested", "kind": .string(kind), "inputs": files, "with": with, "outputs": places, "station": station,
      "progress": .string(directory + "/progress"), "samples": .string(directory + "/samples.jsonl"),
    ]
    try Data(request.pretty.utf8).write(to: URL(filePath: directory + "/request.json"))
    try Worker.run(requestAt: directory + "/request.json")
  }

  /// Forgets its trials and checkpoints, as for a step of another key.
  func forget() {
    try? FileManager.default.removeItem(atPath: directory + "/samples.jsonl")
    try? FileManager.default.removeItem(atPath: directory + "/progress")
  }

  func json(_ path: String) throws -> JSON { try JSON(parsing: Data(contentsOf: URL(filePath: directory + "/" + path))) }

  func write(_ json: JSON, to path: String) throws -> String {
    try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/" + path))
    return directory + "/" + path
  }
}
