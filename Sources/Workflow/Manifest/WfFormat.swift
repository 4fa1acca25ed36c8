// Executions recorded in WfFormat (wfcommons.org), as workspaces to run: each task becomes a step that reads the task's files, sleeps as long as the
// task took, and writes the task's outputs, whose content follows from the inputs'. For trying schedulers on real graphs.

import JSON
import OrderedCollections

public struct WfFormat {
  /// Factor on the tasks' durations, and on the files' sizes.
  public var durations = 1.0
  public var sizes = 1e-6

  public init() {}

  /// Writes `enpire.json` and the files that no task makes into a directory; returns how many steps and files there are.
  public func importInstance(_ path: String, into directory: String) throws -> (steps: Int, files: Int) {
    let reader = Reader(file: Files.absolute(path), text: try Files.read(path))
    let instance = try Instance(try reader.parse(), reader)
    try Files.makeDirectory(directory)
    guard !Files.exists(directory + "/enpire.json") else {
      throw Problem(.usage, "there is \(Files.display(directory))/enpire.json already", hint: "import into a new directory")
    }
    for file in instance.sources {
      let path = directory + "/" + instance.paths[file]!
      try Files.makeDirectory(Files.parent(of: path)!)
      try Files.write(Array("\(file)\n".utf8) + [UInt8](repeating: 0, count: size(of: file, instance)), to: path)
    }
    try Files.write(manifest(of: instance).pretty, to: directory + "/enpire.json")
    return (instance.tasks.count, instance.sources.count)
  }

  private func size(of file: String, _ instance: Instance) -> Int { Int(min(max(instance.sizes[file, default: 0] * sizes, 0), 1e12)) }

  private func manifest(of instance: Instance) -> JSON {
    [
      "manifest": 1, "workflow": .string(instance.name), "description": "imported from WfFormat",
      // Another round runs every step anew, with the recorded durations known.
      "vars": ["round": 1],
      "default": .array(instance.tasks.map { .string(instance.names[$0.id]!) }),
      "steps": .object(
        OrderedDictionary(uniqueKeysWithValues: instance.tasks.map { (instance.names[$0.id]!, step($0, instance)) })),
    ]
  }

  private func step(_ task: Task, _ instance: Instance) -> JSON {
    let outputs =
      task.outputs.isEmpty
      ? [(path: "files/\(instance.names[task.id]!).done", size: 0)]
      : task.outputs.map { (path: instance.paths[$0]!, size: size(of: $0, instance)) }
    let inputs = task.inputs.map { file -> JSON in
      guard let producer = instance.producers[file] else { return .string(instance.paths[file]!) }
      return .string("${step.\(instance.names[producer.task]!).f\(producer.index)}")
    }
    let producers = Set(task.inputs.compactMap { instance.producers[$0]?.task })
    let script = """
      set -e; sleep "$0"; d=$(cat -- /dev/null "$@" | sha256sum)
      while read -r size file; do { echo "$d $file"; head -c "$size" /dev/zero; } > "$file"; done <<END
      \(outputs.map { "\($0.size) \($0.path)" }.joined(separator: "\n"))
      END
      """
    var step: JSON = [
      "description": .string(task.id),
      "run": ["sh", "-c", .string(script), .string(String(task.seconds * durations)), "${in.i}"],
      "in": ["i": .array(inputs)], "env": ["ROUND": "${var.round}"],
      "out": .object(OrderedDictionary(uniqueKeysWithValues: outputs.enumerated().map { ("f\($0.offset)", .string($0.element.path)) })),
    ]
    // Parents that hand over no file.
    let rest = task.parents.filter { !producers.contains($0) }
    if !rest.isEmpty { step["after"] = .array(rest.map { .string(instance.names[$0]!) }) }
    return step
  }

  // MARK: Reading

  private struct Task {
    let id: String
    let parents: [String]
    let inputs: [String]
    let outputs: [String]
    let seconds: Double
  }

  private struct Instance {
    let name: String
    var tasks: [Task] = []
    /// Step names of the tasks' ids, and paths of the files' ids.
    var names: [String: String] = [:]
    var paths: [String: String] = [:]
    var sizes: [String: Double] = [:]
    var producers: [String: (task: String, index: Int)] = [:]
    var sources: OrderedSet<String> = []

    init(_ root: JSON, _ reader: Reader) throws {
      let specification = JSONPointer(["workflow", "specification"])
      name = Self.plain(root["name"]?.string ?? "", "-")
      guard let tasks = root["workflow"]?["specification"]?["tasks"]?.array else {
        throw reader.problem("there is no list workflow.specification.tasks", specification / "tasks", hint: "WfFormat 1.5 has one")
      }
      var seconds: [String: Double] = [:]
      for (index, task) in (root["workflow"]?["execution"]?["tasks"]?.array ?? []).enumerated() {
        guard let id = task["id"]?.string, let time = task["runtimeInSeconds"]?.double, time >= 0, time.isFinite else {
          throw reader.problem("a task needs 'id' and 'runtimeInSeconds'", JSONPointer(["workflow", "execution", "tasks"]) / index)
        }
        seconds[id] = time
      }
      var (usedNames, usedPaths): (Set<String>, Set<String>) = ([], [])
      for (index, task) in tasks.enumerated() {
        let pointer = specification / "tasks" / index
        guard let id = task["id"]?.string, names[id] == nil else { throw reader.problem("a task needs an 'id' of its own", pointer) }
        guard let time = seconds[id] else {
          throw reader.problem("task '\(id)' was not executed", pointer, hint: "workflow.execution has its duration")
        }
        names[id] = Self.unused(Self.plain(id, "_-"), &usedNames)
        let (inputs, outputs) = (
          try reader.strings(task["inputFiles"] ?? [], pointer / "inputFiles"), try reader.strings(task["outputFiles"] ?? [], pointer / "outputFiles")
        )
        for file in inputs + outputs where paths[file] == nil { paths[file] = "files/" + Self.unused(Self.path(file), &usedPaths) }
        for (number, file) in outputs.enumerated() {
          if let other = producers[file] { throw reader.problem("'\(file)' is an output of '\(other.task)' and of '\(id)'", pointer / "outputFiles") }
          producers[file] = (id, number)
        }
        self.tasks.append(
          Task(id: id, parents: try reader.strings(task["parents"] ?? [], pointer / "parents"), inputs: inputs, outputs: outputs, seconds: time))
      }
      for (index, task) in self.tasks.enumerated() {
        for parent in task.parents where names[parent] == nil {
          throw reader.problem("there is no task '\(parent)'", specification / "tasks" / index / "parents")
        }
        sources.formUnion(task.inputs.filter { producers[$0] == nil })
      }
      for file in root["workflow"]?["specification"]?["files"]?.array ?? [] {
        if let id = file["id"]?.string, let size = file["sizeInBytes"]?.double { sizes[id] = size }
      }
    }

    /// ASCII letters, digits and what is `allowed`; anything else becomes `_`.
    private static func plain(_ text: String, _ allowed: String) -> String {
      let plain = String(
        decoding: text.utf8.map { byte in
          let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || allowed.utf8.contains(byte)
          return isPlain ? byte : UInt8(ascii: "_")
        }, as: UTF8.self)
      return plain.isEmpty ? "_" : plain
    }

    /// A path without `.`, `..` and empty parts, whose last part does not claim to be JSON.
    private static func path(_ file: String) -> String {
      let parts = file.split(separator: "/").filter { $0 != "." && $0 != ".." }.map { plain(String($0), "_-.") }
      let path = parts.isEmpty ? "_" : parts.joined(separator: "/")
      return path.hasSuffix(".json") ? path + "_" : path
    }

    private static func unused(_ name: String, _ used: inout Set<String>) -> String {
      var (candidate, number) = (name, 1)
      while !used.insert(candidate).inserted {
        number += 1
        candidate = "\(name)_\(number)"
      }
      return candidate
    }
  }
}
