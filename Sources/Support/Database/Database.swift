// SQLite in a few verbs: open, execute, query. It knows no tables. For one thread.

internal import CSQLite

/// What SQLite said, with the statement and without its values.
public struct DatabaseError: Error, CustomStringConvertible {
  public let code: Int32
  public let message: String
  public let sql: String
  /// The disk is full.
  public var isFull: Bool { code & 0xff == SQLITE_FULL }
  /// Another process holds it.
  public var isBusy: Bool { code & 0xff == SQLITE_BUSY }
  public var description: String { "\(message) (in: \(sql))" }
}

public enum DatabaseValue: Sendable, Equatable {
  case null
  case integer(Int)
  case real(Double)
  case text(String)

  public var int: Int? { if case .integer(let value) = self { value } else { nil } }
  public var text: String? { if case .text(let value) = self { value } else { nil } }
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }
}

public final class Database {
  private let handle: OpaquePointer
  private var statements: [String: OpaquePointer] = [:]

  /// Opens or creates the file, in WAL mode; waits up to five seconds for another process's write.
  public init(path: String) throws(DatabaseError) {
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK, let handle else {
      let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(handle)
      throw DatabaseError(code: code, message: "\(path): \(message)", sql: "open")
    }
    self.handle = handle
    sqlite3_busy_timeout(handle, 5000)
    try query("PRAGMA journal_mode = WAL")
    try execute("PRAGMA synchronous = NORMAL")
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  public func execute(_ sql: String, _ values: DatabaseValue...) throws(DatabaseError) { _ = try rows(sql, values) }
  public func execute(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) { _ = try rows(sql, values) }

  @discardableResult
  public func query(_ sql: String, _ values: DatabaseValue...) throws(DatabaseError) -> [[DatabaseValue]] { try rows(sql, values) }

  /// All or nothing.
  public func transaction(_ body: () throws -> Void) throws {
    try execute("BEGIN IMMEDIATE")
    do { try body() } catch {
      try? execute("ROLLBACK")
      throw error
    }
    try execute("COMMIT")
  }

  /// Many queries that see one state of the database, and are quicker for it.
  public func reading<Result>(_ body: () throws -> Result) throws -> Result {
    try execute("BEGIN")
    defer { try? execute("COMMIT") }
    return try body()
  }

  private func rows(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) -> [[DatabaseValue]] {
    let statement = try prepared(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    for (index, value) in values.enumerated() {
      let position = Int32(index + 1)
      switch value {
      case .null: sqlite3_bind_null(statement, position)
      case .integer(let value): sqlite3_bind_int64(statement, position, Int64(value))
      case .real(let value): sqlite3_bind_double(statement, position, value)
      case .text(let value): sqlite3_bind_text(statement, position, value, Int32(value.utf8.count), transient)
      }
    }
    var rows: [[DatabaseValue]] = []
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW:
        rows.append(
          (0..<sqlite3_column_count(statement)).map { column in
            switch sqlite3_column_type(statement, column) {
            case SQLITE_INTEGER: .integer(Int(sqlite3_column_int64(statement, column)))
            case SQLITE_FLOAT: .real(sqlite3_column_double(statement, column))
            case SQLITE_TEXT:
              .text(
                String(
                  decoding: UnsafeBufferPointer(start: sqlite3_column_text(statement, column), count: Int(sqlite3_column_bytes(statement, column))),
                  as: UTF8.self))
            default: .null
            }
          })
      case SQLITE_DONE: return rows
      default: throw error(sql)
      }
    }
  }

  private func prepared(_ sql: String) throws(DatabaseError) -> OpaquePointer {
    if let statement = statements[sql] { return statement }
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else { throw error(sql) }
    statements[sql] = statement
    return statement
  }

  private func error(_ sql: String) -> DatabaseError {
    DatabaseError(code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)), sql: sql)
  }
}
