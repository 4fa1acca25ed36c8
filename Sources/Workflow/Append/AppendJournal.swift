// Several files written as one: whoever appends notes all of them first, and whoever finds the note finishes it. So a batch of steps is there
// whole or not at all, whenever its writer was killed. One appends at a time; readers wait for it.

internal import Glibc
import JSON

final class AppendLock {
  private let descriptor: Int32

  /// Waits for the lock; `exclusive` is for writing.
  convenience init(state: String, exclusive: Bool) throws {
    try self.init(state, exclusive ? LOCK_EX : LOCK_SH)!
  }

  /// The same; without `waiting`, nil if somebody else holds it.
  static func take(state: String, exclusive: Bool, waiting: Bool) throws -> AppendLock? {
    try AppendLock(state, (exclusive ? LOCK_EX : LOCK_SH) | (waiting ? 0 : LOCK_NB))
  }

  private init?(_ state: String, _ operation: Int32) throws {
    try Files.makeDirectory(state)
    let path = state + "/append.lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Files.problem("lock", path) }
    while flock(descriptor, operation) != 0 {
      if errno == EWOULDBLOCK {
        close(descriptor)
        return nil
      }
      guard errno == EINTR else { throw Files.problem("lock", path) }
    }
  }

  deinit { close(descriptor) }
}

enum AppendJournal {
  typealias File = (name: String, json: JSON)

  private static func path(_ state: String) -> String { state + "/append.pending" }

  /// Writes the files below `directory`; the caller holds the lock. Once this has begun to write, they are appended.
  static func write(_ files: [File], below directory: String, state: State) throws {
    let note: JSON = [
      "pending": 1, "directory": .string(directory), "files": .array(files.map { ["name": .string($0.name), "json": $0.json] }),
    ]
    let new = files.filter { !Files.exists(directory + "/" + $0.name) }
    do {
      try Files.write(note.compact, to: path(state.directory))
      state.store.sync()
      try put(files, below: directory)
    } catch {
      // As a full disk: whoever is told that it failed must not find it done later.
      for file in new { unlink(directory + "/" + file.name) }
      unlink(path(state.directory))
      throw error
    }
    unlink(path(state.directory))
  }

  /// Writes those files that are not there yet.
  static func put(_ files: [File], below directory: String) throws {
    try Files.makeDirectory(directory)
    for file in files where !Files.exists(directory + "/" + file.name) { try Files.write(file.json.pretty, to: directory + "/" + file.name) }
  }

  static func isPending(_ state: String) -> Bool { Files.exists(path(state)) }

  /// Writes what a note says and is not there yet; the caller holds the lock.
  static func finish(_ state: String) throws {
    let path = path(state)
    guard Files.exists(path) else { return }
    let note = try JSON(parsing: try Files.read(path))
    guard note["pending"] == 1, let directory = note["directory"]?.string, let files = note["files"]?.array else {
      throw Problem(
        .inputOutput, "\(path) is not a note of appended steps", hint: "it was written by another version; remove it if nothing is missing")
    }
    try put(files.compactMap { file in file["name"]?.string.flatMap { name in file["json"].map { (name, $0) } } }, below: directory)
    unlink(path)
  }
}
