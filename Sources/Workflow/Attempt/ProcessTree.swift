// Processes as /proc shows them: which belong to a step, wherever they went, and how they are ended. Each step's process leads a group and
// carries a mark in its environment; what its descendants leave behind becomes a child of this process. It knows nothing of steps.

internal import CLinux
internal import Glibc

enum ProcessTree {
  struct Process: Hashable {
    let pid: pid_t
    let parent: pid_t
    let group: pid_t
    let session: pid_t
    /// Clock ticks since the machine started.
    let start: UInt64
    let hasEnded: Bool
  }

  /// The variable that carries the marks of the attempts around a process, the outermost first, with colons between.
  static let variable = "ENPIRE_ATTEMPT"

  static func process(_ pid: pid_t) -> Process? {
    guard let bytes = try? Files.read("/proc/\(pid)/stat"), let name = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(name + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19 else { return nil }
    func number(_ index: Int) -> Int { Int(String(decoding: fields[index], as: UTF8.self)) ?? 0 }
    return Process(
      pid: pid, parent: pid_t(number(1)), group: pid_t(number(2)), session: pid_t(number(3)), start: UInt64(number(19)),
      hasEnded: [UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(fields[0][fields[0].startIndex]))
  }

  static func all() -> [Process] { Files.list("/proc").compactMap { pid_t($0) }.compactMap(process) }

  /// The marks around a process: as its program was started with, so nobody changes them.
  static func marks(_ pid: pid_t) -> [Substring] {
    guard let bytes = try? Files.read("/proc/\(pid)/environ") else { return [] }
    let prefix = Array("\(variable)=".utf8)
    guard let entry = bytes.split(separator: 0).first(where: { $0.starts(with: prefix) }) else { return [] }
    return String(decoding: entry.dropFirst(prefix.count), as: UTF8.self).split(separator: ":")
  }

  /// The children of this process, adopted ones and ended ones among them.
  static var children: [pid_t] {
    // This program has one thread.
    guard let bytes = try? Files.read("/proc/thread-self/children") else { return [] }
    return bytes.split(separator: UInt8(ascii: " ")).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
  }

  /// Whether there are children beside those that this process started itself. Collects the ended ones: a sandbox leaves one each time, and
  /// all processes of the machine need not be looked at for that.
  static func hasAdopted(besides own: Set<pid_t>) -> Bool {
    while true {
      let adopted = children.filter { !own.contains($0) }
      if adopted.isEmpty { return false }
      // What an ended one leaves is adopted too.
      if adopted.filter({ waitpid($0, nil, WNOHANG) == $0 }).isEmpty { return true }
    }
  }

  /// What runs below this process, by the step's process it belongs to; under 0 what cannot be told. `roots` are the steps' processes and
  /// their marks; they are not among the values. Collects adopted processes that have ended.
  static func descendants(of roots: [pid_t: String]) -> [pid_t: [Process]] {
    let processes = Dictionary(all().map { ($0.pid, $0) }) { $1 }
    let byMark = Dictionary(roots.map { ($0.value, $0.key) }) { $1 }
    let here = getpid()
    var owners: [pid_t: pid_t?] = [:]
    // Nil: not below this process.
    func owner(_ process: Process) -> pid_t? {
      if let known = owners[process.pid] { return known }
      var found: pid_t?
      if roots[process.pid] != nil {
        found = process.pid
      } else if process.parent == here {
        found = roots[process.group] != nil ? process.group : marks(process.pid).lazy.compactMap { byMark[String($0)] }.first ?? 0
      } else if let parent = processes[process.parent], parent.pid != process.pid {
        found = owner(parent)
      }
      owners[process.pid] = .some(found)
      return found
    }
    var found: [pid_t: [Process]] = [:]
    for process in processes.values where roots[process.pid] == nil {
      guard let owner = owner(process) else { continue }
      if !process.hasEnded {
        found[owner, default: []].append(process)
      } else if process.parent == here {
        waitpid(process.pid, nil, WNOHANG)
      }
    }
    return found
  }

  /// A descriptor that means this very process and becomes readable when it ends; nil if it is gone.
  static func open(_ process: Process) -> Int32? {
    let descriptor = enpire_pidfd(process.pid)
    guard descriptor >= 0 else { return nil }
    // Its number may have been given to another one meanwhile.
    if let now = self.process(process.pid), now.start == process.start, !now.hasEnded { return descriptor }
    close(descriptor)
    return nil
  }

  static func signal(_ processes: [Process], _ number: Int32) {
    for process in processes {
      guard let descriptor = open(process) else { continue }
      _ = enpire_pidfd_signal(descriptor, number)
      close(descriptor)
    }
  }

  /// Asks the processes that `find` gives to end, kills what is there after `grace` seconds, and returns when there are none; gives what
  /// outlives even that.
  static func end(grace: Double, _ find: () -> [Process]) -> [Process] {
    var told: Set<Process> = []
    let start = Clock.monotonic
    while true {
      let found = find()
      guard let first = found.first else { return [] }
      let elapsed = Clock.monotonic - start
      if elapsed > grace + 10 { return found }
      let isKilling = elapsed >= grace
      signal(isKilling ? found : found.filter { told.insert($0).inserted }, isKilling ? SIGKILL : SIGTERM)
      guard let descriptor = open(first) else { continue }
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      poll(&polled, 1, isKilling ? 100 : Int32((grace - elapsed) * 1000) + 1)
      close(descriptor)
    }
  }
}
