import Hashing
import JSON
import Testing

import LLM

@Suite struct SearchAgentTests {
  private let team = ["a", "b"]

  private func study(rounds: Int, team: [String], order: (Int) -> [String]) -> [ExperimentRecord] {
    var records = [Laboratory.baseline()]
    for round in 1...rounds {
      // Records of this round become visible one after the other, in some order of finishing.
      for agent in order(round) { if let record = Laboratory.round(round, of: agent, team: team, records: records) { records.append(record) } }
    }
    return records.sorted { ($0.round, $0.agent) < ($1.round, $1.agent) }
  }

  @Test func theOrderInWhichPeersFinishChangesNothing() {
    let one = study(rounds: 5, team: team) { _ in ["a", "b"] }
    let two = study(rounds: 5, team: team) { $0 % 2 == 0 ? ["a", "b"] : ["b", "a"] }
    #expect(one == two)
    #expect(one.count == 11)
  }

  @Test(arguments: [1, 2, 4]) func aKnownBestIsFoundInAFewRounds(agents: Int) {
    let team = Array(["a", "b", "c", "d"].prefix(agents))
    let records = study(rounds: 8 / agents + 2, team: team) { _ in team }
    let best = records.filter { $0.decision == .keep }.max { ($0.outcome?.estimate ?? 0) < ($1.outcome?.estimate ?? 0) }
    #expect(best?.config[at: "/planner/margin"] == 6 && best?.config[at: "/planner/horizon"] == 30)
    #expect(best?.outcome?.estimate == 1)
  }

  @Test func teammatesDoNotTryTheSameAtTheSameTime() {
    let records = study(rounds: 5, team: team) { _ in team }
    for round in 1...5 {
      let configs = records.filter { $0.round == round }.map(\.config)
      #expect(Set(configs).count == configs.count, "round \(round)")
    }
  }

  @Test func nothingIsTriedTwiceByOneAgent() {
    let configs = study(rounds: 12, team: ["a"]) { _ in ["a"] }.map(\.config)
    #expect(configs.count == 13 && Set(configs).count == 13)
  }

  @Test func anAdoptedIdeaIsBorrowedAndMeasuredAgain() throws {
    let records = study(rounds: 4, team: team) { _ in team }
    let adopted = try #require(records.first { $0.borrowedFrom != nil })
    let source = try #require(records.first { $0.id == adopted.borrowedFrom })
    #expect(source.agent != adopted.agent && source.round < adopted.round && source.decision == .keep)
    #expect(adopted.outcome != nil && adopted.evidence != nil)
    #expect(adopted.hypothesis.contains(source.id))
  }

  @Test func theHypothesisStatesTheChangeAndTheNumbersOfTheParent() throws {
    let record = try #require(Laboratory.round(1, of: "a", team: ["a"], records: [Laboratory.baseline()]))
    let parent = try #require(Laboratory.baseline().outcome)
    #expect(
      record.hypothesis
        == "Changing planner.margin from 2 to 4 should raise the success rate above the \(parent.words) of baseline, because the pusher slips less.")
    #expect(record.change == [RecipeChange(path: "/planner/margin", from: 2, to: 4)])
  }

  @Test func aBriefingHoldsNothingOfThisRoundNorOfAnotherStudyNorUndecided() {
    var (later, other, pending) = (Laboratory.baseline(), Laboratory.baseline(study: "t"), Laboratory.baseline())
    (later.agent, later.round) = ("b", 2)
    (pending.agent, pending.round, pending.decision) = ("b", 1, .pending)
    other.agent = "b"
    let briefing = Briefing(study: "s", agent: "a", round: 2, team: team, from: [later, other, pending, Laboratory.baseline()])
    #expect(briefing.records == [Laboratory.baseline()])
  }

  @Test func aBriefingsDigestIgnoresCommitsAndCosts() {
    var record = Laboratory.baseline()
    let one = Briefing(study: "s", agent: "a", round: 1, team: team, from: [record]).digest
    record.code.commit = "x"
    record.cost.robotSeconds = 12
    #expect(Briefing(study: "s", agent: "a", round: 1, team: team, from: [record]).digest == one)
    record.outcome?.successes += 1
    #expect(Briefing(study: "s", agent: "a", round: 1, team: team, from: [record]).digest != one)
  }

  @Test func aBriefingsTextIsBounded() {
    let records = study(rounds: 10, team: team) { _ in team }
    let briefing = Briefing(study: "s", agent: "a", round: 11, team: team, from: records)
    #expect(briefing.text(limit: 500).count <= 500)
    #expect(briefing.text(limit: 500).hasSuffix("more)\n"))
    #expect(briefing.text(limit: 100_000).split(separator: "\n").count == 21)
  }

  @Test func aSpaceThatIsWrongSaysWhere() {
    let table: [(JSON, String)] = [
      ([["path": "margin", "values": [1]]], "factor 1 of the search space: 'path' must be a JSON pointer, as \"/planner/margin\""),
      ([["path": "/m", "values": [1]], ["path": "/n"]], "factor 2 of the search space: give either 'values' or 'range'"),
      ([["path": "/m", "range": [2, 1]]], "factor 1 of the search space: 'range' must be two numbers, the lower first"),
      ([["path": "/m", "range": [0, 1], "scale": "log"]], "factor 1 of the search space: a logarithmic 'range' must be above 0"),
    ]
    for (json, message) in table {
      let error = #expect(throws: SearchSpaceError.self) { try SearchSpace(json: json) }
      #expect(error?.description == message)
    }
  }

  @Test func aFactorAppliesOnlyWhereItsConditionHolds() throws {
    let space = try SearchSpace(json: [["path": "/rl/rate", "values": [0.1], "when": ["/regime": "rl"]], ["path": "/regime", "values": ["rl"]]])
    let briefing = Briefing(study: "s", agent: "a", round: 1, team: [], from: [])
    #expect(SearchAgent().propose(briefing, recipe: ["regime": "bc"], space: space)?.change.first?.path == "/regime")
    #expect(SearchAgent().propose(briefing, recipe: ["regime": "rl"], space: space)?.change.first?.path == "/rl/rate")
  }
}
