// check-verifier: whether a verifier can still be believed through a station's camera as it is now. The sealed clips are filmed again through
// that camera and scored again by the frozen program; a changed camera, light or calibration in the fleet file is a new key, so the step runs then.

import Foundation
import JSON
import Robot
import Vision
import Workflow

enum CheckVerifier: StepKind {
  static let kind = Kind(
    "check-verifier", summary: "Score a frozen verifier's sealed clips again, through a station's camera as it is now.", effect: .pure, revision: 3,
    inputs: [
      Input("verifier", "where the sealed clips and the bars are (synthesize-reward, by the benchmark's criterion)"),
      Input("env", "the frozen environment, whose verifier is scored"),
    ],
    outputs: [
      Output("drift", .value, path: "drift.json", "precision and recall now and when it was accepted, and whether it is still to be believed")
    ],
    parameters: [
      Parameter("must", .bool, default: true, "whether a verifier that has fallen below its bars fails the step; else it is in the result")
    ],
    usesStation: true)

  static func run(_ step: StepContext) throws {
    guard let entry = step.station else { throw StepFailure("step \(step.name): no station", hint: "add \"station\": {\"task\": \"push-t\"}") }
    let directory = try step.input("verifier").path
    guard FileManager.default.fileExists(atPath: directory + "/sealed.json") else {
      throw StepFailure(
        "the verifier has no sealed clips that could be filmed again", at: try step.input("verifier").name,
        hint: "only one by the criterion 'benchmark' has; film people's demonstrations anew")
    }
    let takes = try (StepContext.json(at: directory + "/sealed.json")["takes"]?.array ?? []).map { json in
      guard let take = Take(json: json) else { throw StepFailure("holds what is no take", at: "sealed.json") }
      return take
    }
    let report = try StepContext.json(at: directory + "/report.json")
    guard let precision = report["bars"]?["precision"]?.double, let recall = report["bars"]?["recall"]?.double else {
      throw StepFailure("names no bars", at: "report.json", hint: "make the verifier again with synthesize-reward")
    }
    let environment = try FrozenEnvironment(directory: step.input("env").path)
    guard let form = environment.pictures else { throw StepFailure("the environment's verifier uses no camera", at: try step.input("env").name) }
    if let program = environment.program, try program.digest != Program(directory: directory + "/program").digest {
      throw StepFailure(
        "the environment's verifier is another one than that whose clips are given", at: try step.input("env").name,
        hint: "give both of one verifier: 'env' is frozen from 'verifier'")
    }
    let camera: CameraModel
    do { camera = try CameraModel(json: entry["camera"]) } catch { throw StepFailure("station \(entry["name"]?.string ?? "?"): \(error)") }

    let (eyes, verifier) = (try PushTTracker(form), try environment.makeVerifier())
    let clips = try takes.enumerated().map { index, take in
      if index % 20 == 0 { step.progress(index, of: takes.count, "filming clips") }
      return try take.seen(by: eyes, camera: camera)
    }
    let now = try VerifierScore(of: verifier, on: clips)
    let looks = clips.reduce(0) { $0 + $1.observations.count }
    let lost = clips.reduce(0) { $0 + $1.observations.count { !$0.allSatisfy(\.isFinite) } }
    let believed = now.precision.estimate ?? 0 >= precision && now.recall.estimate ?? 0 >= recall
    let sentence =
      "precision \(now.precision.sentence) and recall \(now.recall.sentence) through this camera, which loses \(lost) of \(looks) looks"
    step.log(sentence)
    if !believed, step.bool("must") {
      throw StepFailure(
        "the verifier is not to be believed on station \(entry["name"]?.string ?? "?") any more: \(sentence)",
        hint: "set camera and light as they were, or make the verifier again for what the camera sees now")
    }
    try step.write(
      [
        "drift": 1, "environment": .string(environment.hash), "station": entry["name"] ?? .null, "believed": .bool(believed), "now": now.json,
        "accepted": report["sealed"] ?? .null, "bars": report["bars"] ?? .null, "looks": .integer(looks), "lost": .integer(lost),
      ], to: "drift")
  }
}
