// A process that cannot be taken for another one: by its number, when it started and since when the machine is up.

internal import Glibc
internal import JSON

struct ProcessIdentity: Sendable, Equatable {
  let pid: pid_t
  /// Clock ticks since the machine started.
  let start: UInt64
  let boot: String

  static let this = ProcessIdentity(pid: getpid(), start: ProcessTree.process(getpid())?.start ?? 0, boot: Leftovers.boot)

  /// False also for a process of another machine, or of this one before it was started anew, of which nothing is known here.
  var hasEnded: Bool {
    guard boot == Leftovers.boot else { return false }
    return ProcessTree.process(pid).map { $0.start != start || $0.hasEnded } ?? true
  }

  var json: JSON { ["pid": .integer(Int(pid)), "start": .integer(Int(start)), "boot": .string(boot)] }

  init(pid: pid_t, start: UInt64, boot: String) { (self.pid, self.start, self.boot) = (pid, start, boot) }

  init?(json: JSON) {
    guard let pid = json["pid"]?.int, let start = json["start"]?.int, let boot = json["boot"]?.string else { return nil }
    self.init(pid: pid_t(truncatingIfNeeded: pid), start: UInt64(max(0, start)), boot: boot)
  }
}
