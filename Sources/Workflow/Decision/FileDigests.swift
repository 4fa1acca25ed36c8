// Digests of the workspace's files, hashed again only when a file's size, times, inode or mode say that it may have changed.
// A file that was touched within a clock tick of its hashing is not trusted (the racy-clean rule), for its next write might not show.

internal import CLinux
internal import Database
internal import Glibc
internal import Hashing

/// Everything the system tells of a file's identity. Equal stamps mean equal content, but for writes within one clock tick.
struct FileStamp: Hashable, Sendable {
  var size: Int
  /// Nanoseconds since 1970.
  var modified: Int
  var changed: Int
  var inode: UInt64
  var mode: UInt32

  init(_ status: stat) {
    size = status.st_size
    modified = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
    changed = status.st_ctim.tv_sec * 1_000_000_000 + status.st_ctim.tv_nsec
    inode = UInt64(status.st_ino)
    mode = status.st_mode
  }

  init(size: Int, modified: Int, changed: Int, inode: UInt64, mode: UInt32) {
    (self.size, self.modified, self.changed, self.inode, self.mode) = (size, modified, changed, inode, mode)
  }

  /// The stamp of the file that a path leads to; nil if there is none.
  init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// The same file, unwritten; moving it changes the rest.
  func isSameContent(as other: FileStamp) -> Bool { (size, modified, inode) == (other.size, other.modified, other.inode) }

  var isExecutable: Bool { mode & 0o100 != 0 }
  var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
}

final class FileDigests {
  /// A clock tick of the file system's times, and some more, in nanoseconds.
  static let tick = 20_000_000

  struct Entry {
    var stamp: FileStamp
    var digest: Digest
    /// When the content was known to be this, in nanoseconds since 1970.
    var hashed: Int

    /// Whether a later write would have changed the stamp. Some file systems have whole seconds, or two of them.
    var isTrusted: Bool {
      let isCoarse = stamp.modified % 1_000_000_000 == 0 && stamp.changed % 1_000_000_000 == 0
      return max(stamp.modified, stamp.changed) + (isCoarse ? 2_000_000_000 : 0) + FileDigests.tick < hashed
    }
  }

  private let database: Database
  /// What this run knows, by absolute path.
  private(set) var entries: [String: Entry] = [:]
  private var unsaved: [String] = []
  /// Files whose content was not the same at every look: what one step read another did not.
  private(set) var unsteady: Set<String> = []

  init(_ database: Database) { self.database = database }

  /// The file's digest; hashes only if its stamp is new.
  func digest(of path: String) throws -> Digest { try entry(of: path).digest }

  func entry(of path: String) throws -> Entry {
    guard let stamp = FileStamp(of: path) else { throw Files.problem("read", path) }
    if let known = try entries[path] ?? saved(path), known.stamp == stamp, known.isTrusted {
      entries[path] = known
      return known
    }
    guard stamp.mode & S_IFMT == S_IFREG else { throw Files.neitherFileNorDirectory(path) }
    let entry = try Self.hash(path)
    remember(entry, at: path)
    return entry
  }

  /// The path that a file was first known by: equal, though maybe not byte by byte.
  func spelling(of path: String) -> String? { entries.index(forKey: path).map { entries.keys[$0] } }

  /// Reads the file, whatever is known of it.
  static func hash(_ path: String) throws -> Entry {
    while true {
      guard let stamp = FileStamp(of: path) else { throw Files.problem("read", path) }
      let began = now
      let entry = Entry(stamp: stamp, digest: try hashFile(path), hashed: began)
      // Written while it was read: what was hashed is no content it ever had.
      if FileStamp(of: path) == stamp { return entry }
    }
  }

  /// Takes note of a file whose content is known because this process put it there, with a modification time
  /// a tick before: any write that follows shows in the stamp.
  func note(_ path: String, _ digest: Digest, _ stamp: FileStamp) {
    entries[path] = nil
    remember(Entry(stamp: stamp, digest: digest, hashed: Int.max), at: path)
  }

  private func remember(_ entry: Entry, at path: String) {
    if let before = entries[path], before.digest != entry.digest || before.stamp.isExecutable != entry.stamp.isExecutable { unsteady.insert(path) }
    entries[path] = entry
    unsaved.append(path)
  }

  /// Whether the file is still as it was when it had this stamp.
  static func isUnchanged(_ path: String, since stamp: FileStamp) -> Bool { FileStamp(of: path) == stamp }

  // MARK: Kept between runs

  private func saved(_ path: String) throws -> Entry? {
    try database.query("SELECT size, modified, changed, inode, mode, digest, hashed FROM file WHERE path = ?", .text(path)).first.flatMap { row in
      guard let size = row[0].int, let modified = row[1].int, let changed = row[2].int, let inode = row[3].int, let mode = row[4].int,
        let digest = row[5].text.flatMap({ Digest(hex: $0) }), let hashed = row[6].int
      else { return nil }
      return Entry(
        stamp: FileStamp(
          size: size, modified: modified, changed: changed, inode: UInt64(bitPattern: Int64(inode)), mode: UInt32(truncatingIfNeeded: mode)),
        digest: digest, hashed: hashed)
    }
  }

  /// Writes down what is new, inside the transaction of whoever calls.
  func save() throws {
    for path in unsaved {
      guard let entry = entries[path] else { continue }
      let stamp = entry.stamp
      try database.execute(
        "INSERT OR REPLACE INTO file (path, size, modified, changed, inode, mode, digest, hashed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", .text(path),
        .integer(stamp.size), .integer(stamp.modified), .integer(stamp.changed), .integer(Int(Int64(bitPattern: stamp.inode))),
        .integer(Int(stamp.mode)),
        .text(entry.digest.hex), .integer(entry.hashed))
    }
    unsaved = []
  }

  var hasUnsaved: Bool { !unsaved.isEmpty }

  /// Nanoseconds since 1970.
  static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
