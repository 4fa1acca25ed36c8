// While steps run: what their descriptors, the clock and signals say. A step is over when its process has ended and so has everything that
// the process left behind. Whoever has to end is asked first (SIGTERM), with all its processes, and killed after a grace.

internal import CLinux
internal import Glibc
internal import HeapModule

extension Run {
  struct Timer: Comparable {
    enum What {
      case timeout(UInt64), kill(UInt64)
      /// The time of the whole run is used up.
      case deadline
      /// Ask again to end, for there was nobody yet.
      case ask(UInt64)
      case retry(Step)
      /// Ask again for the step's station.
      case station(Job)
      /// Look again whether something can start.
      case look
    }

    let at: Double
    let what: What
    static func < (a: Timer, b: Timer) -> Bool { a.at < b.at }
    static func == (a: Timer, b: Timer) -> Bool { a.at == b.at }
  }

  private static let signalsToken: UInt64 = 0
  static let jobserverToken: UInt64 = 1
  private static let syncToken = UInt64.max
  static func exitToken(_ serial: UInt64) -> UInt64 { serial << 1 }
  static func progressToken(_ serial: UInt64) -> UInt64 { serial << 1 | 1 }

  func runDecided() throws {
    willChange()
    let state = session.state
    try recordDecisions()
    _ = enpire_adopt_orphans()
    // While it waits for a processor, the one whose step has ended stands idle.
    enpire_take_short_turns()
    leftovers = try Leftovers(state: state.directory)
    // Three for each step, one for what it may leave, and those of the databases and the like.
    Events.makeRoom(for: 4 * queue.capacity.slots + 200)
    events = try Events()
    let signals = enpire_signalfd()
    session.interruption = signals
    defer {
      session.interruption = -1
      close(signals)
    }
    try events.watch(signals, Self.signalsToken)
    syncer = try Syncer(state.store.root)
    try events.watch(syncer.descriptor, Self.syncToken)
    defer { endEverything() }
    if let deadline = options.deadline { timers.insert(Timer(at: Clock.monotonic + deadline - Clock.now, what: .deadline)) }
    fireTimers()
    while true {
      if isStopping { giveUpPausing() } else { try startWhatCan() }
      if running.isEmpty {
        jobserver?.refill()
        // Someone may wait for a record of the last ones.
        try recordEnded()
        if !isStopping { try joinAppended(waiting: true) }
        try settleKnown()
        if isStopping || (decided.isEmpty && pausing.isEmpty && awaiting.isEmpty) { break }
        if !decided.isEmpty { continue }
      }
      try attend(signals)
    }
    session.isolation.finishSharing()
    for leftover in ["views", "work"] { Files.removeTree(state.directory + "/" + leftover) }
  }

  /// Nothing is left running, whatever made the run end.
  private func endEverything() {
    // What was told to be done is, unless that is what cannot be written.
    try? recordEnded()
    for attempt in running.values {
      attempt.child.signal(SIGKILL)
      _ = attempt.child.wait()
      attempt.cleanUp(keepingProgress: attempt.mayKeep())
      leave(attempt.place)
      giveUp(attempt, why: attempt.step.moves ? "the run was ended" : nil)
    }
    running = [:]
    if !ProcessTree.children.isEmpty { _ = ProcessTree.end(grace: 0) { ProcessTree.descendants(of: [:]).values.flatMap { $0 } } }
    leftovers.finish()
  }

  /// Waits until something happens, and deals with it.
  private func attend(_ signals: Int32) throws {
    if !isStopping, Clock.monotonic - lookedForAppended >= Self.joinInterval {
      try joinAppended(waiting: false)
      if options.pulses { pulse() }
      for attempt in running.values { attempt.showLog() }
    }
    try tendStations()
    if let recordBy, recordBy <= Clock.monotonic { beginRecording() }
    let tokens = try events.wait(
      until: [timers.min?.at, recordBy, isStopping ? nil : lookedForAppended + Self.joinInterval, nextLookAtStations].compactMap { $0 }.min())
    stopWatchingJobserver()
    var exited: [Attempt] = []
    var isSynced = false
    for token in tokens {
      if token == Self.signalsToken {
        interrupt(signals)
      } else if token == Self.syncToken {
        isSynced = true
      } else if let attempt = running[token >> 1] {
        guard token & 1 == 0 else {
          readProgress(attempt)
          continue
        }
        // Before timers that ended while nobody looked.
        attempt.hasExited = true
        exited.append(attempt)
      }
    }
    fireTimers()
    let ended = whole(exited)
    for attempt in ended {
      running[attempt.serial] = nil
      attempt.noteEnd()
      // What it was forked beside holds a copy of the pipe for a moment, whose closing is of no interest.
      events.forget(attempt.child.progress)
      leave(attempt.place)
      quietHost?.leave()
    }
    // Its place is not left empty while its outputs are looked at.
    if !ended.isEmpty, let bar = bar(of: ended) { try startWhatCan(above: bar) }
    try collect(ended)
    try settleKnown()
    if !ended.isEmpty { estimate() }
    if isSynced {
      // What takes its time is done while all slots are in use.
      if !isStopping { try startWhatCan() }
      if !syncing.isEmpty { try endRecording() }
    }
  }

  /// What has a higher rank than this may start before these are looked at, for nothing that they make ready would go before it. Nil if nothing
  /// may: nothing starts after a failure; and with one step at a time, the next one starts when all of the last is known to be well.
  private func bar(of ended: [Attempt]) -> Rank? {
    guard !isStopping, queue.capacity.slots > 1, ended.allSatisfy({ $0.isPlain && $0.child.hasEndedWell }) else { return nil }
    return ended.reduce(.lowest) { bar, attempt in
      let step = attempt.step
      let followers = session.graph.followers(of: step) + step.gates.lazy.filter { $0.unfinished! <= ended.count }.flatMap(\.readers)
      return followers.lazy.map { self.session.graph.steps[$0] }.filter { $0.isWanted && $0.waitingFor <= ended.count }
        .reduce(bar) { max($0, self.rank(of: $1)) }
    }
  }

  private func readProgress(_ attempt: Attempt) {
    if let progress = attempt.readProgress() { report(.progress(attempt.step, done: progress.done, total: progress.total, word: progress.word)) }
  }

  /// How long what a step leaves behind may go on, in seconds: the last of a pipeline may still write what it was given.
  private static let linger = 1.0

  /// Of attempts whose process has ended, or something it left: those of which nothing is left. What a step leaves behind has a moment to end
  /// by itself; what was asked to end has its grace.
  private func whole(_ exited: [Attempt]) -> [Attempt] {
    if exited.isEmpty { return [] }
    for attempt in exited {
      if attempt.straggler == nil { events.forget(attempt.child.descriptor) } else { attempt.forgetStraggler() }
      attempt.hasExited = true
    }
    // What is left of a step whose process has ended is a child of this one now.
    guard ProcessTree.hasAdopted(besides: Set(running.values.lazy.map(\.child.pid)).union(session.isolation.helpers)) else { return exited }
    let descendants = ProcessTree.descendants(of: roots)
    return exited.filter { attempt in
      guard let left = descendants[attempt.child.pid] else { return true }
      if !attempt.isEnding, !attempt.lingers { timers.insert(Timer(at: Clock.monotonic + Self.linger, what: .kill(attempt.serial))) }
      attempt.lingers = true
      for process in left {
        guard let descriptor = ProcessTree.open(process) else { continue }
        attempt.straggler = descriptor
        if (try? events.watch(descriptor, Self.exitToken(attempt.serial))) != nil { return false }
        attempt.forgetStraggler()
      }
      return true
    }
  }

  private var roots: [pid_t: String] { Dictionary(uniqueKeysWithValues: running.values.map { ($0.child.pid, $0.mark) }) }

  // MARK: Ending

  private func fireTimers() {
    while let timer = timers.min, timer.at <= Clock.monotonic {
      timers.removeMin()
      switch timer.what {
      case .look: isLooking = false
      case .deadline: if !isStopping { stop(.budget, grace: 10) }
      case .station(let job): if awaiting[job.step.id] != nil, !isStopping { decided.append(job) }
      case .retry(let step): if pausing.removeValue(forKey: step.id) != nil { undecided.append(step) }
      case .timeout(let serial):
        guard let attempt = running[serial], !attempt.hasExited, !attempt.isEnding else { continue }
        attempt.timedOut = true
        end([attempt], grace: attempt.step.options.timeout!.grace)
      case .ask(let serial):
        guard let attempt = running[serial], !attempt.hasExited, attempt.isEnding else { continue }
        if !attempt.signal(SIGTERM, strays: []) { timers.insert(Timer(at: Clock.monotonic + 0.02, what: .ask(serial))) }
      case .kill(let serial):
        guard let attempt = running[serial] else { continue }
        end([attempt], grace: nil)
      }
    }
  }

  /// Tells all processes of the attempts to end, and kills them after `grace` seconds; nil kills now.
  func end(_ attempts: [Attempt], grace: Double?) {
    let descendants = ProcessTree.descendants(of: roots)
    for attempt in attempts {
      let number = grace == nil ? SIGKILL : SIGTERM
      attempt.isEnding = grace != nil
      let told = attempt.signal(number, strays: (descendants[attempt.child.pid] ?? []).filter { $0.group != attempt.child.pid })
      if !told { timers.insert(Timer(at: Clock.monotonic + 0.02, what: .ask(attempt.serial))) }
      // Who was forked away meanwhile is met a second later.
      timers.insert(Timer(at: Clock.monotonic + (grace ?? 1), what: .kill(attempt.serial)))
    }
  }

  private func interrupt(_ signals: Int32) {
    var information = [UInt8](repeating: 0, count: 128)  // one signalfd_siginfo
    while read(signals, &information, information.count) > 0 {}
    stop(.interrupted, grace: summary.exit == .interrupted ? nil : 10)
  }

  /// Starts nothing more and has all that runs end; what they keep for another attempt is kept.
  private func stop(_ exit: ExitCode, grace: Double?) {
    summary.exit = exit
    isStopping = true
    for attempt in running.values where !attempt.hasExited { attempt.wasInterrupted = true }
    end(Array(running.values), grace: grace)
  }

  // MARK: Failures

  func retryOrFail(_ attempt: Attempt, _ problem: Problem) {
    let step = attempt.step
    let retry = step.options.retry
    let count = attempts[step.id]!
    release(attempt.key)
    // It waits for its station again. What moves something is tried again only if it is known how it ended.
    if attempt.preemption != nil, !isStopping {
      step.status = .ready
      attempts[step.id] = count > 1 ? count - 1 : nil
      undecided.append(step)
      return
    }
    let isCovered = attempt.cause.map(retry.covers) ?? retry.causes.isEmpty
    guard count <= retry.max, isCovered, !isStopping, !attempt.isUnsure else { return fail(step, problem) }
    let pause = retry.pause(before: count)
    report(.retrying(step, problem, pause: pause))
    step.status = .ready
    if pause > 0 {
      pausing[step.id] = problem
      timers.insert(Timer(at: Clock.monotonic + pause, what: .retry(step)))
    } else {
      undecided.append(step)
    }
  }

  /// The run stops: who waited for another try has failed.
  private func giveUpPausing() {
    for (id, problem) in pausing.sorted(by: { $0.key < $1.key }) { fail(session.graph.steps[id], problem) }
    pausing = [:]
  }

  // MARK: Estimates

  /// Walks all steps: once a second, that is nothing.
  private func pulse() {
    var (done, total) = (session.untouched, session.untouched)
    for step in session.graph.steps where step.isWanted {
      total += 1
      if step.status.isFinished { done += 1 }
    }
    report(.pulse(done: done, of: total))
  }

  private func estimate() {
    let now = Clock.monotonic
    guard now - lastEstimate >= 1 else { return }
    lastEstimate = now
    if let left = durations.left(running.values.map { ($0.step, now - $0.startedMonotonic) }, slots: options.jobs) { report(.estimate(left)) }
  }
}
