// What happens to a step that ended: its outputs go into the store and to their published paths, and its record is written down.

import JSON

extension Run {
  /// Stores and records what ended: outputs first, then one sync, then the records.
  func collect(_ ended: [Attempt]) throws {
    var records: [(Attempt, ActionRecord)] = []
    for attempt in ended {
      do { records.append((attempt, try attempt.finish())) } catch let problem as Problem {
        attempt.cleanUp(keepingProgress: true)
        guard problem.code != .inputOutput else { throw problem }
        try log(attempt, problem)
        retryOrFail(attempt, problem)
      }
    }
    if records.isEmpty { return }
    session.state.store.sync()
    for (attempt, record) in records {
      do {
        try publish(attempt.step, record)
        try session.state.database.transaction {
          try session.state.record(record)
          try session.state.setLatest(session.manifest.workflow, record.step, record.key)
          try log(attempt, nil)
        }
        attempt.cleanUp(keepingProgress: false)
        try settle(attempt.step, .done, record)
        report(.finished(attempt.step, seconds: record.seconds))
      } catch let problem as Problem where problem.code == .manifest {
        // What it appended is wrong: the record must not bring that back.
        try session.state.forget(record.key)
        retryOrFail(attempt, problem)
      }
    }
  }

  private func log(_ attempt: Attempt, _ problem: Problem?) throws {
    let execution = Execution(
      run: summary.run, step: attempt.step.name, key: attempt.key.hex, started: attempt.started, seconds: attempt.seconds,
      station: attempt.step.station?.name,
      outcome: problem == nil ? "done" : problem!.code == .timeout ? "timeout" : "failed", message: problem?.sentence ?? "")
    try session.state.log(execution, workflow: session.manifest.workflow)
  }

  func publish(_ step: Step, _ record: ActionRecord) throws {
    for (name, path) in step.publishes {
      guard let artifact = record.outputs[name] else { continue }
      try session.state.store.publish(artifact, to: session.manifest.directory + "/" + (path.hasSuffix("/") ? String(path.dropLast()) : path))
    }
  }
}
