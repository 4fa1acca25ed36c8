// How long a plan would take, by what its steps took when they last ran.

extension Session {
  public struct Estimate: Sendable {
    /// Seconds of each step that would run and has run before.
    public var seconds: [String: Double] = [:]
    /// All of them together.
    public var work = 0.0
    /// The longest chain of steps that need each other: no number of slots makes it shorter.
    public var span = 0.0
    /// Steps that would run and never ran.
    public var unknown = 0
  }

  public func estimate(_ plan: [(step: Step, forecast: Forecast)]) throws -> Estimate {
    var estimate = Estimate()
    let open = Set(
      plan.compactMap { step, forecast in
        switch forecast {
        case .run, .hold, .waits: step.id
        case .upToDate, .restore, .skip, .stale: nil
        }
      })
    if open.isEmpty { return estimate }
    let durations = try state.durations(manifest.workflow)
    var end = [Double](repeating: 0, count: graph.steps.count)
    for step in graph.topologicalOrder() where open.contains(step.id) {
      let seconds = durations[step.name]
      estimate.seconds[step.name] = seconds
      if seconds == nil { estimate.unknown += 1 }
      estimate.work += seconds ?? 0
      end[step.id] = (step.needs.map { end[$0.step] }.max() ?? 0) + (seconds ?? 0)
      estimate.span = max(estimate.span, end[step.id])
    }
    return estimate
  }
}
