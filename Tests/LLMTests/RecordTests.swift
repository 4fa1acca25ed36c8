import JSON
import Testing

import LLM

@Suite struct RecordTests {
  private var full: ExperimentRecord {
    var record = ExperimentRecord(
      id: "a-2", study: "s", basis: "b", agent: "a", round: 2, hypothesis: "More margin helps.", parent: "a-1", borrowedFrom: "b-1",
      branch: "agent/a",
      change: [RecipeChange(path: "/x", from: 1, to: 2), RecipeChange(path: "/y", from: nil, to: ["z": [1.5, nil]])],
      config: ["regime": "rl", "x": 2])
    record.code = .init(commit: "c", tree: "t")
    record.data = ["demos": "d", "policy": "p"]
    record.environment = "e"
    record.outcome = .init(
      purpose: "search", seeds: "s", trials: 4, successes: 2, unknown: 1, rate: ["trials": 4, "unknown": 1, "lower": 0.2], medianSteps: 120.5,
      perTrial: "110?")
    record.cost = .init(robotSeconds: 12.5, tokens: Tokens(uncached: 1, cached: 2, output: 3), money: 0.25)
    record.decision = .keep
    record.evidence = ["rule": "r"]
    record.best = .init(id: "a-2", rate: 2.0 / 3)
    return record
  }

  @Test func aRecordComesBackFromItsText() throws {
    #expect(try ExperimentRecord(json: JSON(parsing: full.json.pretty)) == full)
    #expect(try ExperimentRecord(json: JSON(parsing: Laboratory.baseline().json.pretty)) == Laboratory.baseline())
    #expect(full.regime == "rl" && full.json["regime"] == "rl")
  }

  @Test func whatIsNotARecordIsRefusedInOneSentence() {
    var (newer, broken) = (full.json, full.json)
    newer["experiment"] = 2
    broken["decision"] = "perhaps"
    let table: [(JSON, String)] = [
      ([:], "this is not an experiment record"), (newer, "experiment a-2 has record version 2, this program reads version 1"),
      (broken, "experiment a-2: 'perhaps' is no decision"),
    ]
    for (json, message) in table {
      let error = #expect(throws: RecordError.self) { try ExperimentRecord(json: json) }
      #expect(error?.description == message)
    }
  }

  @Test func changesAreFoundAndApplied() {
    let old: JSON = ["a": 1, "b": ["c": [1, 2], "d": true], "gone": 3]
    let new: JSON = ["a": 1, "b": ["c": [1, 3], "d": true, "e/f": "x"]]
    let change = RecipeChange.between(old, new)
    #expect(change.map(\.path) == ["/b/c", "/b/e~1f", "/gone"])
    #expect(old.applying(change) == new)
    #expect(old[at: "/b/c/1"] == 2 && old[at: "/b/x/y"] == nil && old[at: ""] == old)
  }

  @Test func trialsBecomeOneCharacterEachInTheOrderOfTheirIndex() {
    let lines: [JSON] = [["index": 1, "success": false], ["index": 0, "success": true], ["index": 2, "success": nil]]
    #expect(ExperimentRecord.Outcome.perTrial(lines: lines) == "10?")
    #expect(ExperimentRecord.Outcome.perTrial(lines: [["index": 1, "success": true]]) == nil)
  }

  @Test func aResultWithoutCountsIsUnknown() {
    #expect(ExperimentRecord.Outcome(result: ["purpose": "search"]) == nil)
    #expect(ExperimentRecord.Outcome(result: ["rate": ["trials": 2, "successes": 3]]) == nil)
    #expect(ExperimentRecord.Outcome(result: ["rate": ["trials": 4, "successes": 3], "steps": ["median": 80]])?.medianSteps == 80)
  }
}
