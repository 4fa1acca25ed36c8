import Foundation
import Hashing
import JSON
import Learning
import Robot
import Steps
import Testing

@Suite struct TrainTests {
  private static let recipe: JSON = [
    "recipe": 1, "task": "push-t", "regime": "heuristic", "heuristic": ["preset": "low"],
    "bc": ["network": ["hidden": [32]], "head": ["chunk": 2], "optimiser": ["batch": 32], "schedule": ["updates": 60]],
    "rl": [
      "network": ["hidden": [32]], "optimiser": ["batch": 16],
      "schedule": ["steps": 350, "warm_up": 300, "cloning_updates": 40, "evaluations": 1, "evaluation_episodes": 1],
    ],
  ]

  private static let outputs = ["policy": "policy", "curves": "curves.json", "events": "events"]

  /// A data set of pushing straight at the block.
  private static func demonstrations(_ run: StepRun) throws -> String {
    var data = DataSet()
    for start in stride(from: 60.0, to: 180, by: 10) {
      let way = (0..<12).map { [start + 6 * Double($0), 2 * start, 256, 256, 1] }
      data.append(observations: way, actions: way.map { [$0[0] + 20, $0[1]] })
    }
    try data.write(directory: run.directory + "/demos")
    return run.directory + "/demos"
  }

  private func train(_ run: StepRun, _ with: JSON, demos: Bool = true) throws -> JSON {
    var inputs = ["recipe": try run.write(Self.recipe, to: "recipe.json")]
    if demos { inputs["demos"] = try Self.demonstrations(run) }
    try run.run("train", inputs: inputs, with: with, outputs: Self.outputs)
    return try run.json("policy/policy.json")
  }

  @Test func `A heuristic policy is its parameters, with the seed`() throws {
    let run = try StepRun()
    defer { run.remove() }
    #expect(try train(run, ["regime": "recipe", "seed": 7], demos: false)["parameters"] == ["preset": "low", "seed": 7])
    #expect(try train(run, ["regime": "recipe", "override": ["seed": 5]], demos: false)["seed"] == 5, "the recipe's, where the step says none")
  }

  /// What is put over the recipe, which says settings of soft actor-critic; other algorithms have no use for them.
  @Test(
    arguments: [
      ("bc", [:]), ("bc", ["bc": ["optimiser": ["threads": 2]]]), ("rl", [:]), ("rl", ["rl": ["optimiser": ["threads": 2]]]),
      (
        "rl",
        ["rl": ["algorithm": "proximal-policy", "proximal": ["round": 300, "batch": 64], "optimiser": ["threads": 2], "schedule": ["steps": 600]]]
      ),
      (
        "rl",
        [
          "bc": ["head": ["modes": 2, "draws": true], "optimiser": ["threads": 2]],
          "rl": ["algorithm": "self-imitation", "imitation": ["starts": 1, "attempts": 2, "updates": 10], "schedule": ["steps": 200]],
        ]
      ),
    ] as [(String, JSON)])
  func `A learned policy is trained, written, the same for the same seed and threads, and its curves are told`(
    regime: String, override: JSON
  ) throws {
    var weights: [Data] = []
    for _ in 0..<2 {
      let run = try StepRun()
      defer { run.remove() }
      let policy = try train(run, ["regime": .string(regime), "seed": 1, "override": override])
      #expect(policy["regime"]?.string == regime)
      let curves = try run.json("curves.json")
      #expect(curves["outcome"] == "finished")
      #expect(curves["series"]?.array?.isEmpty == false)
      weights.append(try Data(contentsOf: URL(filePath: run.directory + "/policy/weights.safetensors")))
    }
    #expect(weights[0] == weights[1])
  }

  @Test func `rl by self-imitation makes a policy of its own, which evaluate plays; a residual it refuses`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let with: JSON = [
      "regime": "rl", "seed": 1,
      "override": [
        "bc": ["head": ["modes": 3, "draws": true]],
        "rl": ["algorithm": "self-imitation", "imitation": ["starts": 1, "attempts": 2, "updates": 10], "schedule": ["steps": 200]],
      ],
    ]
    let inputs = ["recipe": try run.write(Self.recipe, to: "recipe.json"), "demos": try Self.demonstrations(run)]
    try run.run("train", inputs: inputs, with: with, outputs: Self.outputs)
    let policy = try run.json("policy/policy.json")
    #expect(policy["regime"] == "rl" && policy["draws"] == true && policy["modes"] == 3 && policy["seed"] == 1)
    let names = try run.json("curves.json")["series"]?.array?.compactMap { $0["name"]?.string } ?? []
    #expect(Set(names).isSuperset(of: ["solved", "kept", "success"]))
    try run.run(
      "evaluate", inputs: ["policy": run.directory + "/policy"], with: ["trials": 1, "purpose": "search", "films": 0, "confidence": 0.95],
      outputs: ["result": "result.json", "trials": "trials.jsonl", "films": "films"], station: ["name": "a", "driver": "push-t-sim", "gap": false])
    #expect(try run.json("result.json")["unknown"] == 0)
    #expect(throws: (any Error).self) {
      try run.run("train", inputs: inputs.merging(["base": run.directory + "/policy"]) { $1 }, with: with, outputs: Self.outputs)
    }
  }

  @Test func `Over a base, rl keeps the base in its policy and acts with it`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let inputs = ["recipe": try run.write(Self.recipe, to: "recipe.json")]
    try run.run("train", inputs: inputs, with: ["regime": "heuristic", "seed": 3], outputs: ["policy": "base", "curves": "c.json", "events": "e"])
    try run.run(
      "train", inputs: inputs.merging(["base": run.directory + "/base"]) { $1 }, with: ["regime": "rl", "seed": 1], outputs: Self.outputs)
    #expect(try run.json("policy/policy.json")["residual"] == true)
    #expect(try run.json("policy/base/policy.json")["regime"] == "heuristic")
    // A choice's pilot has it too.
    var with = Self.competition
    (with["candidates"], with["pilot_trials"]) = (["rl"], 1)
    try run.run(
      "choose-regime", inputs: inputs.merging(["base": run.directory + "/base"]) { $1 }, with: with,
      outputs: ["choice": "choice.json", "recipe": "chosen.json", "evidence": "evidence.json"],
      station: ["name": "a", "driver": "push-t-sim", "gap": false])
    #expect(try run.json("progress/rl/policy/base/policy.json")["regime"] == "heuristic")
    try run.run(
      "evaluate", inputs: ["policy": run.directory + "/policy"], with: ["trials": 1, "purpose": "search", "films": 0, "confidence": 0.95],
      outputs: ["result": "result.json", "trials": "trials.jsonl", "films": "films"], station: ["name": "a", "driver": "push-t-sim", "gap": false])
    #expect(try run.json("result.json")["unknown"] == 0)
  }

  @Test func `A budget and an override in the step go over the recipe`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let policy = try train(run, ["regime": "bc", "seed": 1, "updates": 10, "override": ["bc": ["network": ["hidden": [16, 8]]]]])
    #expect(policy["network"]?["hidden"] == [16, 8])
    let points = try run.json("curves.json")["series"]?[0]?["points"]?.array
    #expect(points?.last?[0] == 10)
  }

  @Test func `An override chooses another algorithm than the file is for, and says nothing that has no use`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let proximal: JSON = ["algorithm": "proximal-policy", "proximal": ["round": 300, "batch": 64], "network": ["critics": 3]]
    #expect { try train(run, ["regime": "rl", "override": ["rl": proximal]]) } throws: {
      "\($0)" == "recipe: /rl/network/critics: is 3, and is used only where 'algorithm' is \"soft-actor-critic\""
    }
  }

  @Test func `Cloning without demonstrations says what is missing`() throws {
    let run = try StepRun()
    defer { run.remove() }
    #expect {
      _ = try train(run, ["regime": "bc", "seed": 1], demos: false)
    } throws: {
      "\($0)" == "behaviour cloning needs demonstrations\n  hint: give the input 'demos' a dataset, as ${step.demos.dataset}"
    }
  }

  @Test(arguments: [4, 6]) func `Cloning refuses demonstrations of another width`(width: Int) throws {
    let run = try StepRun()
    defer { run.remove() }
    var data = DataSet()
    let rows = (0..<12).map { step in (0..<width).map { Double(10 * step + $0) } }
    data.append(observations: rows, actions: rows.map { Array($0[0..<2]) })
    try data.write(directory: run.directory + "/demos")
    var recipe = Self.recipe
    recipe["bc"]?["data"] = ["noise": 0]
    let path = try run.write(recipe, to: "recipe.json")
    #expect {
      try run.run("train", inputs: ["recipe": path, "demos": run.directory + "/demos"], with: ["regime": "bc", "seed": 1], outputs: Self.outputs)
    } throws: {
      "\($0)" == "behaviour cloning: the data set has \(width) observation and 2 action columns; push-t has 5 and 2"
    }
  }

  @Test func `A policy that was learnt from other observations than the task's is refused before it acts`() throws {
    let run = try StepRun()
    defer { run.remove() }
    var policy = try train(run, ["regime": "bc", "seed": 1, "updates": 1])
    // The same count of numbers shown, of an observation of six without an angle.
    policy["features"]?["angles"] = .array([])
    _ = try run.write(policy, to: "policy/policy.json")
    #expect {
      try run.run(
        "evaluate", inputs: ["policy": run.directory + "/policy"], with: ["trials": 1, "purpose": "search", "films": 0, "confidence": 0.95],
        outputs: ["result": "result.json", "trials": "trials.jsonl", "films": "films"], station: ["name": "a", "driver": "push-t-sim", "gap": false])
    } throws: {
      "\($0)" == "policy.json: the policy takes 6 numbers and gives 2; push-t's observations have 5 and its actions 2"
    }
  }

  @Test(arguments: [
    #"[[1.5, "x"], 3]"#, "[[1.5, 1]]", "[[1, true]]", "[[1]]", "[[1, 2, 3]]", "7",
  ]) func `A program's curves that are not pairs of a step and a number are refused`(points: String) throws {
    let run = try StepRun()
    defer { run.remove() }
    func train(_ points: String) throws {
      let curves = "{\"curves\": 1, \"outcome\": \"finished\", \"series\": [{\"name\": \"loss\", \"x\": \"update\", \"points\": \(points)}]}"
      let script = """
        mkdir -p '\(run.directory)/policy'
        echo '{"policy": 1, "task": "push-t", "regime": "scripted"}' > '\(run.directory)/policy/policy.json'
        echo '\(curves)' > '\(run.directory)/curves.json'
        """
      try Data(script.utf8).write(to: URL(filePath: run.directory + "/make.sh"))
      try run.run("train", inputs: ["program": run.directory + "/make.sh"], with: ["run": ["sh"], "seed": 0], outputs: Self.outputs)
    }
    try train("[[-1, 0.5], [200, null]]")
    #expect { try train(points) } throws: {
      "\($0)".hasPrefix("step tested: series 0 of the program's curves is not one of points\n  hint: ")
    }
  }

  @Test func `A wrong recipe is told with file, line and column`() throws {
    let run = try StepRun()
    defer { run.remove() }
    let text = "{\n  \"recipe\": 1, \"task\": \"push-t\", \"regime\": \"bc\",\n  \"bc\": { \"sched\": {} }\n}\n"
    try Data(text.utf8).write(to: URL(filePath: run.directory + "/mine.json"))
    #expect {
      try run.run("train", inputs: ["recipe": run.directory + "/mine.json"], with: ["regime": "recipe"], outputs: Self.outputs)
    } throws: {
      "\($0)".hasPrefix("mine.json:3:11: recipe: /bc/sched: is not known; there are network, head, data, optimiser, schedule")
    }
  }

  private static let competition: JSON = [
    "pilot_trials": 6, "confidence": 0.8, "tie": 0.1, "seed": 0, "updates": 20, "steps": 20,
    "station_seconds": 3600,
  ]

  /// A planner that hardly looks ahead, beside the full one: which of the regimes wins depends on the recipe.
  @Test func `The regime that succeeds on the station is chosen, and the evidence says what was tried`() throws {
    let run = try StepRun()
    defer { run.remove() }
    var with = Self.competition
    with["candidates"] = ["heuristic", "bc"]
    // The recipe says what it may cost.
    with["override"] = ["budget": ["pilot_trials": 6, "station_seconds": 3000]]
    for name in ["pilot_trials", "station_seconds"] { with[name] = nil }
    try run.run(
      "choose-regime", inputs: ["recipe": try run.write(Self.recipe, to: "recipe.json"), "demos": try Self.demonstrations(run)], with: with,
      outputs: ["choice": "choice.json", "recipe": "chosen.json", "evidence": "evidence.json"],
      station: ["name": "a", "driver": "push-t-sim", "gap": false])
    #expect(try run.json("choice.json") == "heuristic")
    let evidence = try run.json("evidence.json")
    let candidates = try #require(evidence["candidates"]?.array)
    #expect(candidates.map { $0["regime"] } == ["heuristic", "bc"])
    #expect(candidates[0]["rate"]?["successes"]?.int == candidates[0]["rate"]?["trials"]?.int)
    #expect(candidates[1]["rate"]?["successes"] == 0)
    #expect(candidates[1]["updates"] == 20)
    #expect(evidence["separated"] == true && evidence["station_budget"] == 3000)
    // Separated before the budget was spent.
    #expect(try #require(candidates[0]["rate"]?["trials"]?.int) < 6)
  }

  /// A planner's episodes from the very starts that the pilots will have, so that even a short cloning can solve some.
  private static func solutions(_ run: StepRun) throws -> String {
    let simulation = PushTSimulation(), planner = PushTPlanner(.low)
    var data = DataSet()
    for seed in try SeedPlan(purpose: .search, secretRoot: "").seeds(8) {
      for repetition in 0..<6 {
        var random = RandomStream("solutions", "\(seed)", "\(repetition)")
        var observation = simulation.reset(seed: UInt64(seed))
        var (observations, actions): ([[Double]], [[Double]]) = ([], [])
        planner.reset()
        while actions.count < 100 {
          let action = try planner.act(observation)
          let done = action.map { min(max($0 + (repetition == 0 ? 0 : 4 * random.normal()), 0), 512) }
          observations.append(observation)
          actions.append(action)
          planner.carriedOut(done)
          let result = simulation.step(done)
          if result.terminated { break }
          observation = result.observation
        }
        data.append(observations: observations, actions: actions)
      }
    }
    try data.write(directory: run.directory + "/solutions")
    return run.directory + "/solutions"
  }

  /// The same clone loses against a planner that looks and wins against one that hardly does.
  @Test func `Where the answer differs, the choice differs`() throws {
    let run = try StepRun()
    defer { run.remove() }
    var recipe = Self.recipe
    recipe["bc"] = [
      "network": ["hidden": [256, 256], "layer_norm": true], "head": ["chunk": 1], "data": ["noise": 0, "held_out": 0, "history": 3],
      "optimiser": ["batch": 128, "rate": 0.002, "loss": "absolute"],
    ]
    let good = try run.write(recipe, to: "good.json")
    recipe["heuristic"] = [
      "preset": "baseline", "cem_samples": 8, "cem_elites": 8, "cem_iterations": 1, "cem_horizon": 5, "cem_spread": 5, "velocity": "zero",
      "latency": 3,
      "gain": 250,
    ]
    let bad = try run.write(recipe, to: "bad.json")
    let demos = try Self.solutions(run)
    var with = Self.competition
    (with["candidates"], with["pilot_trials"], with["updates"], with["tie"]) = (["heuristic", "bc"], 8, 4000, 0.05)
    func evidence(_ recipe: String) throws -> JSON {
      run.forget()
      try run.run(
        "choose-regime", inputs: ["recipe": recipe, "demos": demos], with: with,
        outputs: ["choice": "choice.json", "recipe": "chosen.json", "evidence": "evidence.json"],
        station: ["name": "a", "driver": "push-t-sim", "gap": false])
      return try run.json("evidence.json")
    }
    let (one, other) = (try evidence(good), try evidence(bad))
    #expect(one["choice"] == "heuristic", "\(one["reason"]?.compact ?? "")")
    #expect(other["choice"] == "bc", "\(other["reason"]?.compact ?? "")")
  }

  @Test func `Without demonstrations an rl that begins as a clone is left out, and with them its pilot keeps to its steps`() throws {
    let run = try StepRun()
    defer { run.remove() }
    var recipe = Self.recipe
    recipe["rl"] = ["algorithm": "self-imitation"]
    recipe["bc"] = ["network": ["hidden": [32]], "head": ["chunk": 2, "modes": 2, "draws": true], "optimiser": ["batch": 32]]
    var with = Self.competition
    (with["candidates"], with["pilot_trials"], with["steps"]) = (["heuristic", "rl"], 2, 600)
    func candidates(_ inputs: [String: String]) throws -> [JSON] {
      run.forget()
      try run.run(
        "choose-regime", inputs: inputs, with: with, outputs: ["choice": "choice.json", "recipe": "chosen.json", "evidence": "evidence.json"],
        station: ["name": "a", "driver": "push-t-sim", "gap": false])
      return try run.json("evidence.json")["candidates"]?.array ?? []
    }
    let path = try run.write(recipe, to: "recipe.json")
    let without = try candidates(["recipe": path])
    #expect(without.count == 2 && without[1]["not_tried"] == "there are no demonstrations")
    let pilot = try #require(try candidates(["recipe": path, "demos": Self.demonstrations(run)]).last)
    // A round of whole episodes, and two looks at five.
    #expect(try #require(pilot["simulated_steps"]?.int) <= 4 * 300 + 2 * 5 * 300, "\(pilot.compact)")
  }

  @Test func `A budget of station time ends the pilots, and the evidence says so`() throws {
    let run = try StepRun()
    defer { run.remove() }
    var with = Self.competition
    with["candidates"] = ["rl", "bc"]
    with["station_seconds"] = 70
    try run.run(
      "choose-regime", inputs: ["recipe": try run.write(Self.recipe, to: "recipe.json"), "demos": try Self.demonstrations(run)], with: with,
      outputs: ["choice": "choice.json", "recipe": "chosen.json", "evidence": "evidence.json"],
      station: ["name": "a", "driver": "push-t-sim", "gap": false])
    let evidence = try run.json("evidence.json")
    // Failing trials last 30 s each: the third uses the budget up.
    #expect(evidence["ended_by"] == "station-time")
    #expect(evidence["station_seconds"] == 90)
    #expect(evidence["reason"]?.string?.hasSuffix("the station time was used up before the intervals separated") == true)
  }

  @Test func `Where none succeeds the cheaper one is chosen, as a tie`() throws {
    let run = try StepRun()
    defer { run.remove() }
    var with = Self.competition
    with["candidates"] = ["rl", "bc"]
    with["pilot_trials"] = 2
    try run.run(
      "choose-regime", inputs: ["recipe": try run.write(Self.recipe, to: "recipe.json"), "demos": try Self.demonstrations(run)], with: with,
      outputs: ["choice": "choice.json", "recipe": "chosen.json", "evidence": "evidence.json"],
      station: ["name": "a", "driver": "push-t-sim", "gap": false])
    #expect(try run.json("choice.json") == "bc")
    #expect(
      try run.json("evidence.json")["reason"]
        == "bc solved 0 of 2 trials, a tie with the best, and is the cheaper; the budget ended before the intervals separated")
    // What is cheaper is counted: a long cloning costs more than a short search by rewards.
    run.forget()
    with["updates"] = 9000
    var recipe = Self.recipe
    recipe["bc"] = ["network": ["hidden": [8]], "optimiser": ["batch": 8]]
    try run.run(
      "choose-regime", inputs: ["recipe": try run.write(recipe, to: "recipe.json"), "demos": try Self.demonstrations(run)], with: with,
      outputs: ["choice": "choice.json", "recipe": "chosen.json", "evidence": "evidence.json"],
      station: ["name": "a", "driver": "push-t-sim", "gap": false])
    #expect(try run.json("choice.json") == "rl")
    let costs = try run.json("evidence.json")["candidates"]?.array?.map { ($0["updates"]?.int ?? 0) + ($0["simulated_steps"]?.int ?? 0) } ?? []
    #expect(costs.count == 2 && costs[0] < costs[1], "\(costs)")
  }
}
