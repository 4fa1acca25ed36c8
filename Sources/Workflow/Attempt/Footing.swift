// What a step stands on while it runs, beside the files that it reads: what lies below the directories among them, the links that lead there, and
// its tools. Content that is the same at the end as at the start says too little, for it may have been another one between; so this is of stamps.

internal import Glibc

struct Footing: Equatable {
  /// By path; what is not there has none.
  private var entries: [String: FileStamp] = [:]
  private var links: [String: FileStamp] = [:]
  /// By name.
  private var tools: [String: FileStamp] = [:]

  /// As it is now. `paths` are files and directories, `tools` names of programs.
  init(_ paths: [String], tools names: [String], workspace: String) {
    var seen: Set<String> = []
    for path in paths {
      addLink(path)
      if let stamp = FileStamp(of: path), stamp.isDirectory {
        entries[path] = stamp
        addAll(below: path)
      }
      // A link on the way may lead elsewhere for a while.
      var next = Files.parent(of: path)
      while let directory = next, directory.utf8.count > workspace.utf8.count, seen.insert(directory).inserted {
        addLink(directory)
        next = Files.parent(of: directory)
      }
    }
    for name in names { tools[name] = (name.contains("/") ? name : Files.program(name)).flatMap(FileStamp.init(of:)) }
  }

  /// Of these a new name or other rights count for nothing, as a backup by hard links gives them.
  private mutating func addAll(below directory: String) {
    for path in Files.list(directory).map({ directory + "/" + $0 }) {
      addLink(path)
      guard var stamp = FileStamp(of: path) else { continue }
      if stamp.isDirectory { addAll(below: path) }
      (stamp.changed, stamp.mode) = (0, 0)
      entries[path] = stamp
    }
  }

  private mutating func addLink(_ path: String) {
    var status = stat()
    if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK { links[path] = FileStamp(status) }
  }

  /// What is not as it was, in words; nil if everything is.
  func change(since earlier: Footing) -> String? {
    if self == earlier { return nil }
    func first(_ part: KeyPath<Footing, [String: FileStamp]>) -> String? {
      Set(self[keyPath: part].keys).union(earlier[keyPath: part].keys).sorted().first { self[keyPath: part][$0] != earlier[keyPath: part][$0] }
    }
    if let path = first(\.links) ?? first(\.entries) { return "its input \(Files.display(path))" }
    return first(\.tools).map { "its tool \($0)" }
  }
}
