// `enpire watch --run`: runs again whatever changes, whether or not the last run found something to do.

import Foundation
import Testing

@Suite struct `Watching and running` {
  @Test(
    arguments: [
      (["--run", "-f", "d/none.json"], 65, "no manifest d/none.json"), (["--run", "b"], 64, "no step 'b'"),
      (["--run", "x=1"], 64, "no variable 'x'"),
      (["a"], 64, "'a' goes with --run"),
    ] as [([String], Int32, String)])
  func `a mistake in the command line ends it at once, and nothing is made`(_ words: [String], _ code: Int32, _ sentence: String) throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["true"], "phony": true}}}"#)
    let outcome = try workspace.enpire(["watch"] + words)
    #expect(outcome.code == code && outcome.errors.components(separatedBy: "error: ").count == 2, "\(outcome.errors)")
    #expect(outcome.errors.contains(sentence), "\(outcome.errors)")
    #expect(["d", ".enpire"].allSatisfy { !FileManager.default.fileExists(atPath: workspace.path($0).path()) })
  }

  @Test func `every change runs it again: inputs, the manifest, a mended failure, appended steps`() throws {
    let manifest = { (script: String) in
      #"{"manifest": 1, "steps": {"r": {"run": ["sh", "-c", "\#(script)"], "in": {"p": "in"}, "out": {"o": "r"}}}}"#
    }
    let workspace = try Workspace(manifest("cp in r"), files: ["in": "0"])
    let watch = try workspace.start(["watch", "--run"], number: 1)
    defer {
      watch.interrupt()
      watch.waitUntilExit()
    }
    func becomes(_ text: String, _ file: String = "r") -> Bool {
      for _ in 0..<2000 where workspace.read(file) != text { usleep(10_000) }
      return workspace.read(file) == text
    }
    #expect(becomes("0"))
    for round in 1...3 {
      try workspace.write("\(round)", to: "in")
      #expect(becomes("\(round)"), "\(workspace.read(".errors-1") ?? "")")
    }
    try workspace.write(manifest("exit 3"), to: "enpire.json")
    while watch.isRunning, workspace.read(".errors-1")?.contains("exit code 3") != true { usleep(10_000) }
    try workspace.write(manifest("echo mended > r"), to: "enpire.json")
    #expect(becomes("mended\n"))
    try workspace.write(#"{"steps": {"x": {"run": ["sh", "-c", "echo x > x"], "out": {"o": "x"}}}}"#, to: "steps.json")
    #expect(try workspace.enpire("append", "--goal", "steps.json").code == 0)
    #expect(becomes("x\n", "x"))
  }

  @Test func `what happens in a directory above is no reason to run`() throws {
    let workspace = try Workspace(files: ["above/w/d/e/in": "0"])
    try workspace.write(
      #"{"manifest": 1, "steps": {"r": {"run": ["cp", "d/e/in", "r"], "in": {"p": "d/e/in"}, "out": {"o": "r"}}}}"#, to: "above/w/enpire.json")
    let watch = try workspace.start(["watch", "--run", "-f", "above/w/enpire.json"], number: 1)
    defer {
      watch.interrupt()
      watch.waitUntilExit()
    }
    func runs() -> Int {
      (workspace.read(".errors-1") ?? "").components(separatedBy: "\n").count { $0.contains("1 ran") || $0.contains("nothing to do") }
    }
    for round in 1...5 {
      for _ in 0..<2000 where runs() < round { usleep(10_000) }
      try workspace.write("\(round)", to: "above/noise")
      usleep(300_000)
      #expect(runs() == round, "\(workspace.read(".errors-1") ?? "")")
      try workspace.write("\(round)", to: "above/w/d/e/in")
    }
    // But a directory on the way is one, though nothing is read in it.
    for _ in 0..<2000 where runs() < 6 { usleep(10_000) }
    try workspace.write("last", to: "above/new/e/in")
    try FileManager.default.moveItem(at: workspace.path("above/w/d"), to: workspace.path("above/old"))
    try FileManager.default.moveItem(at: workspace.path("above/new"), to: workspace.path("above/w/d"))
    for _ in 0..<2000 where workspace.read("above/w/r") != "last" { usleep(10_000) }
    #expect(workspace.read("above/w/r") == "last")
  }

  @Test func `what is edited while a run goes on is not forgotten`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["one", "all", "many"], "steps": {
        "one": {"run": ["cp", "in", "${out.o}"], "in": {"p": "in"}, "out": {"o": "one"}},
        "all": {"run": ["sh", "-c", "cat names/*.txt > all"], "in": {"p": "names/*.txt"}, "out": {"o": "all"}},
        "many": {"run": ["sh", "-c", "cat tree/* tree/*/* > many 2> /dev/null; true"], "in": {"t": "tree"}, "out": {"o": "many"}}}}
      """#,
      files: ["in": "0", "names/0.txt": "0", "tree/0": "0", "tree/below/0": "0"])
    let watch = try workspace.start(["watch", "--run"], number: 1)
    defer {
      watch.interrupt()
      watch.waitUntilExit()
    }
    // As soon as one output is there, while the run that made it has more to do or to write down.
    func becomes(_ text: String, _ file: String) -> Bool {
      for _ in 0..<100_000 where workspace.read(file) != text { usleep(200) }
      return workspace.read(file) == text
    }
    #expect(becomes("0", "one"))
    var (all, many) = ("0", "00")
    for round in 1...8 {
      try workspace.write("\(round)", to: "in")
      #expect(becomes("\(round)", "one"), "\(workspace.read(".errors-1") ?? "")")
      try workspace.write("\(round)", to: "names/\(round).txt")
      all += "\(round)"
      #expect(becomes(all, "all"), "\(workspace.read(".errors-1") ?? "")")
      // In a directory that was not there when it began to watch.
      try workspace.write("\(round)", to: "tree/new\(round)/0")
      many += "\(round)"
      #expect(becomes(many, "many"), "\(workspace.read(".errors-1") ?? "")")
    }
  }
}
