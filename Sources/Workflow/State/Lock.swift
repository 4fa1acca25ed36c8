// One run at a time in a workspace. The kernel drops the lock when its holder dies, so there is never a stale one.

internal import Glibc
import JSON

final class WorkspaceLock {
  private let descriptor: Int32

  /// Takes the lock, or waits for it: `waiting` is called once with who holds it. With `patience` false it fails instead.
  init(state directory: String, patience: Bool, waiting: (String) -> Void) throws {
    try Files.makeDirectory(directory)
    let path = directory + "/lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Files.problem("lock", path) }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let holder = (try? Files.read(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
      guard patience else {
        close(descriptor)
        throw Problem(.locked, "another run holds this workspace: \(holder)", hint: "wait for it, or run without --no-wait to queue behind it")
      }
      waiting(holder)
      while flock(descriptor, LOCK_EX) != 0 {
        guard errno == EINTR else { throw Files.problem("lock", path) }
      }
    }
    let holder = Array("process \(getpid())".utf8)
    ftruncate(descriptor, 0)
    _ = holder.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  /// Takes the lock if nobody holds it; nil too if there is no state yet.
  init?(ifFree directory: String) {
    descriptor = open(directory + "/lock", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      close(descriptor)
      return nil
    }
  }

  deinit { close(descriptor) }
}
