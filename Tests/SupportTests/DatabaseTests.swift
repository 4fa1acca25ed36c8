import Database
import Foundation
import Testing

@Suite struct `The database` {
  private func path() -> String { NSTemporaryDirectory() + "enpire-\(UUID().uuidString).db" }

  @Test func `values come back as they went in, and a failed transaction leaves nothing`() throws {
    let path = path()
    defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
    let database = try Database(path: path)
    try database.execute("CREATE TABLE t (a, b)")
    try database.execute("INSERT INTO t VALUES (?, ?)", .integer(7), .text("ä"))
    try database.execute("INSERT INTO t VALUES (?, ?)", .real(0.5), .null)
    #expect(throws: DatabaseError.self) {
      try database.transaction {
        try database.execute("INSERT INTO t VALUES (1, 1)")
        try database.execute("INSERT INTO nowhere VALUES (1)")
      }
    }
    let again = try Database(path: path)
    #expect(try again.query("SELECT a, b FROM t ORDER BY rowid") == [[.integer(7), .text("ä")], [.real(0.5), .null]])
  }

  @Test func `an error carries the statement and not its values`() throws {
    let path = path()
    defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
    let database = try Database(path: path)
    #expect { try database.execute("INSERT INTO nowhere VALUES (?)", .text("secret")) } throws: {
      "\($0)".contains("no such table: nowhere (in: INSERT INTO nowhere VALUES (?))") && !"\($0)".contains("secret")
    }
  }
}
