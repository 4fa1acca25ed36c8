// Branches, outputs that may be left out, steps without outputs, and what does not count.

import Foundation
import JSON
import Testing

@Suite struct `Branches and what counts` {
  private let branches = #"""
    {"manifest": 1, "vars": {"rate": 0.5, "mode": "quick"}, "default": ["end"], "steps": {
      "eval": {"run": ["sh", "-c", "echo '{\"rate\": ${var.rate}}' > e.json"], "out": {"r": "e.json"}},
      "good": {"run": ["sh", "-c", "echo good > g"], "when": "${step.eval.r}.rate >= 0.9", "out": {"o": "g"}},
      "bad": {"run": ["sh", "-c", "echo bad > b"], "when": "not (${step.eval.r}.rate >= 0.9)", "out": {"o": "b"}},
      "ship": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "${step.good.o}"}, "out": {"o": "s"}},
      "either": {"run": ["sh", "-c", "cat \"$@\" > c", "sh", "${in.i}"], "in": {"i": ["${step.good.o?}", "${step.bad.o?}"]}, "out": {"o": "c"}},
      "costly": {"run": ["sh", "-c", "echo costly > x"], "out": {"o": "x"}},
      "full": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "${step.costly.o}"}, "when": "${var.mode} == 'full'", "out": {"o": "f"}},
      "end": {"run": ["sh", "-c", "echo end > d"], "after": ["ship", "either", "full"], "out": {"o": "d"}}}}
    """#

  @Test func `a branch that is not taken is a state and no failure, and nothing is made for it`() throws {
    let workspace = try Workspace(branches)
    let first = try workspace.summary()
    #expect(first["ran"] == 4 && first["skipped"] == 3 && first["failed"] == 0 && first["exit"] == 0)
    #expect(workspace.read("c") == "bad\n" && workspace.read("d") == "end\n" && workspace.read("x") == nil)
    let second = try workspace.summary()
    #expect(second["ran"] == 0 && second["upToDate"] == 4 && second["skipped"] == 3 && second["exit"] == 0)
    #expect(try workspace.enpire("-q").code == 0)
    let why = try workspace.enpire("why", "ship").output
    #expect(why == "ship: would be skipped\n  good is skipped\n")
    #expect(try workspace.enpire("why", "full").output == "full: would be skipped\n  when ${var.mode} == 'full'\n")
    #expect(try workspace.enpire("status").output.contains("good    run  skipped"))
    let plan = try JSON(parsing: try workspace.enpire("plan", "--json").output)
    #expect(plan["steps"]?.array?.first { $0["step"] == "good" }?["reasons"] == ["when ${step.eval.r}.rate >= 0.9"])
  }

  @Test func `the other branch is taken when the value says so, and the way back comes from the cache`() throws {
    let workspace = try Workspace(branches)
    #expect(try workspace.summary()["ran"] == 4)
    #expect(try workspace.summary("rate=0.95", "mode=full")["ran"] == 6)
    #expect(workspace.read("s") == "good\n" && workspace.read("c") == "good\n" && workspace.read("f") == "costly\n")
    let back = try workspace.summary()
    #expect(back["ran"] == 0 && back["exit"] == 0)
    #expect(workspace.read("c") == "bad\n")
  }

  @Test func `a failure is still a failure, beside a branch that is not taken`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "steps": {
        "no": {"run": ["true"], "when": false, "phony": true},
        "fails": {"run": ["false"], "phony": true},
        "end": {"phony": true, "after": ["no", "fails"]}}}
      """#)
    let summary = try workspace.summary("-k")
    #expect(summary["failed"] == 1 && summary["skipped"] == 2 && summary["exit"] == 1)
  }

  @Test func `what only comes after a step that may fail runs when it failed, what reads it does not`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["after", "reads"], "steps": {
        "try": {"run": ["sh", "-c", "exit 3"], "out": {"o": "tried"}, "may_fail": true},
        "after": {"run": ["sh", "-c", "echo after > a"], "after": "try", "out": {"o": "a"}},
        "reads": {"run": ["cp", "${in.t}", "${out.o}"], "in": {"t": "${step.try}"}, "out": {"o": "r"}}}}
      """#)
    let summary = try workspace.summary()
    #expect(summary["exit"] == 0 && summary["tolerated"] == 1 && summary["ran"] == 1 && summary["skipped"] == 1, "\(summary)")
    #expect(workspace.read("a") == "after\n" && workspace.read("r") == nil)
  }

  @Test(arguments: [
    ("1 +", "'when' has '+' where the end should be"),
    ("${step.a.o} =", "'when' has '=' where the end should be"),
    ("(true", "'when' has its end where ')' should be"),
    ("'x", "a text in 'when' has no end"),
    ("${step.a.o", "'${' without '}' in 'when'"),
    ("", "'when' has its end where a value should be"),
    ("${step.b.o} == 1", "no step 'b'"),
    ("${var.x}", "no variable 'x'"),
    ("${step.a.f} == 1", "'a.f' is a file, not a value"),
  ]) func `wrong conditions are refused before anything runs`(condition: String, sentence: String) throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "steps": {"a": {"run": ["true"], "out": {"o": "a.json", "f": "f"}},
        "c": {"run": ["true"], "phony": true, "when": \(JSON.string(condition).compact)}}}
      """)
    let outcome = try workspace.enpire("check")
    #expect(outcome.code == 65 && outcome.errors.contains("error: enpire.json:2:") && outcome.errors.contains(sentence), "\(outcome.errors)")
  }

  @Test func `a condition that is neither true nor false fails its step`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo 1 > a.json"], "out": {"o": "a.json"}}, "c": {"run": ["true"], "phony": true, "when": "${step.a}"}}}"#
    )
    let outcome = try workspace.enpire()
    #expect(outcome.code == 65 && outcome.errors.contains("1 in 'when' is neither true nor false"), "\(outcome.errors)")
  }

  @Test func `an output may be left out, and what needs it is passed over`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "vars": {"n": 0}, "default": ["all"], "steps": {
        "find": {"run": ["sh", "-c", "echo ${var.n} > n; test ${var.n} = 0 || echo found > hit"],
          "out": {"n": "n", "hit": {"path": "hit", "optional": true}}},
        "use": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "${step.find.hit}"}, "out": {"o": "used"}},
        "maybe": {"run": ["sh", "-c", "echo $# > m", "sh", "${in.i}"], "in": {"i": "${step.find.hit?}"}, "out": {"o": "m"}},
        "all": {"phony": true, "after": ["use", "maybe"]}}}
      """#)
    let without = try workspace.summary()
    #expect(without["ran"] == 2 && without["skipped"] == 1 && without["exit"] == 0)
    #expect(workspace.read("m") == "0\n" && workspace.read("hit") == nil)
    #expect(try workspace.enpire("why", "use").output == "use: would be skipped\n  find left out 'hit'\n")
    #expect(try workspace.summary("n=1")["ran"] == 3)
    #expect(workspace.read("used") == "found\n" && workspace.read("m") == "1\n")
    // Back: the published file is taken away again, but not what a person put there.
    #expect(try workspace.summary()["restored"] == 2)
    #expect(workspace.read("hit") == nil)
    try workspace.write("mine", to: "hit")
    #expect(try workspace.summary()["restored"] == 0)
    #expect(workspace.read("hit") == "mine")
  }

  @Test func `a step that always runs does so, and what reads it is cut off`() throws {
    let workspace = try Workspace()
    let ran = workspace.path("ran").path()
    try workspace.write(
      """
      {"manifest": 1, "steps": {
        "poll": {"run": ["sh", "-c", "echo poll >> \(ran); echo same > p"], "always": true, "out": {"o": "p"}},
        "use": {"run": ["sh", "-c", "echo use >> \(ran); cp ${in.i} u"], "in": {"i": "${step.poll.o}"}, "out": {"o": "u"}}}}
      """, to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 2)
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.ran == ["poll", "use", "poll"])
    #expect(try workspace.enpire("why", "poll").output == "poll: would run\n  it runs in every run\n")
    #expect(try workspace.enpire("-q").code == 3)
  }

  @Test func `a phony command runs when what it reads has changed, a group when its members have`() throws {
    let workspace = try Workspace(files: ["i": "1"])
    let ran = workspace.path("ran").path()
    try workspace.write(
      """
      {"manifest": 1, "steps": {
        "test": {"run": ["sh", "-c", "echo test >> \(ran)"], "phony": true, "in": {"i": "i"}},
        "all": {"phony": true, "description": "everything", "after": "test"}}}
      """, to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 1)
    let second = try workspace.summary()
    #expect(second["ran"] == 0 && second["upToDate"] == 2)
    try workspace.write("2", to: "i")
    #expect(try workspace.summary("all")["ran"] == 1)
    #expect(workspace.ran == ["test", "test"])
    #expect(try workspace.enpire("reproduce", "all").code == 0)
  }

  @Test func `what is marked as not affecting the result is no part of the key`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "vars": {"threads": 1, "seed": 7, "device": "0"}, "steps": {
        "fit": {"run": ["sh", "-c", "echo ${with.seed} $THREADS $DEVICE ${with.threads} > f"], "with": {"threads": "${var.threads}", "seed": "${var.seed}"},
          "env": {"THREADS": "${with.threads}", "DEVICE": "${var.device}"}, "unkeyed": ["threads", "env.DEVICE"], "out": {"o": "f"}}}}
      """#)
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.read("f") == "7 1 0 1\n")
    #expect(try workspace.summary("threads=8", "device=1")["ran"] == 0)
    #expect(try workspace.enpire("why", "fit", "seed=8").output == "fit: would run\n  with.seed: 7 → 8 (variable seed)\n")
    #expect(try workspace.summary("threads=8", "seed=8")["ran"] == 1)
    #expect(workspace.read("f") == "8 8 0 8\n")
  }

  @Test func `a tool counts by its content`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "mytool > a"], "tools": ["mytool"], "out": {"o": "a"}}}}"#,
      files: ["bin/mytool": "#!/bin/sh\necho 1\n"])
    let environment = ["PATH": workspace.path("bin").path() + ":" + ProcessInfo.processInfo.environment["PATH"]!]
    let missing = try workspace.enpire()
    #expect(missing.code == 66 && missing.errors.contains("no program 'mytool'"))
    func enable() throws { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: workspace.path("bin/mytool").path()) }
    try enable()
    #expect(try workspace.enpire(environment: environment).code == 0)
    #expect(workspace.read("a") == "1\n")
    #expect(try workspace.enpire("-q", environment: environment).code == 0)
    try workspace.write("#!/bin/sh\necho 2\n", to: "bin/mytool")
    try enable()
    #expect(try workspace.enpire("why", "a", environment: environment).output.contains("tools.mytool: "))
    #expect(try workspace.enpire(environment: environment).code == 0)
    #expect(workspace.read("a") == "2\n")
  }
}
