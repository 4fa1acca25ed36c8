import Foundation
import Git
import JSON
import Testing

import LLM

@Suite struct HubTests {
  private func propose(_ record: ExperimentRecord, in hub: Hub) throws -> ExperimentRecord {
    let worktree = try hub.openWorktree(of: record.agent)
    try Data(record.config.pretty.utf8).write(to: URL(filePath: worktree + "/" + Hub.recipeFile))
    return try hub.commitProposal(record)
  }

  private func experiment(_ agent: String, _ round: Int, margin: Int = 4) -> ExperimentRecord {
    ExperimentRecord(
      id: "\(agent)-\(round)", study: "s", basis: "\(agent)\(round)\(margin)", agent: agent, round: round, hypothesis: "Margin \(margin) helps.",
      parent: "baseline", branch: Hub.branch(of: agent), config: ["planner": ["margin": .integer(margin)]])
  }

  private func hub(_ directory: String) throws -> Hub {
    let hub = try Hub(at: directory + "/hub.git")
    try hub.publishBaseline(Laboratory.baseline(), recipe: Laboratory.recipe)
    return hub
  }

  private func commits(_ hub: Hub, _ branch: String) throws -> [Commit] {
    let repository = try Repository(at: hub.path)
    return try repository.log(from: #require(try repository.tip(of: branch)))
  }

  @Test func aProposalIsCodeAndARecordOnTheAgentsBranch() throws {
    try withDirectory { directory in
      let hub = try hub(directory)
      let record = try propose(experiment("a", 1), in: hub)
      let repository = try Repository(at: hub.path)
      let commit = try #require(ObjectID(hex: record.code.commit ?? ""))
      #expect(try repository.file(Hub.recipeFile, at: commit) == Array(record.config.pretty.utf8))
      #expect(try repository.commit(commit).author.name == "agent a")
      #expect(try hub.record("a-1", on: "agent/a") == record)
      #expect(try hub.records().map(\.id) == ["baseline", "a-1"])
      #expect(try repository.file(Hub.recipeFile, at: #require(try repository.tip(of: Hub.trunk))) == Array(Laboratory.recipe.pretty.utf8))
    }
  }

  @Test func theCodesTreeDependsOnTheCodeAlone() throws {
    let trees = try (0..<2).map { index in
      try withDirectory { directory in
        let hub = try hub(directory)
        // One of the two has another history.
        if index == 1 { _ = try propose(experiment("a", 1, margin: 9), in: hub) }
        return try propose(experiment("a", 2), in: hub).code.tree
      }
    }
    #expect(trees[0] != nil && trees[0] == trees[1])
  }

  @Test func whatStandsAlreadyIsNotCommittedTwice() throws {
    try withDirectory { directory in
      let hub = try hub(directory)
      var record = try propose(experiment("a", 1), in: hub)
      record.decision = .keep
      try hub.commit(record, "decide keep")
      let before = try commits(hub, "agent/a").count
      try hub.commit(record, "decide keep")
      try hub.publishBaseline(Laboratory.baseline(), recipe: Laboratory.recipe)
      #expect(try commits(hub, "agent/a").count == before)
      #expect(try commits(hub, Hub.trunk).count == 2)
    }
  }

  @Test func theTrunkIsProtected() throws {
    try withDirectory { directory in
      let hub = try hub(directory)
      let error = #expect(throws: HubError.self) { try hub.commit(Laboratory.baseline(), "x") }
      #expect(error?.description == "baseline: the trunk is protected")
      #expect(throws: HubError.self) { try hub.openWorktree(of: "../main") }
    }
  }

  @Test func twoWritersOfOneBaselineLeaveTheSameWhoeverCameFirst() throws {
    var measured = Laboratory.baseline(study: "")
    measured.data = ["policy": "p"]
    measured.config = [:]
    var announced = Laboratory.baseline()
    announced.outcome?.perTrial = nil
    let results = try [[measured, announced], [announced, measured]].map { order in
      try withDirectory { directory in
        let hub = try Hub(at: directory + "/hub.git")
        for record in order { try hub.publishBaseline(record, recipe: record.study.isEmpty ? JSON?.none : Laboratory.recipe) }
        var record = try #require(try hub.record("baseline", on: Hub.trunk))
        record.code.commit = nil
        return record
      }
    }
    #expect(results[0] == results[1])
    #expect(results[0].outcome?.perTrial != nil && results[0].data == ["policy": "p"] && results[0].study == "s")
  }

  @Test func anAgentDoesNotWriteItsOwnResults() throws {
    try withDirectory { directory in
      let hub = try hub(directory)
      let first = try propose(experiment("a", 1), in: hub)
      let worktree = try hub.openWorktree(of: "a")
      try Data("{}".utf8).write(to: URL(filePath: worktree + "/experiments/a-1.json"))
      let error = #expect(throws: HubError.self) { try hub.commitProposal(experiment("a", 2)) }
      #expect(error?.description == "agent a changed experiments/a-1.json: records are written by the workflow alone")
      #expect(try hub.records().last == first)
    }
  }

  @Test func aNewCourseOfTheStudyLeavesNoLaterRoundsBehind() throws {
    try withDirectory { directory in
      let hub = try hub(directory)
      for round in 1...3 { _ = try propose(experiment("a", round), in: hub) }
      _ = try propose(experiment("a", 2, margin: 8), in: hub)
      #expect(try hub.records().map(\.id) == ["baseline", "a-1", "a-2"])
      #expect(try commits(hub, "agent/a").contains { $0.subject == "a-3: propose" })
    }
  }

  @Test func whatAKilledProcessLeftBehindDoesNotStopTheNext() throws {
    try withDirectory { directory in
      let hub = try hub(directory)
      let first = try propose(experiment("a", 1), in: hub)
      // Git's lock files, a half-written worktree, a worktree of which only the registration is left.
      for file in ["hub.git/refs/heads/agent/a.lock", "hub.git/worktrees/a/index.lock", "hub.git/refs/heads/main.lock"] {
        try Data().write(to: URL(filePath: directory + "/" + file))
      }
      try Data("half".utf8).write(to: URL(filePath: hub.worktree(of: "a") + "/recipe.json"))
      #expect(try Data(contentsOf: URL(filePath: hub.openWorktree(of: "a") + "/recipe.json")) == Data(first.config.pretty.utf8))
      try FileManager.default.removeItem(atPath: hub.worktree(of: "a"))
      let second = try propose(experiment("a", 2, margin: 6), in: hub)
      try FileManager.default.removeItem(atPath: directory + "/hub.git/worktrees")
      let third = try propose(experiment("a", 3, margin: 8), in: hub)
      #expect(try hub.records().dropFirst() == [first, second, third])
    }
  }

  @Test func manyThreadsCommitToTheirBranchesAtOnce() throws {
    try withDirectory { directory in
      let path = directory + "/hub.git"
      let agents = (0..<6).map { "agent\($0)" }
      DispatchQueue.concurrentPerform(iterations: agents.count) { index in
        do {
          let hub = try Hub(at: path)
          try hub.publishBaseline(Laboratory.baseline(), recipe: Laboratory.recipe)
          for round in 1...3 {
            var record = try propose(experiment(agents[index], round, margin: round), in: hub)
            record.decision = .discard
            try hub.commit(record, "decide")
          }
        } catch { Issue.record(error) }
      }
      let records = try Hub(readingAt: path).records()
      #expect(records.count == 1 + 6 * 3)
      #expect(records.allSatisfy { $0.isBaseline || $0.decision == .discard })
      #expect(try commits(Hub(readingAt: path), Hub.trunk).count == 2)
    }
  }
}
