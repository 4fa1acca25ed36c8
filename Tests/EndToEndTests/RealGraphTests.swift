// Recorded executions of real workflows, imported and run: each step once and in order, what a changed file re-runs, and (in the study alone, for it
// takes time) how close the makespan comes to a list schedule made offline. The recordings lie beside the repository, in ../shared/data/wfinstances.

import Foundation
import JSON
import Testing

/// A WfFormat instance, read independently of the importer.
private struct Recording {
  struct Task {
    let parents: [String]
    let inputs: [String]
    var seconds: Double
  }
  var tasks: [String: Task] = [:]
  var producers: [String: String] = [:]

  init(_ json: JSON) throws {
    let execution = try #require(json["workflow"]?["execution"]?["tasks"]?.array)
    let seconds = Dictionary(uniqueKeysWithValues: execution.map { ($0["id"]!.string!, $0["runtimeInSeconds"]!.double!) })
    for task in try #require(json["workflow"]?["specification"]?["tasks"]?.array) {
      let id = try #require(task["id"]?.string)
      func strings(_ key: String) -> [String] { (task[key]?.array ?? []).compactMap(\.string) }
      tasks[id] = Task(parents: strings("parents"), inputs: strings("inputFiles"), seconds: seconds[id]!)
      for file in strings("outputFiles") { producers[file] = id }
    }
  }

  /// The files that no task makes.
  var sources: [String] { Set(tasks.values.flatMap(\.inputs)).filter { producers[$0] == nil }.sorted() }

  /// The tasks that a file reaches.
  func closure(of file: String) -> Set<String> {
    var reached = Set(tasks.filter { $0.value.inputs.contains(file) }.keys)
    var grows = true
    while grows {
      let more = tasks.filter { !reached.contains($0.key) && $0.value.parents.contains(where: reached.contains) }.keys
      reached.formUnion(more)
      grows = !more.isEmpty
    }
    return reached
  }

  /// When the last task ends if, whenever a worker is free, it takes the ready task with the longest way to the end.
  func makespan(workers: Int) -> Double {
    let children = Dictionary(grouping: tasks.flatMap { child in child.value.parents.map { (child.key, $0) } }) { $0.1 }.mapValues { $0.map(\.0) }
    var heights: [String: Double] = [:]
    func height(_ id: String) -> Double {
      if let known = heights[id] { return known }
      let height = tasks[id]!.seconds + ((children[id] ?? []).map(height).max() ?? 0)
      heights[id] = height
      return height
    }
    var waiting = tasks.mapValues(\.parents.count)
    var ready = tasks.keys.filter { waiting[$0] == 0 }
    var running: [(end: Double, id: String)] = []
    var now = 0.0
    while !ready.isEmpty || !running.isEmpty {
      ready.sort { (height($0), $0) > (height($1), $1) }
      while !ready.isEmpty, running.count < workers {
        let id = ready.removeFirst()
        running.append((now + tasks[id]!.seconds, id))
      }
      let next = running.indices.min { running[$0].end < running[$1].end }!
      let ended = running.remove(at: next)
      now = ended.end
      for child in children[ended.id] ?? [] {
        waiting[child]! -= 1
        if waiting[child] == 0 { ready.append(child) }
      }
    }
    return now
  }
}

@Suite(.serialized) struct `Real graphs` {
  private static let folder =
    ProcessInfo.processInfo.environment["ENPIRE_WFINSTANCES"].map { URL(filePath: $0) }
    ?? Workspace.repository.deletingLastPathComponent().appending(path: "shared/data/wfinstances")
  private static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []
    return files.filter { $0.hasSuffix(".json") && (Study.isAsked("ENPIRE_GRAPHS") || $0.contains("bacass") || $0.contains("scrnaseq")) }.sorted()
  }()

  /// Imports an instance; also gives the task of each step.
  private func workspace(_ instance: URL, scale: Double) throws -> (Workspace, tasks: [String: String]) {
    let workspace = try Workspace()
    try FileManager.default.removeItem(at: workspace.path("enpire.json"))
    let outcome = try workspace.enpire("import", "wfformat", instance.path(), ".", "--scale", "\(scale)")
    #expect(outcome.code == 0, "\(outcome.errors)")
    let manifest = try JSON(parsing: try #require(workspace.read("enpire.json")))
    let steps = try #require(manifest["steps"]?.object)
    return (workspace, Dictionary(uniqueKeysWithValues: steps.map { ($0.key, $0.value["description"]!.string!) }))
  }

  /// Runs; checks that each of `expected` ran once and after its parents; returns the seconds it took, whole and each task.
  private func run(
    _ workspace: Workspace, _ tasks: [String: String], _ recording: Recording, expecting expected: Set<String>, _ arguments: String...
  ) throws -> (seconds: Double, each: [String: Double]) {
    let outcome = workspace.outcome(of: try workspace.start(["run", "--json"] + arguments))
    var begun: [String: Int] = [:]
    var running: Set<String> = []
    var (seconds, each) = (0.0, [String: Double]())
    for line in outcome.output.split(separator: "\n") {
      let event = try JSON(parsing: String(line))
      let task = event["step"]?.string.flatMap { tasks[$0] }
      switch event["event"]?.string {
      case "start":
        let task = try #require(task)
        begun[task, default: 0] += 1
        running.insert(task)
        #expect(
          recording.tasks[task]!.parents.allSatisfy { !running.contains($0) && (begun[$0] != nil || !expected.contains($0)) }, "\(task) ran too early"
        )
      case "done":
        running.remove(try #require(task))
        each[task!] = event["seconds"]?.double
      case "summary": seconds = event["seconds"]?.double ?? 0
      default: break
      }
    }
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(Set(begun.keys) == expected)
    #expect(begun.values.allSatisfy { $0 == 1 })
    return (seconds, each)
  }

  @Test(.enabled(if: !names.isEmpty, "there is no ../shared/data/wfinstances"), arguments: names)
  func `each step runs once and in order, and a changed file re-runs exactly what it reaches`(name: String) throws {
    let instance = Self.folder.appending(path: name)
    let recording = try Recording(JSON(parsing: try String(contentsOf: instance, encoding: .utf8)))
    let (workspace, tasks) = try workspace(instance, scale: 0)
    _ = try run(workspace, tasks, recording, expecting: Set(recording.tasks.keys), "-j", "8")
    _ = try run(workspace, tasks, recording, expecting: [], "-j", "8")
    let sources = recording.sources
    var checked = 0
    for source in stride(from: 0, to: sources.count, by: max(1, sources.count / 8)).map({ sources[$0] }) {
      let file = try #require(source.split(separator: "/").last.map { $0.replacing(/[^A-Za-z0-9._-]/, with: "_") })
      let paths = (FileManager.default.subpaths(atPath: workspace.path("files").path()) ?? []).filter { ("/" + $0).hasSuffix("/" + file) }
      // Files of one name in several directories cannot be told apart here.
      guard paths.count == 1 else { continue }
      try workspace.write("changed \(source)", to: "files/" + paths[0])
      _ = try run(workspace, tasks, recording, expecting: recording.closure(of: source), "-j", "8")
      checked += 1
    }
    #expect(checked > 0)
    Study.say("| \(name) | \(recording.tasks.count) | \(checked) of \(sources.count) changed |")
  }

  /// The same durations are those that the steps had in that run: what it costs to start processes on a busy machine is part of them.
  @Test(.enabled(if: Study.isAsked("ENPIRE_GRAPHS"), "it takes half an hour; make study-graphs"), arguments: names)
  func `the makespan is within 5 % of an offline list schedule of the same durations`(name: String) throws {
    let instance = Self.folder.appending(path: name)
    let recording = try Recording(JSON(parsing: try String(contentsOf: instance, encoding: .utf8)))
    let span = Double(Study.count("ENPIRE_GRAPHS", default: 20))
    var cells = [String(name.prefix { $0 != "-" }), "\(recording.tasks.count)"]
    for workers in [2, 8, 64] {
      // Asleep, it takes `span` seconds; the first run is there for the durations to be known.
      let (workspace, tasks) = try workspace(instance, scale: span / recording.makespan(workers: workers))
      let all = Set(recording.tasks.keys)
      _ = try run(workspace, tasks, recording, expecting: all, "-j", "64")
      let (seconds, each) = try run(workspace, tasks, recording, expecting: all, "-j", "\(workers)", "round=2")
      var measured = recording
      for (task, seconds) in each { measured.tasks[task]!.seconds = seconds }
      let offline = measured.makespan(workers: workers)
      #expect(seconds <= offline * 1.05, "\(name), \(workers) workers: \(seconds) s, offline \(offline) s")
      cells.append(String(format: "%.3f (%.3f)", seconds / offline, seconds / span))
    }
    Study.say("| " + cells.joined(separator: " | ") + " |")
  }
}

@Suite struct `Imports` {
  private static let small = """
    {"name": "diamond", "schemaVersion": "1.5", "workflow": {
      "specification": {"tasks": [
        {"id": "a.1", "parents": [], "inputFiles": ["/in/x.txt"], "outputFiles": ["/1/a.json", "../b c"]},
        {"id": "b", "parents": ["a.1"], "inputFiles": ["/1/a.json"], "outputFiles": ["b"]},
        {"id": "c", "parents": ["a.1"], "inputFiles": ["/in/y.txt"], "outputFiles": []}],
        "files": [{"id": "/in/x.txt", "sizeInBytes": 3000000}]},
      "execution": {"tasks": [{"id": "a.1", "runtimeInSeconds": 1}, {"id": "b", "runtimeInSeconds": 2.5}, {"id": "c", "runtimeInSeconds": 0}]}}}
    """

  @Test func `an instance becomes a workspace that runs`() throws {
    let workspace = try Workspace(files: ["small.json": Self.small])
    let outcome = try workspace.enpire("import", "wfformat", "small.json", "w", "--scale", "0.001")
    #expect(outcome.errors == "w/enpire.json: 3 steps; 2 files that none of them makes\n")
    #expect(workspace.read("w/files/in/x.txt")?.utf8.count == 13)
    #expect(try workspace.summary("-C", "w")["ran"] == 3)
    for file in ["1/a.json_", "b_c", "b", "c.done"] { #expect(workspace.read("w/files/" + file) != nil) }
    #expect(try workspace.enpire("import", "wfformat", "small.json", "w").code == 64)
    try workspace.write("other", to: "w/files/in/x.txt")
    #expect(try workspace.summary("-C", "w")["ran"] == 2)
  }

  @Test(arguments: [
    ("{\"workflow\": {}}", "small.json:1:14: there is no list workflow.specification.tasks"),
    (small.replacing(#"{"id": "c", "runtimeInSeconds": 0}"#, with: #"{"id": "c"}"#), "small.json:7:103: a task needs 'id' and 'runtimeInSeconds'"),
    (small.replacing(#"["a.1"], "inputFiles": ["/in/y"#, with: #"["d"], "inputFiles": ["/in/y"#), "small.json:5:28: there is no task 'd'"),
    (
      small.replacing(#""outputFiles": ["b"]"#, with: #""outputFiles": ["/1/a.json"]"#),
      "small.json:4:81: '/1/a.json' is an output of 'a.1' and of 'b'"
    ),
  ]) func `what is no instance is refused whole`(text: String, complaint: String) throws {
    let workspace = try Workspace(files: ["small.json": text])
    let outcome = try workspace.enpire("import", "wfformat", "small.json", "w")
    #expect(outcome.code == 65)
    #expect(outcome.errors.hasPrefix("error: " + complaint + "\n"), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: workspace.path("w").path()))
  }
}
