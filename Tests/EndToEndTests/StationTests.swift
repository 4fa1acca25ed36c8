// Rules 12 and 13: what moves hardware runs at most once, and a station belongs to one step at a time, whatever crashes, stops or comes between.

import Foundation
import JSON
import Testing

@Suite struct `Stations` {
  /// A workspace with a fleet whose book is shared in `book`; the step `move` of station `arm` does what the shell says.
  private func workspace(_ move: String, book: String = "book", station: String = "", seconds: Int = 60, more: String = "") throws -> Workspace {
    try Workspace(
      """
      {"manifest": 1, "fleet": "fleet.json", "default": ["last"], "steps": {
        "move": {"run": ["sh", "-c", "\(move)"], "out": {"o": "moved"}, "effect": "motion", "station": {"name": "arm"}},
        "last": {"run": ["cp", "${in.m}", "${out.o}"], "in": {"m": "${step.move}"}, "out": {"o": "last"}}\(more)}}
      """,
      files: [
        "fleet.json": """
        {"fleet": 1, "leases": "\(book)", "lease_seconds": \(seconds), "stations": [
          {"name": "arm", "driver": "push-t-sim", "tasks": ["move"], "calibration": {"epoch": 3}, "camera": {"light": 0.9}\(station)}]}
        """
      ])
  }

  private func state(_ workspace: Workspace) throws -> JSON {
    try JSON(parsing: try workspace.enpire("stations", "--json").output)["stations"]?[0] ?? [:]
  }

  private let counting = "echo once >> $COUNT; echo $ENPIRE_STATION $ENPIRE_LEASE_TOKEN > moved"
  private func moves(_ workspace: Workspace) -> Int { (workspace.read("count") ?? "").split(separator: "\n").count }
  /// A command in which `$COUNT` is a file beside the workspace.
  private func counted(_ command: String, _ build: (String) throws -> Workspace) throws -> Workspace {
    let workspace = try build(command)
    let text = (workspace.read("enpire.json") ?? "").replacing("$COUNT", with: workspace.path("count").path())
    try workspace.write(text, to: "enpire.json")
    return workspace
  }

  @Test func `nothing moves before a person armed the station, and what is armed is so for a while`() throws {
    let workspace = try counted(counting) { try self.workspace($0) }
    let asked = try workspace.enpire("run")
    #expect(asked.code == 77 && asked.errors.contains("it moves station arm, which is not armed  (enpire arm -f enpire.json arm)"), "\(asked.errors)")
    #expect(moves(workspace) == 0)
    #expect(try workspace.enpire("plan").output.contains("it moves station arm, which is not armed"))
    #expect(try workspace.enpire("arm", "arm", "--for", "1s", "--by", "ann").output == "armed: arm (for 1s)\n")
    #expect(try state(workspace)["armed"]?["by"] == "ann")
    sleep(2)
    #expect(try workspace.enpire("run").code == 77 && moves(workspace) == 0)
    #expect(try workspace.enpire("arm", "arm").code == 0)
    #expect(try workspace.enpire("disarm", "arm").code == 0)
    #expect(try workspace.enpire("run").code == 77 && moves(workspace) == 0)
    #expect(try workspace.enpire("arm", "arm").code == 0)
    #expect(try workspace.summary()["ran"] == 2 && moves(workspace) == 1)
    #expect(workspace.read("moved") == "arm 1\n")
    #expect(try state(workspace)["state"] == "free")
  }

  @Test func `a fleet file that is missing is told where the manifest names it`() throws {
    let outcome = try Workspace("{\"manifest\": 1,\n \"fleet\": \"none.json\", \"steps\": {}}").enpire("check")
    #expect(outcome.code == 65 && outcome.errors.hasPrefix("error: enpire.json:2:11: no fleet file none.json\n"), "\(outcome.errors)")
  }

  @Test(arguments: ["arm", "preempt"]) func `a name that is no station leaves the others as they are`(_ verb: String) throws {
    let workspace = try workspace("true")
    let before = try state(workspace)
    let outcome = try workspace.enpire(verb, "arm", "leg")
    #expect(outcome.code == 64 && outcome.output == "" && outcome.errors.contains("no station 'leg'"), "\(outcome.errors)")
    #expect(try state(workspace) == before)
  }

  @Test func `a run that waits for it goes on once the station is armed`() throws {
    let other = #", "other": {"run": ["sh", "-c", "while ! test -e GO; do sleep 0.01; done"], "phony": true}"#
    let workspace = try counted(counting) { try self.workspace($0, more: other) }
    try workspace.write((workspace.read("enpire.json") ?? "").replacing("GO", with: workspace.path("go").path()), to: "enpire.json")
    let run = try workspace.start(["run", "-j2", "last", "other"], number: 1)
    usleep(300_000)
    #expect(moves(workspace) == 0)
    #expect(try workspace.enpire("arm", "arm").code == 0)
    workspace.wait(for: "last")
    try workspace.write("", to: "go")
    #expect(workspace.outcome(of: run, number: 1).code == 0 && moves(workspace) == 1)
  }

  @Test func `what moved is not done again when its result is lost, but by a person's word`() throws {
    let workspace = try counted(counting) { try self.workspace($0) }
    #expect(try workspace.enpire("arm", "arm").code == 0)
    #expect(try workspace.enpire("run").code == 0)
    for lost in [".enpire/store", "moved", "last"] { try FileManager.default.removeItem(at: workspace.path(lost)) }
    let again = try workspace.enpire("run")
    #expect(again.code == 69 && again.errors.contains("run 1 did it, and its result is gone"), "\(again.errors)")
    #expect(moves(workspace) == 1)
    #expect(try workspace.enpire("run", "-B", "move").code == 0 && moves(workspace) == 2)
  }

  @Test(arguments: [SIGKILL, SIGTERM])
  func `after a movement that was cut off nobody uses the station before it is reset and verified`(_ signal: Int32) throws {
    let reset = #", "reset": ["sh", "-c", "echo $ENPIRE_STATION >> resets"], "verify": ["test", "-e", "in-place"]"#
    let workspace = try counted("echo once >> $COUNT; test -e $COUNT.done || sleep 600; echo moved > moved") {
      try self.workspace($0, station: reset)
    }
    #expect(try workspace.enpire("arm", "arm").code == 0)
    let run = try workspace.start(["run"], number: 1)
    while run.isRunning, moves(workspace) == 0 { usleep(10_000) }
    kill(run.processIdentifier, signal)
    _ = workspace.outcome(of: run, number: 1)
    // Armed as it is: nothing is tried again by itself, however often one runs.
    for _ in 0..<2 {
      let next = try workspace.enpire("run")
      #expect(
        next.code == 77 && next.errors.contains("nobody knows how 'move' left station arm")
          && next.errors.contains("enpire reset -f enpire.json arm"), "\(next.errors)")
    }
    #expect(moves(workspace) == 1)
    #expect(try state(workspace)["state"] == "unsure")
    let failed = try workspace.enpire("reset", "arm")
    #expect(failed.code == 69 && failed.errors.contains("'test -e in-place' failed"), "\(failed.errors)")
    #expect(try state(workspace)["state"] == "unsure" && workspace.read("resets") == "arm\n")
    try workspace.write("", to: "in-place")
    #expect(try workspace.enpire("reset", "arm").output == "reset and verified: arm\n")
    try workspace.write("", to: "count.done")
    #expect(try workspace.enpire("run").code == 0 && moves(workspace) == 2 && workspace.read("last") == "moved\n")
  }

  @Test func `a movement that failed by itself is known to have failed, and is not tried again in that run`() throws {
    let workspace = try counted("echo once >> $COUNT; exit 3") { try self.workspace($0) }
    #expect(try workspace.enpire("arm", "arm").code == 0)
    #expect(try workspace.enpire("run").code == 1 && moves(workspace) == 1)
    #expect(try state(workspace)["state"] == "free")
  }

  @Test func `two workspaces share a station by turns, each with a higher token`() throws {
    let first = try counted("echo a >> $COUNT; while ! test -e $COUNT.go; do sleep 0.01; done; echo $ENPIRE_LEASE_TOKEN > moved") {
      try self.workspace($0)
    }
    let second = try workspace("echo $ENPIRE_LEASE_TOKEN > moved", book: first.path("book").path())
    #expect(try first.enpire("arm", "arm").code == 0)
    let one = try first.start(["run"], number: 1)
    first.wait(for: "count")
    let refused = try second.enpire("run", "--no-wait")
    #expect(refused.code == 69 && refused.errors.contains("'move' of workflow enpire has it"), "\(refused.errors)")
    let two = try second.start(["run"], number: 2)
    while second.read(".errors-2")?.contains("station arm: 'move' of workflow enpire has it") != true { usleep(5000) }
    #expect(second.read("moved") == nil)
    try first.write("", to: "count.go")
    #expect(first.outcome(of: one, number: 1).code == 0 && second.outcome(of: two, number: 2).code == 0)
    #expect(first.read("moved") == "1\n" && second.read("moved") == "2\n")
  }

  @Test func `who lost the station while stopped writes nothing when it wakes`() throws {
    let sleepy = "echo a >> $COUNT; while ! test -e $COUNT.go; do sleep 0.01; done; echo stale > moved"
    let first = try counted(sleepy) { try self.workspace($0, seconds: 1) }
    // It does not move anything: nothing is unsure, and the other may go ahead.
    for workspace in [first] {
      try workspace.write((workspace.read("enpire.json") ?? "").replacing(#""effect": "motion", "#, with: ""), to: "enpire.json")
    }
    let second = try workspace("echo fresh > moved", book: first.path("book").path(), seconds: 1)
    try second.write((second.read("enpire.json") ?? "").replacing(#""effect": "motion", "#, with: ""), to: "enpire.json")
    let run = try first.start(["run"], number: 1)
    first.wait(for: "count")
    kill(run.processIdentifier, SIGSTOP)
    // Its lease is renewed by nobody, and is over.
    #expect(try second.enpire("run").code == 0 && second.read("moved") == "fresh\n")
    #expect(try state(second)["token"] == 2)
    try first.write("", to: "count.go")
    usleep(200_000)
    kill(run.processIdentifier, SIGCONT)
    let outcome = first.outcome(of: run, number: 1)
    #expect(outcome.errors.contains("its lease of station arm was lost"), "\(outcome.errors)")
    // It ran again, under a lease of its own, and only that counts.
    #expect(outcome.code == 0 && (first.read("count") ?? "").split(separator: "\n").count == 2)
    #expect(try state(second)["token"] == 3)
  }

  @Test func `a person takes a station from a step, which goes on once it is released`() throws {
    let workspace = try counted("echo once >> $COUNT; test -e $COUNT.done || sleep 600; echo moved > moved") { try self.workspace($0) }
    try workspace.write((workspace.read("enpire.json") ?? "").replacing(#""effect": "motion", "#, with: ""), to: "enpire.json")
    let run = try workspace.start(["run"], number: 1)
    workspace.wait(for: "count")
    let taken = try workspace.enpire("preempt", "arm", "--by", "ann", "--reason", "changing the gripper")
    #expect(taken.output == "kept: arm (taken from 'move' of enpire)\n", "\(taken.output)\(taken.errors)")
    #expect(try state(workspace)["kept"]?["reason"] == "changing the gripper")
    let other = try workspace.enpire("preempt", "arm", "--by", "bob")
    #expect(other.code == 69 && other.errors.contains("station arm is kept by ann: changing the gripper"), "\(other.errors)")
    #expect(try state(workspace)["kept"]?["by"] == "ann")
    #expect(try workspace.enpire("history").output.contains("goes on"))
    try workspace.write("", to: "count.done")
    usleep(1_200_000)
    #expect(workspace.read("moved") == nil && run.isRunning)
    #expect(try workspace.enpire("release", "arm").code == 0)
    let outcome = workspace.outcome(of: run, number: 1)
    #expect(outcome.code == 0 && workspace.read("last") == "moved\n" && moves(workspace) == 2, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("wait   move  ann took station arm") && outcome.errors.contains("ann has it: changing the gripper"), "\(outcome.errors)"
    )
    let history = try JSON(parsing: try workspace.enpire("history", "move", "--json").output)["executions"]?.array ?? []
    #expect(history.map { $0["outcome"]?.string } == ["done", "preempted"])
  }

  @Test func `a movement that a person interrupts leaves the station to be reset`() throws {
    let workspace = try counted("echo once >> $COUNT; sleep 600") { try self.workspace($0) }
    #expect(try workspace.enpire("arm", "arm").code == 0)
    let run = try workspace.start(["run"], number: 1)
    workspace.wait(for: "count")
    #expect(try workspace.enpire("disarm", "arm", "--by", "ann").code == 0)
    let outcome = workspace.outcome(of: run, number: 1)
    #expect(outcome.code == 77 && outcome.errors.contains("nobody knows how 'move' left station arm (ann disarmed it)"), "\(outcome.errors)")
    // The driver's own reset, of a simulation.
    #expect(try workspace.enpire("reset", "arm").output == "reset and verified: arm\n")
    #expect(try state(workspace)["state"] == "free" && moves(workspace) == 1)
  }

  @Test func `a station is used within its hours alone, which are no part of any key`() throws {
    var (now, local) = (time(nil), tm())
    localtime_r(&now, &local)
    let day = (Int(local.tm_wday) + 3) % 7
    let name = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][day]
    let workspace = try workspace("echo $ENPIRE_STATION_CALIBRATION > moved", station: #", "calendar": ["\#(name) 09:00-17:00"]"#)
    try workspace.write((workspace.read("enpire.json") ?? "").replacing(#""effect": "motion", "#, with: ""), to: "enpire.json")
    let closed = try workspace.enpire("run", "--no-wait")
    #expect(closed.code == 69 && closed.errors.contains("station arm: it is not to be used before"), "\(closed.errors)")
    #expect(try state(workspace)["state"] == "closed")
    let waited = try workspace.enpire("run", "--for", "1s")
    #expect(waited.code == 78 && waited.errors.contains("2 not reached"), "\(waited.errors)")
    try workspace.write((workspace.read("fleet.json") ?? "").replacing("\(name) 09:00-17:00", with: "00:00-24:00"), to: "fleet.json")
    #expect(try workspace.enpire("run").code == 0)
    #expect(workspace.read("moved")?.count == 65)
    try workspace.write((workspace.read("fleet.json") ?? "").replacing("00:00-24:00", with: "Mon-Sun"), to: "fleet.json")
    #expect(try workspace.summary()["upToDate"] == 2)
  }

  @Test func `what ran on a station is told with its cameras, calibration and lease`() throws {
    let workspace = try workspace("echo moved > moved")
    #expect(try workspace.enpire("arm", "arm").code == 0)
    #expect(try workspace.enpire("run", "--trace", "trace.json").code == 0)
    let database = try JSON(parsing: try workspace.enpire("why", "move", "--json").output)
    #expect(database["action"] == "up-to-date")
    let record = try JSON(parsing: try workspace.enpire("history", "move", "--json").output)["executions"]?[0]
    #expect(record?["stations"]?[0]?["token"] == 1 && record?["stations"]?[0]?["station"] == "arm", "\(record ?? .null)")
    #expect(record?["stations"]?[0]?["calibration"]?.string?.count == 64 && record?["stations"]?[0]?["cameras"]?.string?.count == 64)
  }

  @Test func `a step that measures time has the machine for itself`() throws {
    let lock = FileManager.default.temporaryDirectory.appending(path: "quiet-" + UUID().uuidString).path()
    let noted = "echo in >> LOG; sleep 0.3; echo out >> LOG"
    // Each does something else, or one would do for all.
    let steps = (0..<4).map { #""s\#($0)": {"run": ["sh", "-c", "\#(noted); : \#($0)"], "phony": true}"# }
    let workspace = try Workspace(
      #"{"manifest": 1, "default": ["s0", "s1", "s2", "s3", "q"], "steps": {\#(steps.joined(separator: ", ")), "#
        + #""q": {"run": ["sh", "-c", "echo quiet >> LOG; sleep 0.3; echo over >> LOG"], "phony": true, "quiet": true}}}"#)
    let log = workspace.path("log").path()
    try workspace.write((workspace.read("enpire.json") ?? "").replacing("LOG", with: log), to: "enpire.json")
    let other = try Workspace(workspace.read("enpire.json") ?? "")
    let environment = ["ENPIRE_QUIET_LOCK": lock]
    let runs = [
      try workspace.start(["run", "-j4"], environment: environment, number: 1), try other.start(["run", "-j4"], environment: environment, number: 2),
    ]
    #expect(workspace.outcome(of: runs[0], number: 1).code == 0 && other.outcome(of: runs[1], number: 2).code == 0)
    var (inside, quiet, most, order) = (0, 0, 0, [String]())
    for line in (workspace.read("log") ?? "").split(separator: "\n") {
      order.append(String(line))
      switch line {
      case "in": inside += 1
      case "out": inside -= 1
      case "quiet": quiet += 1
      default: quiet -= 1
      }
      most = max(most, inside)
      #expect(quiet == 0 || (quiet == 1 && inside == 0), "\(order)")
    }
    #expect(order.count == 20 && most > 1)
  }

  @Test(
    arguments: [
      (#""effect": "move""#, "'effect' must be"), (#""effect": "motion", "retries": 2"#, "not tried again by itself"),
      (#""effect": "motion", "always": true"#, "at most once"), (#""effect": "motion", "phony": true"#, "needs a station"),
    ])
  func `a movement that makes no sense is refused at its place`(_ members: String, _ sentence: String) throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"move": {"run": ["true"], \#(members)}}}"#)
    let outcome = try workspace.enpire("plan")
    #expect(outcome.code == 65 && outcome.errors.contains(sentence) && outcome.errors.contains("enpire.json:1:"), "\(outcome.errors)")
  }

  @Test(
    arguments: [
      (#""calendar": ["25:00-06:00"]"#, "no window of time"), (#""calendar": "Mon-Foo""#, "no window of time"), (#""hardware": 1"#, "true or false"),
      (#""reset": "home.sh""#, "a list of words"),
    ])
  func `a station that makes no sense is refused at its place`(_ members: String, _ sentence: String) throws {
    let outcome = try workspace("true", station: ", " + members).enpire("stations")
    #expect(outcome.code == 65 && outcome.errors.contains(sentence) && outcome.errors.contains("fleet.json:2:"), "\(outcome.errors)")
  }

  @Test func `an evaluation on hardware runs each trial once at most, and goes on after a person had the station`() throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "fleet": "fleet.json", "steps": {"eval": {"uses": "evaluate", "in": {"policy": "policy"}, "station": {"task": "push-t"},
        "with": {"trials": 200, "films": 0}}}}
      """,
      files: [
        "fleet.json": #"{"fleet": 1, "stations": [{"name": "real", "driver": "push-t-sim", "tasks": ["push-t"], "hardware": true}]}"#,
        "policy/policy.json": #"{"policy": 1, "task": "push-t", "regime": "heuristic", "parameters": {}}"#,
      ])
    #expect(try workspace.enpire("run").code == 77)
    #expect(try workspace.enpire("arm", "real").code == 0)
    let run = try workspace.start(["run", "eval"], number: 1)
    func samples() -> [String] {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: workspace.path(".enpire/samples").path())) ?? []
      return files.flatMap { (workspace.read(".enpire/samples/" + $0) ?? "").split(separator: "\n").map(String.init) }
    }
    while samples().count < 6 && run.isRunning { usleep(5000) }
    #expect(try workspace.enpire("preempt", "real", "--by", "ann").code == 0)
    let outcome = workspace.outcome(of: run, number: 1)
    #expect(outcome.code == 77 && outcome.errors.contains("ann took station real"), "\(outcome.errors)")
    let kept = samples().count
    #expect(kept >= 6 && kept < 400)
    #expect(try workspace.enpire("release", "real").code == 0 && workspace.enpire("reset", "real").code == 0)
    let last = try workspace.enpire("run", "eval")
    #expect(last.code == 0, "\(last.errors)")
    let lines = samples().compactMap { try? JSON(parsing: $0) }
    let begun = lines.compactMap { $0["begun"]?.int }
    #expect(begun.sorted() == Array(0..<200), "each trial was begun once: \(begun)")
    #expect(lines.count { $0["index"] != nil } == 200)
    #expect(lines.count { $0["outcome"]?["unknown"] != nil || $0["outcome"]?.string == "unknown" } <= 1)
  }

  @Test func `pilots of a choice are made before its station is taken, and are there when it is free`() throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "fleet": "fleet.json", "steps": {
        "planner": {"uses": "train", "in": {"recipe": "recipe.json"}},
        "data": {"uses": "collect", "in": {"policy": "${step.planner.policy}"}, "with": {"episodes": 2}},
        "regime": {"uses": "choose-regime", "in": {"recipe": "recipe.json", "demos": "${step.data}"}, "station": {"name": "sim"},
          "with": {"candidates": ["heuristic", "bc"], "pilot_trials": 1, "updates": 50}, "out": {"choice": "choice.json"}}}}
      """,
      files: [
        "fleet.json": #"{"fleet": 1, "stations": [{"name": "sim", "driver": "push-t-sim", "tasks": ["push-t"], "gap": false}]}"#,
        "recipe.json": #"""
        {"recipe": 1, "task": "push-t", "regime": "heuristic", "heuristic": {"preset": "low"}, "bc": {"network": {"hidden": [16]}}}
        """#,
      ])
    #expect(try workspace.enpire("preempt", "sim", "--by", "ann").code == 0)
    let kept = try workspace.enpire("run", "--no-wait")
    #expect(kept.code == 69 && kept.errors.contains("ann has it"), "\(kept.errors)")
    func outcomes() throws -> [JSON?] {
      try JSON(parsing: try workspace.enpire("history", "regime", "--json").output)["executions"]?.array?.map { $0["outcome"] } ?? []
    }
    #expect(try outcomes() == ["prepared"])
    let files = FileManager.default.enumerator(at: workspace.path(".enpire/progress"), includingPropertiesForKeys: nil)
    let notes = try #require(files?.allObjects.compactMap { $0 as? URL }.filter { $0.lastPathComponent == "made.json" })
    #expect(notes.count == 2)
    let times = try notes.map { try FileManager.default.attributesOfItem(atPath: $0.path())[.modificationDate] as? Date }
    let run = try workspace.start(["run"], number: 1)
    usleep(300_000)
    #expect(run.isRunning && workspace.read("choice.json") == nil)
    #expect(try notes.map { try FileManager.default.attributesOfItem(atPath: $0.path())[.modificationDate] as? Date } == times)
    #expect(try workspace.enpire("release", "sim").code == 0)
    let last = workspace.outcome(of: run, number: 1)
    #expect(last.code == 0 && workspace.read("choice.json")?.contains("heuristic") == true, "\(last.errors)")
    #expect(try outcomes() == ["done", "prepared", "prepared"])
    #expect(try workspace.summary()["upToDate"] == 3 && workspace.enpire("reproduce", "regime").code == 0)
  }
}
