// The default agent: needs no model. It proposes within a declared space, one change at a time, from what its team has measured.
//
// In order of preference: a peer's kept idea on top of the own best recipe; a change that nobody has tried, in the space's order (the first value of
// every factor, then the second); a small random move of a ranged factor; a change that failed elsewhere, on the new recipe. All agents of a team see
// the same records, so each works out what its peers propose this round, in the order of their names, and leaves that to them: no message is sent and
// nothing is tried twice.

internal import Hashing
public import JSON

public struct SearchAgent: Agent {
  /// Another seed draws other random moves.
  public var seed: Int

  public init(seed: Int = 0) { self.seed = seed }

  public var identity: String { "search/1/\(seed)" }

  public func propose(_ briefing: Briefing, recipe: JSON, space: SearchSpace) -> Proposal? {
    var claims = Claims()
    for agent in briefing.team {
      // An agent without a decided experiment in the last round has ended.
      if agent != briefing.agent, briefing.round > 1, !briefing.records(of: agent).contains(where: { $0.round == briefing.round - 1 }) { continue }
      let idea = Search(agent: agent, seed: seed, briefing: briefing, baseline: recipe, space: space, claims: claims).next()
      if agent == briefing.agent { return idea }
      if let idea { claims.take(idea) }
    }
    return nil
  }
}

/// What the peers before this agent take on in this round.
private struct Claims {
  var recipes: Set<JSON> = []
  var changes: Set<RecipeChange> = []

  mutating func take(_ idea: Proposal) {
    recipes.insert(idea.recipe)
    if idea.borrowedFrom == nil { changes.formUnion(idea.change.map(\.goal)) }
  }
}

extension RecipeChange {
  /// The change wherever it starts from.
  fileprivate var goal: RecipeChange { RecipeChange(path: path, from: nil, to: to) }
}

private struct Search {
  let agent: String
  let seed: Int
  let briefing: Briefing
  let space: SearchSpace
  let claims: Claims
  /// The experiment to improve on, and its recipe.
  let parent: ExperimentRecord?
  let current: JSON
  let own: Set<JSON>
  let anyones: Set<JSON>
  let triedChanges: Set<RecipeChange>

  init(agent: String, seed: Int, briefing: Briefing, baseline: JSON, space: SearchSpace, claims: Claims) {
    (self.agent, self.seed, self.briefing, self.space, self.claims) = (agent, seed, briefing, space, claims)
    parent = briefing.best(of: agent)
    current = parent?.config ?? baseline
    own = Set(briefing.records(of: agent).map(\.config)).union([baseline])
    anyones = Set(briefing.records.map(\.config)).union([baseline])
    triedChanges = Set(briefing.records.flatMap(\.change).map(\.goal))
  }

  func next() -> Proposal? { adopted() ?? single(fresh: true) ?? moved() ?? single(fresh: false) }

  // MARK: A peer's idea

  private func adopted() -> Proposal? {
    let ideas = briefing.records.filter { $0.decision == .keep && $0.agent != agent && !$0.isBaseline }
    let ranked = ideas.sorted { ($1.outcome?.estimate ?? 0, $0.round, $0.agent) < ($0.outcome?.estimate ?? 0, $1.round, $1.agent) }
    for idea in ranked {
      let higher = (idea.outcome?.estimate ?? 0) > (parent?.outcome?.estimate ?? 0)
      // On the bare baseline a worse idea than the baseline's successor is no news; on an own improvement any kept idea may add up.
      guard higher || parent?.isBaseline == false else { continue }
      let mine = Set(RecipeChange.between(briefing.baseline?.config ?? current, current).map(\.path))
      let taken = idea.change.filter { current[at: $0.path] != $0.to && (higher || !mine.contains($0.path)) }
      let recipe = current.applying(taken)
      guard !taken.isEmpty, !own.contains(recipe), !claims.recipes.contains(recipe) else { continue }
      let change = RecipeChange.between(current, recipe)
      return Proposal(
        hypothesis: "Agent \(idea.agent) reached \(idea.outcome?.words ?? "an unknown rate") with \(idea.id); taking over its idea, changing "
          + "\(list(change)), should raise the success rate above \(standing) here too.",
        recipe: recipe, change: change, parent: parent?.id, borrowedFrom: idea.id)
    }
    return nil
  }

  // MARK: One factor

  private func single(fresh: Bool) -> Proposal? {
    let factors = space.factors.filter { $0.applies(to: current) }
    let choices = factors.map { ($0, $0.firstValues(from: current[at: $0.path])) }
    for rank in 0..<(choices.map(\.1.count).max() ?? 0) {
      for (factor, values) in choices where rank < values.count {
        let goal = RecipeChange(path: factor.path, from: nil, to: values[rank])
        if fresh, triedChanges.contains(goal) || claims.changes.contains(goal) { continue }
        if let proposal = changed(factor, to: values[rank]) { return proposal }
      }
    }
    return nil
  }

  private func moved() -> Proposal? {
    let ranged = space.factors.filter { if case .range = $0.values { $0.applies(to: current) } else { false } }
    guard !ranged.isEmpty else { return nil }
    for attempt in 0..<64 {
      var random = RandomStream("search", String(seed), agent, String(briefing.round), String(attempt))
      let factor = ranged[random.index(below: ranged.count)]
      guard case .range(let range, let scale) = factor.values, let value = current[at: factor.path]?.double else { continue }
      if let proposal = changed(factor, to: Factor.move(value, by: 0.12 * random.normal(), in: range, scale)) { return proposal }
    }
    return nil
  }

  private func changed(_ factor: Factor, to value: JSON) -> Proposal? {
    var recipe = current
    recipe[at: factor.path] = value
    guard recipe != current, !anyones.contains(recipe), !claims.recipes.contains(recipe) else { return nil }
    let change = [RecipeChange(path: factor.path, from: current[at: factor.path], to: value)]
    // The reason speaks for the value that the space names first; the others are tried for want of better.
    let isFavoured = if case .list(let values) = factor.values { value == values.first } else { true }
    let reason = (isFavoured ? factor.why : nil).map { ", because \($0)" } ?? ""
    return Proposal(
      hypothesis: "Changing \(list(change)) should raise the success rate above \(standing)\(reason).", recipe: recipe, change: change,
      parent: parent?.id)
  }

  // MARK: Words

  private func list(_ change: [RecipeChange]) -> String { change.map(\.words).joined(separator: " and ") }

  private var standing: String {
    guard let parent else { return "that of the baseline, which has no result yet," }
    return parent.outcome.map { "the \($0.words) of \(parent.id)" } ?? "that of \(parent.id), which is not known yet,"
  }
}
