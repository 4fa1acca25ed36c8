// Starting steps: the queue says which, the load limit and make's jobserver whether now.

internal import CLinux
internal import Glibc
internal import HeapModule
import JSON
internal import OrderedCollections

extension Run {
  /// What runs holds its place until it ends: `Attempt` knows what it does, this what it takes.
  struct Place {
    let grant: Grant
    /// Bytes of the jobserver, and whether it has the slot that needs none.
    let tokens: [UInt8]
    let hasOwnSlot: Bool
    /// Where it is drawn; the lowest that is free.
    let lane: Int
    let reasons: [Reason]
  }

  /// Puts what was decided into the queue. Heights are asked for only when there is something to choose.
  private func enqueue() throws {
    let mustChoose = decided.count > 1 || !queue.isEmpty || !running.isEmpty
    let jobs = decided
    decided = []
    for job in jobs {
      let step = job.step
      var demand = step.demand
      if job.isPreparation { demand.stations = [] }
      if let missing = demand.pools.first(where: { $0.value > (queue.capacity.pools[$0.key]?.count ?? 0) }) {
        release(job.key)
        let has = queue.capacity.pools[missing.key]?.count ?? 0
        fail(step, Problem(.station, "\(step.name): wants \(missing.value) \(missing.key), and this machine has \(has)"))
        continue
      }
      queue.add(job, rank: rank(of: step, estimating: mustChoose), wants: demand)
    }
    if !undecided.isEmpty {
      try settleKnown()
      if !decided.isEmpty { try enqueue() }
    }
  }

  func rank(of step: Step, estimating: Bool = true) -> Rank {
    Rank(priority: step.options.priority, height: estimating ? durations.height(of: step) : step.height, order: step.id)
  }

  /// Starts what has its turn and, if a rank is given, comes before what has that.
  func startWhatCan(above bar: Rank = .lowest) throws {
    repeat {
      try enqueue()
      while !isStopping, let slots = queue.slotsOfNext, queue.first! > bar {
        if loadLimit?.admits(running: running.count, load: LoadLimit.load, now: Clock.monotonic) == false {
          if !isLooking { timers.insert(Timer(at: Clock.monotonic + 1, what: .look)) }
          isLooking = true
          break
        }
        guard let (tokens, ownSlot) = try takeSlots(slots), let (job, grant) = queue.next() else { break }
        try start(job, Place(grant: grant, tokens: tokens, hasOwnSlot: ownSlot, lane: freeLane(), reasons: job.reasons))
      }
      // What could not be started may have made others ready, or up to date.
      try settleKnown()
    } while !isStopping && !decided.isEmpty
  }

  private func start(_ job: Job, _ place: Place) throws {
    let step = job.step
    if try takeShared(job) { return leave(place) }
    guard let inputs = try inputs(of: job, place), let leases = try admit(job, place) else { return }
    // Once a run: what it draws itself is good.
    if job.isTainted, step.effect == .sample, renewed.insert(step.id).inserted {
      try session.state.setAside(samples: try session.decider.sampleKey(of: step, fingerprint: job.fingerprint))
    }
    attempts[step.id, default: 0] += 1
    serial += 1
    let mark = "\(leftovers.mark).\(serial)"
    var surroundings = [ProcessTree.variable: (Child.inheritedEnvironment[ProcessTree.variable].map { $0 + ":" } ?? "") + mark]
    for (pool, units) in place.grant.units {
      surroundings[Pool.variable(pool)] = units.joined(separator: ",")
      if pool == "gpu" { surroundings["CUDA_VISIBLE_DEVICES"] = units.joined(separator: ",") }
    }
    surroundings.merge(Self.surroundings(of: step, leases)) { $1 }
    if let jobserver { surroundings["MAKEFLAGS"] = jobserver.flags }
    do {
      let attempt = try leftovers.note {
        let attempt = try Attempt(
          step, key: job.key, fingerprint: job.fingerprint, inputs: inputs, session: session, isPreparation: job.isPreparation, leases: leases,
          surroundings: surroundings, passing: jobserver?.passed ?? [])
        return (attempt, attempt.child.pid)
      }
      attempt.mark = mark
      attempt.place = place
      if !place.grant.units.isEmpty {
        attempt.note(
          "pools", .object(.init(uniqueKeysWithValues: place.grant.units.sorted { $0.key < $1.key }.map { ($0, .array($1.map { .string($0) })) })))
      }
      if !leases.isEmpty { attempt.note("stations", Self.provenance(of: step, leases)) }
      if step.options.quiet { attempt.note("load_before", .number(LoadLimit.load)) }
      if step.options.approval != nil, let approval = try session.state.approval(of: job.key) { attempt.note("approval", approval.json) }
      if let seconds = prepared[step.id] { attempt.note("preparation_seconds", .number(seconds)) }
      if attempts[step.id]! > 1 { attempt.note("attempt", .integer(attempts[step.id]!)) }
      step.status = .running
      attempt.serial = serial
      try events.watch(attempt.child.descriptor, Self.exitToken(serial))
      try events.watch(attempt.child.progress, Self.progressToken(serial))
      running[serial] = attempt
      if let limit = step.options.timeout { timers.insert(Timer(at: attempt.startedMonotonic + limit.after, what: .timeout(serial))) }
      report(.started(step, reasons: job.reasons, isPreparation: job.isPreparation))
    } catch {
      leave(place)
      quietHost?.leave()
      giveBack(leases)
      guard let problem = error as? Problem, problem.code != .inputOutput else { throw error }
      release(job.key)
      fail(step, problem)
    }
  }

  /// What it reads, if that is what it was decided for; else it is decided anew, and its place is free again.
  private func inputs(of job: Job, _ place: Place) throws -> OrderedDictionary<String, [Decider.InputArtifact]>? {
    do {
      if let inputs = try session.decider.inputs(of: job.step, decidedAs: job.fingerprint) { return inputs }
      undecided.append(job.step)
    } catch let problem as Problem where problem.code != .inputOutput { fail(job.step, problem) }
    // It waits for nothing any more, and what it prepared was for other files.
    (awaiting[job.step.id], prepared[job.step.id]) = (nil, nil)
    leave(place)
    release(job.key)
    return nil
  }

  /// Leases of its stations, if it has them all and the machine is as quiet as it wants; else it waits for them, and its place is free again.
  private func admit(_ job: Job, _ place: Place) throws -> [Lease]? {
    if job.step.options.quiet, quietHost == nil {
      throw Problem(.inputOutput, "\(job.step.name): cannot keep this machine quiet", hint: "ENPIRE_QUIET_LOCK names a file that can be locked")
    }
    do {
      // First what costs nothing: who waits while another measures time must not disturb it by taking leases.
      guard quietHost?.enter(alone: job.step.options.quiet) ?? true else {
        throw Unavailable(reason: job.step.options.quiet ? "other runs are at work" : "a step of another run measures time", pause: 0.2)
      }
      do {
        let leases = job.isPreparation ? [] : try lease(job.step, job.key)
        awaiting[job.step.id] = nil
        return leases
      } catch {
        quietHost?.leave()
        throw error
      }
    } catch let unavailable as Unavailable {
      leave(place)
      wait(job, unavailable, for: job.step.station.map { "station \($0.name)" } ?? "this machine")
      return nil
    }
  }

  /// What it held is free again.
  func leave(_ place: Place) {
    queue.giveBack(place.grant)
    for token in place.tokens { jobserver?.giveBack(token) }
    if place.hasOwnSlot { ownSlotInUse = false }
    freeLanes.insert(place.lane)
  }

  private func freeLane() -> Int { freeLanes.popMin() ?? running.count }

  // MARK: The jobserver

  /// This program's own slot, and a byte for each more; fewer if there are not so many, but one at least. Nil if there is none now.
  private func takeSlots(_ count: Int) throws -> (tokens: [UInt8], ownSlot: Bool)? {
    guard let jobserver else { return ([], false) }
    let ownSlot = !ownSlotInUse
    var tokens: [UInt8] = []
    while tokens.count + (ownSlot ? 1 : 0) < count, let token = jobserver.take() { tokens.append(token) }
    guard ownSlot || !tokens.isEmpty else {
      if !isWatchingJobserver { try events.watch(jobserver.readable, Self.jobserverToken) }
      isWatchingJobserver = true
      return nil
    }
    if ownSlot { ownSlotInUse = true }
    return (tokens, ownSlot)
  }

  func stopWatchingJobserver() {
    if isWatchingJobserver, let jobserver { events.forget(jobserver.readable) }
    isWatchingJobserver = false
  }
}
