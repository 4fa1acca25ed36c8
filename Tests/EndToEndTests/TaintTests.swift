// What turns out to be bad afterwards: everything that came of it is found, is not used, and comes back when the mark is taken back.

import Foundation
import JSON
import Testing

@Suite struct `Marks and quarantine` {
  /// `train` reads two demonstrations by way of `data`, `score` and `table` what it gives; `other` reads nothing of them.
  private func workspace() throws -> Workspace {
    let workspace = try Workspace()
    let ran = workspace.path("ran").path()
    try workspace.write("one\n", to: "demos/1")
    try workspace.write("two\n", to: "demos/2")
    try workspace.write(
      """
      {"manifest": 1, "default": ["table", "other"], "steps": {
        "data": {"run": ["sh", "-c", "echo data >> \(ran); cat demos/1 demos/2 > data"], "in": {"d": "demos/*"}, "out": {"o": "data"}},
        "train": {"run": ["sh", "-c", "echo train >> \(ran); wc -c < ${in.d} > policy"], "in": {"d": "${step.data}"}, "out": {"o": "policy"}},
        "score": {"run": ["sh", "-c", "echo score >> \(ran); cat ${in.p} > score"], "in": {"p": "${step.train}"}, "out": {"o": "score"}},
        "table": {"run": ["sh", "-c", "echo table >> \(ran); cat ${in.s} > table"], "in": {"s": "${step.score}"}, "out": {"o": "table"}},
        "other": {"run": ["sh", "-c", "echo other >> \(ran); echo 1 > other"], "out": {"o": "other"}}}}
      """, to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 5)
    return workspace
  }

  private func quarantined(_ workspace: Workspace) throws -> [String] {
    let json = try JSON(parsing: try workspace.enpire("taint", "--json").output)
    return (json["quarantined"]?.array ?? []).compactMap { $0["step"]?.string }
  }

  @Test func `a bad demonstration puts all that came of it into quarantine, and nothing reads it again`() throws {
    let workspace = try workspace()
    #expect(try workspace.enpire("taint").output == "nothing is marked as bad\n")
    let marked = try workspace.enpire("taint", "file", "demos/2", "--reason", "the camera slipped", "--by", "ann")
    #expect(
      marked.code == 0 && marked.output.contains("file demos/2") && marked.output.contains("4 records in quarantine"),
      "\(marked.output)\(marked.errors)")
    #expect(try quarantined(workspace) == ["data", "score", "table", "train"])
    let run = try workspace.enpire("run")
    #expect(run.code == 1 && run.errors.contains("data: reads 2, and file demos/2 is marked as bad (the camera slipped)"), "\(run.errors)")
    #expect(try workspace.enpire("-k", "other").code == 0, "what does not rest on it stays")
    // Without it, everything is made anew, and is good.
    try FileManager.default.removeItem(at: workspace.path("demos/2"))
    try workspace.write((workspace.read("enpire.json") ?? "").replacing("cat demos/1 demos/2", with: "cat demos/1"), to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 4 && workspace.read("table") == "4\n")
    #expect(try quarantined(workspace).isEmpty)
  }

  @Test func `a file with the same content as a bad result is read again once, and is good`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "steps": {
        "copy": {"run": ["cp", "in", "copy"], "in": {"i": "in"}, "out": {"o": "copy"}},
        "innocent": {"run": ["sh", "-c", "wc -c < in > size"], "in": {"i": "in"}, "out": {"o": "size"}}}}
      """#, files: ["in": "text"])
    #expect(try workspace.enpire("run", "copy").code == 0 && workspace.enpire("run", "innocent").code == 0)
    #expect(try workspace.enpire("taint", "run", "1").code == 0)
    #expect(try workspace.enpire("run", "innocent").code == 0)
    #expect(try quarantined(workspace) == ["copy"])
    #expect(try workspace.enpire("why", "innocent").output.hasPrefix("innocent: up to date\n"))
    #expect(try workspace.summary("innocent")["ran"] == 0)
    let wrong = try workspace.enpire("taint", "run", "1", "--since", "1h", "--until", "2h")
    #expect(wrong.code == 64 && wrong.errors.contains("--since is the earlier time"), "\(wrong.errors)")
    // A number is never given twice.
    #expect(try workspace.enpire("taint", "--remove", "1").code == 0 && workspace.enpire("taint", "run", "1").code == 0)
    #expect(try JSON(parsing: try workspace.enpire("taint", "--json", "--limit", "0").output)["marks"]?[0]?["id"] == 2)
  }

  @Test func `a bad file within a directory that is an input is found, and not read again whatever else is in the directory`() throws {
    let workspace = try Workspace(files: ["demos/one/a": "1\n", "demos/two/b": "bad\n", "other/c": "3\n"])
    try workspace.write(
      """
      {"manifest": 1, "default": ["count", "table", "other"], "steps": {
        "count": {"run": ["sh", "-c", "find demos/ -type f | wc -l > count"], "in": {"d": "demos"}, "out": {"o": "count"}},
        "table": {"run": ["sh", "-c", "cat ${in.c} > table"], "in": {"c": "${step.count}"}, "out": {"o": "table"}},
        "other": {"run": ["sh", "-c", "cat other/c > o"], "in": {"d": "other"}, "out": {"o": "o"}}}}
      """, to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 3)
    #expect(try workspace.enpire("taint", "file", "demos/two/b", "--reason", "the camera slipped").output.contains("2 records in quarantine"))
    #expect(try quarantined(workspace) == ["count", "table"])
    let run = try workspace.enpire("run")
    #expect(run.code == 1 && run.errors.contains("count: reads demos, and file demos/two/b is marked as bad (the camera slipped)"), "\(run.errors)")
    // The directory is another one, the file in it the same.
    try workspace.write("4\n", to: "demos/one/d")
    let again = try workspace.enpire("run")
    #expect(again.code == 1 && again.errors.contains("count: reads demos, and file demos/two/b is marked as bad"), "\(again.errors)")
    #expect(try workspace.enpire("run", "other").code == 0, "what does not rest on it stays")
    try FileManager.default.removeItem(at: workspace.path("demos/two/b"))
    #expect(try workspace.summary()["ran"] == 2 && workspace.read("table") == "2\n")
    #expect(try quarantined(workspace).isEmpty)
    // Back as it was then: what was recorded of it counts no more than before.
    try FileManager.default.removeItem(at: workspace.path("demos/one/d"))
    try workspace.write("bad\n", to: "demos/two/b")
    #expect(try workspace.enpire("run").code == 1)
    #expect(try workspace.enpire("taint", "--remove", "1").code == 0)
    #expect(try workspace.summary()["ran"] == 0 && workspace.read("count") == "2\n")
  }

  @Test func `a mark is taken back, and what it was for counts again`() throws {
    let workspace = try workspace()
    #expect(try workspace.enpire("taint", "file", "demos/1").code == 0)
    #expect(try workspace.enpire("run").code == 1)
    #expect(try workspace.enpire("taint", "--remove", "1").output == "nothing is marked as bad\n")
    #expect(try workspace.summary()["upToDate"] == 5 && workspace.ran.count == 5)
    #expect(try workspace.enpire("taint", "--remove", "1").code == 64)
  }

  @Test func `of a bad run all is made anew, and of that what rests on it only if it comes out otherwise`() throws {
    let workspace = try workspace()
    #expect(try workspace.enpire("taint", "run", "1", "--reason", "the disk was failing").output.contains("5 records in quarantine"))
    let why = try workspace.enpire("why", "train").output
    #expect(why.contains("its result is in quarantine: run 1 is marked as bad (the disk was failing)") || why.contains("waits for data"), "\(why)")
    #expect(try workspace.summary()["ran"] == 5 && workspace.ran.count == 10)
    #expect(try quarantined(workspace).isEmpty && workspace.summary()["upToDate"] == 5)
  }

  @Test func `what a step gave until now is bad; the same from good inputs frees those that read it`() throws {
    let workspace = try workspace()
    #expect(try workspace.enpire("taint", "step", "train").code == 0)
    #expect(try quarantined(workspace) == ["score", "table", "train"])
    // It gives the same again: what read it rests on something good.
    #expect(try workspace.summary()["ran"] == 1 && Array(workspace.ran.suffix(1)) == ["train"])
    #expect(try quarantined(workspace).isEmpty)
  }

  @Test(
    arguments: [
      (["file", "nothing"], "there is no file nothing"), (["station", "s"], "no station 's'"), (["run", "7"], "no run '7'"),
      (["step", "trian"], "no step 'trian'"),
      (["demo", "x"], "taint takes a kind of thing and its name"), (["run", "1", "--since", "yesterday"], "'yesterday' is no time"),
    ] as [([String], String)])
  func `what there is not cannot be bad`(_ words: [String], _ sentence: String) throws {
    let workspace = try workspace()
    let outcome = workspace.outcome(of: try workspace.start(["taint"] + words))
    #expect(outcome.code == 64 && outcome.errors.contains(sentence), "\(outcome.errors)")
    #expect(try quarantined(workspace).isEmpty)
  }

  @Test func `trials of a bad station are put aside, nothing runs there meanwhile, and new ones are drawn when it is good again`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "fleet": "fleet.json", "default": ["rate"], "steps": {
        "still": {"uses": "train", "in": {"recipe": "recipe.json"}},
        "rate": {"uses": "evaluate", "in": {"policy": "${step.still.policy}"}, "station": {"task": "push-t"}, "with": {"trials": 2, "purpose": "search"}}}}
      """#)
    try workspace.write(
      #"{"fleet": 1, "stations": [{"name": "sim-1", "driver": "push-t-sim", "tasks": ["push-t"], "gap": false}]}"#, to: "fleet.json")
    let recipe = Workspace.repository.appending(path: "workflows/recipes/push-t.json")
    try workspace.write(try String(contentsOf: recipe, encoding: .utf8), to: "recipe.json")
    try #require(try workspace.enpire("run").code == 0, "\(workspace.read(".errors-0") ?? "")")
    let samples = { (try? FileManager.default.contentsOfDirectory(atPath: workspace.path($0).path()))?.count ?? 0 }
    #expect(samples(".enpire/samples") == 1)
    #expect(try workspace.enpire("taint", "station", "sim-1", "--since", "1h").code == 0)
    #expect(try quarantined(workspace) == ["rate"])
    let run = try workspace.enpire("run")
    #expect(run.code == 69 && run.errors.contains("rate: station sim-1 is marked as bad"), "\(run.errors)")
    #expect(try workspace.enpire("taint", "--remove", "1").code == 0)
    #expect(try workspace.summary()["ran"] == 0)
    // Bad until just now: it may run there, and draws anew.
    #expect(try workspace.enpire("taint", "station", "sim-1", "--until", "0s").code == 0)
    #expect(try workspace.summary()["ran"] == 1)
    #expect(samples(".enpire/samples") == 1 && samples(".enpire/quarantine") == 1)
    #expect(try quarantined(workspace).isEmpty)
  }
}
