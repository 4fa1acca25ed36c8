// Random graphs under random edits: what a run does and leaves must be what the graph's own arithmetic says, incrementally and from scratch, with one
// job and with eight. `make study-random` draws thousands. A failure names its seed: ENPIRE_SEED=n draws that case alone.

import Foundation
import JSON
import Testing

@Suite struct `Random graphs` {
  /// What a case did, for the study.
  struct Tally {
    var rounds = 0, steps = 0, ran = 0, failed = 0
    static func += (a: inout Tally, b: Tally) {
      a.rounds += b.rounds
      a.steps += b.steps
      a.ran += b.ran
      a.failed += b.failed
    }
  }

  private static let seeds: Range<Int> = {
    let first = Study.count("ENPIRE_SEED", default: -1)
    return first >= 0 ? first..<first + 1 : 0..<Study.count("ENPIRE_CASES", default: 30)
  }()

  /// Two at a time, each every other seed.
  @Test(arguments: [0, 1]) func `random edits, incremental and clean, with one job and with eight, give the same`(part: Int) throws {
    var tally = Tally()
    for seed in Self.seeds where seed % 2 == part { tally += try self.case(seed) }
    Study.say(
      "random graphs, part \(part): \(tally.rounds) runs, \(tally.steps) steps to decide, \(tally.ran) ran, \(tally.failed) failed as they should")
  }

  @Test func `an output that is gone from the store alone is the same to plan and run`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > a"], "out": {"o": "a"}}}}"#)
    #expect(try workspace.summary()["ran"] == 1)
    try FileManager.default.removeItem(at: workspace.path(".enpire/store"))
    let plan = try planned(workspace)
    #expect(plan.run.isEmpty)
    #expect(try run(workspace, jobs: "1").steps["start"] ?? [] == Array(plan.run))
  }

  private func `case`(_ seed: Int) throws -> Tally {
    var chance = Chance(seed)
    var tally = Tally()
    let workspace = try Workspace()
    var graph = RandomGraph(2 + chance.below(14), using: &chance)
    /// The actions that are recorded, and what each wrote.
    var known: [String: String] = [:]
    for round in 0..<2 + chance.below(4) {
      if round > 0 { for _ in 0...chance.below(3) { try edit(&graph, in: workspace, &known, using: &chance) } }
      try graph.write(to: workspace)
      let expected = graph.expectation(known: known.keys)
      let place: Comment = "ENPIRE_SEED=\(seed), round \(round)"

      let plan = try planned(workspace)
      #expect(plan.run.isSubset(of: expected.runs) && plan.rest.isDisjoint(with: expected.runs), place)
      let (events, exit) = try run(workspace, jobs: chance.one(in: 2) ? "1" : "8")
      #expect(Set(events["start"] ?? []) == expected.runs, place)
      #expect(events["start"]?.count ?? 0 == expected.runs.count, "a step ran twice: \(place)")
      #expect(Set(events["failed"] ?? []) == expected.failed, place)
      #expect(exit == (expected.failed.isEmpty ? 0 : 1), place)
      #expect(graph.faults(in: workspace, expected) == [], place)
      known.merge(expected.actions) { $1 }
      tally += Tally(rounds: 1, steps: graph.nodes.count, ran: expected.runs.count, failed: expected.failed.count)
    }
    let keys = try self.keys(workspace)
    for jobs in ["1", "8"] {
      let clean = try Workspace()
      try graph.write(to: clean)
      _ = try run(clean, jobs: jobs)
      #expect(graph.faults(in: clean, graph.expectation(known: [])) == [], "ENPIRE_SEED=\(seed), clean, -j \(jobs)")
      #expect(try self.keys(clean) == keys, "ENPIRE_SEED=\(seed), clean, -j \(jobs)")
    }
    return tally
  }

  // MARK: Edits

  private func edit(_ graph: inout RandomGraph, in workspace: Workspace, _ known: inout [String: String], using chance: inout Chance) throws {
    let source = graph.sources.keys.sorted().randomElement(using: &chance)!
    guard let index = graph.nodes.indices.randomElement(using: &chance) else { return graph.addNode(using: &chance) }
    let file = graph.nodes[index].files.randomElement(using: &chance)!
    switch chance.below(14) {
    case 0: graph.sources[source]!.number = chance.below(100)
    case 1: graph.sources[source]!.noise += 1
    case 2:  // touched: the same bytes in another file
      if workspace.read(source) == graph.sources[source]!.content { try workspace.write(graph.sources[source]!.content, to: source) }
    case 3:  // other bytes of the same size under the old modification time
      let before = try? FileManager.default.attributesOfItem(atPath: workspace.path(source).path())
      graph.sources[source]!.noise = (graph.sources[source]!.noise + 1) % 10
      try workspace.write(graph.sources[source]!.content, to: source)
      if let time = before?[.modificationDate] {
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: workspace.path(source).path())
      }
    case 4: graph.nodes[index].constant = chance.below(100)
    case 5: graph.nodes[index].comment += 1
    case 6: graph.addNode(using: &chance)
    case 7: if graph.nodes.count > 2 { graph.remove(graph.nodes[index].name) }
    case 8: graph.addSource(using: &chance)
    case 9: if workspace.read(file) != nil { try workspace.write("tampered", to: file) }
    case 10: try? FileManager.default.removeItem(at: workspace.path(file))
    case 11: graph.nodes[index].fails.toggle()
    case 12: try loseBlob(workspace, &known, using: &chance)
    default:  // a need comes or goes
      if graph.nodes[index].needs.isEmpty || chance.one(in: 2) {
        if !graph.nodes[index].needs.contains(.source(source)) { graph.nodes[index].needs.append(.source(source)) }
      } else {
        graph.nodes[index].needs.remove(at: chance.below(graph.nodes[index].needs.count))
      }
    }
  }

  /// Deletes a step's output from the store and wherever it is published; the actions that gave it are not known any more.
  private func loseBlob(_ workspace: Workspace, _ known: inout [String: String], using chance: inout Chance) throws {
    let store = workspace.path(".enpire/store")
    let blobs = (FileManager.default.enumerator(at: store, includingPropertiesForKeys: nil)?.allObjects as? [URL] ?? []).sorted {
      $0.path() < $1.path()
    }
    guard let blob = blobs.randomElement(using: &chance), let data = try? Data(contentsOf: blob) else { return }
    let content = String(decoding: data, as: UTF8.self)
    guard content.contains(" s"), content.hasSuffix("\n") else { return }
    try FileManager.default.removeItem(at: blob)
    // What is still published would come back to the store.
    for case let file as URL in FileManager.default.enumerator(at: workspace.directory, includingPropertiesForKeys: nil)! {
      if !file.path().contains("/.enpire/"), (try? Data(contentsOf: file)) == data { try FileManager.default.removeItem(at: file) }
    }
    known = known.filter { $0.value != content }
  }

  // MARK: The program

  private func run(_ workspace: Workspace, jobs: String) throws -> (steps: [String: [String]], exit: Int32) {
    let outcome = try workspace.enpire("run", "-k", "--json", "-j", jobs)
    var steps: [String: [String]] = [:]
    for line in outcome.output.split(separator: "\n") {
      let event = try JSON(parsing: String(line))
      if let name = event["event"]?.string, let step = event["step"]?.string { steps[name, default: []].append(step) }
    }
    return (steps, outcome.code)
  }

  /// The steps that a plan says would run, and those that it says would not.
  private func planned(_ workspace: Workspace) throws -> (run: Set<String>, rest: Set<String>) {
    let steps = try JSON(parsing: try workspace.enpire("plan", "--json").output)["steps"]?.array ?? []
    func named(_ actions: [String]) -> Set<String> {
      Set(steps.filter { actions.contains($0["action"]?.string ?? "") }.compactMap { $0["step"]?.string })
    }
    return (named(["run"]), named(["up-to-date", "restore"]))
  }

  /// The key of each step that succeeded.
  private func keys(_ workspace: Workspace) throws -> [String: String] {
    let steps = try JSON(parsing: try workspace.enpire("status", "--json").output)["steps"]?.array ?? []
    return Dictionary(
      uniqueKeysWithValues: steps.filter { $0["state"] == "up to date" }.compactMap { step in
        step["step"]?.string.flatMap { name in step["key"]?.string.map { (name, $0) } }
      })
  }
}
