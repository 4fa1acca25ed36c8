import Foundation
import JSON
import Testing

import LLM

@Suite struct IdeaTreeTests {
  @Test func theTreeAndTheCurveComeBackFromGitAlone() throws {
    try withDirectory { directory in
      let hub = try Hub(at: directory + "/hub.git")
      try hub.publishBaseline(Laboratory.baseline(), recipe: Laboratory.recipe)
      var records = [Laboratory.baseline()]
      for round in 1...4 {
        for agent in ["a", "b"] {
          guard let record = Laboratory.round(round, of: agent, team: ["a", "b"], records: records) else { continue }
          _ = try hub.openWorktree(of: agent)
          try hub.commit(try hub.commitProposal(record), "decide")
          records.append(record)
        }
      }
      let tree = try IdeaTree(hubAt: hub.path)
      #expect(tree.records.map(\.id) == ["baseline"] + (1...4).flatMap { ["a-\($0)", "b-\($0)"] })
      #expect(tree.agents == ["a", "b"])
      #expect(tree.edges.count { $0.kind == .parent } == 8)
      #expect(tree.edges.contains { $0.kind == .borrowed && $0.from.first != $0.to.first })
      let curve = tree.curve()
      let best = curve.compactMap(\.best)
      #expect(best == best.sorted() && best.count == curve.count && best.last! > best.first!)
      #expect(tree.curve(of: "a").map(\.id) == ["baseline", "a-1", "a-2", "a-3", "a-4"])
      #expect(try JSON(parsing: tree.json.pretty)["experiments"]?.array?.count == 9)
    }
  }

  @Test func aPendingExperimentIsInTheTreeButNotOnTheCurve() {
    var pending = Laboratory.baseline()
    (pending.id, pending.agent, pending.round, pending.decision, pending.parent) = ("a-1", "a", 1, .pending, "baseline")
    let tree = IdeaTree(records: [Laboratory.baseline(), pending])
    #expect(tree.records.count == 2 && tree.edges == [IdeaTree.Edge(from: "baseline", to: "a-1", kind: .parent)])
    #expect(tree.curve().map(\.id) == ["baseline"])
  }
}
