// Runs one `enpire run` as a child and hears all that it says: its words go into a log with the time before each line, its events are kept as
// far as a summary needs them. So a run that crashes, is killed, or hangs is told of by somebody. It decides nothing about steps.

internal import CLinux
internal import Glibc
import JSON

struct Supervisor {
  enum End: Equatable {
    case exited(Int32), signalled(Int32)
    /// It was asked to end: by a signal to this process, or because its time was over.
    case told(Int32), late(Int32)
  }

  /// What a run said of itself.
  struct Account {
    var end = End.exited(ExitCode.internalError.rawValue)
    /// Failed steps that may not, with the station each one had.
    var failures: [(event: JSON, station: String?)] = []
    var held: [(step: String, question: String, command: String)] = []
    /// The last event of a run that came to its end, and the error of one that did not.
    var summary: JSON?
    var error: JSON?
    var warnings: [String] = []
    /// The last lines that it printed.
    var lastLines: [String] = []
    /// Some of what it printed did not get into the log.
    var logProblem: String?
    fileprivate var stations: [String: String] = [:]
  }

  /// The log holds no more of one run.
  static let largestLog = 8 << 20
  private static let keptLines = 20

  let words: [String]
  let environment: [String: String]
  let log: String
  /// Seconds since 1970: when a run that has not ended by itself is asked to, and a minute later killed.
  let deadline: Double?

  /// The absolute path of this program.
  static let programPath = Files.link("/proc/self/exe") ?? ""

  /// Runs it to its end.
  func run() throws -> Account {
    var account = Account()
    var pipe: [Int32] = [-1, -1]
    guard enpire_pipe(&pipe) == 0 else { throw Files.problem("create", "a pipe") }
    let text = pipe[0]
    defer { close(text) }
    _ = fcntl(text, F_SETFL, O_NONBLOCK)
    let signals = enpire_signalfd()
    defer { close(signals) }
    // A jobserver's descriptors are not passed on, and their numbers mean something else there.
    let environment = environment.filter { $0.key != "MAKEFLAGS" && $0.key != "MFLAGS" }
    let child = try Child.spawn(
      [Self.programPath] + words, environment: environment, directory: Files.currentDirectory, output: "/dev/null", through: pipe[1],
      withProgress: true)
    var said = Lines(), events = Lines()
    var log = Log(self.log)
    var told: Int32?
    var isLate = false
    var stages = deadline.map { [(at: $0 + 30, signal: SIGTERM), (at: $0 + 90, signal: SIGKILL)] } ?? []
    var hasEnded = false
    while !hasEnded {
      var polled = [text, child.progress, child.descriptor, signals].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      // A pipe that is at its end would wake us for ever.
      if said.isOver { polled[0].fd = -1 }
      if events.isOver { polled[1].fd = -1 }
      let wait = stages.first.map { Int32(max(0, min(($0.at - Clock.now) * 1000 + 1, 1e6))) } ?? -1
      let ready = poll(&polled, nfds_t(polled.count), wait)
      if ready < 0, errno != EINTR { throw Files.problem("wait for", "a run") }
      if polled[3].revents != 0 {
        var information = [UInt8](repeating: 0, count: 128)  // one signalfd_siginfo
        while read(signals, &information, information.count) > 0 { told = Int32(information[0]) }
        child.signal(told ?? SIGTERM)
      }
      if let stage = stages.first, stage.at <= Clock.now {
        stages.removeFirst()
        isLate = true
        child.signal(stage.signal)
      }
      hasEnded = polled[2].revents != 0
      for line in said.take(from: text) { note(line, &account, &log) }
      for line in events.take(from: child.progress) { hear(line, &account) }
    }
    for line in said.rest { note(line, &account, &log) }
    for line in events.rest { hear(line, &account) }
    account.logProblem = log.problem
    account.end =
      switch child.wait() {
      case .exited(let code): .exited(code)
      case .signalled(let number) where isLate: .late(number)
      case .signalled(let number) where told != nil: .told(number)
      case .signalled(let number): .signalled(number)
      case .lost, .unstarted: .exited(ExitCode.internalError.rawValue)
      }
    return account
  }

  private func note(_ line: String, _ account: inout Account, _ log: inout Log) {
    log.write(line)
    account.lastLines.append(line)
    if account.lastLines.count > Self.keptLines { account.lastLines.removeFirst() }
  }

  private func hear(_ line: String, _ account: inout Account) {
    guard let event = try? JSON(parsing: line) else { return }
    let step = event["step"]?.string ?? ""
    switch event["event"]?.string {
    case "start": account.stations[step] = event["station"]?.string
    case "failed" where event["tolerated"] != true:
      account.failures.append((event, account.stations[step]))
    case "held": account.held.append((step, event["question"]?.string ?? "", event["command"]?.string ?? ""))
    case "summary": account.summary = event
    case "error": account.error = event
    case "leftovers":
      let count = event["ended"]?.int ?? 0
      account.warnings.append(
        "\(count) \(count == 1 ? "process" : "processes") that an earlier run left when it crashed \(count == 1 ? "was" : "were") ended")
    case "lost-records": account.warnings.append("the state database is empty though there are results: all runs anew")
    case "cache" where event["warning"] == true: account.warnings.append("shared cache: \(event["text"]?.string ?? "")")
    default: break
    }
  }

  /// Bytes of a pipe, line by line.
  private struct Lines {
    private var unread: [UInt8] = []
    private(set) var isOver = false

    mutating func take(from descriptor: Int32) -> [String] {
      var buffer = [UInt8](repeating: 0, count: 1 << 14)
      while !isOver {
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        if count < 0, errno == EAGAIN { break }
        if count <= 0 { isOver = true } else { unread += buffer[..<count] }
      }
      guard let end = unread.lastIndex(of: 10) else { return [] }
      let lines = unread[..<end].split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
      unread.removeSubrange(...end)
      return lines
    }

    var rest: [String] { unread.isEmpty ? [] : [String(decoding: unread, as: UTF8.self)] }
  }

  /// A file with a bound, each line with its time.
  private struct Log: ~Copyable {
    private let descriptor: Int32
    private var bytes = 0
    private(set) var problem: String?

    init(_ path: String) {
      descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      if descriptor < 0 { problem = "the log could not be written: \(String(cString: strerror(errno)))" }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    mutating func write(_ line: String) {
      guard problem == nil else { return }
      var now = time(nil), local = tm()
      localtime_r(&now, &local)
      func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
      let text = Array("\(two(local.tm_hour)):\(two(local.tm_min)):\(two(local.tm_sec)) \(line)\n".utf8)
      bytes += text.count
      if bytes > Supervisor.largestLog {
        problem = "the run printed more than \(Supervisor.largestLog >> 20) MiB; the rest is not in the log"
      } else if text.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) != text.count {
        problem = "the log could not be written to its end: \(String(cString: strerror(errno)))"
      }
    }
  }
}
