// Digests of the workspace's files, hashed again only when a file's size, times, inode or mode say that it may have changed.
// A file that was touched within a clock tick of its hashing is not trusted (the racy-clean rule), for its next write might not show.

internal import Database
internal import Glibc
internal import Hashing

final class FileDigests {
  private let database: Database
  /// Stamps seen in this run, to check inputs again after a step ran.
  private(set) var seen: [String: String] = [:]

  init(_ database: Database) { self.database = database }

  /// The file's digest; hashes only if its stamp is new.
  func digest(of path: String) throws -> Digest {
    let (stamp, changed) = try Self.stamp(path)
    seen[path] = stamp
    if let row = try database.query("SELECT stamp, digest, hashed FROM file WHERE path = ?", .text(path)).first,
      row[0].text == stamp, let hashed = row[2].int, changed + 20_000_000 < hashed, let digest = row[1].text.flatMap({ Digest(hex: $0) })
    {
      return digest
    }
    let now = Self.now
    let digest = try hashFile(path)
    guard try Self.stamp(path).stamp == stamp else { return try self.digest(of: path) }
    try database.execute(
      "INSERT OR REPLACE INTO file (path, stamp, digest, hashed) VALUES (?, ?, ?, ?)", .text(path), .text(stamp), .text(digest.hex), .integer(now))
    return digest
  }

  /// Whether the file is still as `digest(of:)` found it.
  func isUnchanged(_ path: String) -> Bool {
    guard let before = seen[path], let now = try? Self.stamp(path).stamp else { return false }
    return before == now
  }

  /// Everything the system tells of a file's identity, and when it last changed (ns).
  private static func stamp(_ path: String) throws -> (stamp: String, changed: Int) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw Files.problem("read", path) }
    let modified = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
    let changed = status.st_ctim.tv_sec * 1_000_000_000 + status.st_ctim.tv_nsec
    return ("\(status.st_size) \(modified) \(changed) \(status.st_ino) \(status.st_mode)", max(modified, changed))
  }

  /// Nanoseconds since 1970.
  private static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
