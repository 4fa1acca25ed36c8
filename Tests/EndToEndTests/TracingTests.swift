// A step that fails for a file it did not declare is told which, and lint finds those that happen to succeed.

import Foundation
import JSON
import Testing

@Suite struct `Undeclared files` {
  /// WORKSPACE in the command is this directory.
  private func workspace(_ run: JSON, inputs: JSON? = nil, files: [String: String] = [:]) throws -> Workspace {
    let workspace = try Workspace(files: files)
    var step: JSON = ["run": run, "out": ["o": "o"]]
    step["in"] = inputs
    let text = (["manifest": 1, "steps": ["a": step]] as JSON).pretty
    try workspace.write(text.replacingOccurrences(of: "WORKSPACE", with: workspace.directory.path()), to: "enpire.json")
    return workspace
  }

  @Test(
    arguments: [
      (["cp", "data/x.csv", "o"], "bwrap"), (["cp", "data/x.csv", "o"], "none"),
      (["sh", "-c", "cat data/x.csv 2>/dev/null || exit 3; true > o"], "bwrap"),
      (["sh", "-c", "mkdir -p data; cd data; cat ./../data/x.csv > ../o"], "bwrap"),
      (["cp", "WORKSPACE/data/x.csv", "o"], "bwrap"),
    ] as [([String], String)]) func `a failed step is told the line to add`(run: [String], mode: String) throws
  {
    let workspace = try workspace(.array(run.map { .string($0) }), files: ["data/x.csv": "1\n"])
    let outcome = try workspace.enpire("run", environment: ["ENPIRE_SANDBOX": mode])
    #expect(outcome.code == 1)
    let advice = #"it looks for data/x.csv, which it does not declare: add "in": { "x": "data/x.csv" } to step 'a' (enpire.json:"#
    #expect(outcome.errors.contains(advice), "\(outcome.errors)")
    // The line is right.
    let fixed = (workspace.read("enpire.json") ?? "").replacingOccurrences(of: #""a": {"#, with: #""a": { "in": { "x": "data/x.csv" },"#)
    try workspace.write(fixed, to: "enpire.json")
    let again = try workspace.enpire("run", environment: ["ENPIRE_SANDBOX": mode])
    #expect(again.code == 0, "\(again.errors)")
  }

  @Test func `a step that names another one's output by its path is told the reference`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["b", "c"], "steps": {
        "a": {"run": ["sh", "-c", "echo 1 > one.txt"], "out": {"o": "one.txt"}},
        "b": {"run": ["cp", "one.txt", "b"], "in": {"i": "${step.a}"}, "out": {"o": "b"}},
        "c": {"run": ["cp", "one.txt", "c"], "after": "a", "out": {"o": "c"}}}}
      """#)
    // A second run does not read 'a', which is up to date.
    for _ in 1...2 {
      let outcome = try workspace.enpire("run", "-k", environment: ["ENPIRE_SANDBOX": "auto"])
      #expect(outcome.errors.contains("which step 'a' publishes: write ${in.i} for it in its words"), "\(outcome.errors)")
      #expect(outcome.errors.contains(#"which step 'a' publishes: add "one": "${step.a.o}" to its 'in'"#), "\(outcome.errors)")
    }
  }

  @Test func `a failure for another reason is told as it is, and leaves nothing`() throws {
    let workspace = try workspace(
      ["sh", "-c", "cat in.txt; cat nowhere; exit 4"], inputs: ["i": "in.txt"], files: ["in.txt": "1\n", "other": "2\n"])
    let outcome = try workspace.enpire("run", environment: ["ENPIRE_SANDBOX": "bwrap"])
    #expect(outcome.code == 1 && outcome.errors.contains("exit code 4") && outcome.errors.contains("hint: enpire log"), "\(outcome.errors)")
    #expect(FileManager.default.subpaths(atPath: workspace.path(".enpire").path())?.filter { $0.contains("trace") } == [])
  }

  @Test func `a step that could do harm is not run a second time`() throws {
    let workspace = try workspace(["sh", "-c", "echo x >> WORKSPACE/ran; cat missing > o"])
    #expect(try workspace.enpire("run", environment: ["ENPIRE_SANDBOX": "none"]).code == 1)
    #expect(workspace.ran == ["x"])
  }

  @Test(arguments: ["bwrap", "none"]) func `lint --trace finds optional reads and inputs that are not read`(mode: String) throws {
    let workspace = try workspace(
      ["sh", "-c", "test -e conf/optional && echo seen; cat conf/maybe 2>/dev/null; cat in.txt > o"],
      inputs: ["i": "in.txt", "unused": "unused.txt"],
      files: ["in.txt": "1\n", "unused.txt": "2\n", "conf/optional": "3\n", "conf/maybe": "4\n"])
    let outcome = try workspace.enpire("lint", "--trace", "--json", environment: ["ENPIRE_SANDBOX": mode])
    let remarks = try JSON(parsing: outcome.output)["remarks"]?.array?.compactMap { $0["sentence"]?.string }
    let expected = [
      "step 'a' asks for conf/optional and does not declare it", "step 'a' reads conf/maybe and does not declare it",
      "step 'a' declares 'unused' (unused.txt) and does not read it",
    ]
    #expect(remarks == expected, "\(outcome.output) \(outcome.errors)")
    #expect(outcome.code == 1 && workspace.read("o") == nil, "what it gives is not kept")
    #expect(try workspace.summary()["ran"] == 1)
  }

  @Test func `lint --trace names the reference to what another step publishes`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["b", "c", "d"], "steps": {
        "a": {"run": ["sh", "-c", "echo 1 > one.txt; mkdir d; echo 2 > d/two"], "out": {"o": "one.txt", "d": "d/"}},
        "b": {"run": ["sh", "-c", "cat one.txt > b 2>/dev/null || true"], "in": {"i": "${step.a}"}, "out": {"o": "b"}},
        "c": {"run": ["sh", "-c", "cat one.txt > c 2>/dev/null || true"], "after": "a", "out": {"o": "c"}},
        "d": {"run": ["sh", "-c", "cat d/two > e 2>/dev/null || true"], "after": "a", "out": {"o": "e"}}}}
      """#)
    #expect(try workspace.enpire("run").code == 0)
    let lint = try JSON(parsing: try workspace.enpire("lint", "--trace", "--json", "b", "c", "d").output)
    func hint(_ step: String) -> JSON? {
      lint["remarks"]?.array?.first { $0["step"]?.string == step && $0["sentence"]?.string?.contains(" reads ") == true }?["hint"]
    }
    #expect(hint("b") == "write ${in.i} for it in its words", "\(lint)")
    #expect(hint("c") == #"add "one": "${step.a.o}" to its 'in'"# && hint("d") == #"add "d": "${step.a.d}" to its 'in'"#, "\(lint)")
  }

  @Test func `lint without tracing remarks on the manifest alone`() throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "vars": {"used": 1, "spare": 2}, "steps": {
        "a": {"run": ["sh", "-c", "touch o"], "out": {"o": "o"}},
        "b": {"run": ["sh", "-c", "echo ${var.used} > p"], "out": {"o": "p"}}}}
      """)
    let outcome = try workspace.enpire("lint")
    #expect(outcome.code == 1 && outcome.output.hasPrefix("enpire.json:1:37: variable 'spare' is never used"), "\(outcome.output)")
    #expect(outcome.output.contains("step 'a' starts a shell for one program") && !outcome.output.contains("step 'b'"))
    #expect(outcome.output.contains(#"hint: "run": ["touch","o"]"#))
  }
}
