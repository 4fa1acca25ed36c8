// Steps that wait for a person, and runs that have only so much time.

import Foundation
import JSON
import Testing

@Suite struct `Approval and time` {
  private func workspace() throws -> Workspace {
    try Workspace(
      """
      {"manifest": 1, "vars": {"speed": 1}, "default": ["done", "other"], "steps": {
        "plan": {"run": ["sh", "-c", "echo ${var.speed} > plan"], "out": {"o": "plan"}},
        "move": {"run": ["cp", "${in.p}", "${out.o}"], "in": {"p": "${step.plan}"}, "out": {"o": "moved"}, "approval": "move the arm?"},
        "done": {"run": ["cp", "${in.m}", "${out.o}"], "in": {"m": "${step.move}"}, "out": {"o": "done"}},
        "other": {"run": ["sh", "-c", "echo other > other"], "out": {"o": "other"}}}}
      """)
  }

  @Test func `a step waits for a person, everything else goes on, and the word counts for what was asked`() throws {
    let workspace = try workspace()
    let asked = try workspace.enpire("run")
    #expect(asked.code == 77 && asked.errors.contains("move  move the arm?") && asked.errors.contains("1 waiting for a person"), "\(asked.errors)")
    #expect(workspace.read("other") == "other\n" && workspace.read("moved") == nil)
    // A run that had nothing else to do is told too.
    #expect(try workspace.summary()["run"] == 2)
    let told = try workspace.enpire("summary").output
    #expect(told.contains("unfinished: 1 step waits for approval") && told.contains("  move: move the arm?\n    enpire approve -f "), "\(told)")
    #expect(try workspace.enpire("why", "--last", "move").output == "move: waited for a person\n  move the arm?\n")
    #expect(try JSON(parsing: workspace.enpire("why", "--last", "move", "--json").output)["differences"]?[0]?["what"] == "approval")
    #expect(try workspace.enpire("plan", "move").output.contains("ask      move\n           waits for a person: move the arm?"))
    let status = try JSON(parsing: try workspace.enpire("status", "--json").output)
    #expect(status["steps"]?.array?.first { $0["step"] == "move" }?["state"] == "approval")
    #expect(try workspace.enpire("approve", "move", "--by", "ann", "--reason", "the cell is clear").output == "approved: move (move the arm?)\n")
    #expect(try workspace.summary()["ran"] == 2 && workspace.read("done") == "1\n")
    let history = try JSON(parsing: try workspace.enpire("history", "move", "--json").output)
    #expect(history["executions"]?[0]?["telemetry"]?["approval"]?["by"] == "ann", "\(history)")
    #expect(try workspace.enpire("history", "mov", "--json").code == 64 && workspace.enpire("lint", "mov").code == 64)
    #expect(try workspace.summary()["ran"] == 0)
    // Another plan is another question; the way back is known.
    let again = try workspace.enpire("run", "--json", "speed=2")
    let events = again.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
    #expect(again.code == 77 && events.last?["held"] == 1 && events.last?["ran"] == 1)
    // The command is about that question, and is one.
    let command = try #require(events.first { $0["event"] == "held" }?["command"]?.string)
    #expect(command == "enpire approve -f \(workspace.path("enpire.json").path()) speed=2 move")
    let words = command.split(separator: " ").dropFirst().map(String.init)
    #expect(try workspace.enpire(words).code == 0 && workspace.summary("speed=2")["exit"] == 0)
    #expect(try workspace.summary("speed=1")["exit"] == 0)
  }

  @Test func `a person who is asked is told what differs`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "vars": {"v": 1}, "steps": {"a": {"run": ["echo", "${var.v}"], "approval": "sure?", "phony": true}}}"#)
    #expect(try workspace.enpire("approve", "a").code == 0 && workspace.enpire().code == 0)
    let why = try JSON(parsing: try workspace.enpire("why", "a", "v=2", "--json").output)
    #expect(why["action"] == "ask" && why["differences"]?[0]?["new"] == "2" && why["differences"]?[0]?["old"] == "1", "\(why)")
    #expect(try workspace.enpire("plan", "v=2").output.contains(#""1" → "2" (variable v)"#))
    #expect(try workspace.enpire("run", "v=2").code == 77)
    let past = try JSON(parsing: try workspace.enpire("why", "--last", "a", "--json").output)
    #expect(past["differences"]?[0]?["what"] == "approval" && past["differences"]?[1]?["new"] == "2", "\(past)")
  }

  @Test func `a step that was rejected fails with the reason, until it is approved after all`() throws {
    let workspace = try workspace()
    #expect(try workspace.enpire("run").code == 77)
    #expect(try workspace.enpire("reject", "move", "--by", "bob", "--reason", "somebody is in the cell").code == 0)
    let run = try workspace.enpire("run")
    #expect(run.code == 77 && run.errors.contains("move: bob rejected it: somebody is in the cell"), "\(run.errors)")
    let status = try JSON(parsing: try workspace.enpire("status", "--json").output)["steps"]?.array?.first { $0["step"] == "move" }
    #expect(status?["state"] == "failed" && status?["problem"]?.string?.contains("bob rejected it") == true, "\(status ?? .null)")
    #expect(run.errors.contains("after all: enpire approve -f \(workspace.path("enpire.json").path()) move\n"), "\(run.errors)")
    let summary = try workspace.enpire("summary").output
    #expect(summary.contains("unfinished: a person rejected a step") && summary.contains("FAILED move\n  move: bob rejected it: "), "\(summary)")
    #expect(try workspace.enpire("approve", "move").code == 0)
    #expect(try workspace.summary()["ran"] == 2)
    // The command of the hint is about what was rejected.
    #expect(try workspace.summary("plan", "speed=2")["ran"] == 1)
    #expect(try workspace.enpire("reject", "move", "speed=2").code == 0)
    let hint = try workspace.enpire("run", "speed=2").errors.split(separator: "\n").first { $0.contains("enpire approve ") } ?? ""
    let words = hint.drop { $0 != "/" }.split(separator: " ").map(String.init)
    #expect(words.dropFirst() == ["speed=2", "move"], "\(hint)")
    #expect(try workspace.enpire(["approve", "-f"] + words).code == 0 && workspace.summary("speed=2")["exit"] == 0)
  }

  @Test func `approved while a run goes on, a step goes on with it`() throws {
    let workspace = try workspace()
    let (begun, go) = (workspace.path("begun").path(), workspace.path("go").path())
    let long = #"{"run": ["sh", "-c", "touch \#(begun); while ! test -e \#(go); do sleep 0.01; done"], "phony": true}"#
    try workspace.write(
      (workspace.read("enpire.json") ?? "").replacing(#""other": {"#, with: #""long": \#(long), "other": {"after": ["long"], "#), to: "enpire.json")
    let run = try workspace.start(["run", "-j2"], number: 1)
    workspace.wait(for: "begun")
    workspace.wait(for: "plan")
    #expect(try workspace.enpire("approve", "move").code == 0)
    workspace.wait(for: "moved")
    try workspace.write("", to: "go")
    #expect(workspace.outcome(of: run, number: 1).code == 0 && workspace.read("done") == "1\n")
  }

  @Test(
    arguments: [
      (["done"], "step 'done' asks nobody"), (["mov"], "no step 'mov'"), (["move"], "step 'move' cannot be decided yet"),
      ([], "Missing expected argument"),
    ] as [([String], String)])
  func `there has to be something to decide`(_ steps: [String], _ sentence: String) throws {
    let workspace = try workspace()
    let outcome = workspace.outcome(of: try workspace.start(["approve"] + steps))
    #expect(outcome.code == 64 && outcome.errors.lowercased().contains(sentence.lowercased()), "\(outcome.errors)")
  }

  @Test func `when its time is used up a run ends in good order, and the next one goes on`() throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "default": ["last"], "steps": {
        "first": {"run": ["sh", "-c", "echo first > first"], "out": {"o": "first"}},
        "slow": {"run": ["sh", "-c", "test -e again || sleep 600; echo slow > slow"], "in": {"f": "${step.first}", "again": "again*"},
          "out": {"o": "slow"}},
        "last": {"run": ["cp", "${in.s}", "${out.o}"], "in": {"s": "${step.slow}"}, "out": {"o": "last"}}}}
      """, files: ["again-not": ""])
    let run = try workspace.enpire("run", "--for", "1s")
    #expect(
      run.code == 78 && run.errors.contains("the time for this run is used up") && run.errors.contains("1 ran, 1 not reached, 1 stopped"),
      "\(run.errors)")
    let last = try JSON(parsing: try workspace.enpire("history", "--json", "--limit", "1").output)["runs"]?[0]
    #expect(last?["name"] == "budget" && last?["counts"]?["failed"] == 0)
    try workspace.write("", to: "again")
    let next = try workspace.summary()
    #expect(next["ran"] == 2 && next["upToDate"] == 1)
  }

  @Test(arguments: [
    ("6 hours", "--for"), ("", "--for"), ("-1s", "--for"), ("3x", "--for"), ("0s", "--for"), ("25:61", "--until"), ("6:5", "--until"),
  ])
  func `a senseless time is refused, also where there is nothing to do`(_ time: String, _ option: String) throws {
    let workspace = try workspace()
    #expect(try workspace.enpire("run", "other").code == 0)
    let outcome = try workspace.enpire("run", "\(option)=\(time)", "other")
    #expect(outcome.code == 64, "\(outcome.code) \(outcome.errors)")
    if time == "25:61" { #expect(outcome.errors.hasPrefix("error: --until takes a step, or a time of day as 06:30, not '25:61'")) }
  }
}
