// The command line as people and programs meet it: flags in any order, parts of a workflow, colour, errors of one line, and JSON.

import Foundation
import JSON
import Testing

/// a → b → c, and d beside them; `word` is part of b.
func smallWorkflow() throws -> Workspace {
  try Workspace(
    """
    {"manifest": 1, "vars": {"word": "x"}, "default": ["c", "d"], "steps": {
      "a": {"run": ["sh", "-c", "head -n 1 in.txt > a.txt"], "in": {"i": "in.txt"}, "out": {"o": "a.txt"}},
      "b": {"run": ["sh", "-c", "cat $1 > b.txt; echo $0 >> b.txt", "${var.word}", "${in.i}"], "in": {"i": "${step.a.o}"}, "out": {"o": "b.txt"}},
      "c": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "${step.b.o}"}, "out": {"o": "c.txt"}},
      "d": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "in2.txt"}, "out": {"o": "d.txt"}}}}
    """, files: ["in.txt": "one\nnoise\n", "in2.txt": "two\n"])
}

@Suite struct `The command line` {
  @Test(arguments: [
    ["-j2", "c", "word=y", "-k"], ["word=y", "-j", "2", "c"], ["run", "c", "--jobs=2", "word=y"], ["-kj2", "c", "word=y"],
    ["run", "-sfenpire.json", "c", "word=y"], ["-l5000", "-kl5000.5", "word=y", "c"],
    ["-C.", "word=y", "--", "c"], ["run", "--until", "c", "word=y"],
  ])
  func `options, goals and variables stand in any order, values joined or not`(arguments: [String]) throws {
    let workspace = try smallWorkflow()
    let outcome = workspace.outcome(of: try workspace.start(arguments))
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(workspace.read("c.txt") == "one\ny\n" && workspace.read("d.txt") == nil)
  }

  @Test(arguments: [
    (["run", "--keepgoing"], "error: unknown option '--keepgoing'. Did you mean '--keep-going'?\n"),
    (["--frm", "a"], "error: unknown option '--frm'. Did you mean '--from'?\n"),
    (["run", "-j0"], "error: -j takes a count of 1 or more (see 'enpire run --help')\n"),
    (["run", "-j", "many"], "error: the value 'many' is invalid for '-j <count>' (see 'enpire run --help')\n"),
    (["schedule", "install", "-j0"], "error: -j takes a count of 1 or more (see 'enpire schedule install --help')\n"),
    (["schedule", "instal"], "error: unexpected argument 'instal' (see 'enpire schedule --help')\n"),
    (["--only", "b", "--from", "a"], "error: --only goes with neither --from nor --until\n"),
    (["statsu"], "error: no step 'statsu' in enpire.json\n  hint: did you mean 'enpire status'?\n"),
    (["run", "--until", "d", "c"], "error: the goals do not need 'd'\n  hint: name a goal that does, or none with --until\n"),
  ])
  func `a wrong command line is said in a line, with what was meant, and changes nothing`(arguments: [String], text: String) throws {
    let workspace = try smallWorkflow()
    let outcome = workspace.outcome(of: try workspace.start(arguments))
    #expect(outcome.code == 64 && outcome.errors == text && outcome.output == "")
    #expect(workspace.read("a.txt") == nil)
  }

  @Test func `--until runs up to a step, --from what comes after it, --only that step`() throws {
    let workspace = try smallWorkflow()
    #expect(try workspace.summary("--until", "b")["ran"] == 2)
    #expect(workspace.read("c.txt") == nil)
    let from = try workspace.summary("--from", "b")
    #expect(from["ran"] == 1 && from["upToDate"] == 2, "d does not come after b")
    #expect(try workspace.summary("--only", "d")["ran"] == 1)
    #expect(try workspace.summary("--from", "b", "-B")["ran"] == 2)
  }

  @Test func `what lies outside of the chosen part never runs, and nothing else then does`() throws {
    let workspace = try smallWorkflow()
    for option in ["--from", "--only"] {
      let outcome = try workspace.enpire(option, "b")
      #expect(outcome.code == 3)
      #expect(outcome.errors.contains("a: would have to run, which \(option) leaves out: it has not run before\n  hint: run it first"))
    }
    #expect(try workspace.enpire("-n", "--only", "b").output.hasPrefix("stale    a\n           it must not run"))
    #expect(try JSON(parsing: try workspace.enpire("plan", "--from", "b", "--json").output)["counts"]?["run"] == nil)
    #expect(try workspace.summary()["ran"] == 4)
    try FileManager.default.removeItem(at: workspace.path("a.txt"))
    #expect(try workspace.summary("--only", "b", "word=y")["ran"] == 1)
    #expect(workspace.read("a.txt") == "one\n", "what it needs is restored")
    try workspace.write("three\n", to: "in.txt")
    #expect(try workspace.enpire("--only", "c").code == 3, "no old result is passed off as a new one")
  }

  @Test(arguments: [
    ["-C", "sub", "-f", "../enpire.json"], ["-f", "sub/../enpire.json"], ["-f", "././enpire.json"], ["-f", ".//enpire.json"], ["-f", "WHOLE"],
    ["-f", "link/../../enpire.json"],
  ])
  func `a manifest is the same however its path is written`(arguments: [String]) throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "default": ["s", "up"], "steps": {
        "s": {"run": ["sh", "-c", "grep -c x *.txt > n; true"], "in": {"i": "in.txt"}, "out": {"n": "n"}},
        "up": {"run": ["cp", "in.txt", "up"], "in": {"i": "sub/../in.txt"}, "out": {"o": "up"}}}}
      """, files: ["in.txt": "x\n", "sub/deep/file": ""])
    try FileManager.default.createSymbolicLink(atPath: workspace.path("link").path(), withDestinationPath: "sub/deep")
    let whole = workspace.path("enpire.json").path().replacing("/enpire-", with: "//./enpire-")
    let arguments = arguments.map { $0 == "WHOLE" ? whole : $0 }
    let outcome = try workspace.enpire(["run"] + arguments)
    #expect(outcome.code == 0 && workspace.read("n") == "1\n" && workspace.read("up") == "x\n", "\(outcome.errors)")
    #expect(try workspace.enpire().errors.hasPrefix("nothing to do"))
    try workspace.write(
      """
      {"manifest": 1, "steps": {"a": {"run": ["touch", "o"], "out": {"o": "o"}},
        "b": {"run": ["cp", "o", "p"], "in": {"i": "./o"}, "out": {"p": "p"}}}}
      """, to: "enpire.json")
    #expect(try workspace.enpire(["check"] + arguments).errors.contains("'./o' is what step 'a' publishes"))
  }

  @Test func `--explain says why, on standard error, beside JSON and with -s too`() throws {
    let workspace = try smallWorkflow()
    _ = try workspace.enpire()
    let json = try workspace.enpire("word=y", "--explain", "--json", "b")
    #expect(json.errors == "explain b: command.3: \"x\" → \"y\" (variable word)\n")
    #expect(json.output.split(separator: "\n").allSatisfy { (try? JSON(parsing: String($0))) != nil })
    #expect(try workspace.enpire("word=z", "--explain", "-s", "b").errors == "explain b: command.3: \"y\" → \"z\" (variable word)\n")
    try workspace.write("edited", to: "d.txt")
    #expect(try workspace.enpire("--explain", "-s", "d").errors == "explain d: d.txt is not what is recorded\n")
  }

  @Test(
    arguments: [
      ([:], [], false), (["CLICOLOR_FORCE": "1"], [], true), (["CLICOLOR_FORCE": "0"], [], false),
      (["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], [], false),
      (["NO_COLOR": "1"], ["--color=always"], true), (["CLICOLOR_FORCE": "1"], ["--color", "never"], false),
      (["CLICOLOR_FORCE": "1", "CLICOLOR": "0"], [], true),
    ] as [([String: String], [String], Bool)])
  func `colour follows --color, then NO_COLOR, CLICOLOR_FORCE and CLICOLOR`(environment: [String: String], arguments: [String], coloured: Bool) throws
  {
    let workspace = try smallWorkflow()
    let outcome = workspace.outcome(of: try workspace.start(["run", "a"] + arguments, environment: ["NO_COLOR": ""].merging(environment) { $1 }))
    #expect(outcome.errors.contains("\u{1B}[") == coloured)
    #expect(!outcome.errors.contains("\r"), "no live line where it is no terminal")
  }

  @Test(arguments: [("CI=1", false, true), ("TERM=dumb", false, false), ("TERM=xterm", true, true), ("NO_COLOR=1", true, false)])
  func `on a terminal what runs is drawn over, not with CI or TERM=dumb`(setting: String, live: Bool, coloured: Bool) throws {
    let workspace = try smallWorkflow()
    // script(1) gives the program a terminal.
    let command = "env -u CI -u NO_COLOR TERM=xterm \(setting) \(Workspace.program.path()) run a"
    let outcome = workspace.outcome(
      of: try workspace.start(["-qec", command, "/dev/null"], program: URL(filePath: "/usr/bin/script")))
    #expect(outcome.output.contains("\u{1B}[J") == live, "\(outcome.output)")
    #expect(outcome.output.contains("\u{1B}[32m") == coloured)
  }

  @Test func `an error is a JSON line too, with its place and the name of its code`() throws {
    let workspace = try Workspace("{\"manifest\": 1,\n  \"stepz\": {}}")
    let outcome = try workspace.enpire("plan", "--json")
    let error = try JSON(parsing: outcome.output)
    #expect(outcome.code == 65 && error["exit"] == 65 && error["name"] == "manifest" && error["event"] == "error")
    #expect(error["place"] == ["file": "enpire.json", "line": 2, "column": 3] && error["hint"] == "did you mean 'steps'?")
    #expect(outcome.errors.hasPrefix("error: enpire.json:2:3: unknown key 'stepz'"))
  }

  @Test(
    arguments: [
      (["run", "-f", "dir"], 66), (["append", "dir"], 66), (["append", "none"], 66), (["fmt", "none"], 66), (["fmt", "dir"], 66),
      (["recipe", "validate", "none"], 66), (["recipe", "diff", "dir", "none"], 66), (["label", "-ox.json", "none.mp4"], 66),
      (["run", "--trace", "none/x"], 74), (["run", "--trace", "dir"], 74), (["run", "--events", "none/x"], 74),
    ] as [([String], Int32)])
  func `a file that cannot be read ends every verb alike, and so does one that cannot be written`(words: [String], code: Int32) throws {
    let workspace = try smallWorkflow()
    try workspace.write("", to: "dir/file")
    let outcome = try workspace.enpire(words)
    #expect(outcome.code == code, "\(outcome.errors)")
  }

  private func shell(_ workspace: Workspace, _ script: String) throws -> Outcome {
    let script = script.replacingOccurrences(of: "enpire", with: Workspace.program.path())
    return workspace.outcome(of: try workspace.start(["-c", script], program: URL(filePath: "/bin/bash")))
  }

  @Test(arguments: ["plan --json", "plan", "status", "graph", "check", "fmt - < graph.json", "kinds --json", "--help", "run --json", "run -n"])
  func `output that cannot be written is told once and ends with 74, unless nobody reads it`(words: String) throws {
    let workspace = try smallWorkflow()
    try workspace.write("{}", to: "graph.json")
    let full = try shell(workspace, "enpire \(words) > /dev/full")
    #expect(full.code == 74, "\(full.errors)")
    #expect(full.errors == "error: cannot write standard output: No space left on device\n")
    #expect((workspace.read("c.txt") != nil) == (words == "run --json"), "a run goes on")
    let closed = try shell(workspace, "enpire \(words) | true")
    #expect(closed.code == 0 && !closed.errors.contains("error:"), "\(closed.errors)")
  }

  @Test(arguments: ["--events", "--trace"]) func `a run whose events or trace cannot be written goes on, and ends with 74`(option: String) throws {
    let workspace = try smallWorkflow()
    let outcome = try workspace.enpire("run", option, "/dev/full")
    #expect(outcome.code == 74 && outcome.errors.components(separatedBy: "warning: ").count == 2, "\(outcome.errors)")
    #expect(outcome.errors.contains(": No space left on device\n") && workspace.read("c.txt") == "one\nx\n")
    try FileManager.default.removeItem(at: workspace.path("in.txt"))
    #expect(try workspace.enpire("run", option, "/dev/full").code == 66, "what else went wrong goes before")
  }

  @Test func `-q with --json gives a run's summary`() throws {
    let workspace = try smallWorkflow()
    let before = try workspace.enpire("-q", "--json", "c")
    let asked = try JSON(parsing: before.output)
    #expect(before.code == 3 && asked["event"] == "summary" && asked["exit"] == 3 && asked["name"] == "stale" && asked["notReached"] == 3, "\(asked)")
    _ = try workspace.enpire("c")
    #expect(try workspace.summary("-q", "c")["upToDate"] == 3)
    #expect(try workspace.enpire("-q", "word=y", "c").output == "")
    let part = try workspace.summary("-q", "word=y", "c")
    #expect(part["exit"] == 3 && part["upToDate"] == 1 && part["notReached"] == 2, "\(part)")
  }

  @Test func `plan as JSON has actions, reasons, keys and what time it would take`() throws {
    let workspace = try smallWorkflow()
    _ = try workspace.enpire()
    let plan = try JSON(parsing: try workspace.enpire("plan", "--json", "word=y").output)
    #expect(plan["plan"] == 1 && plan["counts"] == ["run": 1, "then": 1, "up-to-date": 2])
    let b = try #require(plan["steps"]?.array?.first { $0["step"] == "b" })
    #expect(b["action"] == "run" && b["key"]?.string?.count == 64 && b["seconds"]?.double != nil)
    #expect(b["differences"]?[0]?["variables"] == ["word"] && b["differences"]?[0]?["old"] == "x" && b["differences"]?[0]?["new"] == "y")
    #expect(plan["span_seconds"]!.double! <= plan["work_seconds"]!.double! && plan["span_seconds"]!.double! > 0)
    #expect(try JSON(parsing: try workspace.enpire("plan", "--json", "--limit", "1").output)["omitted"] == 3)
  }

  @Test func `of many steps a plan and a status show some, and count the rest`() throws {
    let steps = (0..<300).map { #""s\#($0)": {"run": ["true"], "out": {"o": "o\#($0)"}}"# }.joined(separator: ", ")
    let workspace = try Workspace(#"{"manifest": 1, "steps": {\#(steps), "all": {"run": ["true"], "after": ["s0"], "out": {"o": "x"}}}}"#)
    let goals = (0..<300).map { "s\($0)" }
    let plan = workspace.outcome(of: try workspace.start(["plan"] + goals)).output.split(separator: "\n")
    #expect(plan.count == 102 && plan[100] == "and 250 more (250 run); --limit 0 shows all" && plan[101] == "300 of 300 steps; 0 are up to date")
    #expect(workspace.outcome(of: try workspace.start(["plan", "--limit", "0"] + goals)).output.split(separator: "\n").count == 601)
    let status = try workspace.enpire("status").output.split(separator: "\n")
    #expect(status.count == 201 && status[200] == "and 101 more; in all 300 to run, 1 waiting; --limit 0 shows all")
  }

  @Test func `history lists runs with their counts, and a step's executions`() throws {
    let workspace = try smallWorkflow()
    #expect(try workspace.enpire("history").output == "nothing has run here yet\n")
    _ = try workspace.enpire()
    _ = try workspace.enpire()
    _ = try workspace.enpire("word=y")
    let runs = try #require(try JSON(parsing: try workspace.enpire("history", "--json").output)["runs"]?.array)
    #expect(runs.count == 2, "a run with nothing to do is none")
    #expect(runs[0]["counts"]?["ran"] == 2 && runs[0]["counts"]?["upToDate"] == 2 && runs[0]["name"] == "success" && runs[1]["counts"]?["ran"] == 4)
    #expect(try workspace.enpire("history").output.contains("success  2 ran, 2 up to date\n"))
    let executions = try JSON(parsing: try workspace.enpire("history", "b", "--json").output)["executions"]!.array!
    #expect(executions.map { $0["run"] } == [2, 1] && executions[0]["outcome"] == "done")
    #expect(try JSON(parsing: try workspace.enpire("history", "--json", "--limit", "1").output)["runs"]!.array!.count == 1)
  }

  @Test func `why --last says what a run decided: ran, restored, skipped or could not start`() throws {
    let workspace = try smallWorkflow()
    #expect(try workspace.enpire("why", "--last").code == 64)
    _ = try workspace.enpire()
    try FileManager.default.removeItem(at: workspace.path("d.txt"))
    _ = try workspace.enpire("word=y")
    #expect(
      try workspace.enpire("why", "--last").output == """
        b: ran
          command.3: "x" → "y" (variable word)
        c: ran
          input i: b.txt changed (8d1ae43c969b → 290418937467)
        d: was restored
          d.txt

        """)
    #expect(try workspace.enpire("why", "--last", "a").output == "a: was up to date in run 2, or not asked for\n")
    #expect(try workspace.enpire("why", "--run", "1", "b").output == "b: ran\n  it has not run before\n")
    let line = try JSON(parsing: try workspace.enpire("why", "--last", "--json", "b").output)
    #expect(line["run"] == 2 && line["action"] == "run" && line["differences"]?[0]?["what"] == "command")
    try FileManager.default.removeItem(at: workspace.path("in.txt"))
    _ = try workspace.enpire("-k")
    let last = try workspace.enpire("why", "--last").output
    #expect(last.contains("a: could not start\n  step a: no file 'in.txt'\n") && last.contains("c: was skipped\n"))
    func what(_ words: String...) throws -> JSON? {
      try JSON(parsing: try workspace.enpire(["why", "--json"] + words).output)["differences"]?[0]?["what"]
    }
    #expect(try what("--last", "a") == "failure" && what("--last", "c") == "skipped" && what("--run", "2", "d") == "output")
  }

  @Test func `why compares a record with now, as text and as JSON`() throws {
    let workspace = try smallWorkflow()
    _ = try workspace.enpire()
    let recorded = try JSON(parsing: try workspace.enpire("why", "b", "--json").output)
    #expect(recorded["action"] == "up-to-date" && recorded["key"] == recorded["recorded_key"])
    try workspace.write("uno\n", to: "in.txt")
    let changed = try JSON(parsing: try workspace.enpire("why", "a", "--json").output)
    #expect(changed["differences"]?[0]?["what"] == "input" && changed["differences"]?[0]?["new"]?.string?.count == 64)
    #expect(changed["key"] != changed["recorded_key"])
  }

  @Test func `a log is bounded as JSON, with how the attempt ended`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "seq 500; false"], "out": {"o": "o"}}}}"#)
    _ = try workspace.enpire()
    let log = try JSON(parsing: try workspace.enpire("log", "a", "--json").output)
    #expect(log["lines"]?.array?.count == 200 && log["omitted"] == 300 && log["lines"]?[199] == "500" && log["outcome"] == "failed")
    #expect(try workspace.enpire("log", "a", "--tail", "2").output == "499\n500\n")
  }

  @Test func `one thing is told of as one`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["true"], "phony": true}, "b": {"run": ["echo"], "phony": true, "after": "a"}}}"#)
    #expect(try workspace.enpire("check").output == "enpire: 2 steps, 0 stations\n")
    #expect(try workspace.enpire("run", "a").code == 0)
    #expect(try workspace.enpire("plan").output.hasSuffix("1 of 2 steps; 1 is up to date\n"))
    #expect(try workspace.enpire("gc").output.hasSuffix("; 1 record with 0 B stays\n"))
  }

  @Test func `graph and check speak JSON`() throws {
    let workspace = try smallWorkflow()
    let graph = try JSON(parsing: try workspace.enpire("graph", "--format", "json").output)
    #expect(graph["graph"] == 1 && graph["steps"]?.array?.count == 4 && graph["edges"] == [["from": "a", "to": "b"], ["from": "b", "to": "c"]])
    #expect(try JSON(parsing: try workspace.enpire("check", "--json").output)["steps"] == 4)
  }

  @Test func `the command of a failure's hint can be pasted`() throws {
    let workspace = try Workspace()
    try workspace.write(
      #"{"manifest": 1, "steps": {"b": {"run": ["sh", "-c", "echo said; exit 3"], "phony": true, "matrix": {"x": ["it's"]}}}}"#, to: "my flow.json")
    let outcome = try workspace.enpire("run", "-f", "my flow.json")
    #expect(outcome.errors.contains(#"hint: enpire log -f 'my flow.json' 'b[x=it'\''s]' shows all that it printed"#), "\(outcome.errors)")
    #expect(try workspace.enpire("log", "-f", "my flow.json", "b[x=it's]").output == "said\n")
  }

  @Test func `names with any text in them break neither pictures nor tables`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"m": {"run": ["echo"], "phony": true, "matrix": {"x": [{"a": "q\"<#`\\"}, "l\nr"]}}}}"#)
    let dot = try workspace.enpire("graph").output
    #expect(dot.contains(#"  "m[x={\"a\":\"q\\\"<#`\\\\\"}]" [label="m[x={\"a\":\"q\\\"<#`\\\\\"}]\nrun"]"#), "\(dot)")
    #expect(dot.contains(#"  "m[x=l\nr]" [label="m[x=l\nr]\nrun"]"#), "\(dot)")
    let mermaid = try workspace.enpire("graph", "--format", "mermaid").output
    #expect(mermaid.contains(#"  s0["m[x={#34;a#34;:#34;q#92;#34;#60;#35;#96;#92;#92;#34;}]<br/>run"]"#), "\(mermaid)")
    #expect(mermaid.contains(#"  s1["m[x=l#10;r]<br/>run"]"#), "\(mermaid)")
    let status = try workspace.enpire("status").output
    #expect(status.split(separator: "\n").count == 2 && status.contains(#"m[x=l\nr]  "#), "\(status)")
  }

  @Test func `a user's configuration gives defaults, and is strict`() throws {
    let workspace = try smallWorkflow()
    let environment = ["XDG_CONFIG_HOME": workspace.path("config").path(), "NO_COLOR": ""]
    try workspace.write(#"{"config": 1, "jobs": 1, "color": "always"}"#, to: "config/enpire/config.json")
    #expect(try workspace.enpire("a", environment: environment).errors.contains("\u{1B}["))
    #expect(try workspace.enpire("a", "-B", environment: environment.merging(["CLICOLOR": "0"]) { $1 }).errors.contains("\u{1B}[") == false)
    try workspace.write(#"{"config": 1, "sandbox": "no"}"#, to: "config/enpire/config.json")
    #expect(try workspace.enpire("a", environment: environment).errors.contains("config.json:1:26: 'sandbox' must be auto, bwrap or none"))
    try workspace.write("{\"config\": 1,\n \"job\": 1}", to: "config/enpire/config.json")
    let outcome = try workspace.enpire("a", environment: environment)
    #expect(
      outcome.code == 65 && outcome.errors.contains("config/enpire/config.json:2:2: unknown key 'job'")
        && outcome.errors.contains("did you mean 'jobs'?"))
  }
}
