// What an agent may know when it proposes for a round: the decided experiments of its study from earlier rounds, its own and its peers', and nothing
// else. So a proposal does not depend on who was faster. Bounded: as text it is cut to the best and the newest.

public import Hashing
internal import JSON

public struct Briefing: Sendable {
  public let study: String
  public let agent: String
  public let round: Int
  /// The names of all agents of the study, sorted.
  public let team: [String]
  /// By round, then agent; the baseline first, if it was evaluated.
  public let records: [ExperimentRecord]

  /// Chooses from all records those that count.
  public init(study: String, agent: String, round: Int, team: [String], from records: [ExperimentRecord]) {
    self.study = study
    self.agent = agent
    self.round = round
    self.team = Set(team).union([agent]).sorted()
    self.records =
      records
      .filter {
        $0.study == study && $0.round < round && ($0.isBaseline || (team.contains($0.agent) || $0.agent == agent) && $0.decision != .pending)
      }
      .sorted { ($0.round, $0.agent, $0.id) < ($1.round, $1.agent, $1.id) }
  }

  public var baseline: ExperimentRecord? { records.first { $0.isBaseline } }

  public func records(of agent: String) -> [ExperimentRecord] { records.filter { $0.agent == agent } }

  /// The newest experiment that an agent kept; the baseline if it kept none.
  public func best(of agent: String) -> ExperimentRecord? { records(of: agent).last { $0.decision == .keep } ?? baseline }

  /// Names what is known, and not how long it took or which commit it was.
  public var digest: Digest {
    let facts = records.map { record -> JSON in
      var record = record
      record.code.commit = nil
      record.cost = .init()
      record.basis = ""
      return record.json
    }
    return Digest(of: JSON.array([.string(study), .string(agent), .integer(round), .array(team.map { .string($0) }), .array(facts)]).canonical)
  }

  /// For a model: one line an experiment, the highest rates first, within `limit` characters.
  public func text(limit: Int = 4000) -> String {
    let ranked = records.sorted { ($0.outcome?.estimate ?? -1, $0.round, $1.agent) > ($1.outcome?.estimate ?? -1, $1.round, $0.agent) }
    var text = ""
    for (index, record) in ranked.enumerated() {
      let change = record.change.map(\.words).joined(separator: "; ")
      let line =
        "\(record.id) [\(record.decision.rawValue)] \(record.outcome?.words ?? "no result"): \(change.isEmpty ? record.hypothesis : change)\n"
      let rest = "(\(ranked.count - index) more)\n"
      if text.count + line.count + rest.count > limit { return text + rest }
      text += line
    }
    return text
  }
}
