// A run and the shared cache: what others have done is taken rather than run, and what was done is offered.

import Hashing
import JSON

extension Run {
  /// Takes the result of a step that is about to run from the shared cache; false if it has to run.
  func takeShared(_ job: Job) throws -> Bool {
    let step = job.step
    guard attempts[step.id] == nil, !forced.contains(step.id), !job.isTainted, SharedCache.shares(step), let cache = sharedCache,
      let (record, details) = cache.fetch(job.key, for: step)
    else { return false }
    // Steps that it appended may not fit here; then it is of no use.
    do { try settle(step, .restored, record) } catch let problem as Problem where problem.code == .manifest { return false }
    session.state.store.sync()
    try session.state.database.transaction { try session.state.record(record, details) }
    try publish(step, record)
    release(job.key)
    report(.restored(step, step.publishes.isEmpty ? ["from the shared cache"] : Array(step.publishes.values)))
    trace?.instant("restored \(step.name)", ["key": .string(record.key.hex), "from": "the shared cache"])
    return true
  }

  /// Offers recorded results to others.
  func share(_ group: [Ended]) {
    for ended in group where SharedCache.shares(ended.attempt.step) { sharedCache?.offer(ended.record, ended.attempt.details) }
  }

  private var sharedCache: SharedCache? {
    session.isolation.shared(session.state) { [report] text, isWarning in report(.cache(text, isWarning: isWarning)) }
  }
}
