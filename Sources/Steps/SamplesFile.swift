// The trials already done, one JSON line each, appended by one write as each is done; between them notes of what was begun on hardware, and of
// how many trials were asked for. A crash can tear the last line only; it is cut off.

import Foundation
import JSON
import Robot
import Workflow

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
  /// The station's: without it nothing is written any more.
  private let lease: Lease?
  private var samples: [Int: Sample] = [:]
  private var begun: Set<Int> = []
  /// Counts of trials that were asked for: 0 for one that a test was to end.
  private(set) var looks: Set<Int> = []

  /// Opens the file, made if it is not there, and cuts off a torn last line.
  init(path: String, lease: Lease? = nil) throws {
    self.lease = lease
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw StepFailure("cannot open the samples file \(path): \(String(cString: strerror(errno)))") }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let text = try handle.readToEnd() ?? Data()
    let whole = text.lastIndex(of: 10).map { $0 + 1 } ?? 0
    if whole < text.count { try handle.truncate(atOffset: UInt64(whole)) }
    let lines = text.prefix(whole).split(separator: 10)
    let notes = lines.filter(Self.isNote).compactMap { try? JSON(parsing: $0) }
    (begun, looks) = (Set(notes.compactMap { $0["begun"]?.int }), Set(notes.compactMap { $0["looked"]?.int }))
    for sample in try Self.records(in: text.prefix(whole), name: path) where samples[sample.index] == nil { samples[sample.index] = sample }
  }

  /// Takes trials that were begun on hardware, and of which nobody knows how they ended, as unknown: they are not run again.
  func takeLost(on station: JSON, seed: (Int) -> UInt32, policy: (Int) -> Int, withSeed: Bool) throws {
    for index in begun.filter({ samples[$0] == nil }).sorted() {
      let trial = TrialRecord.lost(index: index, station: station["name"]?.string ?? "?", seed: seed(index))
      try append(Sample(trial: trial, policy: policy(index)), withSeed: withSeed)
    }
  }

  /// A trial is about to begin: the environment has to be as it was frozen and the station leased, for who has lost it moves nothing there.
  /// On hardware that is noted, so that the trial is not run twice whatever happens.
  func begin(_ index: Int, on station: JSON, in environment: FrozenEnvironment?) throws {
    try environment?.check()
    if let lease, !lease.isHeld { throw StepFailure("station \(lease.station): the lease of it was lost") }
    guard station["hardware"]?.bool == true else { return }
    try write((["begun": .integer(index)] as JSON).compact)
    try handle.synchronize()
    begun.insert(index)
  }

  /// So many trials are about to be seen: whoever asks for another count later may do so for how they went.
  func look(at count: Int) throws {
    if looks.insert(count).inserted { try write((["looked": .integer(count)] as JSON).compact) }
  }

  private static func isNote(_ line: Data) -> Bool { [#"{"begun""#, #"{"looked""#].contains { line.starts(with: Data($0.utf8)) } }

  private func write(_ line: String) throws {
    func write() throws { try handle.write(contentsOf: Data((line + "\n").utf8)) }
    guard let lease else { return try write() }
    guard try lease.whileHeld(write) else { throw StepFailure("station \(lease.station): the lease of it was lost; nothing more is written") }
  }

  subscript(index: Int) -> Sample? { samples[index] }

  /// Seeds stay out if they are secret: whoever has the engine's root can draw them again.
  func append(_ sample: Sample, withSeed: Bool) throws {
    try write(sample.json(withSeed: withSeed, withPoses: true).compact)
    samples[sample.index] = sample
  }

  /// The samples of a file of whole lines.
  static func records(at path: String) throws -> [Sample] {
    guard let data = FileManager.default.contents(atPath: path) else { throw StepFailure("cannot read \(path)") }
    return try records(in: data, name: path)
  }

  private static func records(in text: Data, name: String) throws -> [Sample] {
    try text.split(separator: 10).enumerated().compactMap { number, line in
      if isNote(line) { return nil }
      guard let json = try? JSON(parsing: line), let sample = Sample(json: json) else {
        throw StepFailure("not a trial", at: "\(name):\(number + 1)", hint: "remove the file to run its trials anew")
      }
      return sample
    }
  }
}
