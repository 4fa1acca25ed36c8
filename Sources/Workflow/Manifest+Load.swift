// Reads a manifest and checks its form; every error has its place. Names of steps and kinds are checked later, by the graph.

import JSON
import OrderedCollections

extension Manifest {
  /// Loads `path`. `overrides` are `NAME=value` of the command line.
  public init(path: String, overrides: [(name: String, value: String)] = []) throws {
    let path = Files.absolute(path)
    guard Files.exists(path) else {
      throw Problem(.manifest, "no manifest \(Files.display(path))", hint: "name one with -f FILE, or change to its directory with -C DIR")
    }
    try self.init(path: path, overrides: overrides, text: Files.read(path))
  }

  /// Reads `text` as if it stood in the file.
  init(path: String, overrides: [(name: String, value: String)], text: [UInt8]) throws {
    let reader = Reader(file: path, text: text)
    let root = try reader.parse()
    try reader.version(root, "manifest")
    try reader.onlyKeys(root, JSONPointer(), ["$schema", "manifest", "workflow", "description", "vars", "fleet", "pools", "default", "steps"])

    self.path = path
    self.text = text
    sources = [path]
    environment = root["vars"]?.object?.values.compactMap { $0["env"]?.string } ?? []
    let stem = Files.name(of: path)
    workflow = try reader.string(root, "workflow") ?? (stem.hasSuffix(".json") ? String(stem.dropLast(5)) : stem)
    description = try reader.string(root, "description")
    variables = try reader.variables(root["vars"] ?? [:], overrides)
    let variables = variables
    let directory = Files.parent(of: path) ?? "."
    func expanded(_ json: JSON, _ pointer: JSONPointer) throws -> JSON { try reader.expand(json, pointer, variables: variables) }
    fleet = try reader.string(root, "fleet").map { Files.absolute(try expanded(.string($0), JSONPointer(["fleet"])).string ?? $0, in: directory) }
    pools = [:]
    for (name, value) in try reader.object(root["pools"], JSONPointer(["pools"])) {
      let pointer = JSONPointer(["pools", name])
      pools[name] = try Pool(try expanded(value, pointer), name: name, at: pointer, reader: reader)
    }
    defaults = try reader.strings(root["default"] ?? [], JSONPointer(["default"]))
    guard let declared = root["steps"]?.object else {
      throw reader.problem("'steps' is missing", JSONPointer(root["steps"] == nil ? [] : ["steps"]), hint: "a manifest needs \"steps\": { … }")
    }
    steps = [:]
    for (name, step) in declared {
      try reader.checkName(name, JSONPointer(["steps", name]))
      steps[name] = try StepDeclaration(step, name: name, at: JSONPointer(["steps", name]), reader: reader)
    }
    if defaults.isEmpty, let last = steps.keys.last { defaults = [last] }
    for (index, goal) in defaults.enumerated() where steps[goal] == nil && !goal.contains("[") {
      throw reader.problem("no step '\(goal)'", JSONPointer(["default", String(index)]), hint: suggestion(for: goal, among: steps.keys))
    }
  }
}
