// The trials already done, one JSON line each, appended by one write as each is done. A crash can tear the last line only; it is cut off.

import Foundation
import JSON
import Robot

/// A trial and the policy it ran, by its number among the inputs.
struct Sample {
  var trial: TrialRecord
  var policy: Int
  var index: Int { trial.index }

  func json(withSeed: Bool, withPoses: Bool) -> JSON {
    var json = trial.json(withSeed: withSeed, withPoses: withPoses)
    json["policy"] = .integer(policy)
    return json
  }

  init(trial: TrialRecord, policy: Int) { (self.trial, self.policy) = (trial, policy) }

  init?(json: JSON) {
    guard let trial = TrialRecord(json: json), let policy = json["policy"]?.int else { return nil }
    self.init(trial: trial, policy: policy)
  }
}

final class SamplesFile {
  private let handle: FileHandle
  private var samples: [Int: Sample] = [:]

  /// Opens the file, made if it is not there, and cuts off a torn last line.
  init(path: String) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw StepFailure("cannot open the samples file \(path): \(String(cString: strerror(errno)))") }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let text = try handle.readToEnd() ?? Data()
    let whole = text.lastIndex(of: 10).map { $0 + 1 } ?? 0
    if whole < text.count { try handle.truncate(atOffset: UInt64(whole)) }
    for sample in try Self.records(in: text.prefix(whole), name: path) where samples[sample.index] == nil { samples[sample.index] = sample }
  }

  subscript(index: Int) -> Sample? { samples[index] }

  /// Seeds stay out if they are secret: whoever has the engine's root can draw them again.
  func append(_ sample: Sample, withSeed: Bool) throws {
    try handle.write(contentsOf: Data((sample.json(withSeed: withSeed, withPoses: true).compact + "\n").utf8))
    samples[sample.index] = sample
  }

  /// The samples of a file of whole lines.
  static func records(at path: String) throws -> [Sample] {
    guard let data = FileManager.default.contents(atPath: path) else { throw StepFailure("cannot read \(path)") }
    return try records(in: data, name: path)
  }

  private static func records(in text: Data, name: String) throws -> [Sample] {
    try text.split(separator: 10).enumerated().map { number, line in
      guard let json = try? JSON(parsing: line), let sample = Sample(json: json) else {
        throw StepFailure("not a trial", at: "\(name):\(number + 1)", hint: "remove the file to run its trials anew")
      }
      return sample
    }
  }
}
