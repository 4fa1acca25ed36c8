// Runs of random graphs, killed at random instants and run again: the end must be as if nothing had happened. `make study-crashes` kills 500 times.

import Foundation
import JSON
import Testing

@Suite(.serialized) struct `Crashes` {
  enum Victim: String, CaseIterable { case runner, step, both }

  @Test func `killed at random instants and run again, a run ends like an undisturbed one`() throws {
    let kills = Study.count("ENPIRE_KILLS", default: 20)
    var tally: [String: Int] = [:]
    var done = 0
    var seed = Study.count("ENPIRE_SEED", default: 1)
    while done < kills {
      done += try storm(seed, atMost: kills - done, &tally)
      seed += 1
    }
    Study.say("crashes: " + tally.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
  }

  @Test func `what a crashed run left half-written is removed, also when there is nothing to do, and nothing else is`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > d/o"], "out": {"o": "d/o"}}}}"#)
    #expect(try workspace.summary()["ran"] == 1)
    // A run that changes anything first drops the snapshots.
    try FileManager.default.removeItem(at: workspace.path(".enpire/snapshots"))
    for file in [".enpire/work/1/o", ".enpire/views/1/o", ".enpire/store/ab/cd.tmp12", "d/o.tmp12", "d/o.tmp12x", "d/p.tmp12"] {
      try workspace.write("", to: file)
    }
    #expect(try workspace.summary()["upToDate"] == 1)
    #expect(FileManager.default.subpaths(atPath: workspace.path("d").path())?.sorted() == ["o", "o.tmp12x", "p.tmp12"])
    for file in ["work", "views", "store/ab/cd.tmp12"] { #expect(workspace.read(".enpire/" + file + (file.hasPrefix("s") ? "" : "/1/o")) == nil) }
  }

  /// Kills runs of one graph until one gets through; returns how many were killed.
  private func storm(_ seed: Int, atMost limit: Int, _ tally: inout [String: Int]) throws -> Int {
    var chance = Chance(seed)
    var graph = RandomGraph(24, using: &chance)
    for index in graph.nodes.indices { graph.nodes[index].sleep = chance.one(in: 8) ? 0.3 : chance.one(in: 2) ? 0.02 : 0 }
    let expected = graph.expectation(known: [])
    let calm = try Workspace()
    try graph.write(to: calm)
    let begin = Date()
    #expect(try calm.enpire("-j", "4").code == 0)
    let length = Date().timeIntervalSince(begin)

    let workspace = try Workspace()
    // The journal is no part of the command that the undisturbed run had, so keys differ; the outputs must not.
    graph.journal = workspace.path(".journal").path()
    try graph.write(to: workspace)
    var killed = 0
    while killed < limit {
      let place: Comment = "ENPIRE_SEED=\(seed), after \(killed) kills"
      let (published, recorded) = (self.published(workspace, graph, expected), try self.recorded(workspace))
      let before = journal(workspace).count
      let run = try workspace.start(["run", "-k", "-j", "4"])
      // Most kills fall while steps run; one in four into the start.
      usleep(UInt32(1e6 * (chance.one(in: 4) ? Double.random(in: 0..<0.02, using: &chance) : Double.random(in: 0..<length * 0.7, using: &chance))))
      let victim = Victim.allCases.randomElement(using: &chance)!
      let wasRunning = run.isRunning
      if wasRunning { kill(victim, of: run.processIdentifier, using: &chance) }
      run.waitUntilExit()
      let begun = Set(journal(workspace)[before...].compactMap { $0.hasPrefix("begin ") ? String($0.dropFirst(6)) : nil })
      #expect(begun.isDisjoint(with: recorded), "recorded and run again: \(place)")
      #expect(begun.isDisjoint(with: published), "published and run again: \(place)")
      guard wasRunning else { break }
      killed += 1
      tally[victim.rawValue, default: 0] += 1
    }
    let place: Comment = "ENPIRE_SEED=\(seed), after \(killed) kills"
    let last = try workspace.enpire("run", "-j", "4")
    #expect(last.code == 0, "\(last.errors) \(place)")
    #expect(graph.faults(in: workspace, expected) == [], place)
    for node in graph.nodes { for file in node.files { #expect(workspace.read(file) == calm.read(file), place) } }
    #expect(leftovers(workspace, graph) == [], place)
    #expect(try workspace.enpire("run", "-j", "4").errors.hasPrefix("nothing to do: all \(graph.nodes.count) steps"), place)
    tally["graphs", default: 0] += 1
    tally["steps", default: 0] += graph.nodes.count
    tally["begun", default: 0] += journal(workspace).count { $0.hasPrefix("begin ") }
    return killed
  }

  // MARK: Killing

  private func kill(_ victim: Victim, of runner: pid_t, using chance: inout Chance) {
    if victim != .runner, let step = children(of: runner).randomElement(using: &chance) { Glibc.kill(step, SIGKILL) }
    if victim != .step { Glibc.kill(runner, SIGKILL) }
  }

  private func children(of parent: pid_t) -> [pid_t] {
    processes().filter { pid in
      guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = status.lastIndex(of: ")") else { return false }
      return status[end...].split(separator: " ").dropFirst(2).first.flatMap { pid_t($0) } == parent
    }.sorted()
  }

  private func processes() -> [pid_t] { ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) } }

  // MARK: Looking

  private func journal(_ workspace: Workspace) -> [String] { (workspace.read(".journal") ?? "").split(separator: "\n").map(String.init) }

  private func published(_ workspace: Workspace, _ graph: RandomGraph, _ expected: RandomGraph.Expectation) -> Set<String> {
    Set(graph.nodes.filter { node in node.files.allSatisfy { workspace.read($0) == node.content(expected.numbers[node.name]!) } }.map(\.name))
  }

  private func recorded(_ workspace: Workspace) throws -> Set<String> {
    let steps = try JSON(parsing: try workspace.enpire("status", "--json").output)["steps"]?.array ?? []
    return Set(steps.filter { ["up to date", "to restore"].contains($0["state"]?.string) }.compactMap { $0["step"]?.string })
  }

  /// Whatever should not be there: files of the workspace that nobody published, private directories, temporary files, processes.
  private func leftovers(_ workspace: Workspace, _ graph: RandomGraph) -> [String] {
    let expected = Set(graph.nodes.flatMap(\.files) + graph.sources.keys + ["enpire.json", ".journal", ".output-0", ".errors-0"])
    let files = (FileManager.default.subpaths(atPath: workspace.directory.path()) ?? []).filter { path in
      var isDirectory: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: workspace.path(path).path(), isDirectory: &isDirectory)
      return path.hasPrefix(".enpire/work/") || path.hasPrefix(".enpire/views/") || path.contains(".tmp")
        || !isDirectory.boolValue && !path.hasPrefix(".enpire/") && !expected.contains(path)
    }
    let running = processes().filter { pid in
      guard pid != getpid() else { return false }
      let directory = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")) ?? ""
      return directory.hasPrefix(workspace.directory.path())
        && (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8))?.contains(") Z ") == false
    }
    return files.sorted() + running.map { "process \($0)" }
  }
}

@Suite struct `Full disks` {
  /// A file system of its own, `disk`, that is too small for the steps; then a larger one. What the steps wrote is kept in `kept`.
  @Test func `whenever the disk fills up, that is said, nothing is half-written, and the next run goes on`() throws {
    var chance = Chance(Study.count("ENPIRE_SEED", default: 1))
    var codes: [Int32: Int] = [:]
    for _ in 0..<Study.count("ENPIRE_DISKS", default: 4) {
      let kilobytes = 400 + chance.below(3200)
      let workspace = try Workspace()
      let outcome = try fill(workspace, kilobytes)
      if outcome.output.isEmpty { return withKnownIssue("mount namespaces are not allowed here: \(outcome.errors)") { Issue.record("skipped") } }
      let place: Comment = "\(kilobytes) kB: \(outcome.errors)"
      let words = outcome.output.split(separator: "\n").map(String.init)
      let code = words.first.flatMap { Int32($0) } ?? -1
      #expect(code == 74, place)
      if code == 74 { #expect(outcome.errors.contains("hint: free some space and run again"), place) }
      #expect(words.dropFirst() == ["half 0", "0", "left 0"], place)
      for step in 0..<Self.steps { #expect(workspace.read("kept/\(step)") == content(of: step), place) }
      codes[code, default: 0] += 1
    }
    Study.say("full disks: exit codes \(codes)")
  }

  private static let steps = 10

  /// Each writes its own number 100,000 times, after that of the step before.
  private func content(of step: Int) -> String { (0...step).suffix(2).map { String(repeating: "\($0)", count: 100_000) }.joined() }

  private func fill(_ workspace: Workspace, _ kilobytes: Int) throws -> Outcome {
    let steps = (0..<Self.steps).map { step in
      let before = step == 0 ? "" : "${step.s\(step - 1).o}"
      return
        #""s\#(step)": {"run": ["sh", "-c", "set -e; for f do tail -c 100000 $f > t; done; head -c 100000 /dev/zero | tr '\\0' \#(step) > n; cat t n > \#(step)", "sh", "${in.i}"], "in": {"i": ["i\#(before.isEmpty ? "" : "\", \"\(before)")"]}, "out": {"o": "\#(step)"}}"#
    }
    try workspace.write("{\"manifest\": 1, \"steps\": {\n\(steps.joined(separator: ",\n"))}}", to: "enpire.json")
    try workspace.write("", to: "i")
    for directory in ["disk", "kept"] { try FileManager.default.createDirectory(at: workspace.path(directory), withIntermediateDirectories: true) }
    let script = """
      mount -t tmpfs -o size=\(kilobytes)k none disk && cp enpire.json i disk/ && cd disk || exit 99
      \(Workspace.program.path()) -s; echo $?
      half=0; for f in [0-9]; do test -e $f && test $(wc -c < $f) != 200000 && test $f$(wc -c < $f) != 0100000 && half=1; done; echo half $half
      mount -o remount,size=100m . && \(Workspace.program.path()) -s; echo $?
      echo left $(find . -name '*.tmp*' -o -path './.enpire/work/*' | wc -l)
      cp [0-9] ../kept/
      """
    return workspace.outcome(of: try workspace.start(["-rm", "sh", "-c", script], program: URL(filePath: "/usr/bin/unshare")))
  }
}
