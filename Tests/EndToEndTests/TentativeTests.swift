// A run tries first whether what changed gives what it gave before, and only then looks at what depends on it: who looks on sees one run that did
// what a whole reading would have done.

import Foundation
import JSON
import Testing

@Suite struct `Runs that begin with what changed` {
  /// `root` gives the first line of `in.txt`, or fails if that is `bad`; 40 steps read it and one of them a file more; `all` reads those, `free` none.
  private func fan() throws -> Workspace {
    let workspace = try Workspace(files: ["in.txt": "one\nnoise\n", "more.txt": "more\n", "other.txt": "other\n"])
    let ran = workspace.path("ran").path()
    var steps = [
      #""root": {"run": ["sh", "-c", "echo root >> \#(ran); head -n 1 in.txt > root; ! grep -q bad root"], "in": {"i": "in.txt"}, "out": {"o": "root"}}"#,
      #""free": {"run": ["sh", "-c", "echo free >> \#(ran); cat other.txt > free"], "in": {"i": "other.txt"}, "out": {"o": "free"}}"#,
    ]
    for i in 0..<40 {
      let inputs = #""i": "${step.root}""# + (i == 7 ? #", "m": "more.txt""# : "")
      steps.append(#""d\#(i)": {"run": ["sh", "-c", "echo d\#(i) >> \#(ran); cat ${in.i} > d/\#(i)"], "in": {\#(inputs)}, "out": {"o": "d/\#(i)"}}"#)
    }
    let all = (0..<40).map { "\"${step.d\($0)}\"" }.joined(separator: ", ")
    steps.append(#""all": {"run": ["sh", "-c", "echo all >> \#(ran); cat $@ > all", "sh", "${in.a}"], "in": {"a": [\#(all)]}, "out": {"o": "all"}}"#)
    try workspace.write("{\"manifest\": 1, \"default\": [\"all\", \"free\"], \"steps\": {\(steps.joined(separator: ",\n"))}}", to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 43)
    try workspace.write("", to: "ran")
    return workspace
  }

  private func runs(_ workspace: Workspace) throws -> Int {
    try JSON(parsing: try workspace.enpire("history", "--json").output)["runs"]?.array?.count ?? 0
  }

  @Test func `the same output: nothing else is looked at, and all count`() throws {
    let workspace = try fan()
    try workspace.write("one\nother noise\n", to: "in.txt")
    let summary = try workspace.summary()
    #expect(summary["ran"] == 1 && summary["upToDate"] == 42 && workspace.ran == ["root"], "\(summary)")
    #expect(try workspace.enpire().errors == "nothing to do: all 43 steps are up to date\n")
  }

  @Test func `another output: all that follows runs once, in one run`() throws {
    let workspace = try fan()
    let before = try runs(workspace)
    try workspace.write("two\n", to: "in.txt")
    let outcome = try workspace.enpire("run", "--json", "-j4")
    let events = outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
    let summaries = events.filter { $0["event"] == "summary" }
    #expect(summaries.count == 1 && summaries[0]["ran"] == 42 && summaries[0]["upToDate"] == 1, "\(summaries)")
    #expect(workspace.ran.count == 42 && Set(workspace.ran).count == 42 && workspace.ran.first == "root" && workspace.ran.last == "all")
    #expect(workspace.read("all") == String(repeating: "two\n", count: 40))
    #expect(try runs(workspace) == before + 1)
    #expect(try workspace.enpire().errors == "nothing to do: all 43 steps are up to date\n")
    // And back again, without running anything.
    try workspace.write("one\n", to: "in.txt")
    let back = try workspace.summary()
    #expect(back["ran"] == 1, "its own input is another one: \(back)")
    #expect(workspace.read("all") == String(repeating: "one\n", count: 40) && back["failed"] == 0)
  }

  @Test(arguments: [[], ["-k"]] as [[String]]) func `one that fails is tried once, and what needs it is passed over`(_ options: [String]) throws {
    let workspace = try fan()
    try workspace.write("bad\n", to: "in.txt")
    try workspace.write("another\n", to: "other.txt")
    let outcome = workspace.outcome(of: try workspace.start(["run", "--json", "-j1"] + options))
    let events = outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
    let summary = try #require(events.last { $0["event"] == "summary" })
    #expect(outcome.code == 1 && events.count { $0["event"] == "failed" } == 1, "\(outcome.output)")
    #expect(summary["failed"] == 1 && summary["skipped"] == 41, "\(summary)")
    #expect(workspace.ran.count { $0 == "root" } == 1 && workspace.ran.allSatisfy { ["root", "free"].contains($0) })
    #expect(workspace.read("root") == "one\n", "what was published stays")
    try workspace.write("three\n", to: "in.txt")
    #expect(try workspace.enpire().code == 0)
    #expect(workspace.read("all") == String(repeating: "three\n", count: 40) && workspace.read("free") == "another\n")
  }

  @Test func `one that needs another that changed waits for it`() throws {
    let workspace = try fan()
    try workspace.write("four\n", to: "in.txt")
    try workspace.write("even more\n", to: "more.txt")
    #expect(try workspace.summary("-j4")["ran"] == 42)
    #expect(workspace.ran.count { $0 == "d7" } == 1 && workspace.read("d/7") == "four\n")
    try workspace.write("", to: "ran")
    try workspace.write("four\nand noise\n", to: "in.txt")
    try workspace.write("less\n", to: "more.txt")
    #expect(try workspace.summary("-j4")["ran"] == 2 && workspace.ran == ["root", "d7"])
  }

  @Test func `-q tells that something would run, and runs nothing`() throws {
    let workspace = try fan()
    try workspace.write("one\nnoise of another kind\n", to: "in.txt")
    #expect(try workspace.enpire("run", "-q").code == 3 && workspace.ran.isEmpty)
    #expect(try workspace.summary()["ran"] == 1)
    #expect(try workspace.enpire("run", "-q").code == 0)
  }
}
