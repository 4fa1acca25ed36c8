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

  @Test func `a mistake in steps from standard input has its place there`() throws {
    let workspace = try workspace()
    let steps = #"{"steps":\n {"x": {"run": ["cp", "${in.i}", "x"], "in": {"i": "${step.zz.o}"}, "out": {"o": "x"}}}}"#
    let script = "printf '\(steps)' | \(Workspace.program.path()) append -"
    let outcome = workspace.outcome(of: try workspace.start(["-c", script], program: URL(filePath: "/bin/bash")))
    #expect(outcome.code == 65 && outcome.errors.hasPrefix("error: standard input:2:52: no step 'zz'\n"), "\(outcome.errors)")
  }

  @Test func `a run takes in what is appended while it goes on, and goals it brings up to date`() throws {
    let workspace = try workspace()
    let run = try workspace.start(["run", "--json"], number: 1)
    workspace.wait(for: "begun")
    #expect(try append(workspace, step("idle")).code == 0)
    #expect(try append(workspace, step("later")).code == 0)
    let taken = try append(
      workspace, step("b", #""in": {"a": "${step.a}"}, "#) + ", " + step("c", #""in": {"b": "${step.b}"}, "#), "--goal", "--author", "ann",
      "--hypothesis", "b comes after a", "--parent", "a-1")
    #expect(taken.code == 0 && taken.json["steps"]?.array?.map { $0["new"] } == [true, true])
    // What is there already can be made a goal.
    while run.isRunning, workspace.read(".output-1")?.contains("joined") != true { usleep(5000) }
    let again = try append(workspace, step("later"), "--goal")
    #expect(again.code == 0 && again.json["steps"]?.array?.map { $0["new"] } == [false])
    try workspace.write("", to: "go")
    let outcome = workspace.outcome(of: run, number: 1)
    let events = outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
    #expect(outcome.code == 0 && events.last?["ran"] == 4, "\(outcome.output)")
    let joined = events.filter { $0["event"] == "joined" }.flatMap { $0["steps"]?.array ?? [] }
    #expect(Set(joined.compactMap { $0["step"]?.string }) == ["idle", "later", "b", "c"] && joined.contains { $0["author"] == "ann" })
    #expect(workspace.read("c") == "c\n" && workspace.read("later") == "later\n" && workspace.read("idle") == nil)
    let status = try JSON(parsing: try workspace.enpire("status", "--json").output)
    let b = status["steps"]?.array?.first { $0["step"] == "b" }
    #expect(b?["state"] == "up to date" && b?["hypothesis"] == "b comes after a" && b?["parent"] == "a-1")
    // The next run finds nothing to do, and a step that was not asked for can be.
    #expect(try workspace.summary()["ran"] == 0)
    #expect(try workspace.summary("idle")["ran"] == 1)
    #expect(try append(workspace, step("d"), "--goal").code == 0)
    #expect(try workspace.summary()["ran"] == 1 && workspace.read("d") == "d\n")
  }

  @Test func `a parent is a step, one of those appended, or an experiment by its id`() throws {
    let workspace = try workspace()
    let refused = try append(workspace, step("x"), "--parent", "b")
    #expect(refused.code == 64 && refused.errors.contains("no step 'b' to be the parent"), "\(refused.errors)")
    #expect(files(workspace).isEmpty)
    for parent in ["a", "x", "ann-12"] { #expect(try append(workspace, step("x"), "--parent", parent, "--dry-run").code == 0) }
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

  @Test(
    arguments: [
      (#""run": ["true"], "out": {"o": "policy/policy.json"}"#, "step 'eval' reads what lies there"),
      (#""run": ["true"], "out": {"o": "policy/more"}"#, "step 'eval' reads what lies there"),
      (#""run": ["true"], "out": {"o": "policy"}"#, "step 'eval' reads what lies there"),
      (#""run": ["true"], "out": {"o": "demos/2.txt"}"#, "step 'list' reads what lies there"),
      (#""run": ["true"], "out": {"o": "notes"}"#, "would overwrite 'notes', which is not its own"),
      (#""run": ["true"], "out": {"o": "away/enpire-nowhere/x"}"#, "would publish over a link, 'away'"),
      (#""run": ["true"], "out": {"o": "same/3.txt"}"#, "would publish over a link, 'same'"),
      (#""run": ["true"], "out": {"o": "state/3.txt"}"#, "would publish over a link, 'state'"),
      (#""run": ["true"], "in": {"i": "state/state.db"}, "out": {"o": "x"}"#, "lies in the state, or holds it"),
      (#""run": ["true"], "in": {"i": "outside"}, "out": {"o": "x"}"#, "which a link leads out of the manifest's directory"),
      (#""run": ["true"], "out": {"o": "enpire.steps/smuggled.json"}"#, "would publish to 'enpire.steps/smuggled.json'"),
      (#""run": ["true"], "out": {"o": "other.steps/smuggled.json"}"#, "would publish to"),
      (#""run": ["true"], "out": {"o": ".git/hooks/pre-commit"}"#, "would publish to"),
      (#""run": ["true"], "in": {"i": ".enpire/secret"}, "out": {"o": "x"}"#, "'.enpire/secret' lies in the state"),
      (#""run": ["true"], "in": {"i": "demos/../.enpire/secret"}, "out": {"o": "x"}"#, "lies in the state"),
      (#""run": ["true"], "in": {"i": "."}, "out": {"o": "x"}"#, "'.' lies in the state, or holds it"),
      (#""run": ["true"], "in": {"i": "../x"}, "out": {"o": "x"}"#, "reads '../x', which is not below the manifest's directory"),
      (#""run": ["true"], "in": {"i": "/etc/passwd"}, "out": {"o": "x"}"#, "which is not below the manifest's directory"),
      (#""run": ["true"], "sandbox": false, "out": {"o": "x"}"#, "an appended step stays in its sandbox"),
      (#""run": ["true"], "secrets": ["TOKEN"], "out": {"o": "x"}"#, "an appended step has no secrets"),
    ])
  func `nothing that is appended changes what others rest on, or reaches out`(_ step: String, _ sentence: String) throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "steps": {
        "eval": {"run": ["sh", "-c", "cat policy/policy.json > e"], "in": {"p": "policy"}, "out": {"o": "e"}},
        "list": {"run": ["sh", "-c", "ls demos > l"], "in": {"d": "demos/*.txt"}, "out": {"o": "l"}}}}
      """#, files: ["policy/policy.json": "{}", "demos/1.txt": "1", "notes": "mine"])
    for (name, place) in [("away", NSTemporaryDirectory()), ("same", "demos"), ("state", ".enpire"), ("outside", "/etc/hostname")] {
      try FileManager.default.createSymbolicLink(atPath: workspace.path(name).path(), withDestinationPath: place)
    }
    #expect(try workspace.enpire("run").code == 0)
    let refused = try append(workspace, #""z": {\#(step)}"#)
    #expect(refused.code == 65 && refused.errors.contains(sentence), "\(refused.code) \(refused.errors)")
    #expect(files(workspace).isEmpty)
    // What is there is its own, also when it is appended again.
    #expect(try append(workspace, self.step("mine")).code == 0)
    #expect(try workspace.enpire("run", "mine").code == 0)
    try FileManager.default.removeItem(at: workspace.path("enpire.steps"))
    #expect(try append(workspace, self.step("mine")).code == 0)
  }

  /// The checks would hold for those values, and the runs would have others.
  @Test func `who appends sets no variables`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "vars": {"file": "mine"}, "steps": {"a": {"run": ["true"], "phony": true}}}"#, files: ["mine": "precious"])
    let refused = try append(workspace, #""o": {"run": ["true"], "out": {"o": "${var.file}"}}"#, "file=free")
    #expect(refused.code == 64 && refused.errors.contains("append takes no variables, as 'file'") && files(workspace).isEmpty)
  }

  /// As a merge brings it, or a hand.
  @Test func `a file among the appended steps gives no rights`() throws {
    let workspace = try workspace()
    #expect(try append(workspace, step("b")).code == 0)
    let name = "enpire.steps/" + files(workspace)[0]
    for (member, sentence) in [(#""sandbox": false"#, "stays in its sandbox"), (#""secrets": ["HOME"]"#, "has no secrets")] {
      try workspace.write(workspace.read(name)!.replacing(#""run":"#, with: member + #", "run":"#), to: "enpire.steps/z.json")
      try FileManager.default.removeItem(at: workspace.path(name))
      let outcome = try workspace.enpire("run", "b")
      #expect(outcome.code == 65 && outcome.errors.contains(sentence) && outcome.errors.contains("z.json"), "\(outcome.errors)")
      try workspace.write(workspace.read("enpire.steps/z.json")!.replacing(member + #", "#, with: ""), to: name)
      try FileManager.default.removeItem(at: workspace.path("enpire.steps/z.json"))
    }
  }

  @Test func `a name may be long, and an input that cannot be read fails its step alone`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > a"], "out": {"o": "a"}}}}"#, files: ["d/x": "x"])
    let name = String(repeating: "n", count: 240)
    #expect(try append(workspace, #""\#(name)": {"run": ["true"], "phony": true}"#, "--goal").code == 0)
    try FileManager.default.createSymbolicLink(atPath: workspace.path("d/l").path(), withDestinationPath: "x")
    #expect(try append(workspace, #""reads": {"run": ["ls", "d"], "in": {"d": "d"}, "phony": true}"#, "--goal").code == 0)
    let outcome = try workspace.enpire("run", "-k")
    #expect(outcome.code == 66 && outcome.errors.contains("reads: ") && outcome.errors.contains("d/l is neither a file nor a directory"))
    #expect(workspace.read("a") == "a\n" && outcome.errors.contains("2 ran, 1 failed"), "\(outcome.errors)")
    #expect(try workspace.enpire("status").code == 0)
  }

  @Test(arguments: [
    (#"{"forbid": ["trian"]}"#, "no step kind 'trian'"), (#"{"kinds": ["evalute"]}"#, "no step kind 'evalute'"),
    (#"{"purposes": ["sarch"]}"#, "no trials are drawn for 'sarch'"),
  ]) func `a slip in the policy is refused at its place`(_ policy: String, _ sentence: String) throws {
    let workspace = try workspace(#""append": \#(policy), "#)
    let refused = try append(workspace, step("b"))
    #expect(refused.code == 65 && refused.errors.contains(sentence) && refused.errors.contains("enpire.json:1:"), "\(refused.errors)")
  }

  @Test(arguments: [".en*/secret", ".e*"]) func `no pattern reaches into the state`(_ pattern: String) throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "\#(pattern)"}, "out": {"o": "leak"}}}}"#)
    try workspace.write("secret", to: ".enpire/secret")
    let outcome = try workspace.enpire("run")
    #expect(outcome.code != 0 && outcome.errors.contains("lies in the state, or holds it") && workspace.read("leak") == nil, "\(outcome.errors)")
  }

  @Test func `a sharded evaluation costs what its trials do`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "fleet": "fleet.json", "append": {"station_minutes": 0.5, "steps": 30}, "steps": {
        "eval": {"uses": "evaluate", "in": {"policy": "policy"}, "station": {"task": "push-t"}, "with": {"trials": 2, "films": 0}}}}
      """#,
      files: [
        "fleet.json": #"{"fleet": 1, "stations": [{"name": "a", "driver": "push-t-sim", "tasks": ["push-t"], "gap": false}]}"#,
        "policy/policy.json": #"{"policy": 1, "task": "push-t", "regime": "scripted"}"#, "list.json": "[1, 2]",
      ])
    #expect(try workspace.enpire("run").code == 0)
    func evaluation(_ trials: Int, _ shards: String) -> String {
      #""more": {"uses": "evaluate", "in": {"policy": "policy"}, "station": {"task": "push-t"}, \#(shards)"#
        + #""with": {"trials": \#(trials), "films": 0}}"#
    }
    for shards in ["", #""shards": 10, "#] {
      let refused = try append(workspace, evaluation(100_000, shards))
      #expect(refused.code == 78 && refused.errors.contains("stations would be held for"), "\(refused.errors)")
    }
    let spread = try append(
      workspace, #""each": {"run": ["true"], "foreach": {"i": "${step.eval.result}.stations"}, "out": {"o": "each/${matrix.i}"}}"#)
    #expect(spread.code == 65 && spread.errors.contains("nobody knows how many steps this will be"), "\(spread.errors)")
    let whole = try append(workspace, evaluation(2, #""shards": 2, "#).replacing(#""films""#, with: #""bar": 0.5, "films""#))
    #expect(whole.code == 65 && whole.errors.contains("'bar' cannot be split into shards"), "\(whole.errors)")
  }

  @Test func `a run that read only a part goes on with what was appended, as one run`() throws {
    let workspace = try Workspace(files: ["in": "one"])
    let (begun, go) = (workspace.path("begun").path(), workspace.path("go").path())
    let command = "touch \(begun); while ! test -e \(go); do sleep 0.01; done; cp in a"
    let first = #""a": {"run": ["sh", "-c", "\#(command)"], "in": {"i": "in"}, "out": {"o": "a"}}"#
    try workspace.write(
      #"{"manifest": 1, "default": ["a", "s0", "s1", "s2"], "steps": {"#
        + ([first] + (0..<3).map { step("s\($0)") }).joined(separator: ", ") + "}}", to: "enpire.json")
    try workspace.write("", to: "go")
    #expect(try workspace.summary()["ran"] == 4)
    for file in ["go", "begun"] { try FileManager.default.removeItem(at: workspace.path(file)) }
    try workspace.write("two", to: "in")
    let run = try workspace.start(["run", "--json"], number: 1)
    workspace.wait(for: "begun")
    #expect(try append(workspace, step("b", #""in": {"a": "${step.a}"}, "#), "--goal").code == 0)
    try workspace.write("", to: "go")
    let outcome = workspace.outcome(of: run, number: 1)
    let summaries = outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }.filter { $0["event"] == "summary" }
    #expect(outcome.code == 0 && summaries.count == 1 && summaries[0]["ran"] == 2 && summaries[0]["upToDate"] == 3, "\(outcome.output)")
    #expect(workspace.read("b") == "b\n" && workspace.read("a") == "two")
    #expect(try workspace.summary()["ran"] == 0)
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
      // Both had this idea; one of them wants it run.
      #expect(try append(workspace, step("both"), "--author", name, name == "c" ? "--goal" : "--parent=a").code == 0)
      try git("add", ".")
      try git("commit", "-qm", name)
    }
    try git("checkout", "-q", "main")
    try git("merge", "-q", "b")
    try git("merge", "-q", "--no-edit", "c")
    try workspace.write("", to: "go")
    #expect(files(workspace).count { $0.hasPrefix("both") } == 2)
    #expect(try workspace.summary()["ran"] == 4 && workspace.read("both") == "both\n")
    #expect(try workspace.summary()["upToDate"] == 4)
    // Another step under a name that is taken has to be sorted out by somebody, who is told where.
    try FileManager.default.copyItem(at: workspace.path("enpire.steps/\(files(workspace)[0])"), to: workspace.path("enpire.steps/other.json"))
    let other = workspace.read("enpire.steps/other.json")!.replacing("> b", with: "> elsewhere").replacing(#""o": "b""#, with: #""o": "elsewhere""#)
    try workspace.write(other.replacing("echo b", with: "echo other"), to: "enpire.steps/other.json")
    let clash = try workspace.enpire("run")
    #expect(clash.code == 65 && clash.errors.contains("there is a step 'b' already") && clash.errors.contains("enpire.steps/b-"), "\(clash.errors)")
  }

  // MARK: By commands

  private static let grid = """
    import json, sys
    steps = {f"grid/{i}": {"run": ["sh", "-c", f"echo {i} > g{i}"], "out": {"o": f"g{i}"}} for i in range(int(sys.argv[1]))}
    json.dump({"steps": steps}, open(sys.argv[2], "w"))
    open("n", "w").write(sys.argv[1])
    """

  /// `grid` appends as many steps as `count` says, and `all` waits for them.
  private func appending(_ count: Int, _ allowed: String = "true") -> String {
    #"""
    {"manifest": 1, "append": {"steps": 3}, "default": ["all"], "steps": {
      "grid": {"run": ["python3", "${in.script}", "\#(count)", "${append}"], "in": {"script": "grid.py"}, "appends": \#(allowed), "out": {"n": "n"}},
      "all": {"run": ["sh", "-c", "echo all > all"], "after": ["grid"], "out": {"o": "all"}}}}
    """#
  }

  @Test func `a command appends what it found out to be done, within the manifest's budget, and it comes back from the cache`() throws {
    let workspace = try Workspace(appending(2, #""run""#), files: ["grid.py": Self.grid])
    #expect(try workspace.summary()["ran"] == 4 && workspace.read("g1") == "1\n")
    #expect(files(workspace).count == 2)
    #expect(try workspace.summary()["upToDate"] == 4)
    // Its steps are part of its record.
    for name in files(workspace) { try FileManager.default.removeItem(at: workspace.path("enpire.steps/\(name)")) }
    for name in ["g0", "n"] { try FileManager.default.removeItem(at: workspace.path(name)) }
    let back = try workspace.summary()
    #expect(back["ran"] == 0 && back["restored"] == 2 && workspace.read("g0") == "0\n", "\(back)")
    // Nothing is recorded, and what lies there is its own all the same.
    try FileManager.default.removeItem(at: workspace.path(".enpire"))
    #expect(try workspace.summary()["ran"] == 4)
    // One more is one more.
    try workspace.write(appending(3), to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 2)
    try workspace.write(appending(4), to: "enpire.json")
    let over = try workspace.enpire("run")
    #expect(over.code == 1 && over.errors.contains("4 more steps would be 4, and 3 may be appended"), "\(over.errors)")
    try workspace.write(appending(2, #"["train"]"#), to: "enpire.json")
    let forbidden = try workspace.enpire("run")
    #expect(forbidden.code == 65 && forbidden.errors.contains("'grid' may not append a step of kind 'run'"), "\(forbidden.errors)")
  }

  @Test(
    arguments: [
      ("echo '{\"steps\": {' > $1", 1, "what it wants appended is not JSON: line 2"), ("echo '[]' > $1", 1, "what it wants appended has no steps"),
      ("echo '{\"steps\": {\"x\": {\"run\": [\"true\"]}}}' > $1", 65, "grid may not append 'x'"),
      ("echo '{\"steps\": {\"grid/x\": {\"run\": [\"true\"]}}}' > $1", 65, "step 'grid/x' has no 'out'"),
      (#"echo '{"steps": {"grid/x": {"run": ["true"], "sandbox": false, "out": {"o": "x"}}}}' > $1"#, 65, "an appended step stays in its sandbox"),
      ("ln -s /etc/hostname $1", 1, "what it wants appended is no file"), ("mkfifo $1", 1, "neither a file nor a directory"),
      ("mkdir $1", 1, "what it wants appended is no file"),
      ("echo '{\"steps\": {\"grid//x\": {\"run\": [\"true\"], \"phony\": true}}}' > $1", 65, "'grid//x' cannot be a step's name"),
      ("echo '{\"steps\": {\"grid/%\": {\"run\": [\"true\"], \"phony\": true}}}' > $1", 65, "'grid/%' cannot be a step's name"),
    ] as [(String, Int32, String)])
  func `what a command appends wrongly fails it, and leaves nothing`(_ script: String, _ code: Int32, _ sentence: String) throws {
    let words: JSON = ["sh", "-c", .string(script + "; echo > n"), "sh", "${append}"]
    let workspace = try Workspace(
      #"{"manifest": 1, "append": {"steps": 3}, "steps": {"grid": {"run": \#(words.compact), "appends": true, "out": {"n": "n"}}}}"#)
    let outcome = try workspace.enpire("run")
    #expect(outcome.code == code && outcome.errors.contains(sentence), "\(outcome.code) \(outcome.errors)")
    #expect(files(workspace).isEmpty && workspace.read("n") == nil)
  }

  @Test(
    arguments: [
      (#""run": ["true", "${append}"], "appends": true, "out": {"n": "n"}"#, "", "nothing says how many steps 'a' may append"),
      (#""run": ["true", "${x}"], "appends": true, "out": {"n": "n"}"#, #""append": {"steps": 1}, "#, "'${x}' has no root"),
      (#""run": ["true"], "appends": true, "out": {"n": "n"}"#, #""append": {"steps": 1}, "#, "'a' is not told where to write what it appends"),
      (#""run": ["true", "${append}"], "out": {"n": "n"}"#, #""append": {"steps": 1}, "#, "only the words of a command that appends may name"),
      (#""run": ["true", "${append}"], "appends": true, "phony": true"#, #""append": {"steps": 1}, "#, "a phony step appends nothing"),
      (#""run": ["true", "${append}"], "appends": [], "out": {"n": "n"}"#, #""append": {"steps": 1}, "#, "'appends' names no kind"),
    ])
  func `a command says where it appends, and the manifest how much`(_ step: String, _ policy: String, _ sentence: String) throws {
    let workspace = try Workspace(#"{"manifest": 1, \#(policy)"steps": {"a": {\#(step)}}}"#)
    let outcome = try workspace.enpire("check")
    #expect(outcome.code == 65 && outcome.errors.contains(sentence), "\(outcome.code) \(outcome.errors)")
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
