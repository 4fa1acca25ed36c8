// Edits of a manifest after which a run reads the declarations that are other ones or new, and no more: what it does and says is what reading
// everything would.

import Foundation
import JSON
import Testing

@Suite struct `Edits of a manifest` {
  /// Steps by name, each with its run, inputs and output; kept in order.
  private struct Study {
    let workspace: Workspace
    var steps: [(name: String, inputs: [String], output: String, word: String)]
    var goals: [String]
    var more = ""

    init() throws {
      workspace = try Workspace(files: ["a.txt": "a\n", "b.txt": "b\n"])
      steps = (0..<30).map { i in
        ("s\(i)", i < 10 ? [i % 2 == 0 ? "a.txt" : "b.txt"] : ["${step.s\(i - 10)}", "${step.s\((i - 10 + 1) % 10)}"], "o/\(i)", "x")
      }
      goals = (20..<30).map { "s\($0)" }
      try write()
    }

    func text(of step: (name: String, inputs: [String], output: String, word: String)) -> String {
      let inputs = step.inputs.map { "\"\($0)\"" }.joined(separator: ", ")
      let script = "echo \(step.name) >> \(workspace.path("ran").path()); cat $@ > \(step.output); echo \(step.word) >> \(step.output)"
      return #""\#(step.name)": {"run": ["sh", "-c", "\#(script)", "sh", "${in.i}"], "in": {"i": [\#(inputs)]}, "out": {"o": "\#(step.output)"}}"#
    }

    func write(indent: String = "") throws {
      let declared = steps.map { indent + text(of: $0) }.joined(separator: ",\n")
      let goals = goals.map { "\"\($0)\"" }.joined(separator: ", ")
      try workspace.write("{\"manifest\": 1, \(more)\"steps\": {\n\(declared)},\n\"default\": [\(goals)]}\n", to: "enpire.json")
    }

    /// Runs, and then reads everything: nothing may be left to do. Returns what ran.
    func run(_ arguments: String...) throws -> (ran: [String], summary: JSON) {
      try workspace.write("", to: "ran")
      let summary =
        try workspace.outcome(of: workspace.start(["run", "--json"] + arguments)).output
        .split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }.last { $0["event"] == "summary" } ?? [:]
      let ran = workspace.ran.sorted()
      try? FileManager.default.removeItem(at: workspace.path(".enpire/snapshots"))
      let again = try workspace.summary()
      #expect(again["ran"] == 0 && again["restored"] == 0 && again["exit"] == 0, "\(again)")
      #expect(again["upToDate"] == .integer(goalsAndNeeds), "\(again)")
      return (ran, summary)
    }

    /// How many steps the goals need, themselves included.
    var goalsAndNeeds: Int {
      var wanted: Set<String> = []
      var stack = goals
      while let name = stack.popLast(), let step = steps.first(where: { $0.name == name }) {
        if !wanted.insert(name).inserted { continue }
        stack += step.inputs.filter { $0.hasPrefix("${step.") }.map { String($0.dropFirst(7).dropLast()) }
      }
      return wanted.count
    }
  }

  private func inode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
  }

  @Test func `a step more runs alone, wherever it is written`() throws {
    var study = try Study()
    #expect(try study.run().summary["ran"] == 30)
    for (number, place) in [30, 0, 15].enumerated() {
      study.steps.insert(("new\(number)", ["${step.s29}", "a.txt"], "new/\(number)", "y"), at: place)
      study.goals.append("new\(number)")
      try study.write()
      let (ran, summary) = try study.run()
      #expect(ran == ["new\(number)"] && summary["ran"] == 1 && summary["upToDate"] == .integer(30 + number), "\(summary)")
      #expect(study.workspace.read("new/\(number)")?.hasSuffix("x\na\ny\n") == true)
    }
    // A step that nobody wants, and then one that needs it.
    study.steps.append(("idle", ["${step.s1}"], "new/idle", "z"))
    try study.write()
    #expect(try study.run().ran.isEmpty)
    study.steps.append(("user", ["${step.idle}", "${step.new1}"], "new/user", "z"))
    study.goals.append("user")
    try study.write()
    #expect(try study.run().ran == ["idle", "user"])
  }

  @Test func `without losing its snapshot, edit after edit`() throws {
    var study = try Study()
    #expect(try study.workspace.summary()["ran"] == 30)
    for number in 0..<4 {
      study.steps.append(("new\(number)", [number == 0 ? "${step.s20}" : "${step.new\(number - 1)}"], "new/\(number)", "y"))
      study.goals.append("new\(number)")
      try study.write(indent: String(repeating: " ", count: number))
      let summary = try study.workspace.summary()
      #expect(summary["ran"] == 1 && summary["upToDate"] == .integer(30 + number), "\(summary)")
      // What changes at the beginning is found where it stands now.
      try study.workspace.write("a\(number)\n", to: "a.txt")
      let next = try study.workspace.summary()
      #expect(next["failed"] == 0 && next["exit"] == 0, "\(next)")
      #expect(study.workspace.read("new/\(number)")?.contains("a\(number)\n") == true)
      #expect(try study.workspace.enpire().errors == "nothing to do: all \(31 + number) steps are up to date\n")
      // And then it is as it is, once the clock has gone on: nothing is scanned or written again.
      let snapshots = study.workspace.path(".enpire/snapshots").path()
      var (before, now, looks): ([Int?], [Int?], Int) = ([], [], 0)
      repeat {
        before = now
        try study.workspace.enpire()
        now = try FileManager.default.contentsOfDirectory(atPath: snapshots).map { try inode(snapshots + "/" + $0) }
        looks += 1
      } while now != before && looks < 20
      #expect(looks < 20)
    }
    #expect(try study.run().ran.isEmpty)
  }

  @Test func `a changed command runs, and what reads its output`() throws {
    var study = try Study()
    #expect(try study.run().summary["ran"] == 30)
    study.steps[10].word = "another"
    study.steps[25].inputs.append("${step.s3}")
    try study.write()
    #expect(try study.run().ran == ["s10", "s20", "s25"].sorted())
    #expect(study.workspace.read("o/20")?.contains("another") == true)
    // White space alone, and the way back.
    try study.write(indent: "    ")
    #expect(try study.run().ran.isEmpty)
    study.steps[10].word = "x"
    try study.write()
    #expect(try study.run().ran.isEmpty)
    #expect(study.workspace.read("o/20")?.contains("another") == false)
  }

  @Test func `steps and goals that go are gone`() throws {
    var study = try Study()
    #expect(try study.run().summary["ran"] == 30)
    study.goals.removeLast()
    try study.write()
    #expect(try study.run().summary["upToDate"] == .integer(study.goalsAndNeeds))
    study.steps.removeLast()
    try study.write()
    #expect(try study.run().summary["upToDate"] == .integer(study.goalsAndNeeds))
  }

  /// What is wrong only beside what did not change: name, output, an output below or above another, a plain input that a step publishes, a loop, text.
  @Test(
    arguments: [
      (#""s5": {"run": ["true"]}"#, "s5"), (#""w": {"run": ["touch", "o/5"], "out": {"o": "o/5"}}"#, "o/5"),
      (#""w": {"run": ["touch", "o/5/x"], "out": {"o": "o/5/x"}}"#, "o/5"), (#""w": {"run": ["mkdir", "o"], "out": {"o": "o/"}}"#, "o"),
      (#""w": {"run": ["cp", "o/7", "w"], "in": {"i": "o/7"}, "out": {"o": "w"}}"#, "s7"),
      (#""w": {"run": ["true"], "in": {"i": "${step.none}"}}"#, "none"), (#""w": {"run": ["true"], "inn": {}}"#, "inn"),
      (#""w": {"run": ["true",]}"#, ""), (#""w": {"run": ["true"]} "v": 1"#, ""), (#""w": {"run": ["true"]}, "w": {"run": ["false"]}"#, ""),
    ])
  func `a mistake is seen as by reading everything`(_ member: String, _ word: String) throws {
    let study = try Study()
    #expect(try study.run().summary["ran"] == 30)
    #expect(try study.workspace.enpire().code == 0)
    let text = try #require(study.workspace.read("enpire.json"))
    let goal = member.hasPrefix("\"w\"") ? "\"w\", " : ""
    try study.workspace.write(text.replacing("},\n\"default\": [", with: ",\n\(member)},\n\"default\": [\(goal)"), to: "enpire.json")
    let outcome = try study.workspace.enpire()
    #expect(outcome.code == 65 && (word.isEmpty || outcome.errors.contains(word)) && outcome.errors.contains("enpire.json:"), "\(outcome.errors)")
    try study.workspace.write(text, to: "enpire.json")
    #expect(try study.run().ran.isEmpty)
  }

  @Test func `a loop that an edit closes is seen`() throws {
    var study = try Study()
    #expect(try study.run().summary["ran"] == 30)
    study.steps[2].inputs = ["${step.s22}"]
    try study.write()
    let outcome = try study.workspace.enpire()
    #expect(outcome.code == 65 && outcome.errors.contains("s22"), "\(outcome.errors)")
  }

  @Test func `a variable or a goal's order is no matter of steps`() throws {
    var study = try Study()
    #expect(try study.run().summary["ran"] == 30)
    study.more = #""vars": {"v": 1}, "#
    try study.write()
    #expect(try study.run().ran.isEmpty)
    study.goals.reverse()
    try study.write()
    #expect(try study.run().ran.isEmpty)
  }

  // MARK: What a part cannot tell

  private func step(_ name: String, in inputs: String = "") -> String {
    #""\#(name)": {"run": ["sh", "-c", "echo \#(name) > \#(name).txt"], "in": {\#(inputs)}, "out": {"o": "\#(name).txt"}}"#
  }

  @Test func `without a default the last step is the goal, also one that is new`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {\#(step("a"))}}"#)
    #expect(try workspace.summary()["ran"] == 1)
    try workspace.write(#"{"manifest": 1, "steps": {\#(step("a")), \#(step("b"))}}"#, to: "enpire.json")
    #expect(try workspace.enpire("run", "-q").code == 3)
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.read("b.txt") == "b\n")
  }

  @Test func `what a whole reading refuses is refused after an edit too`() throws {
    func manifest(_ steps: String, _ goals: String) -> String { #"{"manifest": 1, "default": [\#(goals)], "steps": {\#(steps)}}"# }
    let workspace = try Workspace(manifest(step("a"), #""a""#))
    #expect(try workspace.summary()["ran"] == 1)
    try workspace.write(manifest(step("a"), #""a", "typo""#), to: "enpire.json")
    #expect(try workspace.enpire().code == 65)
    try workspace.write(manifest(step("a") + "," + step("b", in: #""x": ".//a.txt""#), #""a", "b""#), to: "enpire.json")
    let refused = try workspace.enpire()
    #expect(refused.code == 65 && refused.errors.contains("what step 'a' publishes"), "\(refused.errors)")
  }

  @Test func `a step that comes to wait for one that waits for it is refused, though the others might have stayed as they are`() throws {
    let readers = (0..<20).map { step("b\($0)", in: #""a": "${step.a.o}""#) }.joined(separator: ",")
    func manifest(_ inputs: String) -> String {
      #"{"manifest": 1, "steps": {\#(step("a", in: inputs)), \#(readers), "all": {"phony": true, "after": [\#((0..<20).map { "\"b\($0)\"" }.joined(separator: ","))]}}}"#
    }
    let workspace = try Workspace(manifest(""))
    #expect(try workspace.enpire().code == 0)
    try workspace.write(manifest(#""b": "${step.b1.o}""#), to: "enpire.json")
    let refused = try workspace.enpire()
    #expect(refused.code == 65 && refused.errors.contains("steps wait for each other"), "\(refused.errors)")
  }
}
