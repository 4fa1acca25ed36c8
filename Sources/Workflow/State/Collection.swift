// Removes what no present result needs: old records and the blobs that only they name, logs, trials and checkpoints nobody will ask for.
// The latest record of every step of every workflow stays whole, and no run is going on while it works. Records go before their blobs,
// so that a collection that is killed leaves blobs without records, which the next one removes.

internal import Database
internal import Glibc
import Hashing
import JSON

public struct CollectionOptions: Sendable {
  /// Seconds since a record was made, or a file written, after which it may go.
  public var age = 30 * 86400.0
  /// Bytes that the store may hold: then younger records go too, the oldest first.
  public var size: Int?
  public var dryRun = false
  /// Wait for a run of this workspace.
  public var patience = true

  public init() {}
}

public struct Collected: Sendable {
  public var records = 0
  public var blobs = 0
  public var logs = 0
  public var samples = 0
  public var checkpoints = 0
  /// Of all that was removed.
  public var bytes = 0
  public var keptRecords = 0
  /// What is left in the store.
  public var keptBytes = 0
}

extension Session {
  public func collect(_ options: CollectionOptions, waiting: (String) -> Void) throws -> Collected {
    do { return try Collection(session: self, options: options).run(waiting) } catch let error as DatabaseError { throw State.problem(error) }
  }
}

private struct Collection {
  struct Record {
    let key: Digest
    let started: Double
    let isLatest: Bool
    let blobs: [Digest]
  }

  let session: Session
  let options: CollectionOptions
  var state: State { session.state }
  var oldest: Double { Clock.now - options.age }

  func run(_ waiting: (String) -> Void) throws -> Collected {
    let lock = try WorkspaceLock(state: state.directory, patience: options.patience, waiting: waiting)
    defer { withExtendedLifetime(lock) {} }
    if !options.dryRun { Debris.clear(session) }
    var collected = Collected()
    let blobs = state.store.blobs()
    let records = try records()
    var kept = records.filter { $0.isLatest || $0.started >= oldest }
    var needed = Set(kept.lazy.flatMap(\.blobs))
    var size = needed.reduce(0) { $0 + (blobs[$1] ?? 0) }
    if let limit = options.size, size > limit {
      // How many records name each blob, so that one goes with the last of them.
      var uses: [Digest: Int] = [:]
      for record in kept { for blob in Set(record.blobs) { uses[blob, default: 0] += 1 } }
      var gone: Set<Digest> = []
      for record in kept.filter({ !$0.isLatest }).sorted(by: { $0.started < $1.started }) where size > limit {
        gone.insert(record.key)
        for blob in Set(record.blobs) {
          uses[blob]! -= 1
          if uses[blob] == 0, needed.remove(blob) != nil { size -= blobs[blob] ?? 0 }
        }
      }
      kept.removeAll { gone.contains($0.key) }
    }
    let keys = Set(kept.map(\.key))
    let forgotten = records.filter { !keys.contains($0.key) }
    (collected.records, collected.keptRecords, collected.keptBytes) = (forgotten.count, kept.count, size)
    if !options.dryRun, !forgotten.isEmpty {
      state.dropSnapshots()
      try state.database.transaction {
        for record in forgotten { try state.forget(record.key) }
        try state.lists.collect()
      }
      state.store.sync()
    }
    for (blob, bytes) in blobs where !needed.contains(blob) {
      collected.blobs += 1
      collected.bytes += bytes
      if !options.dryRun { unlink(state.store.path(of: blob)) }
    }
    collected.logs = clear("logs", suffix: ".log", keeping: keys, &collected.bytes)
    collected.checkpoints = clear("progress", suffix: "", keeping: [], &collected.bytes)
    if let samples = try samples(of: keys) { collected.samples = clear("samples", suffix: ".jsonl", keeping: samples, &collected.bytes) }
    return collected
  }

  private func records() throws -> [Record] {
    let latest = Set(try state.database.query("SELECT key FROM latest").compactMap { $0[0].text.flatMap { Digest(hex: $0) } })
    return try state.database.query("SELECT key FROM action").compactMap { row in
      guard let key = row[0].text.flatMap({ Digest(hex: $0) }), let record = try state.action(key) else { return nil }
      return Record(key: key, started: record.started, isLatest: latest.contains(key), blobs: state.store.blobs(of: record))
    }
  }

  /// The names of the kept records' trials; nil if it cannot be told, and then all stay. A trial costs robots' time.
  private func samples(of keys: Set<Digest>) throws -> Set<Digest>? {
    guard !Files.list(state.directory + "/samples").isEmpty else { return nil }
    guard let kinds = session.graph.kinds.isEmpty ? try? Catalogue.kinds(state: state.directory) : session.graph.kinds else { return nil }
    var samples: Set<Digest> = []
    for key in keys {
      guard let fingerprint = try state.details(key)?.fingerprint, let kind = fingerprint["kind"]?.string.flatMap({ kinds[$0] }) else { continue }
      if kind.effect == .sample { samples.insert(Decider.sampleKey(of: fingerprint, kind: kind)) }
    }
    return samples
  }

  /// Removes the old entries of a directory that are named by other keys than these; returns how many.
  private func clear(_ name: String, suffix: String, keeping keys: Set<Digest>, _ bytes: inout Int) -> Int {
    let directory = state.directory + "/" + name
    var count = 0
    for file in Files.list(directory) where file.hasSuffix(suffix) {
      let path = directory + "/" + file
      guard Digest(hex: file.dropLast(suffix.utf8.count)).map(keys.contains) != true else { continue }
      let (newest, size) = Self.measure(path)
      guard Double(newest) < oldest else { continue }
      count += 1
      bytes += size
      if !options.dryRun { Files.removeTree(path) }
    }
    return count
  }

  /// When anything in it was last written, in seconds since 1970, and its bytes.
  private static func measure(_ path: String) -> (newest: Int, bytes: Int) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return (.max, 0) }
    guard status.st_mode & S_IFMT == S_IFDIR else { return (status.st_mtim.tv_sec, Int(status.st_size)) }
    return Files.list(path).map { measure(path + "/" + $0) }.reduce((status.st_mtim.tv_sec, 0)) { (max($0.0, $1.newest), $0.1 + $1.bytes) }
  }
}

extension Store {
  /// Every blob and its size.
  func blobs() -> [Digest: Int] {
    var found: [Digest: Int] = [:]
    for prefix in Files.list(root) where prefix.utf8.count == 2 {
      for name in Files.list(root + "/" + prefix) {
        var status = stat()
        guard let digest = Digest(hex: prefix + name), lstat(root + "/" + prefix + "/" + name, &status) == 0 else { continue }
        found[digest] = Int(status.st_size)
      }
    }
    return found
  }

  /// The files among them that can be run.
  func executables(of record: ActionRecord) -> Set<Digest> {
    Set(
      record.outputs.values.flatMap { artifact -> [Digest] in
        if artifact.form == .directory { return ((try? entries(of: artifact)) ?? []).filter(\.isExecutable).map(\.digest) }
        return artifact.isExecutable ? [artifact.digest] : []
      })
  }

  /// What a record's outputs are made of; of a directory whose listing cannot be read, the listing alone.
  func blobs(of record: ActionRecord) -> [Digest] {
    record.outputs.values.flatMap { artifact in
      [artifact.digest] + (artifact.form == .directory ? (try? entries(of: artifact))?.map(\.digest) ?? [] : [])
    }
  }
}
