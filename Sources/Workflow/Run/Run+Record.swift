// What happens to a step that ended: its outputs go into the store, its record is written down, and then its outputs are published.
// Records are written in groups: one sync of the file system and one transaction for all that ended within a moment.

internal import Glibc
import JSON

extension Run {
  /// Steps whose outputs are in the store and whose records are not yet written.
  struct Ended {
    let attempt: Attempt
    let record: ActionRecord
  }

  /// Stores the outputs of what ended, and lets the steps that need them go on.
  func collect(_ ended: [Attempt]) throws {
    for attempt in ended {
      do {
        if attempt.isPreparation {
          try prepared(attempt)
          continue
        }
        let record = try attempt.finish(alone: running.isEmpty && ended.count == 1)
        try concluding(attempt) {
          attempt.leave()
          // Those that read it are decided at once.
          try session.state.quarantine()?.renew(record, attempt.details, session.state)
          // A wrong step that it appended fails it; so this comes before its record.
          try settle(attempt.step, .done, record)
          if unrecorded.isEmpty, syncing.isEmpty { recordBy = Clock.monotonic + recordInterval }
          unrecorded.append(Ended(attempt: attempt, record: record))
          // What moved something is on record before its station is free.
          if attempt.step.moves { try recordEnded() }
        }
        report(.finished(attempt.step, seconds: record.seconds))
      } catch var problem as Problem {
        attempt.cleanUp(keepingProgress: attempt.mayKeep())
        noteLoss(attempt)
        if let preemption = attempt.preemption, problem.code != .inputOutput {
          problem = Problem(.station, "\(attempt.step.name): \(preemption)", hint: problem.hint)
        }
        giveUp(attempt, why: attempt.isUnsure ? problem.sentence : nil)
        guard problem.code != .inputOutput else { throw problem }
        guard attempt.hasStarted else {
          release(attempt.key)
          fail(attempt.step, problem)
          continue
        }
        try log(attempt, problem)
        retryOrFail(attempt, problem)
      }
    }
  }

  /// It has done what needs no station, and waits for one now.
  private func prepared(_ attempt: Attempt) throws {
    try attempt.end(alone: false)
    attempt.cleanUp(keepingProgress: true)
    try log(attempt, nil)
    let step = attempt.step
    step.status = .ready
    prepared[step.id] = attempt.seconds
    attempts[step.id] = attempts[step.id].flatMap { $0 > 1 ? $0 - 1 : nil }
    report(.prepared(step, seconds: attempt.seconds))
    decided.append(Job(step: step, key: attempt.key, fingerprint: attempt.fingerprint, reasons: attempt.place.reasons, isPreparation: false))
  }

  /// One sync, then the records, then the published files: whatever is published is recorded, and whatever is recorded is on the disk.
  /// Begins that with all that has ended.
  func beginRecording() {
    recordBy = nil
    if unrecorded.isEmpty { return }
    (syncing, unrecorded) = (unrecorded, [])
    syncBegan = Clock.monotonic
    let artifacts = syncing.flatMap { $0.record.outputs.values }
    // The file system may have much to write that is not ours.
    let isLittle = artifacts.count <= 4 && artifacts.allSatisfy { $0.form != .directory }
    syncer.begin(isLittle ? session.state.store.places(of: artifacts.map(\.digest)) : nil)
  }

  /// Goes on when the disk has what was begun with; waits for it if need be.
  func endRecording() throws {
    let group = syncing
    syncing = []
    syncer.finish()
    try session.state.database.transaction {
      for ended in group {
        try session.state.record(ended.record, ended.attempt.details)
        try session.state.setLatest(session.manifest.workflow, ended.record.step, ended.record.key)
        try log(ended.attempt, nil)
      }
      try session.state.files.save()
    }
    // On a slow disk the groups grow, so that it is not kept busy by syncing alone.
    recordInterval = min(max(0.1, 4 * (Clock.monotonic - syncBegan)), 2)
    if !unrecorded.isEmpty { recordBy = Clock.monotonic + recordInterval }
    for ended in group {
      release(ended.record.key)
      try publish(ended.attempt.step, ended.record)
      ended.attempt.cleanUp(keepingProgress: false)
    }
    share(group)
  }

  /// Records all that has ended, and waits for that.
  func recordEnded() throws {
    while !syncing.isEmpty || !unrecorded.isEmpty {
      if syncing.isEmpty { beginRecording() }
      try endRecording()
    }
  }

  private func log(_ attempt: Attempt, _ problem: Problem?) throws {
    let outcome =
      switch problem?.code {
      case nil: attempt.isPreparation ? "prepared" : "done"
      case .timeout: "timeout"
      case .interrupted: "interrupted"
      case .station where attempt.preemption != nil: "preempted"
      default: "failed"
      }
    trace(attempt, outcome)
    let execution = Execution(
      run: summary.run, step: attempt.step.name, key: attempt.key.hex, started: attempt.started, seconds: attempt.seconds,
      station: attempt.isPreparation ? nil : attempt.step.station?.name, outcome: outcome, message: problem?.sentence ?? "")
    try session.state.log(execution, workflow: session.manifest.workflow)
  }

  func publish(_ step: Step, _ record: ActionRecord) throws {
    for (name, path) in step.publishes {
      guard let artifact = record.outputs[name] else {
        try session.decider.removeLeftover(session.manifest.directory + "/" + path)
        continue
      }
      let target = session.manifest.directory + "/" + Files.withoutSlash(path)
      if let stamp = try session.state.store.publish(artifact, to: target) { session.state.files.note(target, artifact.digest, stamp) }
    }
  }
}
