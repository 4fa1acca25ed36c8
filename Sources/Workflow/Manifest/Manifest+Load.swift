// Reads a manifest and checks its form; every error has its place. Names of steps and kinds are checked later, by the graph.

internal import Hashing
import JSON
import OrderedCollections

extension Manifest {
  /// Loads `path`. `overrides` are `NAME=value` of the command line.
  public init(path: String, overrides: [(name: String, value: String)] = []) throws {
    let path = Files.located(path)
    guard Files.exists(path) else {
      throw Problem(.manifest, "no manifest \(Files.display(path))", hint: "name one with -f FILE, or change to its directory with -C DIR")
    }
    try self.init(path: path, overrides: overrides, text: Files.read(path))
  }

  /// Reads `text` as if it stood in the file.
  init(path: String, overrides: [(name: String, value: String)], text: [UInt8]) throws {
    guard text.contains(where: { $0 > UInt8(ascii: " ") }) else {
      throw Problem(
        .manifest, "the file is empty", at: Place(file: Files.display(path), line: 1, column: 1),
        hint: #"a small one: {"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "date > a"], "out": {"o": "a"}}}}"#)
    }
    let reader = Reader(file: path, text: text)
    let (root, places) = try reader.parts("steps")
    try reader.version(root, "manifest")
    try reader.onlyKeys(root, JSONPointer(), Include.keys)

    (self.path, self.overrides) = (path, overrides)
    digest = Digest(of: text)
    let stem = Files.name(of: path)
    workflow = try reader.string(root, "workflow") ?? (stem.hasSuffix(".json") ? String(stem.dropLast(5)) : stem)
    description = try reader.string(root, "description")
    let directory = Files.parent(of: path) ?? "."
    var include = Include(root: directory, overrides: overrides)
    let variables = try reader.variables(root["vars"] ?? [:], include.overrides(of: ""))
    self.variables = variables
    fleet = try reader.string(root, "fleet").map {
      Files.absolute(try reader.expand(.string($0), JSONPointer(["fleet"]), variables: variables).string ?? $0, in: directory)
    }
    try include.addPools(root, reader, variables)
    try include.read(root["include"], of: reader, prefix: "", variables: variables, chain: [Files.normal(path)])
    try include.checkOverrides()
    pools = include.pools
    appendPolicy = try AppendPolicy(root["append"], reader)
    notify = try Hook.list(root["notify"], reader, directory: directory)
    sources = [path] + include.sources
    environment = Variables.environment(root) + include.environment
    guard let declared = root["steps"]?.object ?? (root["include"] == nil || root["steps"] != nil ? nil : [:]) else {
      throw reader.problem("'steps' is missing", JSONPointer(root["steps"] == nil ? [] : ["steps"]), hint: "a manifest needs \"steps\": { … }")
    }
    steps = include.steps
    steps.reserveCapacity(steps.count + (places?.count ?? declared.count))
    for (name, step) in declared { steps[name] = try reader.step(name, step) }
    for place in places ?? [] {
      let (name, step) = try reader.member(at: place)
      steps[name] = try reader.step(name, step)
    }
    patterns = steps.values.filter { Pattern.isPattern($0.name) }
    for pattern in patterns { steps[pattern.name] = nil }
    defaults = try reader.strings(root["default"] ?? [], JSONPointer(["default"]))
    if defaults.isEmpty, let last = steps.keys.last { defaults = [last] }
    for (index, goal) in defaults.enumerated() where steps[goal] == nil && !goal.contains("[") {
      if try Pattern.instance(of: goal, among: patterns, root: self) != nil { continue }
      throw reader.problem("no step '\(goal)'", JSONPointer(["default", String(index)]), hint: suggestion(for: goal, among: steps.keys))
    }
  }
}
