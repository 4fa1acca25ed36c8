// The private directories in which steps run. One that was left as it was made is used again for the next step with the same layout: making and
// removing directories and links costs more than everything else the engine does for a short step, for ext4 looks for an inode that was not
// deleted lately.

internal import CLinux
internal import Glibc

final class Rooms {
  /// What a step finds in its room; names are relative.
  struct Layout: Hashable {
    /// Each after those it lies in.
    var directories: [String]
    var links: [Link] = []
  }

  struct Link: Hashable {
    let name: String, target: String
  }

  private let root: String
  private var free: [Layout: [String]] = [:]
  private var count = 0

  init(root: String) { self.root = root }

  /// A directory that holds the layout and nothing else, for this process's user alone.
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
    for directory in layout.directories where mkdir(room + "/" + directory, 0o777) != 0 {
      throw Files.problem("create directory", room + "/" + directory)
    }
    for link in layout.links where symlink(link.target, room + "/" + link.name) != 0 { throw Files.problem("write", room + "/" + link.name) }
    return room
  }

  /// Makes a room of one layout one of another. What goes becomes what comes, for a new name costs less than a new directory.
  private static func rebuild(_ room: String, _ old: Layout, _ new: Layout) -> Bool {
    let (oldLinks, newLinks) = (Set(old.links), Set(new.links))
    for link in old.links where !newLinks.contains(link) && unlink(room + "/" + link.name) != 0 { return false }
    // Each before those it lies in, and after them.
    var going = Array(old.directories.filter { !new.directories.contains($0) }.reversed())[...]
    var coming = new.directories.filter { !old.directories.contains($0) }[...]
    while let one = going.first, let other = coming.first, rename(room + "/" + one, room + "/" + other) == 0 {
      (going, coming) = (going.dropFirst(), coming.dropFirst())
    }
    return going.allSatisfy { rmdir(room + "/" + $0) == 0 } && coming.allSatisfy { mkdir(room + "/" + $0, 0o777) == 0 }
      && new.links.allSatisfy { oldLinks.contains($0) || symlink($0.target, room + "/" + $0.name) == 0 }
  }

  /// Takes a directory back once no process is in it; whatever a step left there is removed with it.
  func give(_ room: String, _ layout: Layout) {
    if isClean(room, layout) { free[layout, default: []].append(room) } else { Files.removeTree(room) }
  }

  private func isClean(_ room: String, _ layout: Layout) -> Bool {
    var entries: [String: Int] = [:]
    for name in layout.directories + layout.links.map(\.name) { entries[Files.parent(of: name) ?? "", default: 0] += 1 }
    return Self.holds(room, mode: 0o700, count: entries["", default: 0])
      && layout.directories.allSatisfy { Self.holds(room + "/" + $0, mode: nil, count: entries[$0, default: 0]) }
      && layout.links.allSatisfy { Files.link(room + "/" + $0.name) == $0.target }
  }

  /// Whether this is a directory with so many entries, nobody having changed its mode.
  private static func holds(_ path: String, mode: mode_t?, count: Int) -> Bool {
    var found: UInt32 = 0
    return enpire_entries(path, &found) == count && mode.map { found & 0o7777 == $0 } ?? (found & 0o7700 == 0o700)
  }

  /// The directories that links and a set of directories need, and the links.
  static func layout(_ directories: [String], _ links: [Link]) -> Layout {
    var all: Set<String> = []
    for directory in directories + links.compactMap({ Files.parent(of: $0.name) }) {
      var next: String? = directory
      while let path = next, !path.isEmpty, all.insert(path).inserted { next = Files.parent(of: path) }
    }
    return Layout(directories: all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, links: links)
  }
}
