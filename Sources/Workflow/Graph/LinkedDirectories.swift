// What lies behind a link to a directory, for who publishes there is told by the words of paths.

internal import Glibc

/// Which directories that inputs lie in are behind a link: one look at each.
final class LinkedDirectories {
  private var known: [String: Bool] = [:]

  /// What a path leads to, relative to `root`, if a link stands on the way to its last part; nil if none does, or it leads elsewhere.
  func resolved(_ path: String, in root: String) -> String? {
    guard !Files.isAbsolute(path), let directory = Files.parent(of: path), isLinked(directory, in: root), let real = real(directory, in: root),
      let home = Files.real(root)
    else { return nil }
    return Files.rest(of: real + "/" + Files.name(of: path), after: home + "/")
  }

  /// What is not there yet lies where it will come to be.
  private func real(_ directory: String, in root: String) -> String? {
    if let real = Files.real(Files.absolute(directory, in: root)) { return real }
    return Files.parent(of: directory).flatMap { real($0, in: root) }.map { $0 + "/" + Files.name(of: directory) }
  }

  private func isLinked(_ directory: String, in root: String) -> Bool {
    if let answer = known[directory] { return answer }
    var status = stat()
    let isLink = lstat(Files.absolute(directory, in: root), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    let answer = isLink || Files.parent(of: directory).map { isLinked($0, in: root) } ?? false
    known[directory] = answer
    return answer
  }
}
