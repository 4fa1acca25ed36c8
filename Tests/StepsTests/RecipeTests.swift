import Foundation
import JSON
import Steps
import Testing

@Suite struct RecipeTests {
  private static let shipped = StepRun.checkout + "workflows/recipes/push-t.json"
  private static let schemaFile = StepRun.checkout + "workflows/schemas/recipe.schema.json"

  @Test func `The schema in workflows is the one that recipes are checked by; ENPIRE_RECORD=1 writes it anew`() throws {
    if ProcessInfo.processInfo.environment["ENPIRE_RECORD"] == "1" { try Data(Recipes.schema.pretty.utf8).write(to: URL(filePath: Self.schemaFile)) }
    #expect(try String(contentsOf: URL(filePath: Self.schemaFile), encoding: .utf8) == Recipes.schema.pretty)
  }

  @Test func `The shipped recipe has no fault, and written out in full it still has none and means the same`() throws {
    let recipe = try JSON(parsing: Data(contentsOf: URL(filePath: Self.shipped)))
    #expect(Recipes.faults(in: recipe) == [])
    let complete = try Recipes.complete(recipe)
    #expect(Recipes.faults(in: complete) == [])
    #expect(try Recipes.complete(complete) == complete)
  }

  @Test(
    arguments: [
      (
        ["recipe": 1, "task": "push-t", "regime": "heuristics"],
        "/regime: is \"heuristics\", must be one of \"heuristic\", \"bc\", \"rl\"; did you mean \"heuristic\"?"
      ),
      (["recipe": 2, "task": "push-t", "regime": "bc"], "/recipe: must be 1, is 2"),
      (["recipe": 1, "task": "push-t"], "/: lacks \"regime\""),
      (["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["optimizer": [:]]], "/bc/optimizer: is not known; did you mean \"optimiser\"?"),
      (["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["optimiser": ["rate": 3]]], "/bc/optimiser/rate: is 3, must be at most 0.1"),
      (
        ["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["network": ["hidden": [256, 2.5]]]],
        "/bc/network/hidden/1: is a number, must be an integer"
      ),
      (
        ["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["network": ["hidden": []]]], "/bc/network/hidden: has 0 elements, must have at least 1"
      ),
      (
        ["recipe": 1, "task": "push-t", "regime": "bc", "rl": ["schedule": ["steps": "many"]]], "/rl/schedule/steps: is a string, must be an integer"
      ),
      (
        ["recipe": 1, "task": "push-t", "regime": "bc", "heuristic": ["identificatoin": true]],
        "/heuristic/identificatoin: is not known; did you mean \"identification\"?"
      ),
      (["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["head": ["execute": 6]]], "/bc/head/execute: is 6, must be at most 'chunk', 4"),
      (
        ["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["head": ["modes": 4, "flow_steps": 8]]],
        "/bc/head/modes: is 4, must be 1 beside 'flow_steps'"
      ),
      (
        ["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["network": ["members": 3], "head": ["flow_steps": 8]]],
        "/bc/network/members: is 3, must be 1 beside 'flow_steps'"
      ),
      (
        ["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["network": ["members": 3], "head": ["modes": 4]]],
        "/bc/network/members: is 3, must be 1 beside 'modes'"
      ),
      (
        ["recipe": 1, "task": "push-t", "regime": "rl", "rl": ["algorithm": "self-imitation"]],
        "/rl/algorithm: is \"self-imitation\", which needs a clone that draws what it does: 'modes' above 1 with 'draws', or a flow, in /bc/head"
      ),
      (
        ["recipe": 1, "task": "push-t", "regime": "rl", "rl": ["algorithm": "proximal-policy", "network": ["critics": 3, "hidden": [64]]]],
        "/rl/network/critics: is 3, and is used only where 'algorithm' is \"soft-actor-critic\""
      ),
      (
        ["recipe": 1, "task": "push-t", "regime": "bc", "rl": ["imitation": ["starts": 9]]],
        "/rl/imitation/starts: is 9, and is used only where 'algorithm' is \"self-imitation\""
      ),
      (
        ["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["head": ["draws": true]]],
        "/bc/head/draws: is true, and is used only where 'modes' is above 1"
      ),
    ] as [(JSON, String)])
  func `A fault is told with its place and what would be right`(recipe: JSON, fault: String) {
    #expect(Recipes.faults(in: recipe) == [fault])
  }

  /// The step's seed is the planner's; one in the recipe would say nothing.
  @Test func `A recipe has no seed for the planner`() {
    let faults = Recipes.faults(in: ["recipe": 1, "task": "push-t", "regime": "heuristic", "heuristic": ["seed": 3]])
    #expect(faults.count == 1 && faults.allSatisfy { $0.hasPrefix("/heuristic/seed: is not known; ") })
  }

  @Test func `Two recipes are compared by what they mean: what is left out equals its default`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let old = try run.write(["recipe": 1, "task": "push-t", "regime": "bc", "heuristic": ["preset": "low"]], to: "old.json")
    let new = try run.write(
      [
        "recipe": 1, "task": "push-t", "regime": "bc", "heuristic": ["preset": "low", "beam": 4],
        "bc": ["schedule": ["updates": 7], "head": ["chunk": 4]],
      ],
      to: "new.json")
    let differences = try RecipeFile.differences(from: old, to: new)
    #expect(differences.map(\.setting) == ["bc.schedule.updates"])
    #expect(differences.first?.old == 20000 && differences.first?.new == 7)
    #expect(try RecipeFile.differences(from: old, to: old) == [])
    let wrong = run.directory + "/wrong.json"
    try Data("{\n  \"recipe\": 1, \"task\": \"push-t\",\n  \"regime\": \"bs\", \"bc\": { \"x\": 1 }\n}\n".utf8).write(to: URL(filePath: wrong))
    let faults = try RecipeFile.faults(at: wrong)
    #expect(faults.map(\.place) == ["\(wrong):3:13", "\(wrong):3:27"])
  }

  @Test func `How many threads serve a recipe is measured on its own network, and a heuristic has none`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let path = try run.write(
      ["recipe": 1, "task": "push-t", "regime": "bc", "bc": ["network": ["hidden": [16]], "optimiser": ["batch": 16]]], to: "recipe.json")
    for (regime, setting) in [("bc", "bc.optimiser.threads"), ("rl", "rl.optimiser.threads")] {
      let answer = RecipeFile.answer(["threads", path, regime]), counts = answer["measured"]?.array?.compactMap { $0["threads"]?.int } ?? []
      #expect(answer["setting"]?.string == setting && answer["said"] == 1, "\(answer.compact)")
      #expect(counts.first == 1 && counts.last == ProcessInfo.processInfo.activeProcessorCount && counts == Array(Set(counts)).sorted())
      #expect(counts.contains(answer["choice"]?.int ?? 0))
      #expect(answer["measured"]?.array?.allSatisfy { $0["seconds"]?.double ?? 0 > 0 } == true)
    }
    #expect(RecipeFile.answer(["threads", path, "heuristic"])["error"] == "a heuristic is not trained, so it has no threads")
  }
}
