// Runs one step from its request file; the whole of `enpire-worker`.

import Foundation
public import JSON
import Robot
import Workflow

public enum Worker {
  /// All kinds, as the engine reads them.
  public static var catalogue: JSON { ["kinds": .array(stepKinds.map { $0.kind.json })] }

  /// How the worker's process ends for an error: 69 tells that the station failed, which the engine may answer by another try.
  public static func exitCode(of error: any Error) -> Int32 { error is StationFailure ? ExitCode.station.rawValue : 1 }

  /// The secret seeds of an evaluation, drawn from the root in ENPIRE_SEED_ROOT, with what shows that it was bound to them.
  public static func seeds(purpose: String, trials: String, paired policies: String) throws -> JSON {
    guard let purpose = Purpose(rawValue: purpose), let trials = Int(trials), let policies = Int(policies), 1...1_000_000 ~= trials, policies > 0
    else {
      throw StepFailure("seeds \(purpose) \(trials) \(policies): not a purpose and two counts")
    }
    let count = EvaluationPlan.starts(ofTrials: trials, paired: policies)
    let plan = try SeedPlan(purpose: purpose, secretRoot: ProcessInfo.processInfo.environment["ENPIRE_SEED_ROOT"] ?? "")
    return [
      "seeds": .array(plan.seeds(count).map { .integer(Int($0)) }), "nonce": .string(plan.nonce.hex),
      "commitment": .string(plan.commitment(count).hex),
    ]
  }

  /// Runs the step of the request at `path`. Appended steps are written to the path the request names under `append`.
  public static func run(requestAt path: String) throws {
    let step = StepContext(request: try StepContext.json(at: path))
    let name = step.request["kind"]?.string ?? ""
    guard let kind = stepKinds.first(where: { $0.kind.name == name }) else { throw StepFailure("no step kind '\(name)'") }
    if step.request["mode"]?.string == "prepare" { return try kind.prepare(step) }
    for output in kind.kind.outputs where output.form == .directory {
      try FileManager.default.createDirectory(atPath: step.output(output.name), withIntermediateDirectories: true)
    }
    if step.request["mode"]?.string == "gather" { try kind.gather(step) } else { try kind.run(step) }
    for output in kind.kind.outputs where !FileManager.default.fileExists(atPath: step.output(output.name)) {
      throw StepFailure("kind '\(name)' did not write its output '\(output.name)'")
    }
    if let path = step.request["append"]?.string {
      var steps: JSON = [:]
      for (name, declaration) in step.appended { steps[name] = declaration }
      try Data(JSON.object(["steps": steps]).pretty.utf8).write(to: URL(filePath: path))
    }
  }
}
