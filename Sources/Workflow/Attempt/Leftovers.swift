// What a run notes about the processes it starts, so that the next run can end those that outlived a crash before anything runs again.
// The note (`.enpire/running`) is there while a run is: its first line has a format, the machine's boot and the run's mark; each further one a
// step's process group with its session and the clock ticks between which it was started. It needs no sync: after a power failure the
// processes are gone too.

internal import Glibc

final class Leftovers {
  /// In the environment of every process of this run, with a number after it.
  let mark: String
  private let path: String
  private let descriptor: Int32

  /// Begins the note; the workspace is locked.
  init(state directory: String) throws {
    path = Self.path(directory)
    mark = Self.newMark()
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
    // Torn, it is of a run that had started nothing.
    let line = Array("1 \(Self.boot) \(mark)\n".utf8)
    guard descriptor >= 0, write(descriptor, line, line.count) == line.count else { throw Files.problem("write", path) }
  }

  deinit { close(descriptor) }

  /// Notes a process that `start` starts.
  func note<Result>(_ start: () throws -> (Result, pid_t)) rethrows -> Result {
    let before = Self.ticks
    let (result, pid) = try start()
    let line = Array("\(pid) \(getsid(0)) \(before) \(Self.ticks + 1)\n".utf8)
    _ = write(descriptor, line, line.count)
    return result
  }

  /// Every process has ended.
  func finish() { unlink(path) }

  // MARK: After a crash

  /// Ends what a crashed run of this workspace left behind: asked first, killed after two seconds. Returns how many there were.
  static func end(state directory: String) throws -> Int {
    let path = path(directory)
    guard Files.exists(path) else { return 0 }
    let lines = String(decoding: try Files.read(path), as: UTF8.self).split(separator: "\n")
    let head = lines.first?.split(separator: " ") ?? []
    var count = 0
    if head.count == 3, head[0] == "1", head[1] == boot {
      var groups: [pid_t: (session: pid_t, started: ClosedRange<UInt64>)] = [:]
      for line in lines.dropFirst() {
        let numbers = line.split(separator: " ").compactMap { UInt64($0) }
        // A torn line has fewer.
        if numbers.count == 4, numbers[2] <= numbers[3] { groups[pid_t(numbers[0])] = (pid_t(numbers[1]), numbers[2]...numbers[3]) }
      }
      let mark = head[2] + "."
      var seen: Set<pid_t> = []
      let stubborn = ProcessTree.end(grace: 2) {
        let found = left(mark: mark, groups: groups)
        seen.formUnion(found.map(\.pid))
        return found
      }
      if let process = stubborn.first {
        throw Problem(
          .locked, "process \(process.pid) of an earlier run, which crashed, cannot be ended",
          hint: "it may hang in the kernel; end it, then run again")
      }
      count = seen.count
    }
    unlink(path)
    return count
  }

  private static func left(mark: Substring, groups: [pid_t: (session: pid_t, started: ClosedRange<UInt64>)]) -> [ProcessTree.Process] {
    let processes = ProcessTree.all()
    let byPid = Dictionary(processes.map { ($0.pid, $0) }) { $1 }
    // This run may have been started from below one of them.
    var spared: Set<pid_t> = []
    var next = byPid[getpid()]
    while let process = next, spared.insert(process.pid).inserted { next = byPid[process.parent] }
    return processes.filter { process in
      if process.hasEnded || spared.contains(process.pid) { return false }
      if let group = groups[process.group], group.session == process.session,
        byPid[process.group].map({ group.started.contains($0.start) }) ?? true
      {
        return true
      }
      return ProcessTree.marks(process.pid).contains { $0.hasPrefix(mark) }
    }
  }

  private static func path(_ directory: String) -> String { directory + "/running" }

  static var boot: String {
    String(decoding: (try? Files.read("/proc/sys/kernel/random/boot_id")) ?? [], as: UTF8.self).split(separator: "\n").first.map(String.init) ?? "-"
  }

  static func newMark() -> String { String(UInt64.random(in: .min ... .max), radix: 36) }

  /// Clock ticks since the machine started, as /proc counts the start of a process.
  private static var ticks: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    let hertz = UInt64(sysconf(Int32(_SC_CLK_TCK)))
    return UInt64(time.tv_sec) * hertz + UInt64(time.tv_nsec) * hertz / 1_000_000_000
  }
}
