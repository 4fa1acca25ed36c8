// A run that read only a part of the manifest, and goes on with the whole of it, as one run for whoever looks at it: because it tried first whether
// what changed gives what it gave before, and it did not; or because steps were appended meanwhile.

import JSON

extension Run {
  /// What has happened in this run before it went on with the rest.
  struct Beginning {
    let summary: RunSummary
    let problems: [String: Problem]
    /// Names of the steps that it ran.
    let ran: Set<String>
  }

  /// Runs the goals of a session that `Session.open` gave.
  public static func execute(
    _ session: Session, _ goals: [Step], options: RunOptions, jobserver: Jobserver? = nil, report: @escaping (RunEvent) -> Void
  ) throws -> RunSummary {
    let first = try Run(session, options: options, jobserver: jobserver, report: report)
    let summary = try first.execute(goals)
    guard let part = session.part, let request = session.request, summary.exit != .interrupted, summary.exit != .budget else { return summary }
    let steps = session.graph.steps.filter { !session.graph.settled.contains($0.declaration.name) }
    let isDisproved = part.isTentative && !steps.allSatisfy { $0.status.isSuccess && !part.isChanged($0) }
    // One trace and one jobserver are of one run.
    let mayTakeMore = jobserver == nil && options.trace == nil && (summary.exit == .success || options.keepGoing) && request.goals.isEmpty
    guard isDisproved || mayTakeMore && part.isOvertaken(in: session.manifest.appendedDirectory) else { return summary }
    let beginning = Beginning(
      summary: summary, problems: Dictionary(uniqueKeysWithValues: steps.compactMap { step in step.problem.map { (step.name, $0) } }),
      ran: Set(steps.filter { $0.status == .done }.map(\.name)))
    guard case .session(let rest, let goals) = try Session.open(request) else { return summary }
    rest.isolation.take(session.isolation)
    return try Run(rest, options: options, beginning: beginning, report: report).execute(goals)
  }
}

extension Glance.Part {
  /// Whether a step of it gave something else than it had given before.
  func isChanged(_ step: Step) -> Bool { before[step.name].map { $0 != step.record?.outputs } ?? true }

  /// Whether steps were appended since it was looked at.
  fileprivate func isOvertaken(in directory: String) -> Bool {
    let names = Appended.names(in: directory)
    if let appendedNames { return names != appendedNames }
    let known = snapshot.watches.first { $0.kind == Snapshot.Watch.Kind.appended.rawValue }
    return known.map { $0.digest != Glance.digest(ofNames: names) } ?? !names.isEmpty
  }
}
