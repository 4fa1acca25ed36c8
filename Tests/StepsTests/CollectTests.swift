import Foundation
import JSON
import Learning
import Steps
import Testing

@Suite struct CollectTests {
  private static func planner(_ run: StepRun) throws -> String {
    let policy: JSON = ["policy": 1, "task": "push-t", "regime": "heuristic", "parameters": ["preset": "low"]]
    try FileManager.default.createDirectory(atPath: run.directory + "/planner", withIntermediateDirectories: true)
    _ = try run.write(policy, to: "planner/policy.json")
    return run.directory + "/planner"
  }

  @Test func `A planner's episodes end solved, and the same seed gives the same dataset`() throws {
    var sets: [DataSet] = []
    for seed in [1, 1, 2] {
      let run = try StepRun()
      defer { run.remove() }
      try run.run(
        "collect", inputs: ["policy": Self.planner(run)], with: ["episodes": 4, "seed": .integer(seed), "steps": 300, "keep": "solved"],
        outputs: ["dataset": "data"])
      sets.append(try DataSet(directory: run.directory + "/data"))
    }
    #expect(sets[0].episodes.count == 4)
    #expect(sets[0].frames < 4 * 100, "a planner needs some 33 steps an episode")
    #expect(sets[0].observations == sets[1].observations && sets[0].actions == sets[1].actions)
    #expect(sets[0].observations != sets[2].observations)
  }

  @Test func `An expert says what is kept while another policy acts, and what was there before stays`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let planner = try Self.planner(run)
    try FileManager.default.createDirectory(atPath: run.directory + "/still", withIntermediateDirectories: true)
    _ = try run.write(["policy": 1, "task": "push-t", "regime": "scripted"], to: "still/policy.json")
    try run.run("collect", inputs: ["policy": planner], with: ["episodes": 2, "seed": 1, "steps": 300, "keep": "all"], outputs: ["dataset": "first"])
    try run.run(
      "collect", inputs: ["policy": run.directory + "/still", "expert": planner, "demos": run.directory + "/first"],
      with: ["episodes": 1, "seed": 2, "steps": 20, "keep": "all"], outputs: ["dataset": "second"])
    let (first, second) = (try DataSet(directory: run.directory + "/first"), try DataSet(directory: run.directory + "/second"))
    #expect(second.episodes.count == 3)
    #expect(Array(second.observations.prefix(first.frames)) == first.observations)
    // The planner's words where the scripted pusher went: had the planner acted, it would have gone elsewhere.
    let added = second.episodes[2]
    #expect(added.count <= 20)
    var strayed = 0
    for frame in added.dropLast() {
      let (here, next, said) = (second.observations[frame], second.observations[frame + 1], second.actions[frame])
      let towards = (next[0] - here[0]) * (said[0] - here[0]) + (next[1] - here[1]) * (said[1] - here[1])
      if towards < 0 { strayed += 1 }
    }
    #expect(strayed > 0)
  }
}
