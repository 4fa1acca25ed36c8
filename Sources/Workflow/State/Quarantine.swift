// Which records came of something that is marked as bad: those that fall under a mark, those that read a marked file, and those that read what
// until then only such records had made. Content that a good record had made too is good; content that nobody had made came from outside. As each
// record rests on earlier ones alone, one pass in the order of their times decides all.

import Hashing
import JSON

final class Quarantine {
  private struct Entry {
    var inputs: Set<Digest> = []
    var outputs: Set<Digest> = []
    var started: Double
    /// The mark it falls under itself.
    var mark: Taint?
    /// Why it must not be used; nil if it is good.
    var taint: Taint?
  }

  /// When some content was first made, and first by a good record; a mark that the others are bad for.
  private struct Making {
    var first = Double.infinity
    var firstGood = Double.infinity
    var taint: Taint?
  }

  let taints: [Taint]
  private var entries: [Digest: Entry] = [:]
  private var readers: [Digest: Set<Digest>] = [:]
  private var makers: [Digest: Set<Digest>] = [:]
  private var makings: [Digest: Making] = [:]
  /// Files that are marked themselves.
  private var files: [Digest: Taint] = [:]

  init(_ taints: [Taint], state: State) throws {
    self.taints = taints
    for taint in taints { for digest in taint.digests { files[digest] = taint } }
    let runs = Dictionary(taints.compactMap { taint in taint.what == .run ? Int(taint.name).map { ($0, taint) } : nil }) { first, _ in first }
    var order: [Digest] = []
    for row in try state.database.query("SELECT key, step, started, station FROM action ORDER BY started") {
      guard let key = row[0].text.flatMap({ Digest(hex: $0) }), let record = try state.action(key), let details = try state.details(key) else {
        continue
      }
      var mark = taints.first { taint in
        switch taint.what {
        case .station: taint.name == row[3].text && taint.covers(record.started)
        case .step: (taint.name == row[1].text || row[1].text?.hasPrefix(taint.name + "[") == true) && taint.covers(record.started)
        case .file, .run: false
        }
      }
      if mark == nil, !runs.isEmpty, let run = try state.run(of: record) { mark = runs[run] }
      try put(record, details, mark, state)
      order.append(key)
    }
    for key in order {
      entries[key]!.taint = judge(entries[key]!)
      note(entries[key]!)
    }
  }

  private func put(_ record: ActionRecord, _ details: ActionDetails, _ mark: Taint?, _ state: State) throws {
    var entry = Entry(started: record.started, mark: mark)
    // By its digits, whether it can be run or not.
    func add(_ json: JSON?) { if let digest = json?.string.flatMap({ Digest(hex: $0.prefix(64)) }) { entry.inputs.insert(digest) } }
    for print in details.fingerprint["inputs"]?.object?.values.elements ?? [] {
      for input in try state.lists.entries(print) ?? [] { add(input["digest"]) }
    }
    for digest in details.fingerprint["references"]?.object?.values.elements ?? [] { add(digest) }
    for outputs in details.fingerprint["study"]?.object?.values.elements ?? [] { for digest in outputs.object?.values.elements ?? [] { add(digest) } }
    entry.outputs = Set(record.outputs.values.map(\.digest))
    for digest in entry.inputs { readers[digest, default: []].insert(record.key) }
    for digest in entry.outputs { makers[digest, default: []].insert(record.key) }
    entries[record.key] = entry
  }

  /// Why a record must not be used, by what was made before it.
  private func judge(_ entry: Entry) -> Taint? {
    if let mark = entry.mark { return mark }
    for digest in entry.inputs {
      if let taint = files[digest] { return taint }
      guard let making = makings[digest], making.first < entry.started, making.firstGood >= entry.started, let taint = making.taint else { continue }
      // What was begun after the mark was made took nothing from quarantine: it read a file with the same content.
      if entry.started < taint.at { return taint }
    }
    return nil
  }

  /// Takes into account what a record made.
  private func note(_ entry: Entry) {
    for digest in entry.outputs {
      var making = makings[digest] ?? Making()
      making.first = min(making.first, entry.started)
      if entry.taint == nil { making.firstGood = min(making.firstGood, entry.started) }
      making.taint = making.taint ?? entry.taint
      makings[digest] = making
    }
  }

  /// How many records are in it.
  var count: Int { entries.values.count { $0.taint != nil } }

  /// The mark for which a record must not be used.
  func taint(of key: Digest) -> Taint? { entries[key]?.taint }

  /// The mark of a file, or of a station as it is now.
  func taint(ofFile digest: Digest) -> Taint? { files[digest] }
  var marksFiles: Bool { !files.isEmpty }

  func taint(ofStation name: String) -> Taint? { taints.first { $0.what == .station && $0.name == name && $0.covers(Clock.now) } }

  /// A record was made, or made anew, of what is good. What rested on the one before is judged again.
  func renew(_ record: ActionRecord, _ details: ActionDetails, _ state: State) throws {
    var affected: Set<Digest> = []
    if let old = entries[record.key] {
      affected = old.outputs
      for digest in old.inputs { readers[digest]?.remove(record.key) }
      for digest in old.outputs { makers[digest]?.remove(record.key) }
    }
    try put(record, details, nil, state)
    affected.formUnion(entries[record.key]!.outputs)
    while !affected.isEmpty {
      for digest in affected {
        makings[digest] = nil
        for maker in makers[digest] ?? [] { note(Entry(outputs: [digest], started: entries[maker]!.started, taint: entries[maker]!.taint)) }
      }
      var changed: Set<Digest> = []
      for reader in Set(affected.lazy.flatMap { self.readers[$0] ?? [] }) {
        let taint = judge(entries[reader]!)
        if (taint == nil) != (entries[reader]!.taint == nil) { changed.formUnion(entries[reader]!.outputs) }
        entries[reader]!.taint = taint
      }
      affected = changed
    }
  }
}

extension State {
  /// Whether marks are the same as when somebody here asked for them first; true if nobody has.
  func isQuarantineCurrent() throws -> Bool {
    guard let known = knownQuarantine else { return true }
    return try taints().map(\.json) == known?.taints.map(\.json) ?? []
  }

  /// Nil while nothing is marked.
  func quarantine() throws -> Quarantine? {
    if let known = knownQuarantine { return known }
    let taints = try taints()
    let quarantine: Quarantine? = taints.isEmpty ? nil : try Quarantine(taints, state: self)
    knownQuarantine = .some(quarantine)
    return quarantine
  }

  /// The run that made a record; nil if it is forgotten.
  fileprivate func run(of record: ActionRecord) throws -> Int? {
    try database.query(
      "SELECT run FROM execution WHERE key = ? AND outcome = 'done' AND abs(started - ?) < 0.001", .text(record.key.hex), .real(record.started)
    ).first?[0].int
  }

  /// Each step's latest key.
  func latest(_ workflow: String) throws -> [(step: String, key: Digest)] {
    try database.query("SELECT step, key FROM latest WHERE workflow = ? ORDER BY step", .text(workflow)).compactMap { row in
      row[0].text.flatMap { step in row[1].text.flatMap { Digest(hex: $0) }.map { (step, $0) } }
    }
  }

  /// Puts the finished trials of a sample aside, where nobody takes them for good ones.
  func setAside(samples key: Digest) throws {
    let file = "\(directory)/samples/\(key.hex).jsonl"
    guard Files.exists(file) else { return }
    try Files.makeDirectory(directory + "/quarantine")
    try Files.move(file, to: "\(directory)/quarantine/\(key.hex)-\(Int(Clock.now)).jsonl")
  }
}
