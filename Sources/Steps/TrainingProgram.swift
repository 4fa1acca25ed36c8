// Training by a program of somebody else's instead of a recipe's regime. It gets one JSON file that says what there is and where to write,
// and leaves a policy in the documented form (docs/artifacts.md). What it prints as JSON objects on its standard output is progress, everything
// else goes to the log. It knows no language: what runs the program is said by the step.

import Foundation
import JSON

struct TrainingProgram {
  /// The words before the request's path.
  let command: [String]

  /// The contract's version 1; docs/training-programs.md.
  static func request(_ step: StepContext) -> JSON {
    var inputs: JSON = [:]
    for name in ["recipe", "demos", "env", "base"] {
      if let file = step.inputs(name).first { inputs[name] = .string(file.path) }
    }
    return [
      "train": 1, "task": "push-t", "seed": .integer(step.value("seed")?.int ?? 0), "options": step.value("options") ?? [:], "inputs": inputs,
      "outputs": ["policy": .string(step.output("policy")), "curves": .string(step.output("curves"))],
      "progress": .string(step.progressDirectory),
    ]
  }

  func run(_ step: StepContext) throws {
    let directory = NSTemporaryDirectory() + "train-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let request = directory + "/request.json"
    try Data(Self.request(step).pretty.utf8).write(to: URL(filePath: request))
    let code = try run(request, in: directory, step)
    guard code == 0 else {
      throw StepFailure(
        "step \(step.name): the program \(command.joined(separator: " ")) ended with code \(code)", hint: "what it said is in the log")
    }
    try check(step)
  }

  private func run(_ request: String, in directory: String, _ step: StepContext) throws -> Int32 {
    let process = Process(), output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command + [request]
    process.currentDirectoryURL = URL(filePath: directory)
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw StepFailure("step \(step.name): cannot start \(command.joined(separator: " ")): \(error.localizedDescription)")
    }
    var rest: [UInt8] = []
    while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
      rest += data
      while let end = rest.firstIndex(of: 10) {
        tell(String(decoding: rest[..<end], as: UTF8.self), step)
        rest.removeSubrange(...end)
      }
    }
    if !rest.isEmpty { tell(String(decoding: rest, as: UTF8.self), step) }
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
  }

  private func tell(_ line: String, _ step: StepContext) {
    guard line.hasPrefix("{"), let json = try? JSON(parsing: line), let done = json["done"]?.int, let total = json["total"]?.int else {
      return step.log(line)
    }
    step.progress(done, of: total, json["word"]?.string ?? "")
  }

  /// A policy that cannot be loaded fails here, not on a station.
  private func check(_ step: StepContext) throws {
    let policy = step.output("policy")
    guard FileManager.default.fileExists(atPath: policy + "/policy.json") else {
      throw StepFailure(
        "step \(step.name): the program left no policy.json in its output 'policy'", hint: "docs/training-programs.md has the contract")
    }
    _ = try PolicyLoader.policy(at: policy)
    let curves = step.output("curves")
    if !FileManager.default.fileExists(atPath: curves) { try step.write(["curves": 1, "outcome": "finished", "series": []], to: "curves") }
    let json = try StepContext.json(at: curves)
    guard json["curves"]?.int == 1, json["series"]?.array != nil, ["finished", "diverged"].contains(json["outcome"]?.string) else {
      throw StepFailure(
        "step \(step.name): the program's curves are not of version 1",
        hint: "{\"curves\": 1, \"outcome\": \"finished\", \"series\": []} is the least")
    }
    for (index, series) in (json["series"]?.array ?? []).enumerated() where !Self.isSeries(series) {
      throw StepFailure(
        "step \(step.name): series \(index) of the program's curves is not one of points",
        hint: "{\"name\": \"loss\", \"x\": \"update\", \"points\": [[100, 0.5], [200, null]]} is one: a whole number, and a number or null")
    }
  }

  private static func isSeries(_ series: JSON) -> Bool {
    guard series["name"]?.string != nil, series["x"]?.string != nil, let points = series["points"]?.array else { return false }
    return points.allSatisfy { point in
      guard point.array?.count == 2, point[0]?.int != nil, let value = point[1] else { return false }
      return value == JSON.null || value.double != nil
    }
  }
}
