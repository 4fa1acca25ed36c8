// A run that began with only those declarations that had changed, for they might give what they gave before. If they do, it is over; else what
// depends on them follows, as one run for whoever looks at it.

import JSON

extension Run {
  /// What has happened in this run before it went on with the rest.
  struct Beginning {
    let summary: RunSummary
    let problems: [String: Problem]
  }

  /// Runs the goals of a session that `Session.open` gave.
  public static func execute(
    _ session: Session, _ goals: [Step], options: RunOptions, jobserver: Jobserver? = nil, report: @escaping (RunEvent) -> Void
  ) throws -> RunSummary {
    let first = try Run(session, options: options, jobserver: jobserver, report: report)
    let summary = try first.execute(goals)
    guard let part = session.part, part.isTentative, let request = session.request else { return summary }
    let steps = session.graph.steps.filter { !session.graph.settled.contains($0.declaration.name) }
    switch summary.exit {
    case .interrupted, .budget: return summary
    default: if steps.allSatisfy({ $0.status.isSuccess && !part.isChanged($0) }) { return summary }
    }
    let beginning = Beginning(
      summary: summary, problems: Dictionary(uniqueKeysWithValues: steps.compactMap { step in step.problem.map { (step.name, $0) } }))
    guard case .session(let rest, let goals) = try Session.open(request) else { return summary }
    rest.isolation.take(session.isolation)
    return try Run(rest, options: options, beginning: beginning, report: report).execute(goals)
  }
}

extension Glance.Part {
  /// Whether a step of it gave something else than it had given before.
  func isChanged(_ step: Step) -> Bool { before[step.name].map { $0 != step.record?.outputs } ?? true }
}
