// One call of a schedule: writes down that it begins, runs the workflow under a supervisor unless the call before still goes on, makes the
// summary, and writes down how it ended. What it tells is measured against the calls before. It does not print.

internal import Database
internal import Glibc
import JSON

public struct ScheduledRun {
  public struct Options: Sendable {
    /// Of a manifest; a path.
    public var manifest = ""
    /// The schedule's name; the manifest's if nil.
    public var name: String?
    /// Goals and NAME=value, and options of `enpire run`.
    public var words: [String] = []
    /// Wait for the call before, or for a run by hand, rather than be skipped.
    public var waits = false
    /// Seconds since 1970.
    public var deadline: Double?
    /// Options of `enpire gc`, which then follows the run; nil for none.
    public var gc: [String]?

    public init() {}
  }

  let options: Options
  /// The manifest's absolute path.
  public let path: String
  let state: String
  let workflow: String
  /// The schedule's name.
  public let name: String
  public let journal: Journal

  public init(_ options: Options) {
    self.options = options
    path = Files.located(options.manifest)
    state = Session.stateDirectory(besides: Files.parent(of: path) ?? "/")
    // A manifest that is wrong is told of by the run itself.
    let stem = Files.name(of: path)
    let text = (try? Files.read(path)).flatMap { try? JSON(parsing: $0) }
    workflow = text?["workflow"]?.string ?? (stem.hasSuffix(".json") ? String(stem.dropLast(5)) : stem)
    name = options.name ?? (stem.hasSuffix(".json") ? String(stem.dropLast(5)) : stem)
    journal = Journal(state: state, schedule: name)
  }

  /// Whether there is a manifest, or was one when it was called before; where a path is mistyped nothing is made.
  private var isKnown: Bool { Files.exists(path) || Files.exists(journal.directory) }

  /// Does all of it. `tell` gets the summary and gives what became of its deliveries, before the summary is written down.
  public func run(_ tell: (Summary) -> [Summary.Delivery]) -> Summary {
    var before = journal.entries()
    var summary = blank
    let begun: JSON = [
      "begun": true, "schedule": .string(name), "workflow": .string(workflow), "manifest": .string(path), "started": .number(summary.started),
      "process": ProcessIdentity.this.json, "lastRun": .integer(before.map(\.lastRun).max() ?? 0),
    ]
    do { if isKnown { summary.call = try journal.begin(begun) } } catch {
      summary.warnings.append("that this began could not be written down: \((error as? Problem)?.sentence ?? "\(error)")")
    }
    summary.log = summary.call.map(journal.log)
    let start = Clock.monotonic
    var lastRun = before.map(\.lastRun).max() ?? 0
    // Its place is held until its end is written down, so that the next call does not take it for one that was cut off.
    var locks: [WorkspaceLock] = []
    defer { withExtendedLifetime(locks) {} }
    switch turn() {
    case .failure(let reason):
      skip(&summary, reason, before)
      summary.seconds = Clock.monotonic - start
    case .success(let place):
      locks = place
      // Whoever was at work has ended meanwhile.
      before = journal.entries().filter { $0.call < summary.call ?? .max }
      execute(&summary, before, &lastRun)
      summary.seconds = Clock.monotonic - start
      collect(&summary)
    }
    summary.deliveries = tell(summary)
    if let call = summary.call {
      var json = summary.json
      json["lastRun"] = .integer(lastRun)
      do { try journal.end(call, json) } catch {
        summary.warnings.append("how it ended could not be written down: \((error as? Problem)?.sentence ?? "\(error)")")
      }
      journal.rotate()
    }
    return summary
  }

  private var blank: Summary {
    var summary = Summary()
    (summary.workflow, summary.manifest, summary.schedule, summary.host) = (workflow, path, name, Machine.host)
    summary.started = Clock.now
    return summary
  }

  // MARK: Overlap

  /// The place of a call that may run, or why this one does not.
  private func turn() -> Result<[WorkspaceLock], Problem> {
    guard isKnown else { return .success([]) }
    let directory = journal.directory
    do { return .success([try WorkspaceLock(state: directory, patience: false, waiting: { _ in })]) } catch {
      let problem = (error as? Problem) ?? Problem(.internalError, "\(error)")
      // A disk without room for a lock file is the run's affair.
      guard problem.code == .locked else { return .success([]) }
      guard options.waits else { return .failure(busy()) }
    }
    // One waits; more would only pile up.
    guard let place = try? WorkspaceLock(state: directory + "/waiting", patience: false, waiting: { _ in }) else {
      return .failure(Problem(.locked, "\(busy().sentence), and another call waits for it already"))
    }
    while options.deadline.map({ Clock.now < $0 }) ?? true {
      if let lock = try? WorkspaceLock(state: directory, patience: false, waiting: { _ in }) { return .success([place, lock]) }
      usleep(500_000)
    }
    return .failure(Problem(.locked, "\(busy().sentence); it was waited for until the time was used up"))
  }

  private func busy() -> Problem {
    let running = journal.entries().dropLast().last { $0.isOpen && Self.isAlive($0) }
    return Problem(.locked, running.map { "call \($0.call) still goes on" } ?? "the call before still goes on")
  }

  static func isAlive(_ entry: Journal.Entry) -> Bool { entry.process.map { !$0.hasEnded } ?? false }

  private func skip(_ summary: inout Summary, _ problem: Problem, _ before: [Journal.Entry]) {
    (summary.exit, summary.name) = (Int(ExitCode.locked.rawValue), ExitCode.locked.name)
    summary.transition = .skipped
    summary.problem = problem.sentence
    summary.log = nil
    // Whatever else the same run makes others miss tells nothing new.
    summary.isRepeated = before.last { $0.summary?.transition == .skipped }?.summary?.problem == problem.sentence
  }

  // MARK: The run

  private func execute(_ summary: inout Summary, _ before: [Journal.Entry], _ lastRun: inout Int) {
    var words = ["run", "-f", path, "--events", "/dev/fd/3"]
    if !options.waits { words.append("--no-wait") }
    if let deadline = options.deadline { words += ["--for", "\(max(1, Int((deadline - Clock.now).rounded())))s"] }
    let supervisor = Supervisor(
      words: words + options.words, environment: Child.inheritedEnvironment, log: summary.log ?? "/dev/null", deadline: options.deadline)
    var account = Supervisor.Account()
    do { account = try supervisor.run() } catch { account.error = ((error as? Problem) ?? Problem(.internalError, "\(error)")).json }
    summary.warnings += account.warnings
    if let problem = account.logProblem { summary.warnings.append(problem) }
    conclude(&summary, account)
    if summary.name == ExitCode.locked.name {
      skip(
        &summary,
        Problem(
          .locked,
          "a run by hand holds the workspace (\(account.error?["problem"]?.string?.split(separator: ": ").last.map(String.init) ?? "")"
            + ")"), before)
      return
    }
    do { try recall(&summary, before, &lastRun) } catch {
      summary.warnings.append("the records could not be read: \((error as? Problem)?.sentence ?? "\(error)")")
    }
    compare(&summary, before)
  }

  /// How it ended, from what it said.
  private func conclude(_ summary: inout Summary, _ account: Supervisor.Account) {
    summary.run = account.summary?["run"]?.int
    summary.counts = account.summary.map { summary in
      .object(.init(uniqueKeysWithValues: Self.counted.compactMap { key in summary[key].map { (key, $0) } }))
    }
    summary.held = account.held
    summary.failures = account.failures.prefix(Summary.mostFailures).map { event, station in
      let step = event["step"]?.string ?? ""
      // Where its log is, is told once, from anywhere.
      let problem = (event["problem"]?.string ?? "").split(separator: "\n", omittingEmptySubsequences: false).filter {
        !$0.hasPrefix("  hint: enpire log ")
      }
      return Summary.Failure(
        step: step, station: station, name: event["name"]?.string ?? "", problem: Summary.cut(problem.joined(separator: "\n"), lines: 16), log: [],
        command: command(for: step))
    }
    summary.moreFailures = account.failures.count - summary.failures.count
    if let error = account.error {
      let place = error["place"].map { "\($0["file"]?.string ?? ""):\($0["line"]?.int ?? 0):\($0["column"]?.int ?? 0): " } ?? ""
      let hint = error["hint"]?.string.map { "\nhint: " + $0 } ?? ""
      summary.problem = Summary.cut(place + (error["problem"]?.string ?? "") + hint, lines: 16)
    }
    func set(_ code: ExitCode) { (summary.exit, summary.name) = (Int(code.rawValue), code.name) }
    switch account.end {
    case .exited(let code):
      summary.exit = Int(code)
      summary.name = ExitCode(rawValue: code)?.name ?? "exit-\(code)"
      if code != 0, account.summary == nil, account.error == nil {
        summary.problem = Summary.cut(
          (["the run ended with \(code) and said:"] + account.lastLines).joined(separator: "\n"), lines: Summary.mostLines)
      }
      if code == ExitCode.budget.rawValue { summary.deadline = options.deadline ?? Clock.now }
    case .signalled(let number):
      (summary.exit, summary.name) = (128 + Int(number), "killed")
      summary.problem =
        "the run was killed by signal \(number) (\(String(cString: strsignal(number)))) before it ended; what was finished is kept"
      // A crash says why.
      let last = account.lastLines.suffix(Summary.mostLines)
      if number != SIGKILL, !last.isEmpty { summary.problem! += "\n" + last.joined(separator: "\n") }
    case .told: set(.interrupted)
    case .late(let number):
      set(.budget)
      summary.deadline = options.deadline
      summary.problem = "the run did not end when its time was used up, and was \(number == SIGKILL ? "killed" : "told to")"
    }
  }

  private static let counted = ["ran", "upToDate", "restored", "failed", "tolerated", "skipped", "notReached", "held", "interrupted"]

  private func command(for step: String) -> String {
    let variables = options.words.filter { $0.contains("=") && !$0.hasPrefix("-") }
    return Shell.line(["enpire", "run", "-f", path] + variables + [step])
  }

  /// What is recorded: the last lines of failed steps, rates, and other runs since the call before.
  private func recall(_ summary: inout Summary, _ before: [Journal.Entry], _ lastRun: inout Int) throws {
    guard Files.exists(state + "/state.db") else { return }
    let state: State
    do { state = try State(directory: self.state) } catch let error as DatabaseError { throw State.problem(error) }
    let runs = try state.runs(workflow, limit: 200).filter { run in run.number > before.map(\.lastRun).max() ?? 0 }
    // A run that was killed could not say its number.
    if summary.run == nil, summary.name != ExitCode.success.name {
      summary.run = runs.first { $0.started >= summary.started && $0.exit == nil }?.number
    }
    for index in summary.failures.indices where !summary.failures[index].problem.contains("\n    ") {
      guard let attempt = try state.executions(workflow, step: summary.failures[index].step, limit: 1).first, attempt.run == summary.run else {
        continue
      }
      summary.failures[index].log = Summary.lastLines(of: "\(self.state)/logs/\(attempt.key).log", but: summary.failures[index].problem)
    }
    if let run = summary.run { summary.rates = try state.rates(of: run, workflow) }
    let isFree = WorkspaceLock(ifFree: self.state) != nil
    for run in runs.reversed() where run.number != summary.run && !before.isEmpty {
      // Of a call that could not write its end, or could not read the records when it ended.
      if before.contains(where: { $0.covers(run) }) { continue }
      let end = run.exit.map { ExitCode(rawValue: Int32($0))?.name ?? "\($0)" } ?? (isFree ? "cut off: nobody recorded its end" : "it goes on")
      summary.earlier.append(
        Summary.Earlier(
          what: run.exit == nil && isFree ? .cutOff : .byHand, call: nil, run: run.number, started: run.started, words: "a run by hand: \(end)"))
    }
    summary.earlier = Array(summary.earlier.suffix(20))
    lastRun = runs.first?.number ?? lastRun
  }

  // MARK: Against what was before

  private func compare(_ summary: inout Summary, _ before: [Journal.Entry]) {
    // What happened since the last call that ran and told how it ended.
    let last = before.lastIndex { !$0.isOpen && $0.summary?.transition != .skipped }
    for entry in before[(last.map { $0 + 1 } ?? 0)...] {
      if entry.isOpen, !Self.isAlive(entry) {
        let wasRestarted = entry.process?.boot != ProcessIdentity.this.boot
        summary.earlier.append(
          Summary.Earlier(
            what: .cutOff, call: entry.call, run: nil, started: entry.started,
            words: "cut off: " + (wasRestarted ? "the machine was restarted meanwhile" : "killed, with all that it ran, before it could tell its end")
          ))
      } else if entry.summary?.transition == .skipped {
        summary.earlier.append(
          Summary.Earlier(what: .skipped, call: entry.call, run: nil, started: entry.started, words: "skipped: \(entry.summary?.problem ?? "")"))
      }
    }
    for entry in before[(last ?? 0)...] {
      for delivery in entry.summary?.deliveries ?? [] where delivery.problem != nil {
        summary.earlier.append(
          Summary.Earlier(
            what: .undelivered, call: entry.call, run: nil, started: entry.started,
            words: "\(entry.summary!.transition.rawValue), of which \(delivery.to) was not told: \(delivery.problem!)"))
      }
    }
    summary.earlier.sort { $0.started < $1.started }
    for rate in summary.rates {
      if let known = before.reversed().lazy.compactMap({ $0.summary?.rates.first { $0.step == rate.step } }).first {
        summary.earlierRates.append(known)
      }
    }
    // A row of failures up to now; what was undecided neither ends it nor counts.
    var row: [Double] = []
    for entry in before.reversed() {
      if entry.isOpen {
        if Self.isAlive(entry) { continue }
      } else if let past = entry.summary {
        if !past.isDecided { continue }
        if !past.transition.isFailure { break }
      }
      row.append(entry.started)
    }
    switch summary.exit.flatMap({ ExitCode(rawValue: Int32($0)) }) {
    case .success:
      summary.transition = row.isEmpty ? .success : .recovery
      if let since = row.last { summary.failing = (row.count, since) }
    case .budget, .approval, .interrupted:
      summary.transition = .unfinished
      if let since = row.last { summary.failing = (row.count, since) }
    default:
      summary.transition = row.isEmpty ? .failure : .stillFailing
      summary.failing = (row.count + 1, row.last ?? summary.started)
    }
  }

  // MARK: Afterwards

  private func collect(_ summary: inout Summary) {
    guard let gc = options.gc, summary.transition != .skipped else { return }
    let supervisor = Supervisor(
      words: ["gc", "-f", path, "--no-wait"] + gc, environment: Child.inheritedEnvironment, log: summary.log ?? "/dev/null", deadline: nil)
    guard let account = try? supervisor.run() else { return summary.warnings.append("gc could not be started") }
    if account.end != .exited(0) { summary.warnings.append("gc did not succeed: \(account.lastLines.last ?? "it said nothing")") }
  }
}

extension Journal.Entry {
  /// Whether a run whose end is not recorded, or that it could not count, was this call's.
  func covers(_ run: PastRun) -> Bool {
    guard run.started >= started else { return false }
    if isOpen { return run.exit == nil }
    return summary.map { $0.transition != .skipped && run.started <= started + ($0.seconds ?? 0) } ?? false
  }
}

extension Summary {
  /// The first lines of a text, none of them longer than a few hundred bytes.
  static func cut(_ text: String, lines count: Int) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let kept = lines.prefix(count).map { $0.utf8.count > mostBytes ? $0.prefix(mostBytes) + "…" : String($0) }
    return (kept + (lines.count > count ? ["(\(lines.count - count) more lines)"] : [])).joined(separator: "\n")
  }

  /// The last lines of a log, without those that `told` has.
  static func lastLines(of path: String, but told: String) -> [String] {
    guard let descriptor = Optional(open(path, O_RDONLY | O_CLOEXEC)), descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 8192)
    lseek(descriptor, max(0, lseek(descriptor, 0, SEEK_END) - off_t(buffer.count)), SEEK_SET)
    let count = read(descriptor, &buffer, buffer.count)
    let lines = String(decoding: buffer[..<max(0, count)], as: UTF8.self).split(separator: "\n")
    return lines.suffix(mostLines).filter { !told.contains($0.hasPrefix("error: ") ? $0.dropFirst(7) : $0) }.map { cut(String($0), lines: 1) }
  }
}
