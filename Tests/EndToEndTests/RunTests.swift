// How a run behaves: failures, retries, time-outs, appended steps, explanations, and what it says about bad input.

import Foundation
import JSON
import Testing

@Suite struct `Runs` {
  @Test func `a step's programs write UTF-8, or what it declares`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["plain", "own"], "steps": {
        "plain": {"run": ["sh", "-c", "locale charmap > plain; echo $LANG- >> plain"], "out": {"o": "plain"}},
        "own": {"run": ["sh", "-c", "locale charmap > own; echo $LC_CTYPE- >> own"], "env": {"LANG": "C"}, "out": {"o": "own"}}}}
      """#)
    #expect(try workspace.summary()["exit"] == 0)
    #expect(workspace.read("plain") == "UTF-8\n-\n" && workspace.read("own") == "ANSI_X3.4-1968\n-\n")
  }

  @Test func `with keep-going, what does not need the failed step still runs`() throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "default": ["d"], "steps": {
        "a": {"run": ["false"], "out": {"o": "1"}},
        "b": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "${step.a.o}"}, "out": {"o": "2"}},
        "c": {"run": ["sh", "-c", "sleep 0.2; echo c > 3"], "out": {"o": "3"}},
        "d": {"run": ["sh", "-c", "true > 4"], "after": ["b", "c"], "out": {"o": "4"}}}}
      """)
    let summary = try workspace.summary("-k", "-j", "1")
    #expect(summary["failed"] == 1 && summary["skipped"] == 2 && summary["ran"] == 1 && summary["exit"] == 1)
  }

  @Test func `a step is tried again as often as it says`() throws {
    let workspace = try Workspace()
    try workspace.write(
      """
      {"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a >> \(workspace.path("ran").path()); test $(wc -l < \(workspace.path("ran").path())) = 3 && echo ok > o"],
        "retries": 2, "out": {"o": "o"}}}}
      """, to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.ran.count == 3)
  }

  @Test func `a step that takes too long is ended with all its processes`() throws {
    let workspace = try Workspace()
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "sleep 300 & sleep 300; true > o"], "timeout": 0.2, "out": {"o": "o"}}}}"#,
      to: "enpire.json")
    let outcome = try workspace.enpire()
    #expect(outcome.code == 124)
    #expect(outcome.errors.contains("a: took longer than 0.2 s"))
  }

  @Test func `a failure that may be is no failure of the run, and its absence can be an input`() throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "steps": {
        "a": {"run": ["false"], "may_fail": true, "out": {"o": "1"}},
        "b": {"run": ["sh", "-c", "echo $# > 2", "sh", "${in.i}"], "in": {"i": "${step.a.o?}"}, "out": {"o": "2"}}}}
      """)
    let summary = try workspace.summary()
    #expect(summary["tolerated"] == 1 && summary["ran"] == 1 && summary["exit"] == 0)
    #expect(workspace.read("2") == "0\n")
  }

  @Test func `appended steps stand beside the manifest and run with it`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > a"], "out": {"o": "a"}}}}"#,
      files: ["more.json": #"{"steps": {"b": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "${step.a.o}"}, "out": {"o": "b"}}}}"#])
    let manifest = workspace.read("enpire.json")
    #expect(try workspace.enpire("append", "more.json").code == 0)
    #expect(try workspace.summary("b")["ran"] == 2)
    #expect(workspace.read("b") == "a\n")
    #expect(workspace.read("enpire.json") == manifest)
    try workspace.write((workspace.read("more.json") ?? "").replacing("cp", with: "mv"), to: "other.json")
    let other = try workspace.enpire("append", "other.json")
    #expect(other.code == 65 && other.errors.contains("there is a step 'b' already"))
  }

  @Test func `a rejected append leaves no trace`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > a"], "out": {"o": "a"}}}}"#,
      files: [
        "more.json":
          #"{"steps": {"b": {"run": ["true"], "out": {"o": "b"}}, "c": {"run": ["true"], "in": {"i": "${step.nope}"}, "out": {"o": "c"}}}}"#
      ])
    let outcome = try workspace.enpire("append", "more.json")
    #expect(outcome.code == 65 && outcome.errors.contains("no step 'nope'"))
    #expect(!FileManager.default.fileExists(atPath: workspace.path("enpire.steps").path()))
  }

  @Test func `an appended step that cannot work stands in nobody's way`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo 3 > a.json"], "out": {"n": "a.json"}}, "f": {"run": ["sh", "-c", "true > f"], "out": {"o": "f"}}}}"#,
      files: [
        "bad.json": #"{"steps": {"bad": {"uses": "report", "with": {"films": "${step.a}"}}}}"#.replacingOccurrences(
          of: "${step.a}", with: "${step.a.n}"),
        "good.json": #"{"steps": {"good": {"run": ["sh", "-c", "true > g"], "out": {"o": "g"}}}}"#,
        "worse.json": #"{"steps": {"worse": {"uses": "report", "with": {"films": "${step.f}"}}}}"#,
        "slash.json": #"{"steps": {"a/x": {"run": ["true"], "out": {"o": "g"}}}}"#,
      ])
    #expect(try workspace.enpire("a").code == 0)
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo '[]' > a.json"], "out": {"n": "a.json"}}, "f": {"run": ["sh", "-c", "true > f"], "out": {"o": "f"}}}}"#,
      to: "enpire.json")
    #expect(try workspace.enpire("a").code == 0)
    #expect(try workspace.enpire("append", "bad.json").code == 0)
    #expect(try workspace.enpire("append", "good.json").code == 0)
    #expect(try workspace.enpire("why", "bad").output.contains("it will fail: 'films' must be an integer"))
    let worse = try workspace.enpire("append", "worse.json")
    #expect(worse.code == 65 && worse.errors.hasPrefix("error: worse.json:1:") && worse.errors.contains("'f.o' is a file, not a value"))
    #expect(try workspace.enpire("append", "slash.json").errors.contains("'a/x' cannot be a step's name"))
  }

  @Test func `an output that is called JSON and is not fails its own step`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo hi > a.json"], "out": {"o": "a.json"}}}}"#)
    let outcome = try workspace.enpire()
    #expect(outcome.code == 1 && outcome.errors.contains("a: its output 'o' (a.json) is not JSON: line 1"))
  }

  @Test func `plan, why and run give the same reasons`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["cp", "i", "o"], "in": {"i": "i"}, "out": {"o": "o"}}}}"#, files: ["i": "1"])
    #expect(try workspace.enpire("plan").output == "run      a\n           it has not run before\n1 of 1 step; 0 are up to date\n")
    #expect(try workspace.enpire("-q").code == 3)
    #expect(try workspace.enpire().code == 0)
    #expect(try workspace.enpire("-q").code == 0)
    try workspace.write("2", to: "i")
    let why = try workspace.enpire("why", "a").output
    #expect(why == "a: would run\n  input i: i changed (6b86b273ff34 → d4735e3a265e)\n")
    #expect(try workspace.enpire("-v").errors.contains("input i: i changed (6b86b273ff34 → d4735e3a265e)"))
  }

  @Test func `a result is rebuilt and compared`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"same": {"run": ["sh", "-c", "echo 1 > s"], "out": {"o": "s"}}, "random": {"run": ["sh", "-c", "head -c 8 /dev/urandom > r"], "out": {"o": "r"}}}}"#
    )
    #expect(try workspace.enpire("same", "random").code == 0)
    #expect(try workspace.enpire("reproduce", "same").code == 0)
    let random = try workspace.enpire("reproduce", "random")
    #expect(random.code == 1 && random.output.hasPrefix("DIFFERS random.o"))
  }

  @Test func `interrupted, it ends its steps and says so`() throws {
    let workspace = try Workspace()
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "touch \#(workspace.path("begun").path()); sleep 60; true > o"], "out": {"o": "o"}}}}"#,
      to: "enpire.json")
    let run = try workspace.start([])
    workspace.wait(for: "begun")
    kill(run.processIdentifier, SIGINT)
    let outcome = workspace.outcome(of: run)
    #expect(outcome.code == 130)
    #expect(outcome.errors.hasSuffix("interrupted; finished steps and trials are kept, run again to go on\n"))
  }

  @Test func `a full disk is said so, nothing is half-written, and the next run goes on`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "head -c ${var.size} /dev/zero > o"], "out": {"o": "o"}}}, "vars": {"size": 100000}}"#)
    // A file system of two megabytes, in a mount namespace of its own.
    let script = """
      mount -t tmpfs -o size=2m none state || exit 99
      ENPIRE_STATE=state \(Workspace.program.path()) size=4000000; echo "code $?"; test -e o && echo published
      ENPIRE_STATE=state \(Workspace.program.path()); echo "code $?"
      """
    try FileManager.default.createDirectory(at: workspace.path("state"), withIntermediateDirectories: true)
    let outcome = workspace.outcome(of: try workspace.start(["-rm", "sh", "-c", script], program: URL(filePath: "/usr/bin/unshare")))
    if outcome.output.isEmpty { return withKnownIssue("mount namespaces are not allowed here: \(outcome.errors)") { Issue.record("skipped") } }
    #expect(outcome.output == "code 74\ncode 0\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("no space is left where state/ lies"))
    #expect(workspace.read("o")?.count == 100_000)
  }

  @Test(arguments: [
    (["run", "nosuch"], 64, "error: no step 'nosuch' in enpire.json\n  hint: did you mean 'nosuck'?\n"),
    (["run", "x=1"], 64, "error: no variable 'x' in enpire.json\n  hint: there are none\n"),
    (["run", "-f", "none.json"], 65, "error: no manifest none.json\n  hint: name one with -f FILE, or change to its directory with -C DIR\n"),
    (["run", "-f", "broken.json"], 65, "error: broken.json:2:1: '}' expected near end of file\n"),
    (["run"], 66, "FAILED enpire.json:1:64: step nosuck: no file 'missing'\n"),
  ]) func `bad input`(arguments: [String], code: Int32, text: String) throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"nosuck": {"run": ["x"], "in": {"i": "missing"}, "out": {"o": "o"}}}}"#,
      files: ["broken.json": "{\"manifest\": 1\n"])
    let outcome = workspace.outcome(of: try workspace.start(arguments))
    #expect(outcome.code == code)
    #expect(outcome.errors.hasPrefix(text), "\(outcome.errors)")
  }

  @Test func `help has examples and exit codes, completion scripts exist`() throws {
    let workspace = try Workspace()
    let help = try workspace.enpire("--help").output
    #expect(help.contains("Examples:") && help.contains("75") && help.contains("another run holds the workspace"))
    #expect(try workspace.enpire("--generate-completion-script", "bash").output.contains("complete"))
    #expect(try workspace.enpire("--version").output == "0.1.0\n")
  }

  @Test func `a run that could not begin leaves nothing that the next one would believe`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > a.txt"], "out": {"o": "a.txt"}}}}"#)
    #expect(try workspace.enpire("--trace", "nowhere/trace.json").code != 0)
    #expect(try workspace.enpire("-q").code == 3)
    #expect(try workspace.summary()["ran"] == 1)
  }

  // MARK: Paths and names that are in each other's way

  @Test func `steps of one declaration cannot be called the same`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["true"], "phony": true, "matrix": {"i": [1, "1"]}}}}"#)
    let checked = try workspace.enpire("check")
    #expect(checked.code == 65 && checked.errors.contains("two of its steps would be called 'a[i=1]'"), "\(checked.errors)")
    try workspace.write(
      #"""
      {"manifest": 1, "steps": {"list": {"run": ["sh", "-c", "echo '[1, \"1\"]' > l.json"], "out": {"l": "l.json"}},
       "a": {"run": ["true"], "phony": true, "foreach": {"i": "${step.list}"}}}}
      """#, to: "enpire.json")
    let run = try workspace.enpire()
    #expect(run.code == 65 && run.errors.contains("two of its steps"), "\(run.code) \(run.errors)")
  }

  @Test func `an output cannot lie in an input, nor an input in what another step publishes`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "wc -l d/x > d/n"], "in": {"d": "d"}, "out": {"n": "d/n"}}}}"#, files: ["d/x": "x\n"])
    #expect(try workspace.enpire("check").errors.contains("would lie in the input 'd'"))
    try workspace.write(
      #"""
      {"manifest": 1, "steps": {"make": {"run": ["sh", "-c", "echo 1 > out/x"], "out": {"o": "out/"}},
       "use": {"run": ["sh", "-c", "cat out/x > u"], "in": {"x": "out/x"}, "out": {"u": "u"}}}}
      """#, to: "enpire.json")
    let checked = try workspace.enpire("check")
    #expect(checked.code == 65 && checked.errors.contains("lies in what step 'make' publishes"), "\(checked.errors)")
  }

  @Test func `a link to a directory hides nothing that another step publishes`() throws {
    let steps = """
      {"manifest": 1, "default": ["b"], "steps": {
        "a": {"run": ["sh", "-c", "echo 1 > ${out.o}; echo 2 > ${out.p}/x"], "out": {"o": "d/o", "p": "d/p/"}},
        "b": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "PATH"}, "out": {"o": "b"}}}}
      """
    let workspace = try Workspace(files: ["d/e/own": "own"])
    try FileManager.default.createSymbolicLink(atPath: workspace.path("l").path(), withDestinationPath: "d")
    try FileManager.default.createSymbolicLink(atPath: workspace.path("d/e/up").path(), withDestinationPath: "../..")
    for (path, place, output) in [("l/o", "d/o", "o"), ("l/e/up/l/o", "d/o", "o"), ("l/p/x", "d/p/x", "p"), ("d/e/up/b", "b", "")] {
      try workspace.write(steps.replacing("PATH", with: path), to: "enpire.json")
      let said = try workspace.enpire("check").errors
      let hint = output.isEmpty ? "a step cannot read what it makes" : "write ${step.a.\(output)}"
      #expect(said.contains("'\(path)' leads to '\(place)', which step") && said.contains(hint), "\(said)")
    }
    try workspace.write(steps.replacing("PATH", with: "l/e/own"), to: "enpire.json")
    #expect(try workspace.enpire().code == 0 && workspace.read("b") == "own")
    // Of an edit no more is read than what changed.
    try workspace.write(steps.replacing("PATH", with: "l/o"), to: "enpire.json")
    #expect(try workspace.enpire().errors.contains("which step 'a' publishes"))
  }

  @Test func `a path with empty parts is the file that it means`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "cat d/x > o"], "in": {"x": ".//d/./x"}, "out": {"o": "o"}}}}"#, files: ["d/x": "x\n"])
    #expect(try workspace.enpire().code == 0)
    #expect(workspace.read("o") == "x\n")
  }

  @Test func `a name may begin with a mark that joins what stands before it`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["s", "r"], "steps": {
        "s": {"run": ["sh", "-c", "cat d/* e/f/* MARKm > ${out.o}; cp MARKm p/MARKm"], "in": {"d": "d/*.txt", "e": "e", "m": "MARKm"},
          "out": {"o": "q/MARKo", "p": "p/"}},
        "r": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "${step.s.o}"}, "out": {"o": "r/MARK/MARK"}}}}
      """#.replacing("MARK", with: "\u{301}"),
      files: ["d/\u{301}x.txt": "1", "e/f/\u{200d}y": "2", "\u{301}m": "3"])
    let first = try workspace.enpire()
    #expect(first.code == 0 && workspace.read("q/\u{301}o") == "123" && workspace.read("r/\u{301}/\u{301}") == "123", "\(first.errors)")
    #expect(workspace.read("p/\u{301}m") == "3")
    #expect(try workspace.enpire().errors.hasPrefix("nothing to do"))
    try workspace.write("4", to: "d/\u{301}x.txt")
    #expect(try workspace.enpire().code == 0 && workspace.read("q/\u{301}o") == "423")
    for path in ["a/../\u{301}o", "/\u{301}o", "../\u{301}o"] {
      try workspace.write(#"{"manifest": 1, "steps": {"a": {"run": ["touch", "${out.o}"], "out": {"o": "\#(path)"}}}}"#, to: "enpire.json")
      #expect(try workspace.enpire("check").errors.contains("must be a path below the manifest's directory"))
    }
  }

  @Test func `a step that comes after another one finds what that one published`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "vars": {"v": 1}, "steps": {
       "gen": {"run": ["sh", "-c", "echo ${var.v} > d/x.txt"], "out": {"d": "d/"}},
       "both": {"phony": true, "after": ["gen"]},
       "use": {"run": ["sh", "-c", "cat d/*.txt > u"], "in": {"d": "d/*.txt"}, "after": ["both"], "out": {"u": "u"}}}}
      """#)
    #expect(try workspace.enpire().code == 0)
    #expect(try workspace.summary("v=2")["ran"] == 2)
    #expect(workspace.read("u") == "2\n")
  }

  @Test func `one step's search for what it lacked costs no other its time`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "steps": {
       "bad": {"run": ["sh", "-c", "sleep 1; exit 1"], "out": {"o": "bad"}, "may_fail": true},
       "ok": {"run": ["sh", "-c", "sleep 1.3; echo fine > ok"], "out": {"o": "ok"}, "timeout": 2},
       "all": {"phony": true, "after": ["bad", "ok"]}}}
      """#)
    _ = try workspace.enpire("run", "-j2", "-k", environment: ["ENPIRE_SANDBOX": "auto"])
    #expect(workspace.read("ok") == "fine\n")
  }

  @Test(arguments: ["rm src/a; echo wrong > src/a", "ln -sfn ../b src/a", "ln -s b src/c"])
  func `a step that changes the links to its inputs misleads nobody after it`(change: String) throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "steps": {
        "first": {"run": ["sh", "-c", "\(change); echo done > first"], "in": {"a": "src/a"}, "out": {"o": "first"}},
        "second": {"run": ["sh", "-c", "cat src/* > second"], "in": {"a": "src/a"}, "out": {"o": "second"}, "after": ["first"]},
        "third": {"run": ["cp", "src/a", "third"], "in": {"a": "src/a"}, "out": {"o": "third"}, "after": ["second"]}}}
      """,
      files: ["src/a": "right\n", "src/b": "other\n"])
    #expect(try workspace.summary("-j1")["ran"] == 3)
    #expect(workspace.read("second") == "right\n" && workspace.read("third") == "right\n" && workspace.read("src/a") == "right\n")
  }
}
