// A workspace in a temporary directory, and kinds without a worker.

import Foundation
import JSON

@testable import Workflow

/// A manifest of three lines is enough for most tests.
func graph(_ steps: String, vars: String = "{}", kinds: [Kind] = [], fleet: [String] = []) throws -> Graph {
  let directory = FileManager.default.temporaryDirectory.appending(path: "enpire-" + UUID().uuidString)
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: directory) }
  let file = directory.appending(path: "test.json")
  try Data("{\"manifest\": 1, \"fleet\": \"fleet.json\", \"vars\": \(vars), \"steps\": \(steps)}".utf8).write(to: file)
  var stations = Fleet()
  stations.stations = fleet.map { FleetStation(name: $0, tasks: ["push-t"], entry: ["name": .string($0)]) }
  let manifest = try Manifest(path: file.path())
  return try Graph(manifest, kinds: Dictionary(uniqueKeysWithValues: kinds.map { ($0.name, $0) }), fleet: stations)
}

/// The whole text of the problem that `body` throws.
func problem(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no problem"
  } catch let problem as Problem {
    return problem.sentence + (problem.hint.map { " | " + $0 } ?? "")
  } catch { return "\(error)" }
}
