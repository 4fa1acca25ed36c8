// Rules 11, 14 and 15: trials are samples that add up, checkpoints outlive an interruption, decisions and rounds are on record.
// Rules 12 and 13 are in StationTests, 16 in TaintTests.

import Foundation
import Hashing
import JSON
import Testing

@Suite struct `Rules of research` {
  // MARK: Rule 11

  /// A policy that stands still, so that no trial takes long, on one station.
  private func evaluation() throws -> Workspace {
    try Workspace(
      """
      {"manifest": 1, "fleet": "fleet.json", "vars": {"trials": 3, "purpose": "search", "more": {}}, "default": ["rate"], "steps": {
        "rate": {"uses": "evaluate", "in": {"policy": "policy"}, "station": {"task": "push-t"},
          "with": {"trials": "${var.trials}", "purpose": "${var.purpose}", "films": 0}, "out": {"result": "rate.json"}},
        "twin": {"uses": "evaluate", "in": {"policy": "policy"}, "station": {"task": "push-t"},
          "with": {"trials": "${var.trials}", "purpose": "replicate", "films": 0}},
        "again": {"uses": "evaluate", "in": {"policy": "policy"}, "station": {"task": "push-t"},
          "with": {"trials": "${var.trials}", "purpose": "replicate", "films": 0}},
        "quick": {"uses": "evaluate", "in": {"policy": "policy"}, "station": {"task": "push-t"},
          "with": {"trials": 200, "bar": 0.5, "films": 0}, "out": {"result": "quick.json"}}}}
      """,
      files: [
        "fleet.json": Self.fleet(calibration: 1),
        "policy/policy.json": #"{"policy": 1, "task": "push-t", "regime": "scripted"}"#,
      ])
  }

  private static func fleet(calibration: Int) -> String {
    """
    {"fleet": 1, "stations": [
      {"name": "a", "driver": "push-t-sim", "tasks": ["push-t"], "gap": false, "calibration": {"epoch": \(calibration)}}]}
    """
  }

  /// How many trials the state holds, and in how many series.
  private func samples(_ workspace: Workspace) -> [Int] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: workspace.path(".enpire/samples").path())) ?? []
    return files.map { (workspace.read(".enpire/samples/" + $0) ?? "").split(separator: "\n").count { $0.contains("\"index\"") } }.sorted()
  }

  @Test func `a larger count adds the missing trials, a smaller one needs none, a new calibration opens a new series`() throws {
    let workspace = try evaluation()
    #expect(try workspace.summary()["ran"] == 1 && samples(workspace) == [3])
    #expect(try workspace.summary("trials=5")["ran"] == 1 && samples(workspace) == [5])
    let five = try #require(workspace.read("rate.json"))
    #expect(try JSON(parsing: five)["rate"]?["method"] == "confidence-sequence", "the count was raised after it was looked at")
    #expect(try workspace.enpire("reproduce", "rate", "trials=5").code == 0)
    #expect(try workspace.summary("trials=3")["exit"] == 0 && samples(workspace) == [5])
    #expect(try JSON(parsing: try #require(workspace.read("rate.json")))["trials"] == 3)
    #expect(try workspace.summary("trials=5")["ran"] == 0 && workspace.read("rate.json") == five)
    try workspace.write(Self.fleet(calibration: 2), to: "fleet.json")
    #expect(try workspace.enpire("why", "rate", "trials=5").output.contains("calibration"))
    #expect(try workspace.summary("trials=5")["ran"] == 1 && samples(workspace) == [5, 5])
    // What was measured under the former one counts again with it.
    try workspace.write(Self.fleet(calibration: 1), to: "fleet.json")
    #expect(try workspace.summary("trials=5")["ran"] == 0 && workspace.read("rate.json") == five)
    // Another purpose has trials of its own.
    #expect(try workspace.summary("trials=5", "purpose=held-out")["ran"] == 1 && samples(workspace) == [5, 5, 5])
  }

  @Test func `the seeds that a result was bound to can be told afterwards, where it was made`() throws {
    let workspace = try evaluation()
    #expect(try workspace.enpire("reveal", "rate", "purpose=held-out").errors.contains("has no result"))
    #expect(try workspace.summary("purpose=held-out")["ran"] == 1)
    let told = try JSON(parsing: workspace.enpire("reveal", "rate", "purpose=held-out", "--json").output)
    let seeds = (told["seeds"]?.array ?? []).compactMap(\.int), nonce = try #require(told["nonce"]?.string)
    #expect(Set(seeds).count == 3 && seeds.allSatisfy { $0 >= 1 << 31 })
    let result = try #require(workspace.read("rate.json")), bound = try JSON(parsing: result)["seed_commitment"]?.string
    #expect(Digest(of: nonce + seeds.map { "\n\($0)" }.joined()).hex == bound && told["commitment"]?.string == bound)
    let lines = try workspace.enpire("reveal", "rate", "purpose=held-out").output
    #expect(lines.contains("\(nonce)\n\(seeds[0])\n\(seeds[1])\n\(seeds[2])\n"))
    // More trials bring seeds that were not told, after those that were.
    #expect(try workspace.summary("purpose=held-out", "trials=4")["ran"] == 1)
    let more = try JSON(parsing: workspace.enpire("reveal", "rate", "purpose=held-out", "trials=4", "--json").output)
    let later = (more["seeds"]?.array ?? []).compactMap(\.int)
    #expect(later.count == 4 && Array(later.dropLast()) == seeds && more["nonce"]?.string == nonce)
    #expect(try workspace.summary()["ran"] == 1)
    let open = try workspace.enpire("reveal", "rate")
    #expect(open.code == 64 && open.errors.contains("the seeds of rate are public"))
    try workspace.write(String(repeating: "0", count: 32), to: ".enpire/secret")
    let other = try workspace.enpire("reveal", "rate", "purpose=held-out", "trials=4")
    #expect(other.code == 64 && other.errors.contains("another secret") && !(other.output + other.errors).contains("\(seeds[0])"))
  }

  @Test func `shards are bound to the seeds of what gathers them`() throws {
    let workspace = try evaluation()
    let whole = try #require(workspace.read("enpire.json")), rate = #""rate": {"uses": "evaluate","#
    try workspace.write(whole.replacingOccurrences(of: rate, with: rate + #" "shards": 2,"#), to: "enpire.json")
    #expect(try workspace.summary("purpose=held-out")["ran"] == 3)
    let told = try JSON(parsing: workspace.enpire("reveal", "rate", "purpose=held-out", "--json").output)
    #expect(told["seeds"]?.array?.count == 3)
    #expect(try JSON(parsing: #require(workspace.read("rate.json")))["seed_commitment"] == told["commitment"])
  }

  @Test func `replications are never taken for one another`() throws {
    let workspace = try evaluation()
    #expect(try workspace.summary("twin", "again")["ran"] == 2 && samples(workspace) == [3, 3])
  }

  @Test func `an evaluation against a bar stops once it is certain, and its interval holds at any time`() throws {
    let workspace = try evaluation()
    #expect(try workspace.summary("quick")["ran"] == 1)
    let result = try JSON(parsing: try #require(workspace.read("quick.json")))
    let count = try #require(result["trials"]?.int)
    #expect(result["stop"] == ["bar": 0.5, "side": "below", "trials": .integer(count), "most": 200])
    #expect(count < 20 && samples(workspace) == [count])
    #expect(result["rate"]?["method"] == "confidence-sequence" && result["rate"]?["upper"]?.double ?? 1 < 0.5)
    // The trials are the same as without a bar: only those that are missing are run.
    #expect(try workspace.summary("trials=30")["ran"] == 1)
    #expect(samples(workspace) == [30])
    #expect(try workspace.summary("-B", "quick")["ran"] == 1)
    #expect(try JSON(parsing: try #require(workspace.read("quick.json"))) == result, "further trials that there are change nothing")
  }

  // MARK: Rule 14

  /// Counts to five, and waits at three for a file `go`; its output is the input and what it did, in all its attempts.
  private func training() throws -> Workspace {
    let workspace = try Workspace(files: ["i": "one\n", "signs/nothing": ""])
    let script = """
      trap 'echo saved >> "$1/log"; exit 3' TERM
      n=$(cat "$1/n" 2>/dev/null || echo 0)
      while test $n -lt 5; do
        n=$((n + 1)); echo $n > "$1/n.new"; mv "$1/n.new" "$1/n"; echo $n >> "$1/log"
        echo "{\\"done\\": $n, \\"total\\": 5}" >&$ENPIRE_PROGRESS_FD
        while test $n -eq 3 && ! test -e "$3/go"; do sleep 0.01; done
      done
      cat "$2" "$1/log" > o
      """
    let words: JSON = ["sh", "-c", .string(script), "sh", "${progress}", "${in.i}", .string(workspace.path("signs").path())]
    let step: JSON = ["run": words, "in": ["i": "i"], "out": ["o": "o"], "timeout": ["after": "1m", "grace": "5s"]]
    try workspace.write((["manifest": 1, "steps": ["train": step]] as JSON).pretty, to: "enpire.json")
    return workspace
  }

  private func checkpoints(_ workspace: Workspace) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: workspace.path(".enpire/progress").path())) ?? []
  }

  @Test(arguments: [SIGKILL, SIGTERM], ["none", "auto"])
  func `a command goes on from its checkpoint after an interruption, if nothing that counts has changed`(_ signal: Int32, _ sandbox: String) throws {
    let workspace = try training()
    let environment = ["ENPIRE_SANDBOX": sandbox, "ENPIRE_SANDBOX_PATHS": workspace.path("signs").path()]
    func log() -> String { checkpoints(workspace).first.flatMap { workspace.read(".enpire/progress/\($0)/log") } ?? "" }
    let run = try workspace.start(["run", "--json"], environment: environment, number: 1)
    while !log().contains("3\n"), run.isRunning { usleep(2000) }
    kill(run.processIdentifier, signal)
    #expect(workspace.outcome(of: run, number: 1).code != 0)
    // Who is told to end has time for its last words.
    #expect(log() == (signal == SIGTERM ? "1\n2\n3\nsaved\n" : "1\n2\n3\n"))
    // With another input it begins anew; with the first one it goes on.
    try workspace.write("", to: "signs/go")
    try workspace.write("two\n", to: "i")
    #expect(try workspace.enpire("run", environment: environment).code == 0)
    #expect(workspace.read("o") == "two\n1\n2\n3\n4\n5\n")
    try workspace.write("one\n", to: "i")
    #expect(try workspace.enpire("run", environment: environment).code == 0)
    #expect(workspace.read("o") == "one\n1\n2\n3\n\(signal == SIGTERM ? "saved\n" : "")4\n5\n")
    #expect(checkpoints(workspace).isEmpty, "what is done needs no checkpoint")
  }

  @Test func `a directory for checkpoints is for a command's words alone`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["true"], "env": {"P": "${progress}"}, "phony": true}}}"#)
    let outcome = try workspace.enpire("check")
    #expect(outcome.code == 65 && outcome.errors.contains("only a command's words may name ${progress}"), "\(outcome.errors)")
  }

  // MARK: Rule 15

  @Test func `a choice has its evidence, the branch not taken its reason, a loop its rounds and its end`() throws {
    let recipes = Workspace.repository.appending(path: "workflows/recipes")
    func recipe(_ name: String) throws -> String { try String(contentsOf: recipes.appending(path: name), encoding: .utf8) }
    let workspace = try Workspace(
      """
      {"manifest": 1, "workflow": "rules", "fleet": "fleet.json", "vars": {"rounds": 2}, "steps": {
        "regime": {"uses": "choose-regime", "in": {"recipe": "push-t.json"}, "station": {"task": "push-t"},
          "with": {"candidates": ["heuristic", "bc"], "pilot_trials": 2}, "out": {"choice": "choice.json", "evidence": "evidence.json"}},
        "clone": {"run": ["touch", "cloned"], "when": "${step.regime.choice} == 'bc'", "out": {"o": "cloned"}},
        "train": {"uses": "train", "in": {"recipe": "${step.regime.recipe}"}, "when": "${step.regime.choice} == 'heuristic'"},
        "search": {"uses": "evaluate", "in": {"policy": "${step.train.policy}"}, "station": {"task": "push-t"}, "with": {"trials": 2, "films": 0}},
        "evolve": {"uses": "propose", "appends": true, "matrix": {"agent": ["solo"]},
          "in": {"recipe": "${step.regime.recipe}", "space": "push-t.space.json", "baseline": "${step.search.result}",
            "baseline_trials": "${step.search.trials}"},
          "with": {"name": "${matrix.agent}", "goal": {"rate": 1, "lower": 0.999}, "rounds": "${var.rounds}", "trials": 2,
            "then": {"evaluate": {"station": {"task": "push-t"}}}}},
        "end": {"phony": true, "after": ["evolve", "clone"]}}}
      """,
      files: [
        "fleet.json": Self.fleet(calibration: 1), "push-t.json": try recipe("push-t.json"), "push-t.space.json": try recipe("push-t.space.json"),
      ])
    let run = try workspace.enpire("run")
    #expect(run.code == 0, "\(run.errors)")
    #expect(workspace.read("choice.json")?.contains("heuristic") == true)
    let evidence = try JSON(parsing: try #require(workspace.read("evidence.json")))
    #expect(evidence["reason"] == "heuristic was the only candidate that could be tried", "\(evidence.pretty)")
    #expect(evidence["candidates"]?[1] == ["regime": "bc", "not_tried": "there are no demonstrations"])
    #expect(try workspace.enpire("why", "clone").output == "clone: would be skipped\n  when ${step.regime.choice} == 'bc'\n")
    #expect(workspace.read("cloned") == nil)

    func decisions(_ rounds: Int) throws -> [String] {
      let steps = try JSON(parsing: try workspace.enpire("status", "--json", "rounds=\(rounds)").output)["steps"]?.array ?? []
      return steps.compactMap { $0["step"]?.string }.filter { $0.hasPrefix("evolve[agent=solo]/") && $0.hasSuffix("/decide") }
    }
    #expect(try decisions(2) == ["evolve[agent=solo]/1/decide", "evolve[agent=solo]/2/decide"])
    #expect(try workspace.summary()["ran"] == 0)
    // One more round goes on after those that there were.
    let more = try workspace.enpire("run", "rounds=3")
    #expect(more.code == 0, "\(more.errors)")
    #expect(try decisions(3).count == 3)

    // A loop without an end is refused.
    try workspace.write((workspace.read("enpire.json") ?? "").replacing(#""rounds": "${var.rounds}", "#, with: ""), to: "enpire.json")
    let endless = try workspace.enpire("check")
    #expect(endless.code == 65 && endless.errors.contains("rounds"), "\(endless.errors)")
  }
}
