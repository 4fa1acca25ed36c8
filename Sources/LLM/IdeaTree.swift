// The tree of ideas and the hill that was climbed, from Git alone: what the report draws. Knows the hub's path and nothing of the workflow.

public import JSON

public struct IdeaTree: Sendable {
  public struct Edge: Sendable, Hashable {
    public enum Kind: String, Sendable { case parent, borrowed }
    public let from: String
    public let to: String
    public let kind: Kind

    public init(from: String, to: String, kind: Kind) { (self.from, self.to, self.kind) = (from, to, kind) }
  }

  /// One experiment on the curve.
  public struct Point: Sendable, Hashable {
    /// From 0, in the order of rounds and, within one, of agents.
    public let index: Int
    public let id: String
    /// 0...1; nil if unknown.
    public let rate: Double?
    /// The highest rate among the baseline and what was kept so far; nil before there is one.
    public let best: Double?
  }

  /// Of one study, by round and agent; the baseline first.
  public let records: [ExperimentRecord]
  /// From the older to the newer experiment.
  public let edges: [Edge]

  public init(records: [ExperimentRecord]) {
    self.records = records.sorted { ($0.round, $0.agent, $0.id) < ($1.round, $1.agent, $1.id) }
    let known = Set(records.map(\.id))
    edges = self.records.flatMap { record in
      let parent = record.parent.map { Edge(from: $0, to: record.id, kind: .parent) }
      let source = record.borrowedFrom.map { Edge(from: $0, to: record.id, kind: .borrowed) }
      return [parent, source].compactMap { $0 }.filter { known.contains($0.from) }
    }
  }

  /// Reads the hub. Without a study: the one of the baseline on the trunk, which is the newest.
  public init(hubAt path: String, study: String? = nil) throws {
    let all = try Hub(readingAt: path).records()
    let study = study ?? all.first { $0.id == "baseline" }?.study
    self.init(records: all.filter { $0.study == study })
  }

  /// The best so far after each decided experiment: of the whole team, or of one agent.
  public func curve(of agent: String? = nil) -> [Point] {
    var best: Double?
    return records.filter { ($0.isBaseline || agent == nil || $0.agent == agent) && ($0.isBaseline || $0.decision != .pending) }.enumerated().map {
      index, record in
      let rate = record.outcome?.estimate
      if record.isBaseline || record.decision == .keep, let rate { best = max(best ?? rate, rate) }
      return Point(index: index, id: record.id, rate: rate, best: best)
    }
  }

  public var agents: [String] { Set(records.map(\.agent)).subtracting([""]).sorted() }

  public var json: JSON {
    [
      "idea_tree": 1, "experiments": .array(records.map(\.json)),
      "edges": .array(edges.map { ["from": .string($0.from), "to": .string($0.to), "kind": .string($0.kind.rawValue)] }),
      "curve": .array(
        curve().map { point in
          var json: JSON = ["index": .integer(point.index), "id": .string(point.id)]
          json["rate"] = point.rate.map { .number($0) }
          json["best"] = point.best.map { .number($0) }
          return json
        }),
    ]
  }
}
