// Which step publishes where: every path is plain, below the manifest's directory and outside of the state, of Git and of
// appended steps, has one publisher, and none lies
// below another, for a directory is published whole. It knows nothing of files that are there.

struct Publishers {
  private var owners: [String: Step.ID] = [:]
  /// Directories that hold published paths, and one of their publishers.
  private var parents: [Substring: Step.ID] = [:]

  /// Since `begin`, to be taken back if steps are refused.
  private var claimed: [(path: String, parents: [Substring])] = []

  /// Bytes of a name in a path.
  static let longest = 240

  enum Fault: Error {
    case notPlain, tooLong
    /// Also publishes there, or above or below.
    case taken(Step.ID)
  }

  mutating func claim(_ path: String, _ step: Step.ID) throws(Fault) {
    let path = Files.withoutSlash(path)
    let parts = Files.parts(of: path, omittingEmpty: false)
    guard !path.utf8.contains(0), parts.allSatisfy({ !["", ".", "..", ".git"].contains($0) && !$0.hasSuffix(".steps") }), parts[0] != ".enpire"
    else { throw .notPlain }
    // What is copied there has a few letters more for a moment.
    guard parts.allSatisfy({ $0.utf8.count <= Self.longest }) else { throw .tooLong }
    if let other = owners[path] ?? parents[path[...]] { throw .taken(other) }
    var new: [Substring] = []
    var parent = path[...]
    while let slash = parent.utf8.lastIndex(of: Files.slash) {
      parent = parent[..<slash]
      if let other = owners[String(parent)] { throw .taken(other) }
      if parents[parent] != nil { break }
      new.append(parent)
    }
    owners[path] = step
    for parent in new { parents[parent] = step }
    claimed.append((path, new))
  }

  func owner(of path: String) -> Step.ID? { owners[path] }

  /// Who publishes a directory that the path lies in.
  func owner(above path: String) -> Step.ID? {
    var parent = path[...]
    while let slash = parent.utf8.lastIndex(of: Files.slash) {
      parent = parent[..<slash]
      if let owner = owners[String(parent)] { return owner }
      // Whatever holds something that is published lies in nothing that is.
      if parents[parent] != nil { return nil }
    }
    return nil
  }

  mutating func begin() { claimed = [] }

  mutating func takeBack() {
    for (path, parents) in claimed {
      owners[path] = nil
      for parent in parents { self.parents[parent] = nil }
    }
    claimed = []
  }
}
