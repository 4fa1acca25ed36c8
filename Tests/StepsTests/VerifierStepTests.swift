// From a source file to a program in a trial, and from clips to a verifier that is frozen, used, audited and watched.

import Foundation
import JSON
import Robot
import Testing

@Suite struct `Programs in steps` {
  private static let station: JSON = ["name": "sim-1", "driver": "push-t-sim", "tasks": ["push-t"], "gap": false]

  private func compile(_ run: StepRun, _ name: String, _ text: String, role: String = "policy", must: Bool = true) throws {
    try Data(text.utf8).write(to: URL(filePath: run.directory + "/" + name))
    try? FileManager.default.removeItem(atPath: run.directory + "/program")
    try run.run(
      "compile-program", inputs: ["source": run.directory + "/" + name], with: ["role": .string(role), "task": "push-t", "must": .bool(must)],
      outputs: ["program": "program", "report": "report.json"])
  }

  private static let still = """
    import sys
    for line in sys.stdin:
        words = line.split()
        print("act", words[1], words[2], flush=True) if words[0] == "observe" else print("ready", flush=True)
    """

  @Test func `a program that was compiled is evaluated like any policy, and its failure is the trial's`() throws {
    let run = try StepRun()
    defer { run.remove() }
    try compile(run, "still.py", Self.still)
    #expect(try run.json("report.json") == ["report": 1, "compiled": true, "errors": [], "problem": nil])
    let with: JSON = ["trials": 2, "purpose": "search", "films": 0, "confidence": 0.95, "paired": false]
    let outputs = ["result": "result.json", "trials": "trials.jsonl", "films": "films"]
    try run.run("evaluate", inputs: ["policy": run.directory + "/program"], with: with, outputs: outputs, station: Self.station)
    #expect(try run.json("result.json")["trials"] == 2 && run.json("result.json")["unknown"] == 0)
    #expect(try String(contentsOfFile: run.directory + "/trials.jsonl", encoding: .utf8).contains("not done after 300 steps"))

    try compile(
      run, "late.py",
      Self.still.replacingOccurrences(of: "words = line.split()", with: "words = line.split(); reset = words[0] == 'reset' and exit(7)"), must: false)
    #expect(try run.json("report.json")["problem"] == "ended with code 7")
  }

  @Test func `what does not compile fails with its line, or is a result`() throws {
    let run = try StepRun()
    defer { run.remove() }
    #expect { try compile(run, "bad.swift", "let x = 1\nlet y = x + \"1\"\n") } throws: { "\($0)".hasPrefix("bad.swift:2:") }
    try compile(run, "bad.swift", "let x = 1\nlet y = undefined\n", must: false)
    let report = try run.json("report.json")
    #expect(report["compiled"] == false && report["errors"]?[0]?["line"] == 2 && report["errors"]?[0]?["column"] == 9)
    #expect(report["errors"]?[0]?["message"] == "cannot find 'undefined' in scope")
  }

  @Test func `a verifier is made a program, proved, frozen, used in trials, and not believed through another light`() throws {
    let run = try StepRun()
    defer { run.remove() }
    try run.ingestShipped()
    func synthesize(precision: Double) throws {
      try? FileManager.default.removeItem(atPath: run.directory + "/verifier")
      try run.run(
        "synthesize-reward", inputs: ["demos": run.directory + "/dataset"],
        with: [
          "task": "push-t", "criterion": "benchmark", "precision": .number(precision), "recall": 0.5, "latency_ms": 1000, "clips": 36, "camera": 384,
          "seed": 0, "looks": 2, "enforce": true,
        ], outputs: ["verifier": "verifier"])
    }
    try synthesize(precision: 0.7)
    let report = try run.json("verifier/report.json")
    #expect(report["looks"]?.array?.last?["passed"] == true && report["clips"]?["sealed"]?["success"]?["clips"]?.int ?? 0 > 3)
    #expect(report["demonstrations"]?["false_positives"] == 0, "no person's episode is done by the benchmark's criterion")
    let source = try String(contentsOfFile: run.directory + "/verifier/program/verifier.swift", encoding: .utf8)
    #expect(source.contains("func conditionsHold(") && source.contains("case \"observe\""))

    let freeze: JSON = [
      "task": "push-t", "low": [0, 0], "high": [512, 512], "steps": 5, "settle_steps": 1, "camera": 384, "camera_period": 5,
    ]
    try run.run("freeze-environment", inputs: ["verifier": run.directory + "/verifier"], with: freeze, outputs: ["environment": "environment"])
    let environment = try FrozenEnvironment(directory: run.directory + "/environment")
    #expect(environment.program?.language == .swift && environment.verifier != nil)

    // It was made for these pictures, and is frozen for no others; and a policy is no verifier.
    for (name, value) in [("camera", 96 as JSON), ("drawing", "gym")] {
      var other = freeze
      other[name] = value
      #expect {
        try run.run("freeze-environment", inputs: ["verifier": run.directory + "/verifier"], with: other, outputs: ["environment": "other"])
      } throws: { "\($0)".contains("was made for pictures of 384 pixels, drawn smooth, not of ") }
    }
    try compile(run, "still.py", Self.still)
    #expect {
      try run.run("freeze-environment", inputs: ["verifier": run.directory + "/program"], with: freeze, outputs: ["environment": "other"])
    } throws: { "\($0)".contains("the program is a policy, not a verifier") }

    // The program is asked in trials, and what it says is audited.
    try run.run(
      "evaluate", inputs: ["policy": run.directory + "/program", "env": run.directory + "/environment"],
      with: ["trials": 2, "purpose": "search", "films": 0, "confidence": 0.95, "paired": false],
      outputs: ["result": "result.json", "trials": "trials.jsonl", "films": "films"], station: Self.station)
    #expect(try run.json("result.json")["verifier"]?["false_positives"]?["trials"] == 2)
    #expect(try run.json("result.json")["verifier"]?["unknown"] == 0)

    func check(_ camera: JSON, must: Bool) throws -> JSON {
      var station = Self.station
      station["camera"] = camera
      try run.run(
        "check-verifier", inputs: ["verifier": run.directory + "/verifier", "env": run.directory + "/environment"], with: ["must": .bool(must)],
        outputs: ["drift": "drift.json"], station: station)
      return try run.json("drift.json")
    }
    let same = try check([:], must: true)
    #expect(same["believed"] == true && same["now"] == report["sealed"])
    #expect(try check(["light": 0.4], must: false)["believed"] == false)
    #expect { try check(["light": 0.4], must: true) } throws: { "\($0)".contains("not to be believed on station sim-1 any more: precision") }

    // A byte of the program changed: no trial is run.
    let program = run.directory + "/environment/verifier/program"
    try (Data(contentsOf: URL(filePath: program)) + Data([0])).write(to: URL(filePath: program))
    #expect(throws: FrozenEnvironmentError.self) { try environment.check() }
    #expect { try check([:], must: true) } throws: { "\($0)".contains("was changed: program is not what program.json says") }
  }

  @Test func `a verifier below its bar is refused with the worst clips`() throws {
    let run = try StepRun()
    defer { run.remove() }
    try run.ingestShipped()
    #expect {
      try run.run(
        "synthesize-reward", inputs: ["demos": run.directory + "/dataset"],
        with: [
          "task": "push-t", "criterion": "benchmark", "precision": 1, "recall": 1, "latency_ms": 1000, "clips": 36, "camera": 48, "drawing": "gym",
          "seed": 0, "looks": 1, "enforce": true,
        ], outputs: ["verifier": "verifier"])
    } throws: { error in
      let text = "\(error)"
      return text.contains("wanted are 100.0 % and 100.0 %, which none of 1 tried reaches. Worst clips: ") && text.contains("worst-clips.png")
    }
    #expect(FileManager.default.fileExists(atPath: run.directory + "/progress/worst-clips.png"))
  }
}

extension StepRun {
  /// A data set of one shipped episode.
  func ingestShipped() throws {
    let demos = StepRun.checkout + "workflows/demos/push-t"
    try run(
      "ingest-demos", inputs: ["videos": demos + "/videos/episode_000.mp4", "labels": demos + "/labels.json"],
      with: ["task": "push-t", "max_lost": 0.2, "workspace": [], "broken_tail": "refuse"], outputs: ["dataset": "dataset"])
  }
}
