// One try at a step: a private directory, a process in it, and what it left. Nothing of it is seen outside until it is published.

internal import CLinux
internal import Glibc
import Hashing
import JSON
import OrderedCollections

final class Attempt {
  let step: Step
  let key: Digest
  let fingerprint: JSON
  let log: String
  let started: Double
  let startedMonotonic: Double
  let directory: String
  let session: Session
  private var sandbox: Sandbox?
  var exposure = Exposure()
  private(set) var child: Child!
  let inputs: OrderedDictionary<String, [Decider.InputArtifact]>
  /// Paths of those that are the workspace's own. Whoever reads a thousand outputs need not go through all of them for each of a thousand steps.
  let files: [String]
  let layout: Rooms.Layout
  private let footing: Footing
  /// Copies of other steps' outputs that it is shown, as they were; others are shown the same.
  private var views: [String: (stamp: FileStamp?, artifact: Artifact)] = [:]
  /// How long the file of its trials was.
  private var trials: (file: String, length: Int)?
  private var hasLeft = false
  /// What keeps its secrets out of all that is told, if it has any.
  private(set) var mask: Mask?
  private var maskedLog: MaskedLog?
  /// Where its output goes as long as the log has no name.
  private var draft: String?
  private var unread: [UInt8] = []
  private var telemetry: JSON = [:]
  /// Its number in the run and what it holds there; the mark in its processes' environment.
  var serial: UInt64 = 0
  var place: Run.Place!
  var mark = ""
  /// Its process has ended; what it left behind may not.
  var hasExited = false
  /// It was asked to end, and has some time for it.
  var isEnding = false
  var timedOut = false
  var wasInterrupted = false
  /// It left processes behind.
  var lingers = false
  /// A descriptor of a process that it left behind and that has not ended yet.
  var straggler: Int32?
  /// Why it has to give its station up.
  var preemption: String?
  /// Why it failed, if that has a name.
  private(set) var cause: Retry.Cause?
  /// It has a directory for checkpoints.
  private var keepsProgress = false
  private var program = ""
  /// Its program could be run.
  private(set) var hasStarted = true

  /// A reproduction sees nothing that is kept of earlier attempts: no finished trials, no checkpoints.
  var isReproduction: Bool { reproduced != nil }
  let reproduced: ActionDetails?
  /// It does what needs no station, and gives no outputs.
  let isPreparation: Bool
  /// The stations that it has; none when it is a reproduction.
  let leases: [Lease]
  /// The strace that watches it, if it is to be seen what it reads.
  let strace: String?
  static let traceFile = ".enpire-trace"
  /// Where each input is shown, by its path or its digest and name.
  var shownPaths: [String: [String]] = [:]

  /// Prepares and starts the step.
  /// `surroundings` are variables that the run adds to its environment, `passing` descriptors that become its 4, 5, ….
  init(
    _ step: Step, key: Digest, fingerprint: JSON, inputs: OrderedDictionary<String, [Decider.InputArtifact]>, session: Session,
    reproducing reproduced: ActionDetails? = nil, isPreparation: Bool = false, strace: String? = nil,
    leases: [Lease] = [], surroundings: [String: String] = [:], passing: [Int32] = []
  ) throws {
    self.step = step
    self.reproduced = reproduced
    self.isPreparation = isPreparation
    self.strace = strace
    self.leases = leases
    self.key = key
    self.fingerprint = fingerprint
    self.session = session
    let state = session.state.directory
    started = Clock.now
    startedMonotonic = Clock.monotonic
    self.inputs = inputs
    files = step.readsFiles ? inputs.values.joined().compactMap(\.path) : []
    footing = Footing(files, tools: step.options.tools, workspace: session.manifest.directory)
    layout = Self.layout(step, Self.links(step, files, session))
    directory = try session.rooms.take(layout)
    log = reproduced != nil ? directory + "/log" : "\(state)/logs/\(key.hex)\(isPreparation ? ".prepared" : "").log"
    sandbox = try session.isolation.sandbox(for: step)
    exposure.network = step.options.network
    do { child = try start(surroundings, passing) } catch {
      Files.removeTree(directory)
      throw error
    }
  }

  private func start(_ surroundings: [String: String], _ passing: [Int32]) throws -> Child {
    var argv = step.kind == nil ? try command() : [Catalogue.worker, "run", try request()]
    var environment = environment()
    let declared = try session.decider.resolve(.object(step.environment.mapValues { .string($0) }), in: step, "env")
    for (name, value) in declared.object ?? [:] { environment[name] = value.string ?? value.canonical }
    environment.merge(surroundings) { $1 }
    for secret in step.options.secrets { environment[secret.name] = try secret.value(manifest: workspace) }
    if !step.options.secrets.isEmpty { mask = Mask(step.options.secrets.compactMap { environment[$0.name] }) }
    // A jobserver that is a named pipe.
    if case .fifo(let path) = Jobserver.invitation(surroundings["MAKEFLAGS"] ?? "") { exposure.write(path) }
    if let strace { argv = Tracing.wrap(argv, strace: strace, to: directory + "/" + Self.traceFile) }
    if let sandbox {
      guard argv[0].contains("/") || Files.program(argv[0]) != nil else { throw Child.problem(starting: argv[0], ENOENT) }
      argv = sandbox.wrap(argv, directory: directory, exposure: exposure, state: session.state.directory)
    }
    program = argv[0]
    try session.makeReady(logs: Files.parent(of: log)!)
    if Files.exists(log) { unlink(log) }
    maskedLog = try mask.map { try MaskedLog(log, mask: $0) }
    var through = maskedLog?.descriptor
    if through == nil, !isReproduction {
      let (path, descriptor) = try session.drafts.take()
      (draft, through) = (path, descriptor)
    }
    do {
      return try Child.spawn(
        argv, environment: environment, directory: directory, output: log, through: through, withProgress: true, passing: passing)
    } catch {
      if let draft { session.drafts.give(draft) }
      throw error
    }
  }

  /// Shows what it has printed, if anything.
  func showLog() { if let path = draft, session.drafts.name(path, log) { draft = nil } }

  /// What a step sees of this process's environment: where programs are, and no more.
  private func environment() -> [String: String] {
    let inherited = Child.inheritedEnvironment
    var environment = Child.numerics
    environment["ENPIRE_PROGRESS_FD"] = "3"
    // UTF-8, and all else as in C, by one file of the C library's; LANG would have each program read thirteen.
    if step.environment["LANG"] == nil { environment["LC_CTYPE"] = "C.UTF-8" }
    for name in ["PATH", "HOME", "ENPIRE_PYTHON", "LD_LIBRARY_PATH"] { environment[name] = inherited[name] }
    environment["TMPDIR"] = sandbox == nil ? directory : "/tmp"
    if sandbox != nil { environment["HOME"] = "/tmp" }
    return environment
  }

  var isSandboxed: Bool { sandbox != nil }
  /// Where the step's relative paths start.
  var workspace: String { step.declaration.scope?.directory ?? session.manifest.directory }

  // MARK: While it runs

  /// Reads what arrived on the progress pipe; returns the newest progress.
  func readProgress() -> (done: Int, total: Int, word: String)? {
    withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { buffer in
      while true {
        let count = Glibc.read(child.progress, buffer.baseAddress, buffer.count)
        guard count > 0 else { break }
        unread += buffer[..<count]
      }
    }
    if unread.isEmpty { return nil }
    var newest: (Int, Int, String)?
    while let end = unread.firstIndex(of: 10) {
      if let said = try? JSON(parsing: unread[..<end]) {
        let line = mask?(said) ?? said
        if let done = line["done"]?.int, let total = line["total"]?.int { newest = (done, total, line["word"]?.string ?? "") }
        if let name = line["telemetry"]?.string { telemetry[name] = line["value"] }
      }
      unread.removeSubrange(...end)
    }
    return newest
  }

  /// Its end, if it is a good one, makes ready only what waits for it already.
  var isPlain: Bool { !isPreparation && !timedOut && !wasInterrupted && preemption == nil && !step.mayAppend }

  /// Adds a fact of the execution that is not its result.
  func note(_ name: String, _ value: JSON) { telemetry[name] = value }

  func forgetStraggler() {
    if let straggler { close(straggler) }
    straggler = nil
  }

  /// Signals all its processes. Bubblewrap itself must not be asked to end, for it takes the step with it at once.
  /// `strays` are those outside its process group. False: the sandbox is being set up, and there is nobody to tell yet.
  func signal(_ number: Int32, strays: [ProcessTree.Process]) -> Bool {
    guard sandbox != nil, number != SIGKILL else {
      child.signal(number)
      ProcessTree.signal(strays, number)
      return true
    }
    let processes = Sandbox.processes(under: child.pid)
    for process in processes { kill(process, number) }
    return !processes.isEmpty
  }

  /// Bubblewrap tells the end by a signal as shells do.
  private func end(_ end: Child.End) -> Child.End {
    guard sandbox != nil, case .exited(let code) = end, (129...192).contains(code) else { return end }
    return .signalled(code - 128)
  }

  // MARK: Afterwards

  private(set) var endedMonotonic: Double?
  /// It is over now, though it may be looked at later.
  func noteEnd() { if endedMonotonic == nil { endedMonotonic = Clock.monotonic } }
  var seconds: Double { (endedMonotonic ?? Clock.monotonic) - startedMonotonic }

  /// Collects the ended process: stores its outputs and returns its record, which is not yet written down.
  /// `alone`: nothing else runs.
  func finish(alone: Bool = true) throws -> ActionRecord {
    try end(alone: alone)
    var outputs: OrderedDictionary<String, Artifact> = [:]
    for output in step.outputs {
      do { outputs[output.name] = try store(output) } catch let problem as Problem where problem.code == .inputOutput || problem.code == .missingInput
      {
        // Only a disk that is full is the run's affair; what the step left is its own.
        if Files.freeBytes(at: directory) < 1 << 20 { throw problem }
        throw Problem(.stepFailed, "\(step.name): \(problem.sentence)", hint: problem.hint)
      }
    }
    let appended = try step.mayAppend ? appended() : []
    return ActionRecord(
      key: key, step: step.name, outputs: outputs, appended: appended, started: started, seconds: seconds, station: step.station?.name)
  }

  /// Collects the ended process. Throws if it failed, or what it read has changed meanwhile.
  func end(alone: Bool) throws {
    _ = readProgress()
    let end = end(child.wait())
    maskedLog?.finish()
    showLog()
    noteEnd()
    cause =
      switch end {
      case _ where timedOut: .timeout
      case .exited(0): nil
      case .exited(ExitCode.station.rawValue) where step.kind != nil: .station
      case .exited(let code): .exit(code)
      case .signalled: .signal
      case .lost, .unstarted: .lost
      }
    if case .unstarted(let code) = end {
      hasStarted = false
      throw Child.problem(starting: program, code)
    }
    if end != .exited(0), Files.freeBytes(at: directory) < 1 << 20 {
      throw Problem(
        .inputOutput, "\(step.name): no space is left where \(Files.display(session.state.directory))/ lies",
        hint: "free some space and run again; what was finished is kept")
    }
    switch end {
    // Whoever was asked to end may end well with half of the work done.
    case .exited(0) where !timedOut && preemption == nil && !wasInterrupted: break
    case _ where preemption != nil: throw Problem(.station, "\(step.name): \(preemption!)", hint: logHint)
    case _ where wasInterrupted: throw Problem(.interrupted, "\(step.name): interrupted", hint: logHint)
    case .lost, .unstarted: throw Problem(.stepFailed, "\(step.name): nobody knows how it ended", hint: logHint)
    case _ where timedOut: throw Problem(.timeout, "\(step.name): took longer than \(step.options.timeout?.after ?? 0) s", hint: logHint)
    case .exited(let code):
      let message = message(or: "exit code \(code)")
      throw Problem(.stepFailed, message, hint: adviceAfterFailure(message, alone: alone) ?? (message.contains("hint: ") ? nil : logHint))
    case .signalled(let number):
      throw Problem(.stepFailed, "\(step.name): killed by signal \(number) (\(String(cString: strsignal(number))))", hint: logHint)
    }
    if let what = try change.get() {
      throw Problem(.stepFailed, "\(step.name): \(what) changed while it ran", hint: "its outputs are not kept; run again")
    }
  }

  /// What it reads that is not as it was when it started, once it has ended; nil if everything is.
  private lazy var change = Result { try findChange() }

  private func findChange() throws -> String? {
    if !files.isEmpty, let input = try inputs.values.joined().first(where: { try !session.decider.isUnchanged($0) }) {
      return "its input \(Files.display(input.path!))"
    }
    let now = Footing(files, tools: step.options.tools, workspace: session.manifest.directory)
    if let what = now.change(since: footing) { return what }
    guard let view = views.keys.sorted().first(where: { FileStamp(of: $0) != views[$0]!.stamp }) else { return nil }
    // Whoever else is to see it gets another copy.
    Files.removeTree(view)
    _ = try session.state.store.view(views[view]!.artifact, name: Files.name(of: view))
    return "'\(Files.name(of: view))', which other steps read too,"
  }

  func noteView(_ path: String, of artifact: Artifact) { if views[path] == nil { views[path] = (FileStamp(of: path), artifact) } }

  func noteTrials(_ file: String) { trials = (file, FileStamp(of: file)?.size ?? 0) }

  /// It failed. What it has kept for another attempt is of no use if what it read was not the same all the time: checkpoints and trials of this
  /// attempt go. True if there is something to keep.
  func mayKeep() -> Bool {
    if case .success(nil) = change { return true }
    if let trials, !isReproduction { truncate(trials.file, trials.length) }
    return false
  }

  /// It moved something, and nobody knows how far it came: it did not end by itself, or lost its station.
  var isUnsure: Bool {
    guard step.moves, !isPreparation else { return false }
    if preemption != nil || wasInterrupted { return true }
    return switch cause {
    case .timeout, .signal, .lost: true
    case .exit, .station, nil: false
    }
  }

  var details: ActionDetails { ActionDetails(fingerprint: fingerprint, telemetry: telemetry) }

  /// Gives the private directory back, from which everything was taken that will be.
  func leave() {
    if hasLeft { return }
    hasLeft = true
    maskedLog?.finish()
    showLog()
    if let draft { session.drafts.give(draft) }
    draft = nil
    session.rooms.give(directory, layout)
  }

  /// Where it keeps what an interruption does not take, for the next attempt under the same key.
  private var progressDirectory: String { isReproduction ? directory + "/progress" : "\(session.state.directory)/progress/\(key.hex)" }

  func makeProgressDirectory() throws -> String {
    try Files.makeDirectory(progressDirectory)
    exposure.write(progressDirectory)
    keepsProgress = true
    return progressDirectory
  }

  /// Leaves; drops its checkpoint too once that is of no more use.
  func cleanUp(keepingProgress: Bool) {
    leave()
    guard keepsProgress else { return }
    if !keepingProgress || Files.list(progressDirectory).isEmpty { Files.removeTree(progressDirectory) }
  }

  private var logHint: String {
    Shell.line(["enpire", "log", "-f", Files.display(session.manifest.path), step.name]) + " shows all that it printed"
  }

  /// The worker's `error:` line, or the last lines of the log.
  private func message(or fallback: String) -> String {
    guard let bytes = try? Files.tail(log, 8000) else { return fallback }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: true)
    if let error = lines.lastIndex(where: { $0.hasPrefix("error: ") }) {
      return ([lines[error].dropFirst(7)] + lines[(error + 1)...]).joined(separator: "\n")
    }
    return fallback + (lines.isEmpty ? "" : "\n" + lines.suffix(10).map { "    " + $0 }.joined(separator: "\n"))
  }
}
