// The step `evaluate` as the engine runs it: by a request file, in a directory of its own.

import Foundation
import Hashing
import JSON
import Robot
import Steps
import Testing

@Suite struct EvaluateTests {
  private let folder = Folder()
  private let nominal: JSON = ["name": "sim-1", "driver": "push-t-sim", "tasks": ["push-t"], "gap": false]

  @Test func `an evaluation topped up says what one of the full size says, with intervals for a count that was not fixed beforehand`() throws {
    let (first, topped) = (try evaluate(trials: 3, samples: "a"), try evaluate(trials: 7, samples: "a"))
    let whole = try evaluate(trials: 7, samples: "b")
    let told = ["trials", "successes", "unknown", "steps", "robot_seconds", "seed_commitment", "rate_anytime"]
    #expect(told.allSatisfy { topped.result[$0] == whole.result[$0] })
    #expect(whole.result["rate"]?["method"] == "clopper-pearson" && topped.result["rate"] == whole.result["rate_anytime"])
    #expect(try evaluate(trials: 7, samples: "b").result == whole.result, "who looks again at what was told has fixed nothing anew")
    #expect(topped.trials == whole.trials && topped.trials.hasPrefix(first.trials))
    #expect(first.result["trials"] == 3 && topped.result["trials"] == 7)
    let again = try evaluate(trials: 3, samples: "a")
    #expect(again.trials == first.trials, "a smaller count leaves the further trials out")
    #expect(again.result["rate"] == first.result["rate_anytime"], "and may have been chosen for what it says")
  }

  @Test func `who lowers the count of an evaluation that was interrupted has seen how its trials went`() throws {
    let whole = try evaluate(trials: 5, samples: "a"), path = folder.path("a.jsonl")
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 6 && lines[0] == #"{"looked":5}"#, "what is asked for is noted before the first trial")
    try (lines.prefix(4).joined(separator: "\n") + "\n").write(toFile: path, atomically: false, encoding: .utf8)
    #expect(try evaluate(trials: 3, samples: "a").result["rate"]?["method"] == "confidence-sequence")
    try (lines.prefix(4).joined(separator: "\n") + "\n").write(toFile: path, atomically: false, encoding: .utf8)
    #expect(try evaluate(trials: 5, samples: "a").result == whole.result, "gone on with, it is what was asked for")
  }

  @Test func `a line torn by a crash is run again, and whole ones are not`() throws {
    let whole = try evaluate(trials: 4, samples: "a")
    let path = folder.path("a.jsonl")
    var lines = try String(contentsOfFile: path, encoding: .utf8)
    // A mark in a whole line shows that it was believed; the last line is cut in the middle.
    lines = lines.replacingOccurrences(of: #""index":0,"station":"sim-1""#, with: #""index":0,"station":"mark!""#)
    try String(lines.dropLast(40)).write(toFile: path, atomically: false, encoding: .utf8)
    let again = try evaluate(trials: 4, samples: "a")
    #expect(again.trials == whole.trials.replacingOccurrences(of: #""index":0,"station":"sim-1""#, with: #""index":0,"station":"mark!""#))
  }

  @Test func `a damaged line inside the samples stops the step and names its place`() throws {
    _ = try evaluate(trials: 2, samples: "a")
    let path = folder.path("a.jsonl")
    try ("{\"index\":0}\n" + String(contentsOfFile: path, encoding: .utf8)).write(toFile: path, atomically: false, encoding: .utf8)
    #expect { try evaluate(trials: 2, samples: "a") } throws: {
      "\($0)" == "\(path):1: not a trial\n  hint: remove the file to run its trials anew"
    }
  }

  @Test func `shards gathered say what one run says`() throws {
    let whole = try evaluate(trials: 7, samples: "whole")
    let shards = try (0..<3).map { try evaluate(trials: 7, samples: "shard\($0)", shard: ($0, 3)) }
    let gathered = try gather(shards, trials: 7)
    #expect(gathered.result == whole.result && gathered.trials == whole.trials && gathered.films == whole.films)
    #expect { try gather([shards[0], shards[0]], trials: 7) } throws: { "\($0)".contains("was run by two shards") }
  }

  @Test func `search seeds are told, held-out ones are committed to and kept`() throws {
    let search = try evaluate(trials: 2, samples: "a")
    let heldOut = try evaluate(trials: 2, samples: "b", with: ["purpose": "held-out"])
    #expect(search.trials.contains("\"seed\"") && !heldOut.trials.contains("\"seed\""))
    #expect(try !String(contentsOfFile: folder.path("b.jsonl"), encoding: .utf8).contains("\"seed\""))
    #expect(search.result["seed_commitment"] != heldOut.result["seed_commitment"])
    #expect(search.trials != heldOut.trials)
  }

  @Test func `a planner succeeds and is told by the benchmark's criterion`() throws {
    let planner: JSON = ["policy": 1, "task": "push-t", "regime": "heuristic", "parameters": [:]]
    let run = try evaluate(trials: 3, samples: "a", policies: [planner])
    #expect(run.result["successes"] == 3 && run.result["unknown"] == 0)
    #expect(run.result["rate"]?["lower"]?.double ?? 1 < 0.3, "three of three prove little")
    #expect(run.result["rate_anytime"]?["method"] == "confidence-sequence")
    #expect(run.result["metric"] == "pass@1")
    #expect(run.films.filter { $0.hasSuffix("-success.png") }.count == 2)
  }

  @Test func `retries have a rate of their own, which leaves the first attempts' alone`() throws {
    // A planner that is given less time than half of the starts take.
    let planner: JSON = ["policy": 1, "task": "push-t", "regime": "heuristic", "parameters": ["preset": "low"]]
    let verifier = VerifierDescription(task: "push-t", criterion: "benchmark", conditions: [.init(.overlap, 0.95)])
    let environment = try FrozenEnvironment.freeze(
      task: "push-t", limits: SafetyLimits(low: [0, 0], high: [512, 512], steps: 20), verifier: verifier, pictures: PictureForm(size: 96)
    ).json
    func run(_ samples: String, _ with: JSON = [:], shard: (Int, Int) = (0, 1)) throws -> Run {
      try evaluate(trials: 8, samples: samples, policies: [planner], with: with, environment: environment, shard: shard)
    }
    let once = try run("a"), whole = try run("b", ["attempts": 2])
    for member in ["metric", "trials", "successes", "unknown", "rate", "steps"] { #expect(whole.result[member] == once.result[member], "\(member)") }
    #expect(once.result["retry"] == nil && whole.result["retry"]?["metric"] == "retry-k" && whole.result["retry"]?["k"] == 2)
    let trials = try whole.trials.split(separator: "\n").map { try JSON(parsing: String($0)) }
    let first = trials.count { $0["success"] == true }, later = trials.count { $0["retry"]?["success"] == true }
    #expect(trials.allSatisfy { ($0["retry"] == nil) == ($0["success"] == true) } && first > 0 && later > 0)
    #expect(whole.result["retry"]?["rate"]?["successes"] == .integer(first + later) && whole.result["retry"]?["rate"]?["trials"] == 8)
    let shards = try (0..<2).map { try run("shard\($0)", ["attempts": 2], shard: ($0, 2)) }
    #expect(try gather(shards, trials: 8).result == whole.result)
  }

  @Test func `trials stop at a bar after the same one, whatever was done before`() throws {
    let whole = try evaluate(trials: 40, samples: "a", with: ["bar": 0.5])
    let count = try #require(whole.result["trials"]?.int)
    #expect(whole.result["stop"] == ["bar": 0.5, "side": "below", "trials": .integer(count), "most": 40])
    #expect(whole.result["rate"]?["method"] == "confidence-sequence" && whole.trials.split(separator: "\n").count == count)
    let before = Rate(successes: 0, trials: count - 1, method: .confidenceSequence)
    #expect(before.upper > 0.5 && whole.result["rate"]?["upper"]?.double ?? 1 <= 0.5, "it stopped neither early nor late")
    _ = try evaluate(trials: count + 3, samples: "b")
    #expect(try evaluate(trials: 40, samples: "b", with: ["bar": 0.5]).result == whole.result)
    let open = try evaluate(trials: 3, samples: "c", with: ["bar": 0.5])
    #expect(open.result["stop"]?["side"] == .null && open.result["trials"] == 3 && open.result["rate"]?["method"] == "confidence-sequence")
  }

  @Test func `paired policies stop together`() throws {
    let scripted: JSON = ["policy": 1, "task": "push-t", "regime": "scripted"]
    let twin: JSON = ["policy": 1, "task": "push-t", "regime": "scripted", "parameters": ["other": 1]]
    let run = try evaluate(trials: 40, samples: "a", policies: [scripted, twin], with: ["paired": true, "bar": 0.5])
    let count = try #require(run.result["trials"]?.int)
    #expect(run.trials.split(separator: "\n").count == 2 * count && run.result["stop"]?["trials"] == .integer(2 * count))
    let comparison = try #require(run.result["comparisons"]?[0])
    #expect(comparison["p_value"] == nil && comparison["evidence"] == 1, "no figure is given that holds for a fixed count alone")
    #expect(run.result["verifier"]?["false_positives"]?["method"] == "confidence-sequence")
  }

  @Test func `paired policies meet the same starts, whichever shard runs them`() throws {
    let scripted: JSON = ["policy": 1, "task": "push-t", "regime": "scripted"]
    let twin: JSON = ["policy": 1, "task": "push-t", "regime": "scripted", "parameters": ["other": 1]]
    let shards = try (0..<2).map {
      try evaluate(trials: 8, samples: "s\($0)", policies: [scripted, twin], with: ["paired": true], shard: ($0, 2))
    }
    for shard in shards {
      let trials = try shard.trials.split(separator: "\n").map { try JSON(parsing: String($0)) }
      #expect(trials.count == 4)
      for pair in stride(from: 0, to: 4, by: 2) {
        #expect(trials[pair]["policy"] == 0 && trials[pair + 1]["policy"] == 1)
        #expect(trials[pair]["seed"] == trials[pair + 1]["seed"] && trials[pair]["coverage"] == trials[pair + 1]["coverage"])
      }
    }
    let result = try gather(shards, trials: 8).result
    #expect(result["trials"] == 4, "the rate is the first policy's")
    let comparison = result["comparisons"]?[0]
    #expect((comparison?["both"]?.int ?? 0) + (comparison?["neither"]?.int ?? 0) == 4 && comparison?["p_value"] == 1)
  }

  @Test func `a station that cannot start fails the step and leaves no trials`() throws {
    #expect { try evaluate(trials: 2, samples: "a", station: ["name": "gym-1", "driver": "gym", "python": "/bin/false"]) } throws: {
      "\($0)" == "station gym-1: its process ended with code 1"
    }
    #expect(try String(contentsOfFile: folder.path("a.jsonl"), encoding: .utf8).isEmpty)
  }

  @Test func `the frozen environment's limits hold and its verifier looks through the camera`() throws {
    let easy = VerifierDescription(task: "push-t", criterion: "benchmark", conditions: [.init(.position, 1000)])
    let strict = VerifierDescription(task: "push-t", criterion: "benchmark", conditions: [.init(.overlap, 1)])
    for (verifier, falsePositives) in [(easy, 2), (strict, 0)] {
      let environment = try FrozenEnvironment.freeze(
        task: "push-t", limits: SafetyLimits(low: [0, 0], high: [512, 512], steps: 5), verifier: verifier, pictures: PictureForm(size: 96))
      let run = try evaluate(trials: 2, samples: environment.hash, environment: environment.json)
      #expect(run.result["environment"]?.string == environment.hash && run.trials.contains("not done after 5 steps"))
      #expect(run.result["verifier"]?["false_positives"]?["successes"]?.int == falsePositives)
      #expect(run.result["verifier"]?["false_positives"]?["trials"] == 2 && run.result["successes"] == 0)
    }
  }

  @Test func `an environment that was changed after it was frozen stops the step before the first trial`() throws {
    let verifier = VerifierDescription(task: "push-t", criterion: "benchmark", conditions: [.init(.overlap, 0.95)])
    var environment = try FrozenEnvironment.freeze(task: "push-t", limits: .pushT, verifier: verifier, pictures: PictureForm(size: 96)).json
    environment["limits"]?["steps"] = 10_000
    #expect { try evaluate(trials: 2, samples: "a", environment: environment) } throws: { "\($0)".contains("changed after it was frozen") }
    #expect(!FileManager.default.fileExists(atPath: folder.path("a.jsonl")))
  }

  @Test func `an environment that is changed while trials run stops them`() throws {
    let verifier = VerifierDescription(task: "push-t", criterion: "benchmark", conditions: [.init(.overlap, 0.95)])
    let directory = folder.make(), samples = folder.path("a.jsonl"), path = directory + "/environment.json"
    try FrozenEnvironment.freeze(task: "push-t", limits: .pushT, verifier: verifier, pictures: nil).write(to: directory)
    Thread.detachNewThread {
      while (try? String(contentsOfFile: samples, encoding: .utf8))?.contains("\n") != true { usleep(500) }
      let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
      try? text.replacingOccurrences(of: "0.95", with: "0.90").write(toFile: path, atomically: true, encoding: .utf8)
    }
    #expect { try evaluate(trials: 2000, samples: "a", env: directory) } throws: { "\($0)".contains("changed after it was frozen") }
    let done = try String(contentsOfFile: samples, encoding: .utf8).split(separator: "\n").count
    #expect((1..<2000).contains(done))
  }

  @Test func `an unknown regime is refused with the known ones`() {
    #expect { try evaluate(trials: 1, samples: "a", policies: [["policy": 1, "regime": "magic"]]) } throws: {
      "\($0)".hasPrefix("policy.json: no regime 'magic'\n  hint: regimes are scripted, heuristic")
    }
  }

  // MARK: -

  private struct Run {
    let directory: String
    let result: JSON
    let trials: String
    let films: [String]
  }

  private func evaluate(
    trials: Int, samples: String, policies: [JSON] = [["policy": 1, "task": "push-t", "regime": "scripted"]], with: JSON = [:],
    station: JSON? = nil, environment: JSON? = nil, env: String? = nil, shard: (Int, Int) = (0, 1)
  ) throws -> Run {
    let directory = folder.make()
    var inputs: JSON = [:]
    inputs["policy"] = .array(
      try policies.enumerated().map { number, policy in
        let path = "\(directory)/policy\(number)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(policy.pretty.utf8).write(to: URL(filePath: path + "/policy.json"))
        return ["path": .string(path), "name": "policy", "digest": .string(Digest(of: policy.canonical).hex)]
      })
    if let environment {
      try Data(environment.pretty.utf8).write(to: URL(filePath: directory + "/environment.json"))
    }
    if environment != nil || env != nil { inputs["env"] = [["path": .string(env ?? directory), "name": "env", "digest": "e"]] }
    return try work(
      directory,
      [
        "mode": "run", "inputs": inputs, "station": station ?? nominal, "samples": .string(folder.path(samples + ".jsonl")),
        "shard": ["index": .integer(shard.0), "count": .integer(shard.1)],
      ], trials, with)
  }

  private func gather(_ shards: [Run], trials: Int) throws -> Run {
    var inputs: JSON = [:]
    for (name, file) in [("result", "result.json"), ("trials", "trials.jsonl"), ("films", "films")] {
      inputs[name] = .array(shards.map { ["path": .string("\($0.directory)/\(file)"), "name": .string(file), "digest": ""] })
    }
    return try work(folder.make(), ["mode": "gather", "inputs": inputs], trials, [:])
  }

  private func work(_ directory: String, _ request: JSON, _ trials: Int, _ with: JSON) throws -> Run {
    var request = request
    var parameters: JSON = ["trials": .integer(trials), "purpose": "search", "films": 2, "confidence": 0.95, "paired": false]
    for (name, value) in with.object ?? [:] { parameters[name] = value }
    (request["step"], request["kind"], request["with"]) = ("evaluate", "evaluate", parameters)
    request["seedRoot"] = .string(Digest(of: "root").hex)
    request["outputs"] = [
      "result": .string(directory + "/result.json"), "trials": .string(directory + "/trials.jsonl"), "films": .string(directory + "/films"),
    ]
    try Data(request.pretty.utf8).write(to: URL(filePath: directory + "/request.json"))
    try Worker.run(requestAt: directory + "/request.json")
    return Run(
      directory: directory, result: try JSON(parsing: Data(contentsOf: URL(filePath: directory + "/result.json"))),
      trials: try String(contentsOfFile: directory + "/trials.jsonl", encoding: .utf8),
      films: try FileManager.default.contentsOfDirectory(atPath: directory + "/films").sorted())
  }
}

/// A temporary directory that goes with the test.
private final class Folder: Sendable {
  private let root = NSTemporaryDirectory() + "enpire-evaluate-" + UUID().uuidString

  init() { try! FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { root + "/" + name }

  /// A new directory in it.
  func make() -> String {
    let path = root + "/" + UUID().uuidString
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }
}
