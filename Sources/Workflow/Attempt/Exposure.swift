// What a step may see of the file system beside the system's own directories: gathered while its command or request is made.
// It does not know how a sandbox shows it.

internal import Glibc

struct Exposure {
  /// Shown read-only at their own places.
  private(set) var readable: [String] = []
  private(set) var writable: [String] = []
  var network = false

  /// A mount costs time, more with each: beyond this many inputs, directories are shown whole.
  static let manyInputs = 100

  mutating func read(_ path: String) { readable.append(path) }
  mutating func write(_ path: String) { writable.append(path) }

  /// Whether a link of the step's may lead to `path`, which is free of links.
  func covers(_ path: String) -> Bool {
    (readable + writable).contains { Files.lies(path, in: Files.real($0) ?? $0) }
  }

  /// With too many inputs for a mount each, the directories of those that lie in the same one; but never one that holds `forbidden`.
  func readable(neverShowing forbidden: String) -> [String] {
    guard readable.count > Self.manyInputs else { return readable }
    var seen: Set<String> = []
    return readable.compactMap { path in
      guard let parent = Files.parent(of: path) else { return path }
      let shown = (forbidden + "/").hasPrefix(parent == "/" ? "/" : parent + "/") ? path : parent
      return seen.insert(shown).inserted ? shown : nil
    }
  }
}

extension Files {
  /// The path without links; nil if it leads nowhere.
  static func real(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
