// The one contract of every agent, built in or a model: from what is known, one idea to try next.

public import JSON

public protocol Agent: Sendable {
  /// The kind of agent and the revision of its way of thinking: another identity may propose something else from the same briefing.
  var identity: String { get }

  /// One idea, or nil if there is nothing left to try. `recipe` is the baseline's. Must depend on the arguments alone.
  func propose(_ briefing: Briefing, recipe: JSON, space: SearchSpace) throws -> Proposal?
}

public struct Proposal: Sendable, Hashable {
  /// What is changed, and what that should do to the parent's numbers.
  public var hypothesis: String
  public var recipe: JSON
  public var change: [RecipeChange]
  /// The experiment whose recipe is changed.
  public var parent: String?
  /// The peer's experiment whose idea this is.
  public var borrowedFrom: String?
  public var tokens = Tokens()
  /// US dollars.
  public var money = 0.0

  public init(hypothesis: String, recipe: JSON, change: [RecipeChange], parent: String?, borrowedFrom: String? = nil) {
    self.hypothesis = hypothesis
    self.recipe = recipe
    self.change = change
    self.parent = parent
    self.borrowedFrom = borrowedFrom
  }
}
