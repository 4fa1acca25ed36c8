// What a workflow engine must get right, through the command line. A step notes that it ran in `ran`, which no step declares.

import Foundation
import JSON
import Testing

@Suite struct `Trust` {
  /// Two steps in a chain: `a` copies the input's first line, `b` copies that.
  private func chain() throws -> Workspace {
    let workspace = try Workspace(files: ["in.txt": "one\nnoise\n"])
    try workspace.write(
      """
      {"manifest": 1, "vars": {"word": "x"}, "steps": {
        "a": {"run": ["sh", "-c", "echo a >> \(workspace.path("ran").path()); head -n 1 in.txt > a.txt"], "in": {"i": "in.txt"}, "out": {"o": "a.txt"}},
        "b": {"run": ["sh", "-c", "echo b >> \(workspace.path("ran").path()); cat $1 > b.txt", "${var.word}", "${in.i}"], "in": {"i": "${step.a.o}"}, "out": {"o": "b.txt"}}
      }}
      """, to: "enpire.json")
    let first = try workspace.summary()
    #expect(first["ran"] == 2)
    return workspace
  }

  private func setTimes(_ workspace: Workspace, _ name: String, like other: [FileAttributeKey: Any]) throws {
    try FileManager.default.setAttributes([.modificationDate: other[.modificationDate]!], ofItemAtPath: workspace.path(name).path())
  }

  @Test func `nothing changed, nothing runs`() throws {
    let workspace = try chain()
    #expect(try workspace.enpire().errors == "nothing to do: all 2 steps are up to date\n")
    #expect(workspace.ran == ["a", "b"])
  }

  @Test func `touched with the same content, nothing runs`() throws {
    let workspace = try chain()
    try workspace.write("one\nnoise\n", to: "in.txt")
    #expect(try workspace.summary()["upToDate"] == 2)
  }

  @Test func `content changed with the old modification time is noticed`() throws {
    let workspace = try chain()
    let before = try FileManager.default.attributesOfItem(atPath: workspace.path("in.txt").path())
    try workspace.write("two\nnoise and more\n", to: "in.txt")
    try setTimes(workspace, "in.txt", like: before)
    #expect(try workspace.summary()["ran"] == 2)
  }

  @Test func `the same size and modification time with other bytes is noticed`() throws {
    let workspace = try chain()
    let before = try FileManager.default.attributesOfItem(atPath: workspace.path("in.txt").path())
    try workspace.write("two\nnoise\n", to: "in.txt")
    try setTimes(workspace, "in.txt", like: before)
    #expect(try workspace.summary()["ran"] == 2)
    #expect(workspace.read("b.txt") == "two\n")
  }

  @Test func `an edited command runs again, and only that step`() throws {
    let workspace = try chain()
    #expect(try workspace.summary("word=y")["ran"] == 1)
    #expect(workspace.ran == ["a", "b", "b"])
  }

  @Test func `an output that a command names in its words is part of its key`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "vars": {"n": 1}, "steps": {"a": {"run": ["sh", "-c", "echo ${var.n} > n.json"], "out": {"n": "n.json"}}, "b": {"run": ["sh", "-c", "echo ${step.a} > b"], "out": {"o": "b"}}}}"#
    )
    #expect(try workspace.summary()["ran"] == 2)
    #expect(try workspace.summary("n=2")["ran"] == 2)
    #expect(workspace.read("b") == "2\n")
  }

  @Test func `an older file added to the inputs is noticed`() throws {
    let workspace = try Workspace(files: ["old.txt": "old", "new.txt": "new"])
    let manifest = #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "cat *.txt > o"], "in": {"i": ["INPUTS"]}, "out": {"o": "o"}}}}"#
    try workspace.write(manifest.replacingOccurrences(of: "INPUTS", with: "new.txt"), to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 1)
    try workspace.write(manifest.replacingOccurrences(of: "INPUTS", with: "*.txt"), to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.read("o") == "newold")
  }

  @Test func `a tampered or deleted output is put back, not trusted and not rebuilt`() throws {
    let workspace = try chain()
    try workspace.write("tampered", to: "b.txt")
    try FileManager.default.removeItem(at: workspace.path("a.txt"))
    let summary = try workspace.summary()
    #expect(summary["restored"] == 2 && summary["ran"] == 0)
    #expect(workspace.read("b.txt") == "one\n" && workspace.read("a.txt") == "one\n")
  }

  @Test func `the same output again cuts off what follows`() throws {
    let workspace = try chain()
    try workspace.write("one\nother noise\n", to: "in.txt")
    let summary = try workspace.summary()
    #expect(summary["ran"] == 1 && summary["upToDate"] == 1)
  }

  @Test func `there and back again runs nothing`() throws {
    let workspace = try chain()
    try workspace.write("two\n", to: "in.txt")
    #expect(try workspace.summary()["ran"] == 2)
    try workspace.write("one\nnoise\n", to: "in.txt")
    let summary = try workspace.summary()
    #expect(summary["restored"] == 2 && summary["ran"] == 0)
    #expect(workspace.read("b.txt") == "one\n")
  }

  @Test func `a failed step publishes nothing`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo half > o; exit 7"], "out": {"o": "o"}}}}"#)
    let outcome = try workspace.enpire()
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("FAILED a: exit code 7"))
    #expect(workspace.read("o") == nil)
  }

  @Test func `killed in the middle of a step, the next run does it whole`() throws {
    let workspace = try Workspace()
    try workspace.write(
      """
      {"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo half > o; touch \(workspace.path("begun").path()); test -e \(workspace.path("go").path()) || sleep 60; echo whole > o"],
        "out": {"o": "o"}}}}
      """, to: "enpire.json")
    let first = try workspace.start([])
    workspace.wait(for: "begun")
    kill(first.processIdentifier, SIGKILL)
    first.waitUntilExit()
    #expect(workspace.read("o") == nil)
    try workspace.write("", to: "go")
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.read("o") == "whole\n")
  }

  @Test func `an input that changes while its step runs makes it fail`() throws {
    let workspace = try Workspace(files: ["in.txt": "before"])
    try workspace.write(
      """
      {"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "cat in.txt > o; echo after > \(workspace.path("in.txt").path())"], "in": {"i": "in.txt"}, "out": {"o": "o"}}}}
      """, to: "enpire.json")
    let outcome = try workspace.enpire()
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("its input in.txt changed while it ran"))
    #expect(workspace.read("o") == nil)
  }

  @Test func `of two runs at once the second waits and finds everything done`() throws {
    let workspace = try Workspace()
    try workspace.write(
      """
      {"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a >> \(workspace.path("ran").path()); while ! test -e \(workspace.path("go").path()); do sleep 0.01; done; echo x > o"],
        "out": {"o": "o"}}}}
      """, to: "enpire.json")
    let first = try workspace.start(["run"], number: 1)
    workspace.wait(for: "ran")
    #expect(try workspace.enpire("run", "--no-wait").code == 75)
    let second = try workspace.start(["run"], number: 2)
    try workspace.write("", to: "go")
    #expect(workspace.outcome(of: first, number: 1).code == 0)
    #expect(workspace.outcome(of: second, number: 2).code == 0)
    #expect(workspace.ran == ["a"])
  }

  @Test func `one job at a time or eight give the same keys and outputs`() throws {
    let manifest = """
      {"manifest": 1, "steps": {
        "part": {"run": ["sh", "-c", "echo ${matrix.i} > p-${matrix.i}"], "matrix": {"i": [1, 2, 3, 4, 5, 6]}, "out": {"o": "p-${matrix.i}"}},
        "all": {"run": ["sh", "-c", "cat \\"$@\\" > all", "sh", "${in.i}"], "in": {"i": "${step.part[*].o}"}, "out": {"o": "all"}}}}
      """
    let keys = try ["1", "8"].map { jobs in
      let workspace = try Workspace(manifest)
      #expect(try workspace.summary("-j", jobs)["ran"] == 7)
      #expect(workspace.read("all") == "1\n2\n3\n4\n5\n6\n")
      let status = try JSON(parsing: try workspace.enpire("status", "--json").output)
      return status["steps"]?.array?.map { $0["key"] }
    }
    #expect(keys[0] == keys[1] && keys[0]?.count == 7)
  }
}
