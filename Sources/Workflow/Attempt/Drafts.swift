// Where what a step prints goes at first: into an empty file that is used again by the next step as long as nobody printed anything, for making a
// file costs more than most of what the engine does for a short step. Once something is in it, it gets its own name among the logs.

internal import Glibc

final class Drafts {
  private let root: String
  private var free: [String] = []
  private var count = 0

  init(root: String) { self.root = root }

  /// An empty file, open for appending; whoever takes it closes it.
  func take() throws -> (path: String, descriptor: Int32) {
    while let path = free.popLast() {
      let descriptor = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC)
      if descriptor >= 0 { return (path, descriptor) }
    }
    count += 1
    let path = "\(root)/log-\(getpid())-\(count)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Files.problem("write", path) }
    return (path, descriptor)
  }

  /// Gives a draft that something was printed to its name; false if it is empty still.
  func name(_ path: String, _ log: String) -> Bool {
    var status = stat()
    return lstat(path, &status) != 0 || (status.st_size > 0 && rename(path, log) == 0)
  }

  /// Takes an empty draft back; nobody writes to it any more.
  func give(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFREG, status.st_size == 0, status.st_nlink == 1 { free.append(path) } else { unlink(path) }
  }
}
