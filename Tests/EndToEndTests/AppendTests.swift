// Steps that come from outside while a workflow runs: taken whole or not at all, once, by whoever and however many append.

import Foundation
import JSON
import Testing

@Suite struct `Appending` {
  /// `a` waits until the test lets it go.
  private func workspace(_ more: String = "") throws -> Workspace {
    let workspace = try Workspace()
    try workspace.write(
      """
      {"manifest": 1, \(more)"steps": {"a": {"run": ["sh", "-c", "touch \(workspace.path("begun").path()); \
      while ! test -e \(workspace.path("go").path()); do sleep 0.01; done; echo a > a"], "out": {"o": "a"}}}}
      """, to: "enpire.json")
    return workspace
  }

  private func step(_ name: String, _ needs: String = "") -> String {
    #""\#(name)": {"run": ["sh", "-c", "echo \#(name) > \#(name)"], \#(needs)"out": {"o": "\#(name)"}}"#
  }

  private func append(_ workspace: Workspace, _ steps: String, _ arguments: String...) throws -> (code: Int32, json: JSON, errors: String) {
    let name = "steps-\(UUID().uuidString)"
    try workspace.write(#"{"steps": {\#(steps)}}"#, to: name)
    defer { try? FileManager.default.removeItem(at: workspace.path(name)) }
    let outcome = workspace.outcome(of: try workspace.start(["append", "--json", name] + arguments, number: 7), number: 7)
    return (outcome.code, (try? JSON(parsing: outcome.output)) ?? [:], outcome.errors)
  }

  private func files(_ workspace: Workspace) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: workspace.path("enpire.steps").path())) ?? []).sorted()
  }

  @Test func `a run takes in what is appended while it goes on, and goals it brings up to date`() throws {
    let workspace = try workspace()
    let run = try workspace.start(["run", "--json"], number: 1)
    workspace.wait(for: "begun")
    #expect(try append(workspace, step("idle")).code == 0)
    let taken = try append(
      workspace, step("b", #""in": {"a": "${step.a}"}, "#) + ", " + step("c", #""in": {"b": "${step.b}"}, "#), "--goal", "--author", "ann",
      "--hypothesis", "b comes after a", "--parent", "a-1")
    #expect(taken.code == 0 && taken.json["steps"]?.array?.map { $0["new"] } == [true, true])
    try workspace.write("", to: "go")
    let outcome = workspace.outcome(of: run, number: 1)
    let events = outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
    #expect(outcome.code == 0 && events.last?["ran"] == 3, "\(outcome.output)")
    let joined = events.filter { $0["event"] == "joined" }.flatMap { $0["steps"]?.array ?? [] }
    #expect(Set(joined.compactMap { $0["step"]?.string }) == ["idle", "b", "c"] && joined.contains { $0["author"] == "ann" })
    #expect(workspace.read("c") == "c\n" && workspace.read("idle") == nil)
    let status = try JSON(parsing: try workspace.enpire("status", "--json").output)
    let b = status["steps"]?.array?.first { $0["step"] == "b" }
    #expect(b?["state"] == "up to date" && b?["hypothesis"] == "b comes after a" && b?["parent"] == "a-1")
    // The next run finds nothing to do, and a step that was not asked for can be.
    #expect(try workspace.summary()["ran"] == 0)
    #expect(try workspace.summary("idle")["ran"] == 1)
    #expect(try append(workspace, step("d"), "--goal").code == 0)
    #expect(try workspace.summary()["ran"] == 1 && workspace.read("d") == "d\n")
  }

  @Test(
    arguments: [
      (#""x": {"uses": "freeze-enviroment"}"#, 65, "no step kind 'freeze-enviroment'"),
      (#""a": {"run": ["true"], "out": {"o": "b"}}"#, 65, "there is a step 'a' already"),
      (
        #""x": {"run": ["true"], "in": {"y": "${step.y}"}, "out": {"o": "x"}}, "y": {"run": ["true"], "in": {"x": "${step.x}"}, "out": {"o": "y"}}"#,
        65, "steps wait for each other: x → y → x"
      ),
      (#""x": {"run": ["true"], "out": {"o": "a"}}"#, 65, "steps 'a' and 'x' both publish to 'a'"),
      (#""x": {"run": ["true"], "out": {"o": "a/below"}}"#, 65, "both publish"),
      (#""x": {"run": ["true"], "out": {"o": "enpire.json"}}"#, 65, "would overwrite enpire.json"),
      (#""x": {"uses": "synthesize-reward", "in": {"demos": "enpire.json"}}"#, 65, "a step of kind 'synthesize-reward' may not be appended here"),
      (#""ok": {"run": ["true"], "out": {"o": "ok"}}, "x": {"run": ["true"], "in": {"i": "${step.non}"}, "out": {"o": "x"}}"#, 65, "no step 'non'"),
      (#""p": {"run": ["true"], "matrix": {"i": [1, 2, 3, 4]}, "out": {"o": "p${matrix.i}"}}"#, 78, "4 more steps would be 4, and 3 may be appended"),
    ] as [(String, Int32, String)])
  func `what does not fit is refused whole, before a byte is written`(_ steps: String, _ code: Int32, _ sentence: String) throws {
    let workspace = try workspace(#""append": {"forbid": ["synthesize-reward", "freeze-environment"], "steps": 3}, "#)
    for dry in [["--dry-run"], []] {
      try workspace.write(#"{"steps": {\#(steps)}}"#, to: "steps")
      let outcome = workspace.outcome(of: try workspace.start(["append", "steps"] + dry))
      #expect(outcome.code == code && outcome.errors.contains(sentence), "\(outcome.code) \(outcome.errors)")
    }
    #expect(files(workspace).isEmpty && workspace.read(".enpire/append.pending") == nil)
  }

  @Test func `appended trials are for what the manifest allows, and stations for as long`() throws {
    let workspace = try workspace(#""append": {"purposes": ["search"], "station_minutes": 10}, "fleet": "fleet.json", "#)
    try workspace.write(#"{"fleet": 1, "stations": [{"name": "s", "driver": "push-t-sim", "tasks": ["t"]}]}"#, to: "fleet.json")
    func evaluate(_ purpose: String) -> String {
      #""e": {"uses": "evaluate", "in": {"policy": "fleet.json", "env": "fleet.json"}, "station": {"task": "t"}, "with": {"trials": 9, "purpose": "\#(purpose)"}}"#
    }
    let refused = try append(workspace, evaluate("held-out"))
    #expect(refused.code == 65 && refused.errors.contains("trials for 'held-out' may not be appended here"), "\(refused.errors)")
    #expect(try append(workspace, evaluate("search")).code == 0)
    #expect(files(workspace).count == 1)
  }

  @Test func `a step that is there is no mistake, and one that does the same is told of`() throws {
    let workspace = try workspace()
    #expect(try append(workspace, step("b"), "--author", "ann").code == 0)
    let again = try append(workspace, step("b"), "--author", "bob")
    #expect(again.code == 0 && again.json["steps"]?[0]?["new"] == false && files(workspace).count == 1)
    let demos = #"{"uses": "ingest-demos", "in": {"videos": "v.mp4", "labels": "l.json"}}"#
    #expect(try append(workspace, #""m": \#(demos)"#).code == 0)
    #expect(try append(workspace, #""n": \#(demos)"#, "-n").json["steps"]?[0]?["same_as"] == "m")
  }

  @Test func `who appends for a revision is told when it is another`() throws {
    let workspace = try workspace()
    let revision = try JSON(parsing: try workspace.enpire("status", "--json").output)["revision"]?.string ?? ""
    let first = try append(workspace, step("b"), "--revision", revision)
    #expect(first.code == 0)
    let late = try append(workspace, step("c"), "--revision", revision)
    #expect(late.code == 76 && late.errors.contains("the workflow is at revision \(first.json["revision"]?.string ?? "?"), not at \(revision)"))
    #expect(files(workspace).count == 1)
    #expect(try append(workspace, step("c"), "--revision", first.json["revision"]?.string ?? "").code == 0)
  }

  @Test func `a dry run tells what steps of a kind took`() throws {
    let workspace = try workspace()
    try workspace.write("", to: "go")
    #expect(try workspace.summary()["ran"] == 1)
    let known = try append(workspace, step("b"), "-n").json
    #expect(known["written"] == false && known["cost"]?["steps"] == 1 && known["cost"]?["unknown"] == 0 && known["cost"]?["seconds"]?.double ?? 0 > 0)
    let unknown = try append(workspace, #""t": {"run": ["true"], "phony": true}"#, "-n").json["cost"]
    #expect(unknown?["unknown"] == 1 && unknown?["seconds"] == 0)
  }

  @Test func `a batch whose writer was killed is finished by whoever comes next`() throws {
    let workspace = try workspace()
    let directory = workspace.path("enpire.steps").path()
    let note: JSON = [
      "pending": 1, "directory": .string(directory),
      "files": .array(
        ["b", "c"].map { name in
          [
            "name": "\(name)-1.json",
            "json": ["append": 1, "name": .string(name), "step": try! JSON(parsing: "{\(step(name))}")[name]!, "goal": true],
          ]
        }),
    ]
    try workspace.write(note.compact, to: ".enpire/append.pending")
    try workspace.write("", to: "go")
    #expect(try workspace.summary()["ran"] == 3)
    #expect(files(workspace) == ["b-1.json", "c-1.json"] && workspace.read(".enpire/append.pending") == nil)
  }

  @Test func `two branches that appended merge without conflict, and run both`() throws {
    let workspace = try workspace()
    try workspace.write(".enpire/\nbegun\ngo\n.[eo]*\n", to: ".gitignore")
    func git(_ words: String...) throws {
      let outcome = workspace.outcome(
        of: try workspace.start(["-c", "user.name=t", "-c", "user.email=t@t"] + words, program: URL(filePath: "/usr/bin/git"), number: 3), number: 3)
      #expect(outcome.code == 0, "git \(words): \(outcome.errors)")
    }
    try git("init", "-qb", "main")
    try git("add", ".")
    try git("commit", "-qm", "start")
    for name in ["b", "c"] {
      try git("checkout", "-qb", name, "main")
      #expect(try append(workspace, step(name, #""in": {"a": "${step.a}"}, "#), "--goal", "--author", name).code == 0)
      try git("add", ".")
      try git("commit", "-qm", name)
    }
    try git("checkout", "-q", "main")
    try git("merge", "-q", "b")
    try git("merge", "-q", "--no-edit", "c")
    try workspace.write("", to: "go")
    #expect(try workspace.summary()["ran"] == 3)
  }

  /// `make study-append` does the same with 16 processes and 1,000 steps each.
  @Test func `many append at once while runs are killed: what was accepted ran once, what was refused left no trace`() throws {
    let workspace = try Workspace()
    let study = Workspace.repository.appending(path: "Benchmarks/append/study.py").path()
    let outcome = workspace.outcome(
      of: try workspace.start(["python3", study, Workspace.program.path(), "4", "30", "5"], program: URL(filePath: "/usr/bin/env")))
    #expect(outcome.code == 0, "\(outcome.output) \(outcome.errors)")
  }
}
