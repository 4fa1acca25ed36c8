// The verbs that change something without running steps (clean, touch, fmt), and completion in a real shell.

import Foundation
import JSON
import Testing

@Suite struct `Verbs` {
  private func exists(_ workspace: Workspace, _ names: String...) -> [Bool] {
    names.map { FileManager.default.fileExists(atPath: workspace.path($0).path()) }
  }

  // MARK: clean

  @Test func `clean removes outputs as they were recorded, and the next run restores them`() throws {
    let workspace = try smallWorkflow()
    _ = try workspace.enpire()
    #expect(try workspace.enpire("clean", "-n", "b").output == "would remove b.txt\n")
    #expect(exists(workspace, "b.txt") == [true])
    #expect(try workspace.enpire("clean", "b").output == "removed b.txt\n")
    #expect(exists(workspace, "a.txt", "b.txt") == [true, false])
    let json = try JSON(parsing: try workspace.enpire("clean", "--json").output)
    #expect(json["removed"] == ["a.txt", "c.txt", "d.txt"] && json["written"] == true)
    #expect(exists(workspace, "a.txt", "c.txt", "d.txt", "in.txt") == [false, false, false, true])
    let summary = try workspace.summary()
    #expect(summary["restored"] == 4 && summary["ran"] == 0)
  }

  @Test func `clean keeps what was edited or is not recorded, unless forced`() throws {
    let workspace = try smallWorkflow()
    try workspace.write("mine\n", to: "d.txt")
    let before = try workspace.enpire("clean")
    #expect(before.output == "" && before.errors == "kept d.txt: it is not recorded; --force removes it\n")
    _ = try workspace.enpire()
    try workspace.write("edited\n", to: "b.txt")
    let outcome = try workspace.enpire("clean")
    #expect(outcome.errors == "kept b.txt: it is not what was recorded; --force removes it\n" && workspace.read("b.txt") == "edited\n")
    #expect(try workspace.enpire("clean", "--force", "b").output == "removed b.txt\n")
  }

  @Test func `clean --all forgets everything, and takes no steps`() throws {
    let workspace = try smallWorkflow()
    _ = try workspace.enpire()
    #expect(try workspace.enpire("clean", "--all", "b").code == 64)
    #expect(try workspace.enpire("clean", "--all").code == 0)
    #expect(exists(workspace, ".enpire", "a.txt", "in.txt") == [false, false, true])
    #expect(try workspace.summary()["ran"] == 4)
  }

  @Test func `clean removes directories too, if nothing in them was changed`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "mkdir -p d/e; echo 1 > d/e/f; echo 2 > d/g"], "out": {"o": "d/"}}}}"#)
    _ = try workspace.enpire()
    try workspace.write("x", to: "d/mine")
    #expect(try workspace.enpire("clean").errors.hasPrefix("kept d/: "))
    try FileManager.default.removeItem(at: workspace.path("d/mine"))
    #expect(try workspace.enpire("clean").output == "removed d/\n")
    #expect(exists(workspace, "d") == [false])
  }

  // MARK: touch

  @Test func `touch takes outputs for results of the present inputs, and says so in the record`() throws {
    let workspace = try smallWorkflow()
    _ = try workspace.enpire()
    try workspace.write("one\nother noise\n", to: "in.txt")
    #expect(try workspace.enpire("touch", "-n", "a").output == "would touch a: a.txt\n")
    #expect(try workspace.enpire("-q").code == 3)
    #expect(try workspace.enpire("touch").output == "touched a: a.txt\n")
    #expect(try workspace.enpire().errors == "nothing to do: all 4 steps are up to date\n")
    #expect(try workspace.enpire("touch").errors == "nothing to touch: all is up to date\n")
    #expect(try workspace.enpire("why", "a").output.contains("its output was taken as it was by enpire touch"))
    #expect(try workspace.enpire("history", "a").output.contains("  touched  "))
    #expect(try workspace.enpire("status", "a").output.contains("up to date"))
  }

  @Test func `an edited output that is touched is kept, and what follows runs with it`() throws {
    let workspace = try smallWorkflow()
    _ = try workspace.enpire()
    try workspace.write("by hand\n", to: "a.txt")
    #expect(try workspace.enpire("touch", "a").output == "touched a: a.txt\n")
    #expect(try workspace.summary()["ran"] == 2)
    #expect(workspace.read("a.txt") == "by hand\n" && workspace.read("c.txt") == "by hand\nx\n")
    try FileManager.default.removeItem(at: workspace.path("a.txt"))
    #expect(try workspace.summary()["restored"] == 1)
    #expect(workspace.read("a.txt") == "by hand\n", "the store has it")
    #expect(try workspace.enpire("reproduce", "a").output.hasPrefix("DIFFERS a.o"))
  }

  @Test func `touch takes all or none, and nothing that is missing, damaged or no pure step`() throws {
    let workspace = try smallWorkflow()
    try workspace.write("one\n", to: "a.txt")
    let outcome = try workspace.enpire("touch", "b")
    #expect(outcome.code == 66 && outcome.errors == "error: 'b' cannot be touched: there is no b.txt\n  hint: run it\n")
    #expect(try workspace.enpire("plan", "a").output.hasPrefix("run      a"), "a was not touched either")
    try workspace.write(
      #"{"manifest": 1, "steps": {"v": {"run": ["true"], "out": {"o": "v.json"}}, "r": {"uses": "commit", "in": {"result": "in.txt"}}}}"#,
      to: "enpire.json")
    try workspace.write("{\n  1", to: "v.json")
    #expect(try workspace.enpire("touch", "v").errors.hasPrefix("error: v.json:2:3: "))
    #expect(try workspace.enpire("touch", "r").code == 64)
  }

  // MARK: fmt

  @Test func `fmt gives a manifest its one form, and changes no word of it`() throws {
    let workspace = try Workspace(
      #"{"manifest":1,"vars":{"n":1.50,"e":"\u00e4\/"},"steps":{"a":{"run":["cp","${in.i}","${out.o}"],"in":{"i":"in.txt"},"out":{"o":"o"}},"#
        + #""b":{"run":["true"],"out":{},"env":{}}},"default":[]}"#)
    let original = workspace.read("enpire.json")!
    let check = try workspace.enpire("fmt", "--check")
    #expect(
      check.code == 1 && check.output.hasPrefix("enpire.json is not formatted\n@@ line 1 @@\n-{\"manifest\":1,")
        && workspace.read("enpire.json") == original)
    #expect(try workspace.enpire("fmt").output == "formatted enpire.json\n")
    #expect(
      workspace.read("enpire.json") == #"""
        {
          "manifest": 1,
          "vars": { "n": 1.50, "e": "\u00e4\/" },
          "steps": {
            "a": {
              "run": ["cp", "${in.i}", "${out.o}"],
              "in": { "i": "in.txt" },
              "out": { "o": "o" }
            },
            "b": {
              "run": ["true"],
              "out": {},
              "env": {}
            }
          },
          "default": []
        }

        """#)
    #expect(try JSON(parsing: original) == JSON(parsing: workspace.read("enpire.json")!))
    let again = try workspace.enpire("fmt", "--check")
    #expect(again.code == 0 && again.output == "")
  }

  @Test func `fmt breaks what does not fit in 150 columns, by what is in it alone`() throws {
    let long = (0..<30).map { "\"word-\($0)\"" }
    let workspace = try Workspace(#"{"list": [\#(long.joined(separator: ","))], "text": "\#(String(repeating: "ä", count: 139))"}"#)
    _ = try workspace.enpire("fmt")
    let text = workspace.read("enpire.json")!
    #expect(text.contains("  \"list\": [\n    \"word-0\",\n    \"word-1\",\n"))
    try workspace.write(text.replacingOccurrences(of: "\n", with: " \r\n\n"), to: "enpire.json")
    _ = try workspace.enpire("fmt")
    #expect(workspace.read("enpire.json") == text)
  }

  @Test func `fmt leaves a file that is no JSON as it is, and keeps mode and links`() throws {
    let workspace = try Workspace("{\"manifest\": 1,\n}", files: ["real.json": "{\"a\":1}"])
    let outcome = try workspace.enpire("fmt")
    #expect(outcome.code == 65 && outcome.errors.hasPrefix("error: enpire.json:2:1: ") && workspace.read("enpire.json") == "{\"manifest\": 1,\n}")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: workspace.path("real.json").path())
    try FileManager.default.createSymbolicLink(at: workspace.path("link.json"), withDestinationURL: workspace.path("real.json"))
    #expect(try workspace.enpire("fmt", "link.json").code == 0)
    #expect(workspace.read("real.json") == "{\n  \"a\": 1\n}\n")
    let attributes = try FileManager.default.attributesOfItem(atPath: workspace.path("real.json").path())
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: workspace.path("link.json").path()).hasSuffix("real.json"))
  }

  @Test(
    arguments: try FileManager.default.contentsOfDirectory(atPath: Workspace.repository.appending(path: "workflows").path()).filter {
      $0.hasSuffix(".json")
    })
  func `every shipped manifest is formatted`(name: String) throws {
    let outcome = try Workspace().enpire("fmt", "--check", Workspace.repository.appending(path: "workflows/" + name).path())
    #expect(outcome.code == 0, "\(outcome.output)")
  }

  // MARK: completion

  /// What a real bash offers for the last word.
  private func complete(_ workspace: Workspace, _ words: String...) throws -> [String] {
    let line = words.joined(separator: " ")
    let script = """
      export PATH=\(Workspace.program.deletingLastPathComponent().path()):$PATH
      source <(enpire completion bash)
      COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " "))); COMP_CWORD=\(words.count - 1)
      COMP_LINE='\(line)'; COMP_POINT=\(line.utf8.count)
      $(complete -p enpire | sed 's/.*-F \\([^ ]*\\).*/\\1/') enpire '\(words.last!)' '\(words.dropLast().last ?? "")'
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let outcome = workspace.outcome(of: try workspace.start(["-c", script], program: URL(filePath: "/bin/bash")))
    return outcome.output.split(separator: "\n").map(String.init).sorted()
  }

  @Test func `bash completes verbs, options, steps and variables`() throws {
    let workspace = try smallWorkflow()
    try workspace.write(
      #"{"manifest": 1, "vars": {"other": 1}, "steps": {"train": {"run": ["true"], "matrix": {"s": [0, 1]}, "out": {"o": "${matrix.s}"}}}}"#,
      to: "sub/enpire.json")
    #expect(try complete(workspace, "enpire", "st") == ["stations", "status"])
    #expect(try complete(workspace, "enpire", "run", "--un") == ["--until"])
    #expect(try complete(workspace, "enpire", "run", "") == ["a", "b", "c", "d", "word="])
    #expect(try complete(workspace, "enpire", "why", "w") == ["word="])
    #expect(try complete(workspace, "enpire", "run", "--from", "") == ["a", "b", "c", "d"])
    #expect(try complete(workspace, "enpire", "run", "-C", "sub", "t") == ["train"])
    #expect(try complete(workspace, "enpire", "run", "-f", "sub/enpire.json", "o") == ["other="])
    #expect(try complete(workspace, "enpire", "run", "-C", "sub", "train[") == ["train[s=0]", "train[s=1]"])
    #expect(try complete(workspace, "enpire", "run", "-f", "none.json", "t") == [])
  }

  @Test func `bash completes stations, kinds and what can be marked`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "fleet": "fleet.json", "steps": {"a": {"run": ["true"], "phony": true}}}"#,
      files: ["fleet.json": #"{"fleet": 1, "stations": [{"name": "left", "driver": "push-t-sim", "tasks": ["push-t"]}]}"#])
    #expect(try complete(workspace, "enpire", "preempt", "") == ["left"])
    #expect(try complete(workspace, "enpire", "kinds", "eval") == ["evaluate"])
    #expect(try complete(workspace, "enpire", "taint", "s") == ["station", "step"])
    #expect(try complete(workspace, "enpire", "taint", "station", "") == ["left"])
    #expect(try complete(workspace, "enpire", "taint", "step", "") == ["a"])
  }

  @Test func `a log that is one line without end floods nobody who reads JSON`() throws {
    let draw = #"i=0; while [ $i -lt 3000 ]; do printf 'epoch %s of 3000\\r' $i; i=$((i+1)); done; head -c 100000 /dev/zero | tr '\\0' x; exit 3"#
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"big": {"run": ["sh", "-c", "\#(draw)"], "phony": true}}}"#)
    #expect(try workspace.enpire("run").code == 1)
    let text = try workspace.enpire("log", "big", "--json").output
    let log = try JSON(parsing: text)
    #expect(log["lines"]?.array?.count == 200 && log["omitted"]?.int ?? 0 > 2000 && text.utf8.count < 24_000, "\(text.utf8.count)")
    #expect(try workspace.enpire("status", "--json", "--limit", "1").output.utf8.count < 3000)
    #expect(try workspace.enpire("log", "big").output.utf8.count > 100_000)
  }

  @Test func `a name of several steps has the log of the only one that ran, else their names are told`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"m": {"run": ["echo", "${matrix.x}"], "matrix": {"x": [1, 2]}, "phony": true}}}"#)
    #expect(try workspace.enpire("run", "m[x=2]").code == 0)
    #expect(try workspace.enpire("log", "m").output == "2\n")
    #expect(try JSON(parsing: try workspace.enpire("log", "m[*]", "--json").output)["step"] == "m[x=2]")
    #expect(try workspace.enpire("run", "m").code == 0)
    let several = try workspace.enpire("log", "m")
    #expect(several.code == 64 && several.errors == "error: 'm' is several steps, each with a log\n  hint: there are: m[x=1], m[x=2]\n")
  }

  @Test func `a step that has no log yet is not taken for another`() throws {
    let workspace = try Workspace()
    let (begun, go) = (workspace.path("begun").path(), workspace.path("go").path())
    let script = "touch \(begun); until test -e \(go); do sleep 0.01; done"
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": ["true"], "phony": true}, "k": {"run": ["sh", "-c", "\#(script)"], "phony": true}}}"#,
      to: "enpire.json")
    #expect(try workspace.enpire("run", "a").code == 0)
    let before = try workspace.enpire("log", "k")
    #expect(before.code == 64 && before.errors == "error: step 'k' has not run here\n  hint: enpire why 'k' tells how it stands\n")
    #expect(try workspace.enpire("log", "b").errors.contains("did you mean 'a'?"))
    let run = try workspace.start(["run", "k"], number: 1)
    workspace.wait(for: "begun")
    let meanwhile = try workspace.enpire("log", "k")
    #expect(meanwhile.errors == "error: step 'k' has not run here\n  hint: a run is at work; there is a log once an attempt has ended\n")
    try workspace.write("", to: "go")
    #expect(workspace.outcome(of: run, number: 1).code == 0 && workspace.read("go") == "")
  }

  /// Everything that lists something says at most so much, and how much it left out.
  @Test(arguments: [
    (["graph"], "steps"), (["lint"], "remarks"), (["stations"], "stations"), (["kinds"], "kinds"), (["status"], "steps"), (["plan"], "steps"),
  ]) func `lists are as long as they may be`(_ words: [String], _ member: String) throws {
    let steps = (0..<4).map { #""s\#($0)": {"run": ["sh", "-c", "cat in\#($0)"], "in": {"i": "in\#($0)"}, "out": {"o": "s\#($0)"}}"# }
    let stations = (0..<4).map { #"{"name": "t\#($0)", "driver": "push-t-sim", "tasks": ["push-t"]}"# }
    let workspace = try Workspace(
      #"{"manifest": 1, "fleet": "fleet.json", "vars": {"u": 1, "v": 1, "w": 1, "x": 1}, "default": ["s0"], "steps": {\#(steps.joined(separator: ", "))}}"#,
      files: ["fleet.json": #"{"fleet": 1, "stations": [\#(stations.joined(separator: ", "))]}"#])
    let all = try JSON(parsing: try workspace.enpire(words + ["--json"]).output)[member]?.array?.count ?? 0
    let part = try JSON(parsing: try workspace.enpire(words + ["--json", "--limit", "1"]).output)
    #expect(all >= (words == ["plan"] ? 1 : 4) && part[member]?.array?.count == 1)
    #expect(part["omitted"] == (all > 1 ? .integer(all - 1) : nil), "\(part)")
    let text = try workspace.enpire(words + ["--limit", "1"])
    #expect(all == 1 || text.output.contains("and \(all - 1) more"), "\(text.output)")
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func `there is a completion script for each shell`(shell: String) throws {
    let outcome = try Workspace().enpire("completion", shell)
    #expect(outcome.code == 0 && outcome.output.contains("keep-going") && outcome.output.contains("history"))
    #expect(try Workspace().enpire("completion", "csh").code == 64)
  }
}
