// What the workspace remembers: recorded actions, the last record of each step, executions, file digests. SQLite in WAL mode.

internal import Database
internal import Glibc
public import Hashing
public import JSON
public import OrderedCollections

/// A recorded action: what it gave.
public struct ActionRecord: Sendable {
  public let key: Digest
  public let step: String
  public let outputs: OrderedDictionary<String, Artifact>
  /// Steps it appended: name, step.
  public let appended: JSON
  public let started: Double
  public let seconds: Double
  public let station: String?
}

/// What is kept of a recorded action beside its outputs; read only when somebody asks.
public struct ActionDetails: Sendable {
  /// What the key is the hash of, for `why`.
  public let fingerprint: JSON
  /// Facts of the execution that are not its result.
  public let telemetry: JSON
}

extension ActionRecord {
  /// Of a group of steps, which has no outputs and is never written down.
  init(group step: Step) {
    self.init(
      key: Digest(of: "group \(step.name)"), step: step.name, outputs: [:], appended: [], started: 0, seconds: 0,
      station: nil)
  }
}

/// One attempt at a step, successful or not.
public struct Execution: Sendable {
  public let run: Int
  public let step: String
  public let key: String
  public let started: Double
  public let seconds: Double
  public let station: String?
  public let outcome: String
  public let message: String
}

public final class State {
  public let directory: String
  /// The same with a slash at its end, for what lies in it.
  let place: String
  let database: Database
  let store: Store
  let files: FileDigests
  let lists: InputLists
  /// The database is new or empty though there are results: somebody removed it, or a crash of the machine took it.
  let hasLostRecords: Bool
  /// Once somebody asked; nil inside: nothing is marked as bad.
  var knownQuarantine: Quarantine??
  private var lastValue: (artifact: Artifact, value: JSON)?
  private var mayHaveSnapshots = true

  private static let format = 4

  /// Since format 2, a record's large and rarely read parts stand apart, so that looking up a key reads one short row; since format 3, long lists
  /// of inputs do, and people's words on steps are there; since format 4, outputs may be executable, which records of before do not say.
  private static let tables = [
    InputLists.table, Approval.table, Taint.table,
    """
    CREATE TABLE IF NOT EXISTS file (path TEXT PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER, inode INTEGER, mode INTEGER, digest TEXT,
      hashed INTEGER) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS action (key TEXT PRIMARY KEY, step TEXT, outputs TEXT, appended TEXT, started REAL, seconds REAL, station TEXT)
      WITHOUT ROWID
    """,
    "CREATE TABLE IF NOT EXISTS details (key TEXT PRIMARY KEY, fingerprint TEXT, telemetry TEXT)",
    "CREATE TABLE IF NOT EXISTS latest (workflow TEXT, step TEXT, key TEXT, PRIMARY KEY (workflow, step)) WITHOUT ROWID",
    """
    CREATE TABLE IF NOT EXISTS execution (id INTEGER PRIMARY KEY, run INTEGER, workflow TEXT, step TEXT, key TEXT, started REAL, seconds REAL,
      station TEXT, outcome TEXT, message TEXT)
    """,
    "CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY, workflow TEXT, started REAL, finished REAL, exit INTEGER, summary TEXT)",
  ]

  /// Opens or creates the state directory.
  public init(directory: String) throws {
    self.directory = directory
    place = Files.normal(directory) + "/"
    try Files.makeDirectory(directory)
    do {
      database = try Database(path: directory + "/state.db")
      let version = try database.query("PRAGMA user_version").first?.first?.int ?? 0
      guard version <= Self.format else {
        throw Problem(
          .inputOutput, "\(directory)/state.db is of format \(version), from a newer enpire", hint: "this one reads up to format \(Self.format)")
      }
      hasLostRecords = version == 0 && !Files.list(directory + "/store").isEmpty
      if version < Self.format { try Self.migrate(database, from: version) }
    } catch let error as DatabaseError { throw Self.problem(error) }
    store = try Store(state: directory)
    files = FileDigests(database)
    lists = InputLists(database)
  }

  /// Creates the tables, or brings those of an older format into this one: all or nothing.
  private static func migrate(_ database: Database, from version: Int) throws {
    try database.transaction {
      if version == 1 {
        // Digests of files are a cache and are made anew.
        try database.execute("DROP TABLE file")
        try database.execute("ALTER TABLE action RENAME TO action1")
      }
      for table in tables { try database.execute(table) }
      if version == 1 {
        try database.execute("INSERT INTO action SELECT key, step, outputs, appended, started, seconds, station FROM action1")
        try database.execute("INSERT INTO details SELECT key, fingerprint, telemetry FROM action1")
        try database.execute("DROP TABLE action1")
      }
      try database.execute("PRAGMA user_version = \(format)")
    }
  }

  static func problem(_ error: DatabaseError) -> Problem {
    Problem(
      .inputOutput, "the state database: \(error.message)",
      hint: error.isFull ? "free some space and run again; what was finished is kept" : "see whether the state directory is readable and writable")
  }

  // MARK: Actions

  public func action(_ key: Digest) throws -> ActionRecord? {
    try database.query("SELECT step, outputs, appended, started, seconds, station FROM action WHERE key = ?", .text(key.hex)).first.flatMap { row in
      var outputs: OrderedDictionary<String, Artifact> = [:]
      guard let step = row[0].text, let recorded = row[1].text.flatMap({ try? JSON(parsing: $0) })?.object else { return nil }
      for (name, json) in recorded {
        guard let artifact = Artifact(json: json) else { return nil }
        outputs[name] = artifact
      }
      let appended: JSON = row[2].text.flatMap { $0 == "[]" ? nil : try? JSON(parsing: $0) } ?? []
      return ActionRecord(
        key: key, step: step, outputs: outputs, appended: appended, started: row[3].double ?? 0, seconds: row[4].double ?? 0, station: row[5].text)
    }
  }

  public func details(_ key: Digest) throws -> ActionDetails? {
    try database.query("SELECT fingerprint, telemetry FROM details WHERE key = ?", .text(key.hex)).first.flatMap { row in
      guard let fingerprint = row[0].text.flatMap({ try? JSON(parsing: $0) }) else { return nil }
      return ActionDetails(fingerprint: fingerprint, telemetry: row[1].text.flatMap { try? JSON(parsing: $0) } ?? [:])
    }
  }

  /// The JSON of an output; the last one is kept, for many may ask for one after the other.
  func value(_ artifact: Artifact) throws -> JSON {
    if let lastValue, lastValue.artifact == artifact { return lastValue.value }
    let value = try store.value(artifact)
    lastValue = (artifact, value)
    return value
  }

  /// Drops every snapshot of this workspace: what they say is no longer so once a record or a published file changes.
  func dropSnapshots() {
    if mayHaveSnapshots { Self.dropSnapshots(in: directory) }
    mayHaveSnapshots = false
  }

  /// Leaves the directory itself, for a watcher is told of what comes to be in it.
  static func dropSnapshots(in directory: String) {
    let snapshots = directory + "/snapshots"
    for name in Files.list(snapshots) { Files.removeTree(snapshots + "/" + name) }
  }

  func record(_ action: ActionRecord, _ details: ActionDetails) throws {
    dropSnapshots()
    try lists.store(namedIn: details.fingerprint)
    let outputs = JSON.object(action.outputs.mapValues(\.json))
    try database.execute(
      "INSERT OR REPLACE INTO action (key, step, outputs, appended, started, seconds, station) VALUES (?, ?, ?, ?, ?, ?, ?)",
      .text(action.key.hex), .text(action.step), .text(outputs.compact), .text(action.appended.compact), .real(action.started),
      .real(action.seconds), action.station.map { .text($0) } ?? .null)
    try database.execute(
      "INSERT OR REPLACE INTO details (key, fingerprint, telemetry) VALUES (?, ?, ?)", .text(action.key.hex), .text(details.fingerprint.canonical),
      .text(details.telemetry.compact))
  }

  func forget(_ key: Digest) throws {
    dropSnapshots()
    try database.execute("DELETE FROM action WHERE key = ?", .text(key.hex))
    try database.execute("DELETE FROM details WHERE key = ?", .text(key.hex))
  }

  /// The key under which a step last succeeded.
  public func latest(_ workflow: String, _ step: String) throws -> Digest? {
    try database.query("SELECT key FROM latest WHERE workflow = ? AND step = ?", .text(workflow), .text(step)).first?[0].text.flatMap {
      Digest(hex: $0)
    }
  }

  func setLatest(_ workflow: String, _ step: String, _ key: Digest) throws {
    dropSnapshots()
    try database.execute("INSERT OR REPLACE INTO latest (workflow, step, key) VALUES (?, ?, ?)", .text(workflow), .text(step), .text(key.hex))
  }

  /// How long each step took when it last succeeded, in seconds.
  func durations(_ workflow: String) throws -> [String: Double] {
    let rows = try database.query("SELECT latest.step, seconds FROM latest JOIN action USING (key) WHERE workflow = ?", .text(workflow))
    return Dictionary(rows.compactMap { row in row[0].text.flatMap { step in row[1].double.map { (step, $0) } } }) { $1 }
  }

  // MARK: Runs and executions

  func beginRun(_ workflow: String) throws -> Int {
    try database.execute("INSERT INTO run (workflow, started) VALUES (?, ?)", .text(workflow), .real(Clock.now))
    return try database.query("SELECT last_insert_rowid()")[0][0].int ?? 0
  }

  func endRun(_ run: Int, exit: ExitCode, summary: String) throws {
    try database.execute(
      "UPDATE run SET finished = ?, exit = ?, summary = ? WHERE id = ?", .real(Clock.now), .integer(Int(exit.rawValue)), .text(summary), .integer(run)
    )
  }

  func log(_ execution: Execution, workflow: String) throws {
    try database.execute(
      "INSERT INTO execution (run, workflow, step, key, started, seconds, station, outcome, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      .integer(execution.run), .text(workflow), .text(execution.step), .text(execution.key), .real(execution.started), .real(execution.seconds),
      execution.station.map { .text($0) } ?? .null, .text(execution.outcome), .text(execution.message))
  }

  /// Attempts of a workflow, newest first; of one step if named.
  public func executions(_ workflow: String, step: String? = nil, limit: Int = 1000) throws -> [Execution] {
    let columns = "SELECT run, step, key, started, seconds, station, outcome, message FROM execution WHERE workflow = ?"
    let rows =
      if let step { try database.query(columns + " AND step = ? ORDER BY id DESC LIMIT ?", .text(workflow), .text(step), .integer(limit)) } else {
        try database.query(columns + " ORDER BY id DESC LIMIT ?", .text(workflow), .integer(limit))
      }
    return rows.map(Execution.init)
  }

  /// The workspace's secret, made once: held-out seeds are drawn from it.
  func secret() throws -> [UInt8] {
    let path = directory + "/secret"
    if let bytes = try? Files.read(path), bytes.count == 32 { return bytes }
    let random = open("/dev/urandom", O_RDONLY | O_CLOEXEC)
    guard random >= 0 else { throw Files.problem("read", "/dev/urandom") }
    defer { close(random) }
    var bytes = [UInt8](repeating: 0, count: 32)
    guard Glibc.read(random, &bytes, 32) == 32 else { throw Files.problem("read", "/dev/urandom") }
    try Files.write(bytes, to: path, mode: 0o600)
    return bytes
  }
}

/// Wall time, for records; durations are measured on the monotonic clock.
public enum Clock {
  /// Seconds since 1970.
  public static var now: Double { read(CLOCK_REALTIME) }
  /// Seconds since some instant.
  public static var monotonic: Double { read(CLOCK_MONOTONIC) }

  private static func read(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// A point in time for people: `2026-01-31 14:05`, local time. `seconds`: since 1970.
public func date(_ seconds: Double) -> String {
  var (time, parts) = (time_t(seconds), tm())
  localtime_r(&time, &parts)
  var buffer = [CChar](repeating: 0, count: 32)
  let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M", &parts)
  return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
