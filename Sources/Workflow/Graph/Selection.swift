// Part of a workflow: `--until`, `--from`, `--only`. What lies outside may be restored, but nothing outside runs.
// A result that is not recorded for its present inputs is never passed off as one: the run says what would have to run first.

public struct Selection: Sendable {
  /// Up to and including these.
  public var until: [String]
  /// These and what comes after them.
  public var from: [String]
  /// These alone.
  public var only: [String]

  public init(until: [String] = [], from: [String] = [], only: [String] = []) { (self.until, self.from, self.only) = (until, from, only) }

  public var isEverything: Bool { until.isEmpty && from.isEmpty && only.isEmpty }
  var option: String { only.isEmpty ? "--from" : "--only" }
}

extension Session {
  /// Narrows the session to the selected part; returns the goals that remain. `names` are the goals of the command line.
  public func goals(_ names: [String], _ selection: Selection) throws -> [Step] {
    if selection.isEverything { return try goals(names) }
    guard selection.only.isEmpty || (selection.until.isEmpty && selection.from.isEmpty) else {
      throw Problem(.usage, "--only goes with neither --from nor --until")
    }
    guard selection.only.isEmpty || names.isEmpty else {
      throw Problem(.usage, "--only takes no goals besides", hint: "repeat --only for more steps")
    }
    if !selection.only.isEmpty {
      let chosen = try goals(selection.only)
      restrict(to: Set(chosen.map(\.id)), by: selection.option)
      return chosen
    }
    // Without goals, --until names them.
    var goals = try goals(names.isEmpty ? selection.until : names)
    if !selection.until.isEmpty, !names.isEmpty { goals = try among(goals, selection.until) }
    if selection.from.isEmpty { return goals }
    let needed = graph.closure(of: goals)
    var chosen = Set(try among(goals, selection.from).map(\.id))
    var goalsAfter: [Step] = []
    for step in graph.topologicalOrder() where needed.contains(step.id) {
      let follows =
        step.needs.contains { chosen.contains($0.step) }
        || step.families.contains { family in graph.members(of: family).contains { chosen.contains($0.id) } }
      if follows { chosen.insert(step.id) }
      if chosen.contains(step.id) { goalsAfter.append(step) }
    }
    restrict(to: chosen, by: selection.option)
    return goalsAfter
  }

  /// The named steps, each of which the goals must need.
  private func among(_ goals: [Step], _ names: [String]) throws -> [Step] {
    let needed = graph.closure(of: goals)
    return try self.goals(names).map { step in
      guard needed.contains(step.id) else {
        throw Problem(.usage, "the goals do not need '\(step.name)'", hint: "name a goal that does, or none with --until")
      }
      return step
    }
  }

  /// Makes the instances of patterns that these names mean, or without any the manifest's goals. A name that is none yet may come with a plan.
  public func makeInstances(of names: [String]) throws {
    for name in names.isEmpty ? manifest.defaults : names {
      do { _ = try graph.steps(for: name) } catch let problem as Problem where problem.code == .usage {}
    }
  }

  /// The steps that a name means once all is planned; of a `foreach` those of its elements, if they are known.
  public func steps(named name: String) throws -> [Step] {
    try graph.steps(for: name).flatMap { step -> [Step] in
      guard let ids = step.spread?.instances, !ids.isEmpty else { return [step] }
      return ids.map { graph.steps[$0] }
    }
  }

  private func restrict(to steps: Set<Step.ID>, by option: String) { restriction = (steps, option) }

  /// Why a step that would have to run must not, or nil.
  func refusal(of step: Step, _ reasons: [Reason]) -> Problem? {
    guard let restriction, !restriction.steps.contains(step.id), step.parent.map({ !restriction.steps.contains($0) }) ?? true else { return nil }
    return Problem(
      .stale, "\(step.name): would have to run, which \(restriction.option) leaves out: \(reasons.first?.text ?? "")",
      hint: "run it first, or leave out \(restriction.option)")
  }
}

extension Graph {
  /// The steps and everything they need.
  func closure(of goals: [Step]) -> Set<Step.ID> {
    var found = Set(goals.map(\.id))
    var stack = goals
    while let step = stack.popLast() {
      for need in step.needs where found.insert(need.step).inserted { stack.append(steps[need.step]) }
      for family in step.families { for member in members(of: family) where found.insert(member.id).inserted { stack.append(member) } }
    }
    return found
  }
}
