// Which records came of something that is marked as bad: those that fall under a mark, and whatever read what only such records made. Content
// that a good record gave too is good. A record that is made anew leaves the quarantine, and so does what rests on it.

import Hashing
import JSON

final class Quarantine {
  private struct Entry {
    let inputs: [Digest]
    let outputs: [Digest]
    /// The mark it falls under itself.
    var mark: Taint?
    /// How many of its inputs are bad, and a mark that one of them is bad for.
    var badInputs = 0
    var cause: Taint?

    var taint: Taint? { mark ?? (badInputs > 0 ? cause : nil) }
  }

  let taints: [Taint]
  private var entries: [Digest: Entry] = [:]
  private var readers: [Digest: [Digest]] = [:]
  /// Records that gave some content, and how many of these are good.
  private var makers: [Digest: (all: Int, good: Int)] = [:]
  /// Files that are marked themselves.
  private var files: [Digest: Taint] = [:]

  init(_ taints: [Taint], state: State) throws {
    self.taints = taints
    for taint in taints { for digest in taint.digests { files[digest] = taint } }
    let runs = Dictionary(taints.compactMap { taint in taint.what == .run ? Int(taint.name).map { ($0, taint) } : nil }) { first, _ in first }
    for row in try state.database.query("SELECT key, step, started, station FROM action") {
      guard let key = row[0].text.flatMap({ Digest(hex: $0) }), let record = try state.action(key), let details = try state.details(key) else {
        continue
      }
      let began = row[2].double ?? 0
      var mark = taints.first { taint in
        switch taint.what {
        case .station: taint.name == row[3].text && taint.covers(began)
        case .step: (taint.name == row[1].text || row[1].text?.hasPrefix(taint.name + "[") == true) && taint.covers(began)
        case .file, .run: false
        }
      }
      if mark == nil, !runs.isEmpty, let run = try state.run(of: record) { mark = runs[run] }
      try add(key, record, details, mark, state)
    }
    // First all as if good, then what is not.
    var changed = entries.filter { $0.value.mark != nil }.map(\.key)
    for key in entries.keys {
      let bad = entries[key]!.inputs.compactMap { files[$0] }
      if bad.isEmpty { continue }
      (entries[key]!.badInputs, entries[key]!.cause) = (bad.count, bad[0])
      if entries[key]!.mark == nil { changed.append(key) }
    }
    for key in changed { spread(from: key, turnedBad: true) }
  }

  private func add(_ key: Digest, _ record: ActionRecord, _ details: ActionDetails, _ mark: Taint?, _ state: State) throws {
    var inputs: Set<Digest> = []
    for print in details.fingerprint["inputs"]?.object?.values.elements ?? [] {
      for entry in try state.lists.entries(print) ?? [] {
        if let digest = entry["digest"]?.string.flatMap({ Digest(hex: $0) }) { inputs.insert(digest) }
      }
    }
    let named =
      (details.fingerprint["references"]?.object?.values.elements ?? [])
      + (details.fingerprint["study"]?.object?.values.elements ?? []).flatMap {
        $0.object?.values.elements ?? []
      }
    for json in named { if let digest = json.string.flatMap({ Digest(hex: $0) }) { inputs.insert(digest) } }
    let outputs = Set(record.outputs.values.map(\.digest))
    entries[key] = Entry(inputs: Array(inputs), outputs: Array(outputs), mark: mark)
    for digest in inputs { readers[digest, default: []].append(key) }
    for digest in outputs {
      let known = makers[digest] ?? (0, 0)
      makers[digest] = (known.all + 1, known.good + 1)
    }
  }

  /// Tells whoever reads what this record gave, if that became bad, or good again, with it.
  private func spread(from key: Digest, turnedBad: Bool) {
    var stack = [key]
    while let key = stack.popLast() {
      for digest in entries[key]!.outputs where files[digest] == nil {
        let before = makers[digest]!.good
        makers[digest]!.good += turnedBad ? -1 : 1
        guard turnedBad ? before == 1 : before == 0 else { continue }
        for reader in readers[digest] ?? [] {
          let was = entries[reader]!.taint != nil
          entries[reader]!.badInputs += turnedBad ? 1 : -1
          entries[reader]!.cause = entries[reader]!.cause ?? entries[key]!.taint ?? entries[key]!.cause
          if was != (entries[reader]!.taint != nil) { stack.append(reader) }
        }
      }
    }
  }

  /// How many records are in it.
  var count: Int { entries.values.count { $0.taint != nil } }

  /// The mark for which a record must not be used.
  func taint(of key: Digest) -> Taint? { entries[key]?.taint }

  /// The mark of a file or of a station as it is now.
  func taint(ofFile digest: Digest) -> Taint? { files[digest] }
  var marksFiles: Bool { !files.isEmpty }

  func taint(ofStation name: String) -> Taint? { taints.first { $0.what == .station && $0.name == name && $0.covers(Clock.now) } }

  /// A record was made, or made anew, of what is good.
  func renew(_ record: ActionRecord, _ details: ActionDetails, _ state: State) throws {
    guard let entry = entries[record.key] else { return try add(record.key, record, details, nil, state) }
    let wasBad = entry.taint != nil
    entries[record.key]!.mark = nil
    if wasBad, entries[record.key]!.taint == nil { spread(from: record.key, turnedBad: false) }
  }
}

extension State {
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
