// Runs a workflow: starts what is ready, on free slots and stations, records what succeeded, and stops in good order.
// One thread owns the graph; children tell it by descriptors. It does not know why a step has to run (Decision) nor how (Attempt).

internal import CLinux
internal import Database
internal import Glibc
import Hashing
internal import HeapModule
import JSON

public struct RunOptions: Sendable {
  /// Steps at a time.
  public var jobs = 1
  /// After a failure, go on with what does not need the failed step.
  public var keepGoing = false
  /// Run the goals whatever is recorded.
  public var force = false
  /// Wait for another run of this workspace.
  public var patience = true

  public init() {}
}

/// What a run tells while it runs.
public enum RunEvent {
  case waitingForLock(String)
  case started(Step, reasons: [Reason])
  case progress(Step, done: Int, total: Int, word: String)
  case finished(Step, seconds: Double)
  case restored(Step, [String])
  case retrying(Step, Problem)
  case failed(Step, Problem)
  case appended(Step, [Step])
}

public struct RunSummary: Sendable {
  public var run = 0
  public var ran = 0
  public var upToDate = 0
  public var restored = 0
  public var failed = 0
  public var tolerated = 0
  public var skipped = 0
  public var notReached = 0
  public var seconds = 0.0
  public var exit = ExitCode.success

  public init(upToDate: Int = 0) { self.upToDate = upToDate }
}

public final class Run {
  let session: Session
  private let options: RunOptions
  let report: (RunEvent) -> Void
  var summary = RunSummary()

  private struct Job: Comparable {
    let step: Step
    let key: Digest
    let fingerprint: JSON
    let reasons: [Reason]
    static func < (a: Job, b: Job) -> Bool { (a.step.height, b.step.id) < (b.step.height, a.step.id) }
    static func == (a: Job, b: Job) -> Bool { a.step === b.step }
  }

  var undecided: [Step] = []
  /// Steps that have to run, by the station they wait for ("" for none).
  private var queues: [String: Heap<Job>] = [:]
  var running: [Attempt] = []
  /// Steps whose very action another step is running; they take its record.
  private var awaitingTwin: [Digest: [Step]] = [:]
  var attempts: [Step.ID: Int] = [:]
  /// What was decided and is not written down yet.
  private var decisions: [RecordedDecision] = []
  private var serial = 0
  var isStopping = false
  /// Whether anything was recorded or published: what snapshots say is then no longer so.
  private var changed = false
  /// Ended steps whose records are not yet written, and when they have to be.
  var unrecorded: [Ended] = []
  var recordBy: Double?
  var recordInterval = 0.1
  private var killAt: Double?

  public init(_ session: Session, options: RunOptions, report: @escaping (RunEvent) -> Void) {
    self.session = session
    self.options = options
    self.report = report
  }

  /// Runs the goals. Throws only what makes going on senseless, such as a full disk; a failed step is in the summary.
  public func execute(_ goals: [Step]) throws -> RunSummary {
    do { return try executeLocked(goals) } catch let error as DatabaseError { throw State.problem(error) }
  }

  private func executeLocked(_ goals: [Step]) throws -> RunSummary {
    let lock = try WorkspaceLock(state: session.state.directory, patience: options.patience) { report(.waitingForLock($0)) }
    defer { withExtendedLifetime(lock) {} }
    let start = Clock.monotonic
    Debris.clear(session)
    var isInOrder = false
    defer {
      if changed || session.part == nil { session.keepSnapshot() }
      if isInOrder { Debris.finish(session.state) }
    }
    undecided = session.graph.want(goals)
    try session.state.database.reading { try settleKnown(goals) }
    if !queues.isEmpty { try runQueued(goals) }
    if session.state.files.hasUnsaved { try session.state.database.transaction { try session.state.files.save() } }
    count()
    summary.upToDate += session.untouched
    summary.seconds = Clock.monotonic - start
    try recordDecisions(atEnd: true)
    if summary.run > 0 { try session.state.endRun(summary.run, exit: summary.exit, summary: summary.counts.compact) }
    isInOrder = true
    return summary
  }

  // MARK: Deciding

  /// Decides every ready step; what is recorded is done with at once.
  private func settleKnown(_ goals: [Step]) throws {
    var next = 0
    while next < undecided.count {
      let step = undecided[next]
      next += 1
      do {
        switch try session.decider.decide(step, force: options.force && attempts[step.id] == nil && goals.contains { $0 === step }) {
        case .upToDate(let record): try settle(step, .upToDate, record)
        case .restore(let record, let paths):
          willChange()
          try publish(step, record)
          report(.restored(step, paths))
          decisions.append(RecordedDecision(step: step.name, action: .restore, key: record.key.hex, reasons: paths.map { ["text": .string($0)] }))
          try settle(step, .restored, record)
        case .run(let key, let fingerprint, let reasons):
          if let refusal = session.refusal(of: step, reasons) { throw refusal }
          decisions.append(RecordedDecision(step: step.name, action: .run, key: key.hex, reasons: reasons.map(\.json)))
          queues[step.station?.name ?? "", default: []].insert(Job(step: step, key: key, fingerprint: fingerprint, reasons: reasons))
        }
      } catch let problem as Problem where problem.code != .inputOutput && problem.code != .internalError {
        decisions.append(RecordedDecision(step: step.name, action: .fail, key: nil, reasons: [["text": .string(problem.sentence)]]))
        fail(step, problem)
      }
    }
    undecided = []
  }

  func settle(_ step: Step, _ status: Step.Status, _ record: ActionRecord) throws {
    let known = session.graph.steps.count
    undecided += try session.settle(step, status, record)
    if status == .done, session.graph.steps.count > known { report(.appended(step, Array(session.graph.steps[known...]))) }
    if status != .done, try session.state.latest(session.manifest.workflow, step.name) != record.key {
      willChange()
      try session.state.setLatest(session.manifest.workflow, step.name, record.key)
    }
  }

  /// Writes down what was decided so far; the first decision begins the run in the history.
  private func recordDecisions(atEnd: Bool = false) throws {
    if atEnd {
      decisions += session.graph.steps.filter { $0.isWanted && $0.status == .skipped }.map { step in
        RecordedDecision(step: step.name, action: .skip, key: nil, reasons: [["text": .string(step.problem?.sentence ?? "")]])
      }
    }
    if decisions.isEmpty { return }
    if summary.run == 0 { summary.run = try session.state.beginRun(session.manifest.workflow) }
    try session.state.record(decisions, run: summary.run)
    decisions = []
  }

  // MARK: Running

  private func willChange() {
    if !changed {
      Debris.expect(session.state)
      session.dropSnapshots()
    }
    changed = true
  }

  private func runQueued(_ goals: [Step]) throws {
    willChange()
    let state = session.state
    try recordDecisions()
    let durations = try state.durations(session.manifest.workflow)
    session.graph.setHeights { step in
      durations[step.name] ?? 1
    }
    let signals = enpire_signalfd()
    defer { close(signals) }
    defer { for attempt in running { attempt.child.signal(SIGKILL); _ = attempt.child.wait(); attempt.cleanUp(keepingProgress: true) } }
    while true {
      if !isStopping { try startWhatCan() }
      if running.isEmpty { break }
      try attend(signals, goals)
    }
    try recordEnded()
    for leftover in ["work", "views"] { Files.removeTree(state.directory + "/" + leftover) }
  }

  private func startWhatCan() throws {
    while running.count < options.jobs {
      let busy = Set(running.compactMap { $0.step.station?.name })
      let free = queues.keys.filter { !busy.contains($0) && !queues[$0]!.isEmpty }
      guard let station = free.max(by: { queues[$0]!.max! < queues[$1]!.max! }), let job = queues[station]!.popMax() else { return }
      if running.contains(where: { $0.key == job.key }) {
        awaitingTwin[job.key, default: []].append(job.step)
        continue
      }
      attempts[job.step.id, default: 0] += 1
      serial += 1
      do {
        let attempt = try Attempt(job.step, key: job.key, fingerprint: job.fingerprint, session: session, number: serial)
        job.step.status = .running
        running.append(attempt)
        report(.started(job.step, reasons: job.reasons))
      } catch let problem as Problem where problem.code != .inputOutput {
        fail(job.step, problem)
        if isStopping { return }
        try settleKnown([])
      }
    }
  }

  /// Waits until a child ends or tells something, a time-out passes, or a signal comes; and deals with it.
  private func attend(_ signals: Int32, _ goals: [Step]) throws {
    var polled = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
    for attempt in running {
      polled.append(pollfd(fd: attempt.child.descriptor, events: Int16(POLLIN), revents: 0))
      polled.append(pollfd(fd: attempt.child.progress, events: Int16(POLLIN), revents: 0))
    }
    let deadline = (running.compactMap(\.deadline) + [killAt, recordBy].compactMap { $0 }).min()
    let wait = deadline.map { Int32(max(0, min(($0 - Clock.monotonic) * 1000 + 1, 1e6))) } ?? -1
    if poll(&polled, nfds_t(polled.count), wait) < 0, errno != EINTR { throw Files.problem("wait for", "steps") }

    if polled[0].revents != 0 { interrupt(signals) }
    enforceDeadlines()
    var ended: [Attempt] = []
    for (index, attempt) in running.enumerated() {
      if let progress = attempt.readProgress() { report(.progress(attempt.step, done: progress.done, total: progress.total, word: progress.word)) }
      if polled[1 + 2 * index].revents != 0 { ended.append(attempt) }
    }
    if ended.isEmpty, let recordBy, recordBy <= Clock.monotonic { try recordEnded() }
    guard !ended.isEmpty else { return }
    running.removeAll { attempt in ended.contains { $0 === attempt } }
    for attempt in ended { undecided += awaitingTwin.removeValue(forKey: attempt.key) ?? [] }
    try collect(ended)
    try settleKnown(isStopping ? [] : goals)
  }

  func retryOrFail(_ attempt: Attempt, _ problem: Problem) {
    let step = attempt.step
    guard attempts[step.id]! <= step.options.retry.max, !isStopping else { return fail(step, problem) }
    report(.retrying(step, problem))
    step.status = .ready
    undecided.append(step)
  }

  private func fail(_ step: Step, _ problem: Problem) {
    var problem = problem
    if !problem.sentence.contains(step.name) { problem.sentence = "\(step.name): " + problem.sentence }
    report(.failed(step, problem))
    if !step.options.mayFail {
      if summary.exit == .success { summary.exit = problem.code }
      if !options.keepGoing { isStopping = true }
    }
    undecided += session.graph.finish(step, .failed, problem: problem)
  }

  private func interrupt(_ signals: Int32) {
    var information = [UInt8](repeating: 0, count: 128)  // one signalfd_siginfo
    while read(signals, &information, information.count) > 0 {}
    let again = summary.exit == .interrupted
    summary.exit = .interrupted
    isStopping = true
    for attempt in running { attempt.child.signal(again ? SIGKILL : SIGTERM) }
    killAt = Clock.monotonic + 10
  }

  private func enforceDeadlines() {
    let now = Clock.monotonic
    for attempt in running {
      guard let deadline = attempt.deadline, deadline <= now else { continue }
      attempt.child.signal(attempt.timedOut ? SIGKILL : SIGTERM)
      attempt.timedOut = true
      attempt.deadline = now + 10
    }
    if let killAt, killAt <= now {
      for attempt in running { attempt.child.signal(SIGKILL) }
      self.killAt = now + 10
    }
  }

  private func count() {
    for step in session.graph.steps where step.isWanted && !session.graph.settled.contains(step.declaration.name) {
      switch step.status {
      case .done: summary.ran += 1
      case .upToDate: summary.upToDate += 1
      case .restored: summary.restored += 1
      case .failed: if step.options.mayFail { summary.tolerated += 1 } else { summary.failed += 1 }
      case .skipped: summary.skipped += 1
      default: summary.notReached += 1
      }
    }
    if summary.exit == .success, summary.notReached > 0 { summary.exit = .internalError }
  }
}
