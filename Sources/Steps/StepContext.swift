// What a running step sees: its inputs, parameters, station and places to write. Read from the request that the engine wrote.

import Foundation
import JSON
import Workflow

/// One input artifact.
struct InputFile {
  /// Absolute path, read-only.
  let path: String
  /// The file's own name: of the workspace file, or of the output it was.
  let name: String
  /// SHA-256, hexadecimal.
  let digest: String
  /// The step it came from; nil for a file of the workspace.
  let step: String?
}

/// A result of the study, for kinds that read it whole.
struct StudyStep {
  let name: String
  let kind: String
  /// Outputs by name; empty if the step has not run.
  let outputs: [String: InputFile]
  /// What the engine recorded: state, key, started, seconds, station, with, after, cached.
  let record: JSON
}

final class StepContext {
  let request: JSON
  init(request: JSON) { self.request = request }

  /// The step's name, as `train[seed=0]`.
  var name: String { request["step"]?.string ?? "?" }

  // MARK: Inputs

  func inputs(_ name: String) -> [InputFile] { (request["inputs"]?[name]?.array ?? []).map(Self.file) }

  /// The one artifact given for `name`.
  func input(_ name: String) throws -> InputFile {
    guard let file = inputs(name).first else { throw StepFailure("step \(self.name): input '\(name)' is empty") }
    return file
  }

  /// The JSON of the one artifact given for `name`.
  func json(_ name: String) throws -> JSON { try Self.json(at: input(name).path) }

  static func json(at path: String) throws -> JSON {
    guard let data = FileManager.default.contents(atPath: path) else { throw StepFailure("cannot read \(path)") }
    do { return try JSON(parsing: data) } catch { throw StepFailure(error.message, at: "\(path):\(error.line):\(error.column)") }
  }

  private static func file(_ json: JSON) -> InputFile {
    InputFile(path: json["path"]?.string ?? "", name: json["name"]?.string ?? "", digest: json["digest"]?.string ?? "", step: json["step"]?.string)
  }

  // MARK: Parameters (checked by the engine against the kind's description, defaults filled in)

  func string(_ name: String) -> String { request["with"]?[name]?.string ?? "" }
  func int(_ name: String) -> Int { request["with"]?[name]?.int ?? 0 }
  func double(_ name: String) -> Double { request["with"]?[name]?.double ?? 0 }
  func bool(_ name: String) -> Bool { request["with"]?[name]?.bool ?? false }
  func strings(_ name: String) -> [String] { (request["with"]?[name]?.array ?? []).compactMap(\.string) }
  /// The raw value; nil if it is optional and not given.
  func value(_ name: String) -> JSON? { request["with"]?[name] }

  // MARK: Outputs

  /// Where to write the output: a file, or a directory that exists already.
  func output(_ name: String) -> String { request["outputs"]?[name]?.string ?? "" }

  func write(_ json: JSON, to name: String) throws { try Data(json.pretty.utf8).write(to: URL(filePath: output(name))) }

  // MARK: Where it runs

  /// The station's entry in the fleet file, for kinds that use one: `name`, `driver`, `tasks`, `calibration` and what the driver wants.
  /// For a gather, or a kind without a station, nil.
  var station: JSON? { request["station"] }
  /// What it has of its stations while it runs; none where it repeats what was done before.
  var leases: [Lease] { (request["leases"]?.array ?? []).compactMap(Lease.init) }
  /// This shard and how many there are; (0, 1) for a step that is not sharded.
  var shard: (index: Int, count: Int) { (request["shard"]?["index"]?.int ?? 0, request["shard"]?["count"]?.int ?? 1) }
  /// The directory of the manifest: for external kinds only; a pure kind must not look at it.
  var workspace: String { request["workspace"]?.string ?? "" }
  /// The workflow's bare Git repository of experiments; the agents' worktrees lie beside it. For external kinds and reports.
  var hub: String { (request["state"]?.string ?? "") + "/hubs/" + (request["workflow"]?.string ?? "workflow") + "/hub.git" }
  /// A directory that survives an interruption of this very step (same key): for checkpoints. Removed when the step is done.
  var progressDirectory: String { request["progress"]?.string ?? "" }
  /// For kinds that sample: a file of JSON lines, one a finished trial, that survives interruption and later topping up.
  /// The key it belongs to holds everything but the count of trials.
  var samplesFile: String { request["samples"]?.string ?? "" }
  /// For kinds that sample, where what was recorded is reproduced: the counts of trials that had been looked at then.
  var looks: [Int] { (request["looks"]?.array ?? []).compactMap(\.int) }
  /// For kinds that sample: 64 hexadecimal digits that only the engine can make, from which held-out seeds are drawn.
  var seedRoot: String { request["seedRoot"]?.string ?? "" }

  /// Every step this one comes after, for kinds with `readsStudy`.
  var study: [StudyStep] {
    (request["study"]?.array ?? []).map { step in
      StudyStep(
        name: step["step"]?.string ?? "", kind: step["kind"]?.string ?? "",
        outputs: Dictionary(uniqueKeysWithValues: (step["outputs"]?.object ?? [:]).map { ($0.key, Self.file($0.value)) }), record: step)
    }
  }

  // MARK: Telling

  /// Live progress, shown by the engine: `done` of `total`, with a short word on what is happening; rate and time left are added. Not part of the
  /// result.
  func progress(_ done: Int, of total: Int, _ word: String = "") {
    let words = [word, pace.words(done: done, total: total, at: ProcessInfo.processInfo.systemUptime)].filter { !$0.isEmpty }
    Self.emit(["done": .integer(done), "total": .integer(total), "word": .string(words.joined(separator: ", "))])
  }

  private var pace = Pace()

  /// A line in the step's log.
  func log(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  /// Facts about this execution that are not its result (robot-seconds, tokens, rates); kept in the step's record.
  func telemetry(_ name: String, _ value: JSON) { Self.emit(["telemetry": .string(name), "value": value]) }

  /// Appends steps to the workflow when this step is done: a name below this step's family (`NAME/1/train`) and a step as a manifest
  /// would hold it. Only for kinds with `appends`. The engine checks them all before it takes any.
  func append(_ steps: [(name: String, step: JSON)]) { appended += steps }

  private(set) var appended: [(name: String, step: JSON)] = []

  private static let progressChannel: FileHandle? = ProcessInfo.processInfo.environment["ENPIRE_PROGRESS_FD"].flatMap(Int32.init).map(
    FileHandle.init(fileDescriptor:))

  private static func emit(_ line: JSON) { try? progressChannel?.write(contentsOf: Data((line.compact + "\n").utf8)) }
}
