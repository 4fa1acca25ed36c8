// Reads the manifests that a manifest includes, each under a namespace of its own, and what they include.

import JSON
import OrderedCollections

/// Everything that a manifest and its includes say, while it is read.
struct Include {
  private let root: String
  private let overrides: [(name: String, value: String)]
  private(set) var steps: OrderedDictionary<String, StepDeclaration> = [:]
  private(set) var pools: OrderedDictionary<String, Pool> = [:]
  private(set) var sources: [String] = []
  private(set) var environment: [String] = []
  private var texts: [String: [UInt8]] = [:]

  static let keys = ["$schema", "manifest", "workflow", "description", "vars", "fleet", "pools", "include", "append", "notify", "default", "steps"]

  /// `root` is the manifest's directory; `overrides` of the command line, where `NAMESPACE:NAME` is a variable of an include.
  init(root: String, overrides: [(name: String, value: String)]) {
    self.root = root
    self.overrides = overrides
  }

  /// The overrides for the file under a namespace.
  func overrides(of prefix: String) -> [(name: String, value: String)] {
    overrides.filter { $0.name.hasPrefix(prefix) && !$0.name.dropFirst(prefix.count).contains(":") }
      .map { (String($0.name.dropFirst(prefix.count)), $0.value) }
  }

  /// Refuses a variable of the command line that no file under its namespace could have.
  func checkOverrides() throws {
    for override in overrides where override.name.contains(":") {
      let end = override.name.lastIndex(of: ":")!
      let prefix = String(override.name[...end])
      if steps.keys.contains(where: { $0.hasPrefix(prefix) }) { continue }
      throw Problem(.usage, "nothing is included as '\(prefix.dropLast())'", hint: "NAMESPACE:NAME=value sets a variable of an included manifest")
    }
  }

  /// Reads what `file` includes. `chain` holds the files that are being read, from the manifest to this one.
  mutating func read(_ members: JSON?, of reader: Reader, prefix: String, variables: OrderedDictionary<String, JSON>, chain: [String]) throws {
    for (namespace, entry) in try reader.object(members, JSONPointer(["include"])) {
      let pointer = JSONPointer(["include", namespace])
      try reader.checkName(namespace, pointer, "a namespace")
      if entry.object != nil { try reader.onlyKeys(entry, pointer, ["file", "vars", "out"]) }
      let written = entry.object == nil ? JSON.object(["file": entry]) : entry
      let entry = try reader.expand(written, pointer, variables: variables)
      guard let file = entry["file"]?.string, !file.isEmpty else {
        throw reader.problem("an include names a file", pointer, hint: "\"\(namespace)\": \"file.json\", or {\"file\": …, \"vars\": {…}}")
      }
      let path = Files.normal(Files.absolute(file, in: Files.parent(of: chain.last!) ?? "."))
      if let start = chain.firstIndex(of: path) {
        let loop = (chain[start...] + [path]).map(Files.display).joined(separator: " → ")
        throw reader.problem("manifests include each other: \(loop)", pointer)
      }
      guard chain.count < 50 else { throw reader.problem("includes are nested more than 50 deep", pointer) }
      guard Files.exists(path) else { throw reader.problem("no file \(Files.display(path)) to include", pointer) }
      let given = try reader.object(entry["vars"], pointer / "vars").mapValues { Template.qualify($0, ":" + prefix) }
      let out = try output(entry["out"], pointer, reader, near: chain.last!)
      try read(path, prefix: prefix + namespace + ":", given: given, by: reader, at: pointer, out: out, chain: chain + [path])
    }
  }

  private func output(_ json: JSON?, _ pointer: JSONPointer, _ reader: Reader, near file: String) throws -> String? {
    guard let json else { return nil }
    guard let path = json.string, Expansion.isBelow(path) else {
      throw reader.problem("'out' must be a directory below the manifest's", pointer / "out")
    }
    return Files.normal(Files.absolute(path, in: Files.parent(of: file) ?? "."))
  }

  private mutating func read(
    _ path: String, prefix: String, given: OrderedDictionary<String, JSON>, by outer: Reader, at place: JSONPointer, out: String?, chain: [String]
  ) throws {
    let text = try texts[path] ?? Files.read(path)
    if texts.updateValue(text, forKey: path) == nil { sources.append(path) }
    let reader = Reader(file: path, text: text)
    let root = try reader.parse()
    try reader.version(root, "manifest")
    try reader.onlyKeys(root, JSONPointer(), Self.keys)
    environment += Variables.environment(root)
    var declared = try reader.object(root["vars"], JSONPointer(["vars"]))
    for (name, value) in given {
      guard declared[name] != nil else {
        throw outer.problem(
          "no variable '\(name)' in \(Files.display(path))", place / "vars" / name, key: true, hint: suggestion(for: name, among: declared.keys))
      }
      declared[name] = value
    }
    let variables = try reader.variables(.object(declared), overrides(of: prefix))
    try addPools(root, reader, variables)
    try read(root["include"], of: reader, prefix: prefix, variables: variables, chain: chain)
    let directory = Files.parent(of: path) ?? "/"
    let inputs = directory == self.root ? "" : (Files.rest(of: directory, after: self.root + "/") ?? directory) + "/"
    let outputs = out.map { $0 == self.root ? "" : (Files.rest(of: $0, after: self.root + "/") ?? $0) + "/" } ?? inputs
    let scope = Scope(prefix: prefix, variables: variables, directory: directory, inputs: inputs, outputs: outputs)
    for (name, step) in try reader.object(root["steps"], JSONPointer(["steps"])) {
      let declaration = try reader.step(name, step).renamed(prefix + name, scope: scope)
      if Files.isAbsolute(outputs), !declaration.outputs.isEmpty {
        throw outer.problem(
          "step '\(declaration.name)' would publish outside the manifest's directory", place, hint: "say where: {\"file\": …, \"out\": \"results\"}")
      }
      steps[declaration.name] = declaration
    }
  }

  /// The manifest's own pools count; an included file may declare others.
  mutating func addPools(_ root: JSON, _ reader: Reader, _ variables: OrderedDictionary<String, JSON>) throws {
    for (name, value) in try reader.object(root["pools"], JSONPointer(["pools"])) where pools[name] == nil {
      let pointer = JSONPointer(["pools", name])
      pools[name] = try Pool(try reader.expand(value, pointer, variables: variables), name: name, at: pointer, reader: reader)
    }
  }
}

extension Reader {
  /// A step of `steps`.
  func step(_ name: String, _ json: JSON) throws -> StepDeclaration {
    let pointer = JSONPointer(["steps", name])
    if !Pattern.isPattern(name) { try checkName(name, pointer) } else { try Pattern.check(name, pointer, self) }
    return try StepDeclaration(json, name: name, at: pointer, reader: self)
  }
}
