// Ways in which a run could say that all is up to date, or record something, where a run from nothing would give other bytes. Each was a hole once.

import Foundation
import JSON
import Testing

@Suite struct `Nothing stale is up to date` {
  /// In the manifest BEGUN, GO and RAN stand for files by which a step and the test tell each other how far they are.
  private func workspace(_ steps: String, files: [String: String], rest: String = "") throws -> Workspace {
    let workspace = try Workspace(files: files)
    let text = ["begun", "go", "ran"].reduce(steps) { $0.replacing($1.uppercased(), with: workspace.path($1).path()) }
    try workspace.write("{\"manifest\": 1\(rest), \"steps\": {\(text)}}", to: "enpire.json")
    return workspace
  }

  private static let wait = "touch BEGUN; while ! test -e GO; do sleep 0.01; done"

  /// Runs everything while `change` is done between a step's BEGUN and its GO.
  private func run(_ workspace: Workspace, _ arguments: [String] = ["run"], while change: () throws -> Void) throws -> Outcome {
    for name in ["begun", "go"] { try? FileManager.default.removeItem(at: workspace.path(name)) }
    let process = try workspace.start(arguments, number: 3)
    workspace.wait(for: "begun")
    try change()
    try workspace.write("", to: "go")
    return workspace.outcome(of: process, number: 3)
  }

  private func isUpToDate(_ workspace: Workspace, _ arguments: String...) throws -> Bool {
    try workspace.enpire(["run"] + arguments).errors.hasPrefix("nothing to do")
  }

  @Test func `a step that is asked to end and ends well has not done its work`() throws {
    let workspace = try workspace(
      #""s": {"run": ["sh", "-c", "trap 'echo half > o; exit 0' TERM; touch BEGUN; while ! test -e GO; do sleep 0.01; done; echo whole > o"], "out": {"o": "o"}}"#,
      files: [:])
    let process = try workspace.start(["run"], number: 3)
    workspace.wait(for: "begun")
    process.interrupt()
    #expect(workspace.outcome(of: process, number: 3).code == 130)
    #expect(workspace.read("o") == nil)
    try workspace.write("", to: "go")
    #expect(try workspace.enpire().code == 0 && workspace.read("o") == "whole\n")
  }

  @Test func `what a part of the steps read is not seen for those that did not`() throws {
    let workspace = try workspace(
      """
      "p": {"run": ["sh", "-c", "cp y p; if test -e slow; then \(Self.wait); fi"], "in": {"y": "y", "s": "slow"}, "out": {"o": "p"}},
      "o": {"run": ["sh", "-c", "cat x d/* $1 > o", "sh", "${in.p}"], "in": {"x": "x", "d": "d/*", "p": "${step.p}"}, "out": {"o": "o"}},
      "u": {"run": ["sh", "-c", "cat x d/* > u"], "in": {"x": "x", "d": "d/*"}, "out": {"o": "u"}}
      """, files: ["x": "x1 ", "y": "y1 ", "d/1": "d1 ", "slow": "", "go": ""], rest: #", "default": ["o", "u"]"#)
    #expect(try workspace.enpire().code == 0)
    try workspace.write("y2 ", to: "y")
    _ = try run(workspace) {
      try workspace.write("x2 ", to: "x")
      try workspace.write("d2 ", to: "d/2")
    }
    #expect(try workspace.enpire().code == 0)
    #expect(workspace.read("o") == "x2 d1 d2 y2 " && workspace.read("u") == "x2 d1 d2 ")
    #expect(try isUpToDate(workspace))
  }

  @Test func `checkpoints of an attempt whose input changed are not gone on from`() throws {
    let workspace = try workspace(
      """
      "t": {"run": ["sh", "-c", "cat data/x >> $1/model; \(Self.wait); cat data/x >> $1/model; cp $1/model o", "sh", "${progress}"],
        "in": {"d": "data"}, "out": {"o": "o"}}
      """, files: ["data/x": "A"])
    #expect(try run(workspace) { try workspace.write("B", to: "data/x") }.code == 1)
    try workspace.write("A", to: "data/x")
    #expect(try workspace.enpire().code == 0 && workspace.read("o") == "AA")
    // A link is no part of a directory, and what it read is not known.
    try FileManager.default.removeItem(at: workspace.path(".enpire"))
    let link = workspace.path("data/link")
    let outcome = try run(workspace) {
      try workspace.write("B", to: "data/x")
      try FileManager.default.createSymbolicLink(at: link, withDestinationURL: workspace.path("data/x"))
    }
    #expect(outcome.code != 0)
    try FileManager.default.removeItem(at: link)
    try workspace.write("A", to: "data/x")
    #expect(try workspace.enpire().code == 0 && workspace.read("o") == "AA")
  }

  @Test func `where a command sees a file, and what an output is called, is part of its key`() throws {
    let workspace = try workspace(
      #"""
      "a": {"run": ["cp", "x", "${out.o}"], "in": {"x": "x"}, "out": {"o": "one.csv"}},
      "s": {"run": ["sh", "-c", "cat /dev/null; echo data/*/x $(basename $1) > s", "sh", "${step.a.o}"], "in": {"d": "data/*/x"}, "out": {"o": "s"}}
      """#, files: ["x": "", "data/cat/x": ""], rest: #", "default": "s""#)
    #expect(try workspace.enpire().code == 0 && workspace.read("s") == "data/cat/x one.csv\n")
    try FileManager.default.moveItem(at: workspace.path("data/cat"), to: workspace.path("data/bird"))
    #expect(try workspace.enpire().code == 0 && workspace.read("s") == "data/bird/x one.csv\n")
    try workspace.write(workspace.read("enpire.json")!.replacing("one.csv", with: "one.tsv"), to: "enpire.json")
    #expect(try workspace.enpire().code == 0 && workspace.read("s") == "data/bird/x one.tsv\n")
  }

  @Test func `a published directory that is written in while the run goes on is put right`() throws {
    let workspace = try workspace(
      """
      "a": {"run": ["sh", "-c", "echo good > d/f; echo good > d/g"], "out": {"o": "d/"}},
      "b": {"run": ["sh", "-c", "\(Self.wait)"], "after": "a", "phony": true}
      """, files: [:], rest: #", "default": "b""#)
    #expect(try workspace.enpire("run", "a").code == 0)
    _ = try run(workspace) {
      try workspace.write("bad", to: "d/f")
      try FileManager.default.removeItem(at: workspace.path("d/g"))
    }
    _ = try workspace.enpire("run", "a")
    #expect(workspace.read("d/f") == "good\n" && workspace.read("d/g") == "good\n")
  }

  @Test func `a watcher knows what has another name`() throws {
    let workspace = try workspace(
      #"""
      "up": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "d/../x"}, "out": {"o": "up"}},
      "a": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "d/a"}, "out": {"o": "oa"}},
      "b": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "link/b"}, "out": {"o": "ob"}}
      """#, files: ["x": "0", "d/a": "0", "d/b": "0"], rest: #", "default": ["up", "a", "b"]"#)
    try FileManager.default.createSymbolicLink(atPath: workspace.path("link").path(), withDestinationPath: "d")
    #expect(try workspace.enpire().code == 0)
    let watcher = try workspace.start(["watch"], number: 7)
    defer {
      watcher.terminate()
      watcher.waitUntilExit()
    }
    workspace.wait(for: ".enpire/watch.sock")
    for round in 1...3 {
      for file in ["x", "d/a", "d/b"] { try workspace.write("\(round)", to: file) }
      #expect(try workspace.enpire().code == 0)
      #expect(["up", "oa", "ob"].map { workspace.read($0) } == Array(repeating: "\(round)", count: 3))
    }
  }

  @Test func `a manifest that a step reads, a directory that is empty or none`() throws {
    let workspace = try workspace(
      #"""
      "m": {"run": ["cp", "enpire.json", "${out.o}"], "in": {"m": "enpire.json"}, "out": {"o": "copy"}},
      "d": {"run": ["sh", "-c", "ls d > l"], "in": {"d": "d"}, "out": {"o": "l"}}
      """#, files: [:], rest: #", "default": ["m", "d"]"#)
    try FileManager.default.createDirectory(at: workspace.path("d"), withIntermediateDirectories: true)
    #expect(try workspace.enpire().code == 0 && isUpToDate(workspace))
    try workspace.write(workspace.read("enpire.json")! + "\n", to: "enpire.json")
    #expect(try workspace.enpire().code == 0 && workspace.read("copy") == workspace.read("enpire.json"))
    #expect(try isUpToDate(workspace))
    try FileManager.default.removeItem(at: workspace.path("d"))
    #expect(try workspace.enpire().code == 66)
  }

  @Test(arguments: ["directory", "link", "tool"])
  func `what is another one for a while makes its step fail`(_ what: String) throws {
    let workspace = try workspace(
      """
      "s": {"run": ["sh", "-c", "\(Self.wait); cat d/x cur/x > o"], "in": {"d": "d", "c": "cur/x"}, "tools": ["enpire-test-tool"], "out": {"o": "o"}}
      """, files: ["d/x": "A", "one/x": "A", "two/x": "B", "bin/enpire-test-tool": "", "before/other": ""])
    let manager = FileManager.default
    let (cur, before) = (workspace.path("cur").path(), workspace.path("before/enpire-test-tool").path())
    try manager.createSymbolicLink(atPath: cur, withDestinationPath: "one")
    try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: workspace.path("bin/enpire-test-tool").path())
    let path = "\(workspace.path("before").path()):\(workspace.path("bin").path()):\(ProcessInfo.processInfo.environment["PATH"]!)"
    let process = try workspace.start(["run"], environment: ["PATH": path], number: 3)
    workspace.wait(for: "begun")
    switch what {
    case "directory":
      try workspace.write("B", to: "d/x")
      usleep(50_000)
      try workspace.write("A", to: "d/x")
    case "link":
      try manager.removeItem(atPath: cur)
      try manager.createSymbolicLink(atPath: cur, withDestinationPath: "two")
      usleep(50_000)
      try manager.removeItem(atPath: cur)
      try manager.createSymbolicLink(atPath: cur, withDestinationPath: "one")
    default:
      try manager.createSymbolicLink(atPath: before, withDestinationPath: "/bin/true")
    }
    try workspace.write("", to: "go")
    let outcome = workspace.outcome(of: process, number: 3)
    #expect(outcome.code == 1 && outcome.errors.contains("changed while it ran"), "\(outcome.errors)")
  }

  @Test func `an output of another step is not written in unseen`() throws {
    let workspace = try workspace(
      #"""
      "a": {"run": ["sh", "-c", "echo 1 > a"], "out": {"o": "a"}},
      "b": {"run": ["sh", "-c", "sed -i s/1/2/ $1; cp $1 b", "sh", "${in.i}"], "in": {"i": "${step.a}"}, "out": {"o": "b"}},
      "c": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "${step.a}"}, "after": "b?", "out": {"o": "c"}}
      """#, files: [:], rest: #", "default": "c""#)
    let outcome = try workspace.enpire("run", "-k")
    #expect(outcome.errors.contains("FAILED b: 'a', which other steps read too, changed while it ran"), "\(outcome.errors)")
    #expect(workspace.read("c") == "1\n")
  }

  @Test func `what a pipeline's last program still writes is waited for`() throws {
    let workspace = try workspace(
      #""s": {"run": ["bash", "-c", "exec > >(sleep 0.05; cat > ${out.o}); echo all"], "out": {"o": "o"}}"#, files: [:])
    _ = try workspace.enpire()
    #expect(workspace.read("o") == "all\n")
  }

  @Test func `a workspace's own name is no pattern`() throws {
    let outer = try Workspace(files: ["project/in": "other", "proj*/in": "mine", "proj*/d/x": "", "project/d/y": ""])
    try outer.write(
      #"""
      {"manifest": 1, "steps": {"s": {"run": ["sh", "-c", "cat \"$@\" > s; ls d >> s", "sh", "${in.i}"], "in": {"i": "in", "d": "d/*"}, "out": {"o": "s"}}}}
      """#, to: "proj*/enpire.json")
    for _ in 0..<2 { #expect(try outer.enpire("run", "-C", "proj*").code == 0 && outer.read("proj*/s") == "minex\n") }
  }

  @Test func `a reference is no text that looks like it, and what must be there is not what may`() throws {
    let workspace = try workspace(
      #""e": {"run": ["sh", "-c", "echo \"$A\" > e"], "with": {"x": 7}, "env": {"A": "${with.x}"}, "out": {"o": "e"}}"#, files: [:])
    let first = try workspace.enpire()
    #expect(first.code == 0 && workspace.read("e") == "7\n", "\(first.errors)")
    try workspace.write(workspace.read("enpire.json")!.replacing("\"${with.x}\"", with: "\"$${with.x}\""), to: "enpire.json")
    #expect(try workspace.enpire().code == 0 && workspace.read("e") == "${with.x}\n")
    let manifest = #"{"manifest": 1, "steps": {"s": {"run": ["true"], "out": {"o": {"path": "o", "optional": true}}}}}"#
    try workspace.write(manifest, to: "enpire.json")
    #expect(try workspace.enpire().code == 0)
    try workspace.write(manifest.replacing(#"{"path": "o", "optional": true}"#, with: #""o""#), to: "enpire.json")
    #expect(try workspace.enpire().code == 1)
  }

  @Test func `a step that always runs does once a run, however many read it`() throws {
    let readers = (0..<12).map { #""d\#($0)": {"run": ["cp", "${in.x}", "${out.o}"], "in": {"x": "${step.now}"}, "out": {"o": "d\#($0)"}}"# }
    let workspace = try workspace(
      #""now": {"run": ["sh", "-c", "date +%s%N > now; echo >> RAN"], "always": true, "out": {"o": "now"}}, "# + readers.joined(separator: ", "),
      files: [:])
    for count in 1...3 {
      #expect(try workspace.enpire().code == 0)
      #expect(workspace.read("ran")?.count == count)
    }
  }

  @Test func `what is marked as bad while a run goes on is not up to date after it`() throws {
    let workspace = try workspace(
      #""a": {"run": ["cp", "x", "${out.o}"], "in": {"x": "x"}, "out": {"o": "a"}}, "b": {"run": ["sh", "-c", "WAIT; echo > b"], "out": {"o": "b"}}"#
        .replacing("WAIT", with: Self.wait), files: ["x": "1"], rest: #", "default": ["a", "b"]"#)
    _ = try run(workspace) { _ = try workspace.enpire("taint", "file", "x", "--reason", "bad") }
    let outcome = try workspace.enpire()
    #expect(outcome.code != 0 && outcome.errors.contains("marked as bad"), "\(outcome.errors)")
  }

  @Test func `one element's step as a goal is looked after`() throws {
    let workspace = try workspace(
      #"""
      "list": {"run": ["cp", "l", "${out.o}"], "in": {"l": "l"}, "out": {"o": "list.json"}},
      "each": {"run": ["sh", "-c", "printf %s \"$1\" > $2; echo >> RAN", "sh", "${matrix.e}", "${out.o}"], "foreach": {"e": "${step.list}"},
        "out": {"o": "out/${matrix.e}"}},
      "all": {"run": ["sh", "-c", "cat $@ > all", "sh", "${in.i}"], "in": {"i": "${step.each[*].o}"}, "out": {"o": "all"}}
      """#, files: ["l": #"["a", "c"]"#], rest: #", "default": "all""#)
    #expect(try workspace.enpire().code == 0 && workspace.read("all") == "ac")
    try FileManager.default.removeItem(at: workspace.path("out/c"))
    #expect(try workspace.enpire("run", "each[e=c]").errors.contains("1 restored") && workspace.read("out/c") == "c")
    try workspace.write("garbage", to: "out/c")
    #expect(try workspace.enpire("run", "each[e=c]").code == 0 && workspace.read("out/c") == "c")
    #expect(workspace.read("ran")?.count == 2)
    try FileManager.default.removeItem(at: workspace.path("out"))
    try FileManager.default.removeItem(at: workspace.path("all"))
    #expect(try workspace.enpire("run", "each[e=a]", "all").code == 0 && workspace.read("out/a") == "a" && workspace.read("all") == "ac")
    #expect(try workspace.enpire().code == 0 && workspace.read("ran")?.count == 2)
    #expect(try isUpToDate(workspace) && isUpToDate(workspace, "each[e=c]"))
  }

  @Test(arguments: [[], ["-k"]]) func `where a step must not run nothing runs, though it may fail`(options: [String]) throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "vars": {"v": 1}, "default": ["c"], "steps": {
        "a": {"run": ["sh", "-c", "echo a${var.v} > a"], "out": {"o": "a"}, "may_fail": true},
        "c": {"run": ["sh", "-c", "echo [$1] > c", "sh", "${in.a}"], "in": {"a": "${step.a.o?}"}, "out": {"o": "c"}}}}
      """#)
    #expect(try workspace.enpire().code == 0)
    let before = workspace.read("c")
    for part in ["--from", "--only"] {
      let outcome = try workspace.enpire(["run", part, "c", "v=2"] + options)
      #expect(outcome.code == 3 && outcome.errors.contains("would have to run"), "\(outcome.errors)")
      #expect(workspace.read("c") == before)
    }
  }

  @Test func `a plan says what two steps with one action come to`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "default": ["a", "b"], "steps": {"a": {"run": ["true"], "phony": true}, "b": {"run": ["true"], "phony": true}}}"#)
    #expect(try workspace.enpire("plan").output.contains("then     b\n           waits for a"))
    #expect(try workspace.summary()["ran"] == 1)
  }

  @Test(arguments: [#""in": {"x": "d/*"}"#, #""in": {"x": "d/\u00e9", "y": "d/e\u0301"}"#])
  func `two files whose names are one text are no input`(inputs: String) throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "cat d/* > o"], \#(inputs), "out": {"o": "o"}}}}"#)
    try workspace.write("1", to: "d/\u{e9}")
    // Foundation would write the first name.
    #expect(Glibc.close(Glibc.open(workspace.path("d").path() + "/e\u{301}", O_CREAT | O_WRONLY, 0o644)) == 0)
    let outcome = try workspace.enpire()
    #expect(outcome.code == 66 && outcome.errors.contains("in two spellings of Unicode"), "\(outcome.errors)")
  }
}
