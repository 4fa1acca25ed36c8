// Runs a workflow: decides what is ready, starts what can start (Run+Start), deals with what happens meanwhile (Run+Attend), records what
// succeeded (Run+Record), and stops in good order. One thread owns the graph; children tell it by descriptors. It does not know why a step
// has to run (Decision), what may start next (Queue) nor how (Attempt).

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
  /// With `keepGoing`: but start nothing more after so many failures.
  public var failureLimit: Int?
  /// Wait for another run of this workspace.
  public var patience = true
  /// End, in good order, at this time, in seconds since 1970.
  public var deadline: Double?
  /// While anything runs, start nothing more when the machine's load average is this or above.
  public var load: Double?
  /// Share slots with nested makes.
  public var serve: Jobserver.Form?
  /// Report `pulse`s.
  public var pulses = false
  /// Write what ran when to this file, in Chrome's trace format.
  public var trace: String?

  public init() {}
}

/// What a run tells while it runs.
public enum RunEvent {
  case waitingForLock(String)
  /// So many processes that an earlier run left behind when it crashed were ended.
  case endedLeftovers(Int)
  /// The workspace has results and no record of them.
  case lostRecords
  /// `isPreparation`: with what needs no station, and without one.
  case started(Step, reasons: [Reason], isPreparation: Bool)
  /// It has done what needs no station, and waits for one.
  case prepared(Step, seconds: Double)
  case progress(Step, done: Int, total: Int, word: String)
  case finished(Step, seconds: Double)
  case restored(Step, [String])
  /// `pause`: seconds until it is tried again.
  case retrying(Step, Problem, pause: Double)
  case failed(Step, Problem)
  case appended(Step, [Step])
  /// A person or an agent appended them meanwhile.
  case joined([Step])
  /// Seconds until everything is done, by recorded durations; at most once a second.
  case estimate(Double)
  /// About once a second while steps run: so many steps are done, of so many that there are now.
  case pulse(done: Int, of: Int)
  /// Something about the shared cache that changes no result.
  case cache(String, isWarning: Bool)
  /// Passed over though nothing failed: why.
  case skipped(Step, String)
  /// It waits for a person.
  case held(Step, Question)
  /// It waits for a station, or for the machine to be quiet; or it had to leave its station, and waits for it again.
  case waiting(Step, String)
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
  /// Waiting for approval, and asked to end before they were done.
  public var held = 0
  public var interrupted = 0
  public var seconds = 0.0
  public var exit = ExitCode.success
  /// Why the trace could not be written.
  public internal(set) var traceProblem: Problem?

  public init(upToDate: Int = 0, skipped: Int = 0) { (self.upToDate, self.skipped) = (upToDate, skipped) }
}

public final class Run {
  struct Job {
    let step: Step
    let key: Digest
    let fingerprint: JSON
    let reasons: [Reason]
    /// It does first what needs no station.
    let isPreparation: Bool

    /// What is recorded is in quarantine, and so is what others took of it.
    var isTainted: Bool { reasons.contains { $0.what == .tainted } }
  }

  let session: Session
  private let beginning: Beginning?
  let options: RunOptions
  let report: (RunEvent) -> Void
  var summary = RunSummary()
  /// Goals that run whatever is recorded.
  private(set) var forced: Set<Step.ID> = []

  var undecided: [Step] = []
  /// Those of them that wait until what has ended is published.
  private var postponed: [Step] = []
  /// Decided: these have to run, and are not in the queue yet.
  var decided: [Job] = []
  var queue: Queue<Job>
  let durations: Durations
  /// Actions that wait, run, or are not recorded yet; `twins` are steps whose very action another one is doing. They take its record.
  var inFlight: Set<Digest> = []
  var twins: [Digest: [Step]] = [:]
  var running: [UInt64: Attempt] = [:]
  var attempts: [Step.ID: Int] = [:]
  /// Steps whose trials of before, which are in quarantine, were put aside.
  var renewed: Set<Step.ID> = []
  /// Steps that have done what needs no station, and the seconds it took.
  var prepared: [Step.ID: Double] = [:]
  /// What was decided and is not written down yet.
  private var decisions: [RecordedDecision] = []
  /// Failed steps that wait for their next try.
  var pausing: [Step.ID: Problem] = [:]
  /// Steps that wait for a person to agree to what they would do.
  var held: [Step.ID: (step: Step, key: Digest, question: Question, reasons: [Reason])] = [:]
  /// Steps that could start but for their station, or for others on this machine: why.
  var awaiting: [Step.ID: String] = [:]
  var lookedAtStations = 0.0
  lazy var quietHost = try? QuietHost()
  private var toldOfBypassed = 0
  var isStopping = false
  /// When it last looked for appended steps, and how their directory was then.
  var lookedForAppended = 0.0
  var appendedStamp: FileStamp?
  /// Whether anything was recorded or published: what snapshots say is then no longer so.
  private var changed = false
  /// Ended steps whose records are not yet written, and when they have to be.
  var unrecorded: [Ended] = []
  /// Those of them that wait for the disk.
  var syncing: [Ended] = []
  var syncer: Syncer!
  var syncBegan = 0.0
  var recordBy: Double?
  var recordInterval = 0.1

  let jobserver: Jobserver?
  var loadLimit: LoadLimit?
  var events: Events!
  var leftovers: Leftovers!
  var trace: Trace?
  var timers = Heap<Timer>()
  var serial: UInt64 = 0
  /// A timer is set to look again whether the load allows more.
  var isLooking = false
  var ownSlotInUse = false
  var isWatchingJobserver = false
  var freeLanes = Heap<Int>()
  var lastEstimate = 0.0

  /// `jobserver` is one that was joined.
  public convenience init(_ session: Session, options: RunOptions, jobserver: Jobserver? = nil, report: @escaping (RunEvent) -> Void) throws {
    try self.init(session, options: options, jobserver: jobserver, beginning: nil, report: report)
  }

  init(
    _ session: Session, options: RunOptions, jobserver: Jobserver? = nil, beginning: Beginning?, report: @escaping (RunEvent) -> Void
  ) throws {
    self.session = session
    self.beginning = beginning
    summary.run = beginning?.summary.run ?? 0
    self.options = options
    self.report = report
    self.jobserver = try jobserver ?? options.serve.map { try .serve($0, slots: options.jobs, directory: session.state.directory) }
    loadLimit = options.load.map { LoadLimit($0) }
    durations = Durations(session)
    // Who joined a jobserver asks it for each slot.
    queue = Queue(Capacity(slots: jobserver == nil ? options.jobs : max(options.jobs, 4096), pools: session.manifest.pools))
  }

  /// Runs the goals. Throws only what makes going on senseless, such as a full disk; a failed step is in the summary.
  public func execute(_ goals: [Step]) throws -> RunSummary {
    do { return try executeLocked(goals) } catch {
      let problem = (error as? DatabaseError).map(State.problem) ?? error
      // Else the history would say that it was killed.
      if summary.run > 0 {
        try? session.state.endRun(summary.run, exit: (problem as? Problem)?.code ?? .internalError, summary: summary.counts.compact)
      }
      throw problem
    }
  }

  private func executeLocked(_ goals: [Step]) throws -> RunSummary {
    let lock = try WorkspaceLock(state: session.state.directory, patience: options.patience) { report(.waitingForLock($0)) }
    defer { withExtendedLifetime(lock) {} }
    let ended = try Leftovers.end(state: session.state.directory)
    if ended > 0 { report(.endedLeftovers(ended)) }
    if session.state.hasLostRecords { report(.lostRecords) }
    let start = Clock.monotonic
    Debris.clear(session)
    // What fails before it is known what is wanted leaves no word of what there is to do.
    trace = try options.trace.map { try Trace(path: $0, workflow: session.manifest.workflow) }
    var isInOrder = false
    defer {
      if changed || session.part == nil { session.keepSnapshot() }
      if isInOrder { Debris.finish(session.state) }
    }
    if session.forcesGoals { forced = Set(goals.map(\.id)) }
    undecided = session.graph.want(goals)
    if session.isPlanned { try restorePlanned() }
    try settleKnown()
    if !decided.isEmpty { try runDecided() }
    if session.state.files.hasUnsaved { try session.state.database.transaction { try session.state.files.save() } }
    trace?.finish()
    count()
    summary.traceProblem = trace?.problem
    if summary.exit == .success, trace?.problem != nil { summary.exit = .inputOutput }
    summary.upToDate += session.untouched
    if let before = beginning?.summary {
      // What ran at its beginning is up to date by now.
      summary.upToDate -= before.ran + before.restored
      summary.ran += before.ran
      summary.restored += before.restored
    }
    summary.seconds = Clock.monotonic - start + (beginning?.summary.seconds ?? 0)
    try recordDecisions(atEnd: true)
    if summary.run > 0 { try session.state.endRun(summary.run, exit: summary.exit, summary: summary.counts.compact) }
    isInOrder = true
    return summary
  }

  // MARK: Deciding

  /// What a plan has settled, to learn the names of goals, may not be in its place.
  private func restorePlanned() throws {
    for step in session.graph.steps where step.isWanted && step.status.isSuccess && !step.isNominal {
      guard case .restore(let record, let paths)? = try? session.decider.decide(step) else { continue }
      guard try restore(step, record, paths) else { throw Store.damaged("\(step.name): what is stored of it", .inputOutput) }
      step.status = .restored
    }
  }

  /// Puts published files back; false if what the store has of them was damaged: that is gone now, and is to be made anew.
  private func restore(_ step: Step, _ record: ActionRecord, _ paths: [String]) throws -> Bool {
    let store = session.state.store
    // All of them are looked at, so that all that is damaged goes at once.
    guard record.outputs.values.map(store.isWhole).allSatisfy({ $0 }) else {
      if record.outputs.values.allSatisfy(store.has) {
        throw Problem(.inputOutput, "\(step.name): what is stored of it is damaged, and cannot be removed", hint: "check who owns \(store.root)")
      }
      return false
    }
    willChange()
    try publish(step, record)
    report(.restored(step, paths))
    trace?.instant("restored \(step.name)", ["key": .string(record.key.hex), "paths": .array(paths.map { .string($0) })])
    decisions.append(RecordedDecision(step: step.name, action: .restore, key: record.key.hex, reasons: paths.map { ["text": .string($0)] }))
    return true
  }

  /// Decides every ready step; what is recorded is done with at once.
  func settleKnown() throws {
    while !undecided.isEmpty {
      try session.state.database.reading { try decideKnown() }
      if postponed.isEmpty { return }
      try recordEnded()
      (undecided, postponed) = (undecided + postponed, [])
    }
  }

  /// Whether it reads files of the workspace, and comes after a step whose outputs are not there yet.
  private func waitsForFiles(_ step: Step) -> Bool {
    if unrecorded.isEmpty, syncing.isEmpty { return false }
    var stack = step.needs.filter(\.order).map(\.step)
    if stack.isEmpty, step.families.isEmpty { return false }
    guard step.readsFiles else { return false }
    if !step.families.isEmpty { return true }
    let unpublished = Set((unrecorded + syncing).map(\.attempt.step.id))
    var seen = Set(stack)
    while let id = stack.popLast() {
      if unpublished.contains(id) { return true }
      // A group stands for those that it comes after.
      if session.graph.steps[id].isNominal { stack += session.graph.steps[id].needs.map(\.step).filter { seen.insert($0).inserted } }
    }
    return false
  }

  private func decideKnown() throws {
    var next = 0
    while next < undecided.count {
      let step = undecided[next]
      next += 1
      if waitsForFiles(step) {
        postponed.append(step)
        continue
      }
      do {
        if let problem = beginning?.problems[step.name] { throw problem }
        if step.isAppended { try session.checkWay(of: step) }
        let isForced = attempts[step.id] == nil && session.isOf(forced, step)
        switch try session.decider.decide(step, force: isForced, hasRun: beginning?.ran.contains(step.name) == true) {
        case .upToDate(let record): try settle(step, .upToDate, record)
        case .restore(let record, let paths):
          guard try restore(step, record, paths) else {
            undecided.append(step)
            continue
          }
          try settle(step, .restored, record)
        case .hold(let key, let question, let reasons):
          if held.updateValue((step, key, question, reasons), forKey: step.id) == nil { report(.held(step, question)) }
        case .skip(let reason): undecided += session.graph.bypass(step, reason)
        case .run(let key, let fingerprint, let reasons):
          if let refusal = session.refusal(of: step, reasons) { throw refusal }
          if inFlight.insert(key).inserted {
            decisions.append(RecordedDecision(step: step.name, action: .run, key: key.hex, reasons: reasons.map(\.json)))
            let isPreparation = step.prepares && prepared[step.id] == nil
            decided.append(Job(step: step, key: key, fingerprint: fingerprint, reasons: reasons, isPreparation: isPreparation))
          } else {
            twins[key, default: []].append(step)
          }
        }
      } catch let problem as Problem where problem.code != .inputOutput && problem.code != .internalError {
        decisions.append(RecordedDecision(step: step.name, action: .fail, key: nil, reasons: [["text": .string(problem.sentence)]]))
        fail(step, problem)
      }
    }
    undecided = []
    while toldOfBypassed < session.graph.bypassed.count {
      let step = session.graph.bypassed[toldOfBypassed]
      if step.isWanted { report(.skipped(step, step.bypassReason ?? "")) }
      toldOfBypassed += 1
    }
  }

  func settle(_ step: Step, _ status: Step.Status, _ record: ActionRecord) throws {
    let known = session.graph.steps.count
    undecided += try session.settle(step, status, record)
    durations.ended(step, seconds: status == .done ? record.seconds : nil)
    if status == .done, session.graph.steps.count > known { report(.appended(step, Array(session.graph.steps[known...]))) }
    if status != .done, !step.isNominal, try session.state.latest(session.manifest.workflow, step.name) != record.key {
      willChange()
      try session.state.setLatest(session.manifest.workflow, step.name, record.key)
    }
  }

  /// Writes down what was decided so far; the first decision begins the run in the history.
  func recordDecisions(atEnd: Bool = false) throws {
    if atEnd {
      decisions += session.graph.steps.filter { $0.isWanted && $0.status == .skipped }.map { step in
        RecordedDecision(step: step.name, action: .skip, key: nil, reasons: [["text": .string(step.problem?.sentence ?? step.bypassReason ?? "")]])
      }
      for (step, key, question, reasons) in held.values {
        let asked: JSON = ["text": .string(question.text), "command": .string(question.command)]
        decisions.append(RecordedDecision(step: step.name, action: .ask, key: key.hex, reasons: [asked] + reasons.map(\.json)))
      }
    }
    if decisions.isEmpty { return }
    if summary.run == 0 { summary.run = try session.state.beginRun(session.manifest.workflow) }
    try session.state.record(decisions, run: summary.run)
    decisions = []
  }

  func willChange() {
    if !changed {
      Debris.expect(session.state)
      session.state.dropSnapshots()
    }
    changed = true
  }

  /// The action is recorded or has failed: whoever waited for its record is decided anew.
  func release(_ key: Digest) {
    inFlight.remove(key)
    undecided += twins.removeValue(forKey: key) ?? []
  }

  func fail(_ step: Step, _ problem: Problem) {
    var problem = problem
    let names = ["\(step.name): ", "step \(step.name):", "'\(step.name)'"]
    if !names.contains(where: problem.sentence.contains) { problem.sentence = "\(step.name): " + problem.sentence }
    if beginning?.problems[step.name] == nil { report(.failed(step, problem)) }
    if !Self.isForgiven(step, problem) {
      // A budget that is used up is the run's own; that of appended steps is a reason to fail as any other.
      if summary.exit == .success { summary.exit = problem.code == .budget ? .stepFailed : problem.code }
      summary.failed += 1
      if !options.keepGoing || problem.code == .stale || options.failureLimit.map({ summary.failed >= $0 }) ?? false { isStopping = true }
    }
    undecided += session.graph.finish(step, .failed, problem: problem)
    durations.failed(step)
  }

  /// Whether its failure is a result. One that must not run ends the run, whatever else it may do.
  private static func isForgiven(_ step: Step, _ problem: Problem?) -> Bool { step.options.mayFail && problem?.code != .stale }

  private func count() {
    summary.failed = 0
    for step in session.graph.steps where step.isWanted && !session.graph.settled.contains(step.declaration.name) {
      switch step.status {
      case .done: summary.ran += 1
      case .upToDate: summary.upToDate += 1
      case .restored: summary.restored += 1
      case .failed where step.problem?.code == .interrupted: summary.interrupted += 1
      case .skipped where step.problem?.code == .interrupted: summary.notReached += 1
      case .failed: if Self.isForgiven(step, step.problem) { summary.tolerated += 1 } else { summary.failed += 1 }
      case .skipped: summary.skipped += 1
      default: if held[step.id] == nil { summary.notReached += 1 } else { summary.held += 1 }
      }
    }
    if summary.exit == .success, summary.held > 0 { summary.exit = .approval }
    if summary.exit == .success, summary.notReached > 0 { summary.exit = .internalError }
  }
}
