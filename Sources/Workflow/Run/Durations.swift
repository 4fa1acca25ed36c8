// How long steps will take, as their records say: the critical path that the order of starting follows, and the time that is left.
// Only steps that are not done count, and each is looked at once; what is up to date costs nothing.

internal import Database

final class Durations {
  private let session: Session
  /// Expected seconds of wanted steps that have not ended, as far as they were looked at.
  private var expected: [Step.ID: Double] = [:]
  private var unknown: Set<Step.ID> = []
  private var recorded: [String: Double]?
  private var known = (count: 0, seconds: 0.0)
  /// Sums of `expected`: all, and by station.
  private var remaining = 0.0
  private var byStation: [String: Double] = [:]
  private var isStale = false

  init(_ session: Session) { self.session = session }

  /// Seconds from the step's start to the end of the workflow along the longest path.
  func height(of step: Step) -> Double {
    if step.height > 0 { return step.height }
    let graph = session.graph
    func followers(of step: Step) -> [Step.ID] { graph.followers(of: step) + step.gates.lazy.filter { $0.height == nil }.flatMap(\.readers) }
    func greatest(_ steps: [Step.ID]) -> Double { steps.reduce(0) { max($0, graph.steps[$1].height) } }
    var stack = [(step: step, followers: followers(of: step), next: 0)]
    while let (top, below, next) = stack.last {
      if next < below.count {
        stack[stack.count - 1].next += 1
        let follower = graph.steps[below[next]]
        if follower.height == 0, follower.isWanted, !follower.status.isFinished { stack.append((follower, followers(of: follower), 0)) }
        continue
      }
      stack.removeLast()
      if top.height > 0 { continue }
      for fan in top.gates where fan.height == nil { fan.height = greatest(fan.readers) }
      let height = top.gates.reduce(greatest(graph.followers(of: top))) { max($0, $1.height!) }
      top.height = max(expect(top), 1e-3) + height
    }
    return step.height
  }

  /// A step ended, however; `seconds` if it ran.
  func ended(_ step: Step, seconds: Double?) {
    if let seconds { known = (known.count + 1, known.seconds + seconds) }
    guard let expectation = expected.removeValue(forKey: step.id) else { return }
    unknown.remove(step.id)
    remaining -= expectation
    if let station = step.station { byStation[station.name]! -= expectation }
  }

  /// It failed, and others will never run.
  func failed(_ step: Step) {
    ended(step, seconds: nil)
    isStale = true
  }

  /// Seconds until everything is done: along the longest path, by what there is to do for the slots, or for one station. Nil while nothing is
  /// known of more than half of it.
  func left(_ running: [(step: Step, elapsed: Double)], slots: Int) -> Double? {
    if isStale { for id in Array(expected.keys) where session.graph.steps[id].status.isFinished { ended(session.graph.steps[id], seconds: nil) } }
    isStale = false
    guard known.count > 0, unknown.count <= expected.count / 2 else { return nil }
    var path = 0.0
    var spent = 0.0
    for (step, elapsed) in running {
      path = max(path, step.height - min(elapsed, expected[step.id] ?? 0))
      spent += min(elapsed, expected[step.id] ?? 0)
    }
    return max(path, (remaining - spent) / Double(slots), byStation.values.max() ?? 0, 0)
  }

  private func expect(_ step: Step) -> Double {
    let seconds = recordedSeconds(of: step).map { $0 + (step.prepares ? preparationSeconds(of: step) : 0) }
    if let seconds { known = (known.count + 1, known.seconds + seconds) } else { unknown.insert(step.id) }
    let expectation = seconds ?? (known.count > 0 ? known.seconds / Double(known.count) : 1)
    expected[step.id] = expectation
    remaining += expectation
    if let station = step.station { byStation[station.name, default: 0] += expectation }
    return expectation
  }

  /// Of what it did in an attempt of its own, before it had its station.
  private func preparationSeconds(of step: Step) -> Double {
    guard let key = try? session.state.latest(session.manifest.workflow, step.name), let details = try? session.state.details(key) else { return 0 }
    return details.telemetry["preparation_seconds"]?.double ?? 0
  }

  /// One by one at first; all at once when it turns out that many are asked for.
  private func recordedSeconds(of step: Step) -> Double? {
    if let recorded { return recorded[step.name] }
    let workflow = session.manifest.workflow
    if expected.count < 200 { return try? session.state.duration(workflow, step.name) }
    recorded = (try? session.state.durations(workflow)) ?? [:]
    return recorded![step.name]
  }
}

extension State {
  /// How long a step took when it last succeeded.
  func duration(_ workflow: String, _ step: String) throws -> Double? {
    try database.query("SELECT seconds FROM latest JOIN action USING (key) WHERE workflow = ? AND latest.step = ?", .text(workflow), .text(step))
      .first?[0]
      .double
  }
}
