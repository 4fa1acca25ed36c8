// What earlier runs did and why: for `history`, `why --last` and estimates. Nothing here decides anything.

import Hashing
internal import Database
public import JSON

/// What a run decided about a step that was not simply up to date.
public struct RecordedDecision: Sendable {
  public enum Action: String, Sendable {
    case run, restore
    /// Something it needs failed, or its condition does not hold.
    case skip
    /// It could not be tried.
    case fail
    /// It waited for a person when the run ended; its first reason has the command too.
    case ask

    /// The kind of its reasons, if they do not say it themselves.
    fileprivate var what: String {
      switch self {
      case .run: Reason.What.other.rawValue
      case .restore: "output"
      case .skip: "skipped"
      case .fail: Reason.What.failure.rawValue
      case .ask: "approval"
      }
    }
  }

  public let run: Int
  public let step: String
  public let action: Action
  public let key: String?
  /// As `Reason.json` gives them, each with its `what`; at most 20.
  public let reasons: [JSON]
  /// How many there were.
  public let count: Int

  init(run: Int = 0, step: String, action: Action, key: String?, reasons: [JSON], count: Int? = nil) {
    (self.run, self.step, self.action, self.key) = (run, step, action, key)
    self.reasons = reasons.prefix(20).map { reason in
      var reason = reason
      if reason["what"] == nil { reason["what"] = .string(action.what) }
      return reason
    }
    self.count = count ?? reasons.count
  }
}

/// One run that had something to do.
public struct PastRun: Sendable {
  public let number: Int
  public let started: Double
  /// Nil while it runs, and for ever if it was killed.
  public let seconds: Double?
  public let exit: Int?
  /// `RunSummary.counts`, or nil for a run of an older enpire.
  public let counts: JSON?
}

extension State {
  /// Decisions of this many runs are kept.
  static let keptRuns = 20

  private func makeDecisions() throws {
    try database.execute(
      """
      CREATE TABLE IF NOT EXISTS decision (run INTEGER, step TEXT, action TEXT, key TEXT, reasons TEXT, count INTEGER, PRIMARY KEY (run, step))
        WITHOUT ROWID
      """)
  }

  /// Writes decisions down in one transaction, and forgets those of old runs. The first decision about a step stays.
  func record(_ decisions: [RecordedDecision], run: Int) throws {
    if decisions.isEmpty { return }
    try makeDecisions()
    try database.transaction {
      for decision in decisions {
        try database.execute(
          "INSERT OR IGNORE INTO decision (run, step, action, key, reasons, count) VALUES (?, ?, ?, ?, ?, ?)", .integer(run), .text(decision.step),
          .text(decision.action.rawValue), decision.key.map { .text($0) } ?? .null, .text(JSON.array(decision.reasons).compact),
          .integer(decision.count))
      }
      try database.execute("DELETE FROM decision WHERE run <= ?", .integer(run - Self.keptRuns))
    }
  }

  /// The run in which an action succeeded; nil if none did, or nobody remembers.
  func runThatDid(_ key: Digest) throws -> Int? {
    try database.query("SELECT run FROM execution WHERE key = ? AND outcome = 'done' ORDER BY id DESC LIMIT 1", .text(key.hex)).first?[0].int
  }

  /// The newest runs of a workflow, newest first.
  public func runs(_ workflow: String, limit: Int) throws -> [PastRun] {
    try guarded {
      try database.query(
        "SELECT id, started, finished, exit, summary FROM run WHERE workflow = ? ORDER BY id DESC LIMIT ?", .text(workflow), .integer(limit)
      ).map { row in
        let started = row[1].double ?? 0
        return PastRun(
          number: row[0].int ?? 0, started: started, seconds: row[2].double.map { $0 - started }, exit: row[3].int,
          counts: row[4].text.flatMap { try? JSON(parsing: $0) })
      }
    }
  }

  /// What a run decided, by the steps' names; of one step if named.
  public func decisions(run: Int, step: String? = nil, limit: Int = .max) throws -> [RecordedDecision] {
    try guarded {
      try makeDecisions()
      let columns = "SELECT step, action, key, reasons, count FROM decision WHERE run = ?"
      let rows =
        if let step { try database.query(columns + " AND step = ?", .integer(run), .text(step)) } else {
          try database.query(columns + " ORDER BY step LIMIT ?", .integer(run), .integer(limit))
        }
      return rows.map { row in
        RecordedDecision(
          run: run, step: row[0].text ?? "", action: row[1].text.flatMap(RecordedDecision.Action.init) ?? .run, key: row[2].text,
          reasons: row[3].text.flatMap { try? JSON(parsing: $0) }?.array ?? [], count: row[4].int)
      }
    }
  }

  /// The newest attempt at each step.
  public func lastExecutions(_ workflow: String) throws -> [String: Execution] {
    try guarded {
      let rows = try database.query(
        """
        SELECT run, step, key, started, seconds, station, outcome, message FROM execution
          WHERE id IN (SELECT max(id) FROM execution WHERE workflow = ? GROUP BY step)
        """, .text(workflow))
      return Dictionary(rows.map { row in (row[1].text ?? "", Execution(row)) }, uniquingKeysWith: { $1 })
    }
  }

  private func guarded<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as DatabaseError { throw Self.problem(error) }
  }
}

extension Execution {
  /// From run, step, key, started, seconds, station, outcome, message.
  init(_ row: [DatabaseValue]) {
    self.init(
      run: row[0].int ?? 0, step: row[1].text ?? "", key: row[2].text ?? "", started: row[3].double ?? 0, seconds: row[4].double ?? 0,
      station: row[5].text, outcome: row[6].text ?? "", message: row[7].text ?? "")
  }
}

extension RunSummary {
  /// What became of the steps, for programs; the names stay.
  public var counts: JSON {
    [
      "ran": .integer(ran), "upToDate": .integer(upToDate), "restored": .integer(restored), "failed": .integer(failed),
      "tolerated": .integer(tolerated), "skipped": .integer(skipped), "notReached": .integer(notReached),
      "held": .integer(held), "interrupted": .integer(interrupted),
    ]
  }
}
