// Looks whether the state is whole: every blob against its name, every record against the store, the database against itself. Repairing takes
// away what is wrong, so that it is made anew or fetched; it never invents anything.

internal import Database
internal import Glibc
import Hashing
import JSON

public struct Inspection: Sendable {
  public var blobs = 0
  public var bytes = 0
  public var records = 0
  /// Blobs whose bytes are not those of their name.
  public var damaged: [String] = []
  /// Blobs that records need and that are not there.
  public var missing: [String] = []
  /// Steps whose records need what is damaged or missing, or cannot be read.
  public var affected: [String] = []
  /// Blobs that were fetched again from the shared cache.
  public var fetched = 0
  /// What the shared cache said.
  public var told: [String] = []
  /// What SQLite says against the database.
  public var database: [String] = []

  public var isWhole: Bool { damaged.isEmpty && missing.isEmpty && affected.isEmpty && database.isEmpty }
}

extension Session {
  /// Inspects the state. `repair`: removes damaged blobs, and forgets the records that need what is not there.
  public func inspect(repair: Bool, waiting: (String) -> Void) throws -> Inspection {
    let lock = try WorkspaceLock(state: state.directory, patience: true, waiting: waiting)
    defer { withExtendedLifetime(lock) {} }
    var inspection = Inspection()
    do {
      inspection.database = try state.database.query("PRAGMA integrity_check").compactMap { $0[0].text }.filter { $0 != "ok" }
      if repair, !inspection.database.isEmpty { try state.database.execute("REINDEX") }
      var broken: Set<Digest> = []
      let stored = state.store.blobs()
      var blobs = Set(stored.keys)
      for (digest, bytes) in stored {
        inspection.blobs += 1
        inspection.bytes += bytes
        if !state.store.holds(digest) { broken.insert(digest) }
      }
      inspection.damaged = broken.map(\.hex).sorted()
      if repair { for digest in broken { unlink(state.store.path(of: digest)) } }
      let cache = repair ? isolation.shared(state) { text, _ in inspection.told.append(text) } : nil
      var missing: Set<Digest> = []
      var forgotten: [Digest] = []
      for row in try state.database.query("SELECT key, step FROM action") {
        inspection.records += 1
        guard let key = row[0].text.flatMap({ Digest(hex: $0) }), let record = try state.action(key) else {
          inspection.affected.append(row[1].text ?? "?")
          if repair { try state.database.execute("DELETE FROM action WHERE key = ?", row[0]) }
          continue
        }
        var absent = absent(record, broken, blobs)
        // A directory's listing comes before what it lists.
        while let cache, let found = absent.first(where: { (try? cache.fetch($0, "a stored file")) != nil }) {
          inspection.fetched += 1
          broken.remove(found)
          blobs.insert(found)
          absent = self.absent(record, broken, blobs)
        }
        if absent.isEmpty { continue }
        missing.formUnion(absent.filter { !broken.contains($0) })
        inspection.affected.append(record.step)
        forgotten.append(key)
      }
      inspection.missing = missing.map(\.hex).sorted()
      inspection.affected = Set(inspection.affected).sorted()
      if repair {
        try state.database.transaction { for key in forgotten { try state.forget(key) } }
        state.dropSnapshots()
      }
    } catch let error as DatabaseError { throw State.problem(error) }
    return inspection
  }

  /// What of a record's outputs is not there, or not what it should be.
  private func absent(_ record: ActionRecord, _ broken: Set<Digest>, _ blobs: Set<Digest>) -> [Digest] {
    record.outputs.values.flatMap { artifact -> [Digest] in
      guard blobs.contains(artifact.digest), !broken.contains(artifact.digest) else { return [artifact.digest] }
      guard artifact.form == .directory else { return [] }
      guard let entries = try? state.store.entries(of: artifact) else { return [artifact.digest] }
      return entries.map(\.digest).filter { !blobs.contains($0) || broken.contains($0) }
    }
  }

  /// Puts a database that SQLite cannot read out of the way, before a session is opened: its records are lost, its store is not.
  /// Returns where it is now; nil if it can be read.
  public static func setAsideUnreadable(manifestPath: String) throws -> String? {
    let directory = stateDirectory(besides: Files.parent(of: Files.located(manifestPath)) ?? "/")
    let file = directory + "/state.db"
    guard Files.exists(file) else { return nil }
    let lock = try WorkspaceLock(state: directory, patience: true) { _ in }
    defer { withExtendedLifetime(lock) {} }
    do {
      let found = try Database(path: file).query("PRAGMA integrity_check")
      if found.first?.first?.text == "ok" { return nil }
      // What an index says wrongly can be put right.
      if found.allSatisfy({ $0.first?.text?.contains("index") == true }) { return nil }
    } catch let error where error.isBusy { throw State.problem(error) } catch {}
    let aside = file + ".damaged-\(Int(Clock.now))"
    try Files.move(file, to: aside)
    for more in ["-wal", "-shm"] where Files.exists(file + more) { try Files.move(file + more, to: aside + more) }
    State.dropSnapshots(in: directory)
    return aside
  }
}
