// Which step runs when, and on what: order, resources, retries, load, how many failures are enough, estimates, and the trace of it all.

import Foundation
import JSON
import Testing

@Suite struct `Scheduling` {
  /// Steps named as in `steps`, each with the script given for it and further members; each notes when it begins and ends.
  private func workspace(_ steps: [(name: String, script: String, members: String)], more: String = "") throws -> Workspace {
    let workspace = try Workspace()
    let path = workspace.directory.path()
    let texts = steps.map { name, script, members in
      let script =
        "echo +\(name) >> \(path)/ran; \(script.replacingOccurrences(of: "WORKSPACE", with: path))\necho -\(name) >> \(path)/ran; echo ${var.n} > o"
      let words = JSON.array(["sh", "-c", .string(script)]).compact
      return #""\#(name)": {"run": \#(words), "out": {"o": "\#(name).txt"}\#(members.isEmpty ? "" : ", " + members)}"#
        .replacingOccurrences(of: "> o\"]", with: "> \(name).txt\"]")
    }
    let goals = JSON.array(steps.map { .string($0.name) }).compact
    try workspace.write(
      #"{"manifest": 1, "vars": {"n": 1}\#(more), "default": \#(goals), "steps": {\#(texts.joined(separator: ",\n"))}}"#, to: "enpire.json")
    return workspace
  }

  /// The most that ran at once.
  private func most(_ workspace: Workspace) -> Int {
    var now = 0
    return workspace.ran.reduce(0) { most, line in
      now += line.hasPrefix("+") ? 1 : -1
      return max(most, now)
    }
  }

  private func begun(_ workspace: Workspace) -> [String] { workspace.ran.filter { $0.hasPrefix("+") }.map { String($0.dropFirst()) } }

  private func events(_ outcome: Outcome) -> [JSON] { outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) } }

  // MARK: Order

  @Test func `what has priority starts first, and then what took longest`() throws {
    let workspace = try workspace([("quick", "", ""), ("slow", "sleep 0.4", ""), ("urgent", "", #""priority": 1"#)])
    #expect(try workspace.summary("-j1")["ran"] == 3)
    #expect(begun(workspace) == ["urgent", "quick", "slow"])
    #expect(try workspace.summary("-j1", "n=2")["ran"] == 3)
    #expect(Array(begun(workspace).suffix(3)) == ["urgent", "slow", "quick"])
  }

  @Test func `what a step makes ready goes before what waits, if more comes after it`() throws {
    let workspace = try workspace([
      ("long", "until grep -qx -- -a3 WORKSPACE/ran; do sleep 0.01; done", #""priority": 1"#), ("x", "", ""), ("y", "", ""),
      ("a1", "", ""), ("a2", "", #""in": {"i": "${step.a1.o}"}"#), ("a3", "", #""in": {"i": "${step.a2.o}"}"#),
    ])
    #expect(try workspace.summary("-j2")["ran"] == 6)
    // The last of the chain is as long as the others, and was written after them.
    #expect(begun(workspace).filter { $0 != "long" } == ["a1", "a2", "x", "y", "a3"])
  }

  @Test func `what comes after all of a matrix counts for each of it`() throws {
    let workspace = try workspace([
      ("x", "", ""), ("m", "", #""matrix": {"k": [1, 2]}"#), ("f", "", #""in": {"i": "${step.m[*].o}"}"#), ("g", "", #""in": {"i": "${step.f.o}"}"#),
    ])
    let manifest = try #require(workspace.read("enpire.json")).replacing("m.txt", with: "m${matrix.k}.txt")
    try workspace.write(manifest, to: "enpire.json")
    #expect(try workspace.summary("-j1")["ran"] == 5)
    #expect(begun(workspace) == ["m", "m", "f", "x", "g"])
  }

  @Test func `after a failure nothing starts, though a slot is free`() throws {
    let workspace = try workspace([
      ("long", "until grep -qx -- +bad WORKSPACE/ran; do sleep 0.01; done; sleep 0.2", #""priority": 2"#), ("bad", "exit 3", #""priority": 1"#),
      ("x", "", ""),
    ])
    let summary = try workspace.summary("-j2")
    #expect(summary["failed"] == 1 && summary["ran"] == 1 && summary["notReached"] == 1 && !begun(workspace).contains("x"), "\(summary)")
  }

  @Test func `the time that is left is told from recorded durations`() throws {
    let workspace = try workspace([("a", "sleep 0.2", ""), ("b", "sleep 0.2", ""), ("c", "sleep 0.2", "")])
    let first = events(try workspace.enpire("run", "--json", "-j1"))
    #expect(!first.contains { $0["event"] == "estimate" })
    let second = events(try workspace.enpire("run", "--json", "-j1", "n=2"))
    let left = second.first { $0["event"] == "estimate" }?["left"]?.double ?? 0
    // Two of three steps are left, each of which took 0.2 s and a bit.
    #expect(left > 0.39)
  }

  // MARK: Resources

  @Test func `a step knows which units of a pool it has, and has them alone`() throws {
    let script = "mkdir WORKSPACE/$ENPIRE_POOL_GRIPPER && sleep 0.1 && rmdir WORKSPACE/$ENPIRE_POOL_GRIPPER || exit 9"
    let workspace = try workspace(
      (0..<6).map { ("s\($0)", script, #""resources": {"gripper": 1}"#) }, more: #", "pools": {"gripper": ["left", "right"]}"#)
    #expect(try workspace.summary("-j6")["ran"] == 6)
    #expect(most(workspace) <= 2)
    // Which unit it was does not matter to the result.
    #expect(try workspace.summary()["upToDate"] == 6)
  }

  @Test(arguments: [#""resources": {"memory": "900T"}"#, #""resources": {"cpu": 1000}"#])
  func `what wants more than the machine has runs alone`(members: String) throws {
    let workspace = try workspace((0..<3).map { ("s\($0)", "sleep 0.05", members) })
    #expect(try workspace.summary("-j3")["ran"] == 3)
    #expect(most(workspace) == 1)
  }

  @Test func `a graphics card is handed out by its name`() throws {
    let script = "mkdir WORKSPACE/gpu-$CUDA_VISIBLE_DEVICES && sleep 0.1 && rmdir WORKSPACE/gpu-$CUDA_VISIBLE_DEVICES || exit 9"
    let workspace = try workspace((0..<4).map { ("s\($0)", script, #""resources": {"gpu": 1}"#) })
    #expect(try workspace.enpire("-j4", environment: ["CUDA_VISIBLE_DEVICES": "GPU-1,GPU-2"]).code == 0)
    #expect(most(workspace) <= 2)
    let without = try workspace.enpire("n=2", environment: ["CUDA_VISIBLE_DEVICES": ""])
    #expect(without.code == 69 && without.errors.contains("s0: wants 1 gpu, and this machine has 0"))
  }

  @Test func `with a load limit that is reached, one step runs at a time`() throws {
    let workspace = try workspace((0..<3).map { ("s\($0)", "sleep 0.05", "") })
    #expect(try workspace.summary("-j3", "-l", "0")["ran"] == 3)
    #expect(most(workspace) == 1)
  }

  // MARK: Failures

  @Test func `it is tried again after causes that are named, each time later, while others run`() throws {
    let workspace = try workspace([
      ("flaky", "test $(grep -c +flaky WORKSPACE/ran) = 3 || exit 75", #""priority": 1, "retries": {"max": 5, "on": ["exit:75"], "delay": 0.3}"#),
      ("other", "", ""),
    ])
    let outcome = try workspace.enpire("run", "--json", "-j1")
    #expect(outcome.code == 0)
    #expect(events(outcome).filter { $0["event"] == "retry" }.map { $0["pause"]?.double } == [0.3, 0.6])
    #expect(begun(workspace) == ["flaky", "other", "flaky", "flaky"])
  }

  @Test(arguments: [
    ("exit 3", "exit:75", 1), ("exit 3", "exit", 1), ("kill -9 $$$$", "signal", 1), ("sleep 60", "timeout", 124), ("kill -9 $$$$", "exit", 1),
  ])
  func `causes`(script: String, cause: String, code: Int32) throws {
    let workspace = try workspace([("a", script, #""timeout": 0.3, "retries": {"max": 1, "on": ["\#(cause)"]}"#)])
    #expect(try workspace.enpire().code == code)
    let isCovered = (script, cause) != ("exit 3", "exit:75") && (script, cause) != ("kill -9 $$$$", "exit")
    #expect(begun(workspace).count == (isCovered ? 2 : 1))
  }

  @Test func `a step that waits for its next try has failed when the run stops`() throws {
    let workspace = try workspace([("a", "exit 1", #""priority": 1, "retries": {"max": 1, "delay": "1h"}"#), ("b", "exit 1", "")])
    let summary = try workspace.summary("-j1")
    #expect(summary["failed"] == 2 && summary["exit"] == 1)
  }

  @Test func `after so many failures nothing more is started`() throws {
    let workspace = try workspace((0..<5).map { ("s\($0)", "exit 1", "") })
    let summary = try workspace.summary("-j1", "--failures", "2")
    #expect(summary["failed"] == 2 && summary["notReached"] == 3)
  }

  // MARK: The trace

  @Test func `the trace shows each step in the lane of its slot and of its station`() throws {
    let workspace = try workspace(
      [
        ("a", "sleep 0.1", #""station": {"task": "t"}"#), ("b", "sleep 0.1", ""), ("c", "sleep 0.1", #""station": {"task": "t"}"#),
        ("d", "exit 1", #""may_fail": true"#),
      ], more: #", "fleet": "fleet.json""#)
    try workspace.write(#"{"fleet": 1, "stations": [{"name": "arm", "driver": "none", "tasks": ["t"]}]}"#, to: "fleet.json")
    #expect(try workspace.enpire("-j2", "--trace", "trace.json").code == 0)
    let trace = try JSON(parsing: workspace.read("trace.json")!).array!
    let spans = trace.filter { $0["ph"] == "X" }
    func lane(_ event: JSON) -> String { "\(event["pid"]!.int!) \(event["tid"]!.int!)" }
    #expect(spans.filter { $0["pid"] == 1 }.map { $0["name"]!.string! }.sorted() == ["a", "b", "c", "d"])
    #expect(spans.filter { $0["pid"] == 2 }.map { $0["name"]!.string! }.sorted() == ["a", "c"])
    for group in Dictionary(grouping: spans, by: lane).values {
      let ordered = group.sorted { $0["ts"]!.double! < $1["ts"]!.double! }
      for (before, after) in zip(ordered, ordered.dropFirst()) { #expect(before["ts"]!.double! + before["dur"]!.double! <= after["ts"]!.double!) }
    }
    #expect(Set(spans.filter { $0["pid"] == 1 }.map { $0["tid"]!.int! }) == [1, 2])
    let names = trace.filter { $0["name"] == "thread_name" }.map { "\(lane($0)) \($0["args"]!["name"]!.string!)" }.sorted()
    #expect(names == ["1 1 slot 1", "1 2 slot 2", "2 1 arm"])
    let failed = spans.first { $0["name"] == "d" }!["args"]!
    #expect(failed["outcome"] == "failed" && failed["reasons"] == ["it has not run before"] && failed["key"]?.string?.count == 64)
  }

  @Test func `a run with nothing to do has an empty trace, and an error where that cannot be written`() throws {
    let workspace = try workspace([("a", "", "")])
    #expect(try workspace.enpire("--trace", "trace.json").code == 0)
    #expect(try workspace.enpire("--trace", "trace.json").errors == "nothing to do: the step is up to date\n")
    #expect(try JSON(parsing: workspace.read("trace.json")!) == [])
    #expect(try workspace.enpire("--trace", "none/trace.json").code == 74)
  }

  @Test(arguments: [SIGINT, SIGKILL]) func `a trace is good after`(signal: Int32) throws {
    let workspace = try workspace([("a", "", #""priority": 1"#), ("b", "touch WORKSPACE/begun; sleep 60", "")])
    let run = try workspace.start(["-j1", "--trace", "trace.json"])
    workspace.wait(for: "begun")
    // What ended is written with its record, a moment later.
    while workspace.read("trace.json")?.contains("\"a\"") != true { usleep(2000) }
    kill(run.processIdentifier, signal)
    run.waitUntilExit()
    let text = workspace.read("trace.json")!
    // The format lets the array stay open.
    let trace = try JSON(parsing: signal == SIGKILL ? text + "]" : text).array!
    let spans = trace.filter { $0["ph"] == "X" }.map { "\($0["name"]!.string!) \($0["args"]!["outcome"]!.string!)" }
    #expect(spans == (signal == SIGKILL ? ["a done"] : ["a done", "b interrupted"]))
    _ = try workspace.enpire("plan")
  }
}
