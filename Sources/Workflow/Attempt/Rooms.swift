// The private directories in which steps run. One that was left as it was made is used again for the next step with the same layout: making and
// removing directories costs more than everything else the engine does for a short step, for ext4 looks for an inode that was not deleted lately.

internal import CLinux
internal import Glibc

final class Rooms {
  /// Directories below a room, each after those it lies in; relative.
  typealias Layout = [String]

  private let root: String
  private var free: [Layout: [String]] = [:]
  private var count = 0

  init(root: String) { self.root = root }

  /// A directory that holds the layout's directories and nothing else, for this process's user alone.
  func take(_ layout: Layout) throws -> String {
    if let room = free[layout]?.popLast() { return room }
    while let (other, rooms) = free.first {
      free[other] = rooms.count > 1 ? rooms.dropLast() : nil
      guard let room = rooms.last else { continue }
      if Self.rebuild(room, other, layout) { return room }
      Files.removeTree(room)
    }
    count += 1
    let room = "\(root)/\(getpid())-\(count)"
    try Files.makePrivate(room)
    for directory in layout where mkdir(room + "/" + directory, 0o777) != 0 { throw Files.problem("create directory", room + "/" + directory) }
    return room
  }

  /// Makes a room of one layout one of another. What goes becomes what comes, for a new name costs less than a new directory.
  private static func rebuild(_ room: String, _ old: Layout, _ new: Layout) -> Bool {
    // Each before those it lies in, and after them.
    var going = Array(old.filter { !new.contains($0) }.reversed())[...]
    var coming = new.filter { !old.contains($0) }[...]
    while let one = going.first, let other = coming.first, rename(room + "/" + one, room + "/" + other) == 0 {
      (going, coming) = (going.dropFirst(), coming.dropFirst())
    }
    return going.allSatisfy { rmdir(room + "/" + $0) == 0 } && coming.allSatisfy { mkdir(room + "/" + $0, 0o777) == 0 }
  }

  /// Takes a directory back once no process is in it; whatever a step left there is removed with it.
  func give(_ room: String, _ layout: Layout) {
    if isClean(room, layout) { free[layout, default: []].append(room) } else { Files.removeTree(room) }
  }

  private func isClean(_ room: String, _ layout: Layout) -> Bool {
    guard Self.holds(room, mode: 0o700, count: layout.count { !$0.utf8.contains(UInt8(ascii: "/")) }) else { return false }
    return layout.allSatisfy { directory in
      let path = room + "/" + directory
      return Self.holds(path, mode: nil, count: layout.count { Files.parent(of: $0) == directory })
    }
  }

  /// Whether this is a directory with so many entries, nobody having changed its mode.
  private static func holds(_ path: String, mode: mode_t?, count: Int) -> Bool {
    var found: UInt32 = 0
    return enpire_entries(path, &found) == count && mode.map { found & 0o7777 == $0 } ?? (found & 0o7700 == 0o700)
  }

  /// The directories that a set of directories needs, each after its parents.
  static func layout(_ directories: [String]) -> Layout {
    var all: Set<String> = []
    for directory in directories {
      var next: String? = directory
      while let path = next, !path.isEmpty, all.insert(path).inserted { next = Files.parent(of: path) }
    }
    return all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
