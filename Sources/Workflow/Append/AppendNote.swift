// Who appended a step and what for. It goes with the step's file and changes nothing of what the step does.

public import JSON

public struct AppendNote: Sendable, Hashable {
  public var author: String?
  /// What the step is to find out.
  public var hypothesis: String?
  /// The step or experiment that it starts from.
  public var parent: String?
  /// Whether a run that names no goals brings it up to date too.
  public var isGoal: Bool

  public init(author: String? = nil, hypothesis: String? = nil, parent: String? = nil, isGoal: Bool = false) {
    (self.author, self.hypothesis, self.parent, self.isGoal) = (author, hypothesis, parent, isGoal)
  }

  /// An agent and a round, as `a-3`; which of them there are is known to Git, here and elsewhere.
  static func isExperiment(_ id: String) -> Bool {
    let parts = id.split(separator: "-", omittingEmptySubsequences: false)
    return parts.count > 1 && parts.allSatisfy(Reader.isWord) && Int(parts.last ?? "") != nil
  }

  /// From the file of an appended step.
  init(_ json: JSON) {
    self.init(
      author: json["author"]?.string, hypothesis: json["hypothesis"]?.string, parent: json["parent"]?.string, isGoal: json["goal"]?.bool ?? false)
  }

  /// The members that are set.
  public var members: [(String, JSON)] {
    [("author", author), ("hypothesis", hypothesis), ("parent", parent)].compactMap { name, text in text.map { (name, .string($0)) } }
      + (isGoal ? [("goal", true)] : [])
  }
}
