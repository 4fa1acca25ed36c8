// A machine that is quiet while a step measures time: runs of one user share it as long as no such step runs, and wait at the gate while one
// wants to. The kernel drops both locks when their holder dies.

internal import Glibc

final class QuietHost {
  private let gate: Int32
  private let room: Int32
  private var isWaiting = false
  private var inside = 0

  /// `ENPIRE_QUIET_LOCK`, or a file for this user of this machine.
  init() throws {
    let path =
      getenv("ENPIRE_QUIET_LOCK").map { String(cString: $0) }
      ?? (getenv("XDG_RUNTIME_DIR").map { String(cString: $0) } ?? "/tmp") + "/enpire-quiet-\(getuid())"
    func lock(_ path: String) throws -> Int32 {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else { throw Files.problem("lock", path) }
      return descriptor
    }
    gate = try lock(path + ".gate")
    room = try lock(path)
  }

  deinit {
    close(gate)
    close(room)
  }

  /// Whether a step may start now; whoever may, leaves later. With `alone` nobody else is inside while it is.
  func enter(alone: Bool) -> Bool {
    if alone {
      // Whoever comes after waits at the gate.
      guard isWaiting || flock(gate, LOCK_EX | LOCK_NB) == 0 else { return false }
      isWaiting = true
      guard inside == 0, flock(room, LOCK_EX | LOCK_NB) == 0 else { return false }
      flock(gate, LOCK_UN)
      isWaiting = false
    } else if inside == 0 {
      // This run's own waits at it.
      guard !isWaiting, flock(gate, LOCK_SH | LOCK_NB) == 0 else { return false }
      defer { flock(gate, LOCK_UN) }
      guard flock(room, LOCK_SH | LOCK_NB) == 0 else { return false }
    }
    inside += 1
    return true
  }

  func leave() {
    inside -= 1
    if inside == 0 { flock(room, LOCK_UN) }
  }
}
