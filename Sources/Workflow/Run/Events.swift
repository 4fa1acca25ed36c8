// Waits for many descriptors at once, at a cost that does not grow with their number. It does not know what they mean.

internal import CLinux
internal import Glibc

final class Events {
  private let descriptor: Int32

  init() throws {
    descriptor = enpire_events()
    guard descriptor >= 0 else { throw Files.problem("create", "an event queue") }
  }

  deinit { close(descriptor) }

  /// Lets this process have so many descriptors open, as far as it may.
  static func makeRoom(for descriptors: Int) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < UInt(descriptors) else { return }
    limit.rlim_cur = min(limit.rlim_max, UInt(descriptors))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// Tells `token` whenever the descriptor is readable, until it is forgotten or closed.
  func watch(_ watched: Int32, _ token: UInt64) throws {
    guard enpire_events_watch(descriptor, watched, token) == 0 else { throw Files.problem("watch", "a descriptor") }
  }

  func forget(_ watched: Int32) { _ = enpire_events_forget(descriptor, watched) }

  /// The tokens of what became readable; none if `until` (monotonic) passed first.
  func wait(until deadline: Double?) throws -> [UInt64] {
    let milliseconds = deadline.map { Int32(max(0, min(($0 - Clock.monotonic) * 1000 + 1, 1e6))) } ?? -1
    var tokens = [UInt64](repeating: 0, count: 64)
    let count = enpire_events_wait(descriptor, &tokens, 64, milliseconds)
    guard count >= 0 || errno == EINTR else { throw Files.problem("wait for", "steps") }
    return Array(tokens.prefix(Int(max(0, count))))
  }
}
