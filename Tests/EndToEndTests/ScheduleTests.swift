// What a schedule's calls do and tell, through the command line: overlap, kills, full disks, time used up; who is told, and of what.

import Foundation
import JSON
import Testing

/// A workspace of three steps, one of which fails while `mood` holds `bad`, and sleeps as `pause` says.
private func workspace(_ more: String = "") throws -> Workspace {
  try Workspace(
    #"""
    {"manifest": 1, "workflow": "w"\#(more), "steps": {
      "a": {"run": ["sh", "-c", "sleep $(cat pause); cat mood > a"], "in": {"p": "pause", "m": "mood"}, "out": {"o": "a"}},
      "rate": {"run": ["sh", "-c", "echo '{\"trials\": 40, \"rate\": {\"estimate\": 0.9, \"lower\": 0.76, \"upper\": 0.97}}' > rate"],
        "after": ["a"], "out": {"o": "rate"}},
      "b": {"run": ["sh", "-c", "echo looking; if grep -q bad mood; then echo the mood is bad; exit 3; fi; cat mood > b"],
        "in": {"m": "mood", "a": "${step.a.o}"}, "after": ["rate"], "out": {"o": "b"}}}}
    """#, files: ["mood": "good\n", "pause": "0\n"])
}

extension Workspace {
  /// The summary of one more call.
  fileprivate func call(_ arguments: String..., environment: [String: String] = [:]) throws -> (summary: JSON, code: Int32) {
    let outcome = outcome(of: try start(["schedule", "run", "--json"] + arguments, environment: environment))
    return (try JSON(parsing: outcome.output.isEmpty ? "null" : outcome.output), outcome.code)
  }

  /// Waits until a file holds a text.
  fileprivate func wait(for text: String, in name: String) { while read(name)?.contains(text) != true { usleep(5000) } }

  /// The process of the run that a call of a schedule watches.
  fileprivate var runner: pid_t? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.first { pid in
      let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline").map { String(decoding: $0, as: UTF8.self) } ?? ""
      return line.contains("--events") && line.contains(path("enpire.json").path())
    }
  }
}

@Suite struct `Calls of a schedule` {
  @Test func `each is told against the one before: failure, still failing, recovery, and nothing of a success`() throws {
    let workspace = try workspace()
    let usual = try workspace.enpire("schedule", "run", "--tell", "always")
    #expect(usual.code == 0 && usual.output.hasPrefix("w: success\ncall 1, run 1, "))
    #expect(usual.output.contains("Measured\n  rate: 0.900 [0.760, 0.970] of 40\n"), "\(usual.output)")
    let silent = try workspace.enpire("schedule", "run")
    #expect(silent.code == 0 && silent.output == "")

    try workspace.write("bad\n", to: "mood")
    let failed = try workspace.enpire("schedule", "run")
    #expect(failed.code == 1)
    for text in [
      "w: FAILURE: 1 step failed (b)\n", "FAILED b\n  b: exit code 3\n", "      the mood is bad\n",
      "    enpire run -f \(workspace.path("enpire.json").path()) b\n",
    ] { #expect(failed.output.contains(text), "\(text) in \(failed.output)") }

    let again = try workspace.call().summary
    #expect(again["transition"] == "still-failing")
    #expect(again["failing"]?["count"] == 2)
    #expect(again["failures"]?[0]?["step"] == "b")

    try workspace.write("good\n", to: "mood")
    let recovered = try workspace.enpire("schedule", "run")
    #expect(recovered.code == 0)
    #expect(recovered.output.hasPrefix("w: RECOVERY after 2 failures since "))
    #expect(try workspace.enpire("schedule", "run").output == "")
    #expect(try workspace.enpire("summary").output.hasPrefix("w: success\ncall 6, "))
    #expect(try JSON(parsing: workspace.enpire("summary", "--call", "3", "--json").output)["transition"] == "failure")
    #expect(try workspace.enpire("summary", "--run", "2").output.contains("FAILED b"))
    for line in failed.output.split(separator: "\n") where !line.contains("enpire ") && !line.contains("What the run said") {
      #expect(line.count <= 72, "\(line)")
    }
  }

  @Test func `one that falls into another is skipped, told once, and counted by the next summary`() throws {
    let workspace = try workspace()
    try workspace.write("3\n", to: "pause")
    let long = try workspace.start(["schedule", "run"], number: 1)
    workspace.wait(for: "start  a", in: ".enpire/schedule/enpire/1.log")
    let skipped = try workspace.enpire("schedule", "run")
    #expect(skipped.code == 75)
    #expect(skipped.output.hasPrefix("w: skipped: call 1 still goes on\n"))
    #expect(try workspace.enpire("schedule", "run").output == "")
    #expect(workspace.outcome(of: long, number: 1).code == 0)
    let next = try workspace.call().summary
    #expect(next["transition"] == "success")
    #expect(next["earlier"]?.array?.map { $0["call"] } == [2, 3])
  }

  @Test func `one that waits begins when the other has ended, and only one waits`() throws {
    let workspace = try workspace()
    try workspace.write("2\n", to: "pause")
    let long = try workspace.start(["schedule", "run"], number: 1)
    workspace.wait(for: "start  a", in: ".enpire/schedule/enpire/1.log")
    let waiting = try workspace.start(["schedule", "run", "--wait", "--json"], number: 2)
    workspace.wait(for: "begun", in: ".enpire/schedule/enpire/2.json")
    // It stands in line once it holds the place.
    workspace.wait(for: "process", in: ".enpire/schedule/enpire/waiting/lock")
    let third = try workspace.call("--wait")
    #expect(third.code == 75)
    #expect(third.summary["problem"]?.string?.contains("another call waits for it already") == true)
    #expect(workspace.outcome(of: long, number: 1).code == 0)
    let waited = workspace.outcome(of: waiting, number: 2)
    #expect(waited.code == 0)
    #expect(try JSON(parsing: waited.output)["transition"] == "success")
  }

  @Test func `a run by hand makes it be skipped, and is told by the next`() throws {
    let workspace = try workspace()
    #expect(try workspace.call().code == 0)
    try workspace.write("2\n", to: "pause")
    let hand = try workspace.start(["run"], number: 1)
    workspace.wait(for: "start  a", in: ".errors-1")
    let skipped = try workspace.call()
    #expect(skipped.code == 75)
    #expect(skipped.summary["problem"]?.string?.hasPrefix("a run by hand holds the workspace (process ") == true)
    kill(hand.processIdentifier, SIGKILL)
    hand.waitUntilExit()
    try workspace.write("0\n", to: "pause")
    let next = try workspace.call().summary
    #expect(next["earlier"]?.array?.map { $0["what"] } == ["cut-off", "skipped"], "\(next.pretty)")
    #expect(next["transition"] == "success")
  }

  @Test func `a runner that is killed is told at once; with who watches it, by the next call`() throws {
    let workspace = try workspace()
    try workspace.write("30\n", to: "pause")
    let watched = try workspace.start(["schedule", "run"], number: 1)
    workspace.wait(for: "start  a", in: ".enpire/schedule/enpire/1.log")
    kill(try #require(workspace.runner), SIGKILL)
    let told = workspace.outcome(of: watched, number: 1)
    #expect(told.code == 137)
    #expect(told.output.hasPrefix("w: FAILURE: the run was killed\n"))

    let alone = try workspace.start(["schedule", "run"], number: 2)
    workspace.wait(for: "start  a", in: ".enpire/schedule/enpire/2.log")
    kill(alone.processIdentifier, SIGKILL)
    #expect(workspace.outcome(of: alone, number: 2).output == "")
    while workspace.runner != nil { usleep(5000) }
    #expect(try workspace.enpire("summary").output.contains("cut off"))

    try workspace.write("0\n", to: "pause")
    let next = try workspace.call().summary
    #expect(next["transition"] == "recovery")
    #expect(next["failing"]?["count"] == 2)
    #expect(next["earlier"]?.array?.map { [$0["what"], $0["call"]] } == [["cut-off", 2]], "\(next.pretty)")
  }

  @Test func `a disk that is full is told, its end is written down all the same, and the next call goes on`() throws {
    let workspace = try workspace()
    let script = """
      mkdir disk && mount -t tmpfs -o size=2m none disk && cp enpire.json mood pause disk/ && cd disk || exit 99
      E=\(Workspace.program.path())
      $E schedule run --json > ../1
      echo other > mood
      dd if=/dev/zero of=ballast bs=4k 2>/dev/null
      $E schedule run > ../2; echo $? > ../code
      rm ballast
      $E summary --call 2 --json > ../again
      $E schedule run --json > ../3
      """
    let ran = workspace.outcome(of: try workspace.start(["-rm", "sh", "-c", script], program: URL(filePath: "/usr/bin/unshare")))
    guard workspace.read("1")?.isEmpty == false else {
      return withKnownIssue("mount namespaces are not allowed here: \(ran.errors)") { Issue.record("skipped") }
    }
    #expect(workspace.read("code") == "74\n")
    let told = try #require(workspace.read("2"))
    #expect(told.hasPrefix("w: FAILURE: ") && told.lowercased().contains("no space"), "\(told)")
    let kept = try JSON(parsing: try #require(workspace.read("again")))
    #expect(kept["transition"] == "failure" && kept["name"] == "input-output", "\(kept.pretty)")
    let next = try JSON(parsing: try #require(workspace.read("3")))
    #expect(next["transition"] == "recovery" && next["earlier"] == [], "\(next.pretty)")
  }

  @Test func `time that is used up is neither a failure nor a recovery`() throws {
    let workspace = try workspace()
    try workspace.write("bad\n", to: "mood")
    #expect(try workspace.call().code == 1)
    try workspace.write("30\n", to: "pause")
    let late = try workspace.call("--for", "1s")
    #expect(late.code == 78)
    #expect(late.summary["transition"] == "unfinished")
    #expect(late.summary["failing"]?["count"] == 1)
    try workspace.write("0\n", to: "pause")
    #expect(try workspace.call().summary["failing"]?["count"] == 2)
  }

  @Test func `a manifest that cannot be read is told with its place`() throws {
    let workspace = try workspace()
    #expect(try workspace.call().code == 0)
    try workspace.write(try #require(workspace.read("enpire.json")).replacingOccurrences(of: "\"after\"", with: "\"afer\""), to: "enpire.json")
    let told = try workspace.enpire("schedule", "run")
    #expect(told.code == 65)
    #expect(told.output.hasPrefix("w: FAILURE: enpire.json:4:"), "\(told.output)")
  }

  @Test func `where no manifest is nothing is made, and that is told`() throws {
    let workspace = try workspace()
    let told = try workspace.enpire("schedule", "run", "-f", "d/none.json")
    #expect(told.code == 65 && told.output.hasPrefix("none: FAILURE: no manifest d/none.json\n"), "\(told.output)")
    #expect(try workspace.enpire("schedule", "run", "-f", "none.json").code == 65)
    #expect(["d", ".enpire"].allSatisfy { !FileManager.default.fileExists(atPath: workspace.path($0).path()) })
  }

  @Test func `a step that waits for approval is told with its question, and each call of a schedule by its name`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "workflow": "w", "steps": {"move": {"approval": "is the table clear?", "run": ["sh", "-c", "echo > o"], "out": {"o": "o"}}}}"#
    )
    let told = try workspace.enpire("schedule", "run", "--name", "weekly")
    #expect(told.code == 77)
    #expect(told.output.hasPrefix("w: unfinished: 1 step waits for approval\n"))
    #expect(told.output.contains("  move: is the table clear?\n    enpire approve -f "))
    #expect(workspace.read(".enpire/schedule/weekly/1.json") != nil)
    #expect(try workspace.enpire("summary", "--name", "weekly").output.contains("is the table clear?"))
  }

  @Test func `the last hundred are kept, and no more than 64 MiB of logs`() throws {
    let workspace = try workspace()
    for call in 1...130 {
      try workspace.write(#"{"summary": 1, "transition": "success"}"#, to: ".enpire/schedule/enpire/\(call).json")
      try workspace.write("", to: ".enpire/schedule/enpire/\(call).log")
    }
    for call in 100...110 {
      let file = workspace.path(".enpire/schedule/enpire/\(call).log").path()
      #expect(truncate(file, 20 << 20) == 0)
    }
    #expect(try workspace.call().summary["call"] == 131)
    let files = try FileManager.default.contentsOfDirectory(atPath: workspace.path(".enpire/schedule/enpire").path())
    #expect(files.count { $0.hasSuffix(".json") } == 100)
    #expect(files.filter { $0.hasSuffix(".log") }.compactMap { Int($0.dropLast(4)) }.min() == 108)
    // What its run left stays: the log of a step is not a log of a schedule.
    #expect(try workspace.enpire("log", "b").output == "looking\n")
  }

  @Test func `gc follows the run, and old logs of failed tries go while recorded ones stay`() throws {
    let workspace = try workspace()
    try workspace.write("bad\n", to: "mood")
    #expect(try workspace.call("--gc", "30d").code == 1)
    let logs = workspace.path(".enpire/logs")
    let failed = try #require(
      try FileManager.default.contentsOfDirectory(atPath: logs.path()).first {
        workspace.read(".enpire/logs/\($0)")?.contains("the mood is bad") == true
      })
    for file in try FileManager.default.contentsOfDirectory(atPath: logs.path()) {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -40 * 86400)], ofItemAtPath: logs.appending(path: file).path())
    }
    try workspace.write("good\n", to: "mood")
    #expect(try workspace.call("--gc", "30d").code == 0)
    #expect(workspace.read(".enpire/logs/\(failed)") == nil)
    #expect(try workspace.enpire("log", "rate").code == 0)
    #expect(workspace.read(".enpire/schedule/enpire/2.log")?.contains("removed 1 log") == true)
  }

  @Test func `a letter goes to sendmail with the verdict as its subject, and is then not printed`() throws {
    let workspace = try workspace()
    try workspace.write("#!/bin/sh\necho \"$@\" > '\(workspace.path("words").path())'\ncat > '\(workspace.path("letter").path())'\n", to: "sendmail")
    chmod(workspace.path("sendmail").path(), 0o755)
    try workspace.write("bad\n", to: "mood")
    let environment = ["ENPIRE_SENDMAIL": workspace.path("sendmail").path()]
    #expect(try workspace.enpire("schedule", "run", "--mail", "lab@example.org", environment: environment).output == "")
    let letter = try #require(workspace.read("letter"))
    #expect(letter.contains("To: lab@example.org\nSubject: w: FAILURE: 1 step failed (b)\n"))
    #expect(letter.contains("\n\nw: FAILURE"))
    #expect(workspace.read("words") == "-t -i\n")
    let missing = try workspace.enpire(
      "schedule", "run", "--mail", "lab@example.org", environment: ["ENPIRE_SENDMAIL": workspace.path("none").path()])
    #expect(missing.output.hasPrefix("w: STILL FAILING") && missing.output.contains("lab@example.org was not told"))
  }
}
