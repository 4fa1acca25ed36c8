// Training as its users meet it: killed and gone on with, by a program of theirs, read by other people's tools; and recipes on the command line.

import Foundation
import JSON
import Testing

/// A Python that can import `module`: that of `scripts/setup --test`, or Debian's.
private func python(with module: String) -> URL? {
  [Workspace.repository.appending(path: ".deps/python/bin/python3"), URL(filePath: "/usr/bin/python3")].first { python in
    guard FileManager.default.isExecutableFile(atPath: python.path()) else { return false }
    let process = Process()
    process.executableURL = python
    process.arguments = ["-c", "import \(module)"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}

private let torch = python(with: "torch"), tensorboard = python(with: "tensorboard"), numpy = python(with: "numpy")

@Suite struct `Training` {
  /// A planner's episodes, and a clone of them; the clone is published.
  private static func workspace(updates: Int, train: String = "") throws -> Workspace {
    let cloning = """
      "in": { "recipe": "recipe.json", "demos": "${step.data}" }, "with": { "regime": "bc", "seed": 1 }
      """
    return try Workspace(
      """
      { "manifest": 1, "workflow": "training", "fleet": "fleet.json", "steps": {
        "planner": { "uses": "train", "in": { "recipe": "recipe.json" } },
        "data": { "uses": "collect", "in": { "policy": "${step.planner.policy}" }, "with": { "episodes": 20, "seed": 1 } },
        "clone": { "uses": "train", \(train.isEmpty ? cloning : train),
          "out": { "policy": "policy", "curves": "curves.json", "events": "events" } },
        "trial": { "uses": "evaluate", "in": { "policy": "${step.clone.policy}" }, "station": { "name": "a" },
          "with": { "trials": 2, "films": 0 }, "out": { "result": "result.json" } }
      } }
      """,
      files: [
        "fleet.json": #"{ "fleet": 1, "stations": [{ "name": "a", "driver": "push-t-sim", "tasks": ["push-t"], "gap": false }] }"#,
        "recipe.json": """
        { "recipe": 1, "task": "push-t", "regime": "heuristic", "heuristic": { "preset": "low" },
          "bc": { "network": { "hidden": [32, 32] }, "optimiser": { "batch": 32 }, "schedule": { "updates": \(updates) } } }
        """,
      ])
  }

  private static func run(_ python: URL, _ script: String, _ arguments: [String], in workspace: Workspace) throws -> Outcome {
    workspace.outcome(of: try workspace.start(["-c", script] + arguments, program: python, number: 7), number: 7)
  }

  /// What is put over the recipe, with a checkpoint in the middle.
  private static let learners: [(name: String, override: String)] = [
    ("cloning", #"{}"#),
    (
      "soft actor-critic",
      #"""
      {"rl": {"network": {"hidden": [32]}, "optimiser": {"batch": 16},
        "schedule": {"steps": 4000, "cloning_updates": 100, "evaluations": 2, "evaluation_episodes": 2}}}
      """#
    ),
    (
      "proximal policy optimisation",
      #"""
      {"rl": {"algorithm": "proximal-policy", "network": {"hidden": [32]}, "proximal": {"round": 2000, "batch": 256},
        "schedule": {"steps": 12000, "evaluations": 2, "evaluation_episodes": 2}}}
      """#
    ),
    (
      "self-imitation",
      #"""
      {"bc": {"head": {"chunk": 2, "modes": 2, "draws": true}, "schedule": {"updates": 300}}, "rl": {"algorithm": "self-imitation",
        "imitation": {"starts": 5, "attempts": 2, "updates": 300}, "schedule": {"steps": 12000, "evaluation_episodes": 2}}}
      """#
    ),
  ]

  @Test(arguments: learners.indices) func `killed at its checkpoint, it goes on from there and ends with the same weights and curves`(_ learner: Int)
    throws
  {
    let train = """
      "in": { "recipe": "recipe.json", "demos": "${step.data}" },
      "with": { "regime": "\(learner == 0 ? "bc" : "rl")", "seed": 1, "override": \(Self.learners[learner].override) }
      """
    let (undisturbed, killed) = (try Self.workspace(updates: 9000, train: train), try Self.workspace(updates: 9000, train: train))
    #expect(try undisturbed.enpire("run", "clone").code == 0)
    #expect(try killed.enpire("run", "data").code == 0)
    let process = try killed.start(["run", "clone"])
    func checkpoint() -> Bool {
      let files = FileManager.default.enumerator(at: killed.path(".enpire"), includingPropertiesForKeys: nil)
      return files?.contains { ($0 as? URL).map { ["checkpoint.safetensors", "round"].contains($0.lastPathComponent) } ?? false } == true
    }
    while process.isRunning, !checkpoint() { usleep(2000) }
    #expect(process.isRunning, "it ended before it could be killed")
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(killed.read("curves.json") == nil)
    #expect(checkpoint(), "the checkpoint is gone with the run")
    #expect(try killed.enpire("run", "clone").code == 0)
    for file in ["policy/weights.safetensors", "policy/policy.json", "curves.json", "events/events.out.tfevents.0.enpire"] {
      let one = try #require(FileManager.default.contents(atPath: undisturbed.path(file).path()))
      #expect(FileManager.default.contents(atPath: killed.path(file).path()) == one, "\(file)")
    }
  }

  @Test(.enabled(if: torch != nil, "python3-torch is missing: run scripts/setup --test"))
  func `a program in PyTorch trains, and its policy acts on a station`() throws {
    let workspace = try Self.workspace(
      updates: 1,
      train: """
        "in": { "program": "torch_bc.py", "demos": "${step.data}" },
        "with": { "run": ["\(torch!.path())"], "seed": 3, "options": { "updates": 300, "hidden": [64, 64] } }
        """)
    try FileManager.default.copyItem(
      at: Workspace.repository.appending(path: "workflows/programs/torch_bc.py"), to: workspace.path("torch_bc.py"))
    let outcome = try workspace.enpire("run", "trial")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let points = try #require(JSON(parsing: workspace.read("curves.json")!)["series"]?[0]?["points"]?.array)
    #expect(points.last![1]!.double! < 0.8 * points.first![1]!.double!, "it really trains")
    let result = try JSON(parsing: workspace.read("result.json")!)
    #expect(result["trials"] == 2 && result["unknown"] == 0)
  }

  @Test func `a training program may leave a program as its policy, and that acts on a station`() throws {
    let workspace = try Self.workspace(updates: 1, train: #""in": { "program": "make.py" }, "with": { "run": ["python3"] }"#)
    try workspace.write(
      """
      import hashlib, json, sys
      out = json.load(open(sys.argv[1]))["outputs"]["policy"]
      # What the data would be is learnt here: whatever is known goes into the program's text or into files beside it.
      source = '''
      import json, os, sys
      weights = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights.json")))
      for line in sys.stdin:
          word, *numbers = line.split()
          print("act", *weights["target"], flush=True) if word == "observe" else print("ready", flush=True)
      '''
      open(out + "/policy.py", "w").write(source)
      json.dump({"target": [40, 50]}, open(out + "/weights.json", "w"))
      digest = hashlib.sha256(source.encode()).hexdigest()
      json.dump({"program": 1, "protocol": 1, "role": "policy", "task": "push-t", "language": "python", "source": "policy.py", "run": "policy.py",
                 "digest": digest, "source_digest": digest}, open(out + "/program.json", "w"))
      json.dump({"policy": 1, "task": "push-t", "regime": "program"}, open(out + "/policy.json", "w"))
      """, to: "make.py")
    let outcome = try workspace.enpire("run", "trial")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let result = try JSON(parsing: workspace.read("result.json")!)
    // A policy that fails ends its trial at once; this one acts to the end.
    #expect(result["trials"] == 2 && result["unknown"] == 0 && result["robot_seconds"]?.double ?? 0 >= 60)

    // What is not what its program.json says is refused where it is made, not on a station.
    let text = try #require(workspace.read("make.py")).replacingOccurrences(of: "source.encode()", with: "b'other'")
    try workspace.write(text, to: "make.py")
    #expect(try workspace.enpire("run", "clone").errors.contains("was changed: policy.py is not what program.json says"))
  }

  @Test func `a program that leaves no policy fails its step, and says what is missing`() throws {
    let workspace = try Self.workspace(updates: 1, train: #""in": { "program": "nothing.sh", "demos": "${step.data}" }, "with": { "run": ["sh"] }"#)
    try workspace.write("echo '{\"done\": 1, \"total\": 1}'\n", to: "nothing.sh")
    let outcome = try workspace.enpire("run", "clone")
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("the program left no policy.json in its output 'policy'"))
    try workspace.write("exit 3\n", to: "nothing.sh")
    #expect(try workspace.enpire("run", "clone").errors.contains("ended with code 3"))
  }

  @Test(.enabled(if: numpy != nil && tensorboard != nil, "numpy or tensorboard is missing: run scripts/setup --test"))
  func `the documented lines of Python load the weights, and TensorBoard reads the curves`() throws {
    let workspace = try Self.workspace(updates: 200)
    #expect(try workspace.enpire("run", "clone").code == 0)
    let text = String(decoding: try Data(contentsOf: Workspace.repository.appending(path: "docs/artifacts.md")), as: UTF8.self)
    let block = text.components(separatedBy: "```python\n")[1].components(separatedBy: "```")[0]
    #expect(block.split(separator: "\n").count == 5)
    let script = block.replacingOccurrences(of: "weights.safetensors", with: workspace.path("policy/weights.safetensors").path())
    let shapes = try Self.run(
      numpy!, script + "\nprint([tensors[f'layers.{i}.weight'].shape for i in range(3)], tensors['layers.0.bias'].dtype)", [], in: workspace)
    // Two observations of eight numbers; four actions of two.
    #expect(shapes.output == "[(16, 32), (32, 32), (32, 8)] float32\n", "\(shapes.errors)")
    let read = try Self.run(
      tensorboard!,
      """
      import sys
      from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      events = EventAccumulator(sys.argv[1])
      events.Reload()
      print(sorted(events.Tags()["scalars"]), [(e.step, round(e.value, 5)) for e in events.Scalars("loss")][-1])
      """, [workspace.path("events").path()], in: workspace)
    let curves = try JSON(parsing: workspace.read("curves.json")!)
    let last = try #require(curves["series"]?.array?.first { $0["name"] == "loss" }?["points"]?.array?.last)
    let value = (last[1]!.double! * 1e5).rounded() / 1e5
    #expect(read.output == "['held-out loss', 'loss'] (200, \(value))\n", "\(read.errors.suffix(300))")
  }

  @Test func `recipes are checked and compared on the command line`() throws {
    let workspace = try Self.workspace(updates: 7)
    #expect(try workspace.enpire("recipe", "validate", "recipe.json").code == 0)
    try workspace.write("{\n  \"recipe\": 1, \"task\": \"push-t\", \"regime\": \"heuristics\",\n  \"bc\": { \"chunk\": 3 }\n}\n", to: "wrong.json")
    let wrong = try workspace.enpire("recipe", "validate", "recipe.json", "wrong.json")
    #expect(wrong.code == 65)
    #expect(
      wrong.output.hasPrefix(
        "wrong.json:2:44: /regime: is \"heuristics\", must be one of \"heuristic\", \"bc\", \"rl\"; did you mean \"heuristic\"?\nwrong.json:3:11: /bc/chunk: is not known"
      ), "\(wrong.output)")
    try workspace.write(
      workspace.read("recipe.json")!.replacingOccurrences(of: "\"updates\": 7", with: "\"updates\": 8, \"warm_up\": 200"), to: "other.json")
    #expect(try workspace.enpire("recipe", "diff", "recipe.json", "other.json").output == "bc.schedule.updates: 7 -> 8\n")
    let json = try JSON(parsing: workspace.enpire("recipe", "diff", "--json", "recipe.json", "other.json").output)
    #expect(json["differences"] == [["setting": "bc.schedule.updates", "old": 7, "new": 8]])
  }
}
