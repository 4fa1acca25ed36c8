// Reads one step of a manifest and checks its form. Names of steps and kinds are checked later, by the graph.

internal import Glibc
import JSON
import OrderedCollections

extension StepDeclaration {
  static let keys =
    ["uses", "run", "description", "in", "out", "with", "env", "after", "matrix", "foreach", "shards", "station", "appends", "phony", "when"]
    + StepOptions.keys

  init(_ json: JSON, name: String, at pointer: JSONPointer, reader: Reader) throws {
    guard json.object != nil else { throw reader.problem("step '\(name)' must be an object", pointer) }
    guard !name.isEmpty, name.utf8.allSatisfy({ isalnum(Int32($0)) != 0 || "_-./[]=,:%".utf8.contains($0) }), !name.hasPrefix("."),
      !name.contains("..")
    else {
      throw reader.problem("'\(name)' cannot be a step's name", pointer, key: true, hint: "use letters, digits, _ and -")
    }
    try reader.onlyKeys(json, pointer, Self.keys)
    self.name = name
    source = json
    origin = Origin(file: reader.file, pointer: pointer)
    description = try reader.string(json, "description", pointer)
    let members = json.object!
    action = try Self.action(json, name, pointer, reader)
    inputs = [:]
    for (port, value) in try reader.object(json["in"], pointer / "in") { inputs[port] = try reader.strings(value, pointer / "in" / port) }
    outputs = [:]
    for (output, value) in try reader.object(json["out"], pointer / "out") {
      let pointer = pointer / "out" / output
      if value.object != nil { try reader.onlyKeys(value, pointer, ["path", "optional"]) }
      guard let path = value["path"]?.string ?? value.string, Expansion.isBelow(path) else {
        throw reader.problem("output '\(output)' must be a path below the manifest's directory", pointer)
      }
      outputs[output] = path
      if let optional = value["optional"] {
        guard let optional = optional.bool else { throw reader.problem("'optional' must be true or false", pointer / "optional") }
        if optional { optionalOutputs.insert(output) }
      }
    }
    with = json["with"] ?? [:]
    _ = try reader.object(json["with"], pointer / "with")
    environment = [:]
    for (variable, value) in try reader.object(json["env"], pointer / "env") {
      guard let text = value.string else { throw reader.problem("environment variable '\(variable)' must be a string", pointer / "env" / variable) }
      environment[variable] = text
    }
    after = try reader.strings(json["after"] ?? [], pointer / "after")
    matrix = try members["matrix"].map { try Matrix($0, at: pointer / "matrix", reader: reader) }
    foreach = try Self.foreach(members["foreach"], pointer / "foreach", reader)
    for name in foreach.keys where matrix?.axes[name] != nil {
      throw reader.problem("'\(name)' is in 'matrix' and in 'foreach'", pointer / "foreach" / name, key: true)
    }
    shards = json["shards"]
    station = json["station"]
    for (key, value) in try reader.object(station, pointer / "station") where value.string == nil && !(key == "count" && value.int != nil) {
      throw reader.problem("'\(key)' must be a \(key == "count" ? "count" : "string")", pointer / "station" / key)
    }
    switch json["appends"] {
    case nil, .bool(false)?: appends = nil
    case .bool(true)?: appends = []
    case let kinds?: appends = try reader.strings(kinds, pointer / "appends")
    }
    options =
      Self.usesVariables(members)
      ? .none
      : try StepOptions.read(members, Complaint { reader.problem($0, JSONPointer(pointer.tokens + $1), key: $3, hint: $2) })
    when = try Self.condition(members["when"], pointer / "when", reader)
    try checkAction(members, pointer, reader)
  }

  private static func action(_ json: JSON, _ name: String, _ pointer: JSONPointer, _ reader: Reader) throws -> Action {
    switch (json["uses"], json["run"]) {
    case (let uses?, nil):
      guard let kind = uses.string else { throw reader.problem("'uses' must name a step kind", pointer / "uses") }
      return .kind(kind)
    case (nil, .array(let words)?):
      let argv = words.compactMap(\.string)
      guard !argv.isEmpty, argv.count == words.count else {
        throw reader.problem("'run' must be a list of strings, the program first", pointer / "run")
      }
      return .command(argv)
    case (nil, _?):
      throw reader.problem("'run' must be a list of strings", pointer / "run", hint: "[\"sh\", \"-c\", \"…\"] runs a shell")
    case (nil, nil):
      if json["phony"] == true { return .group }
      throw reader.problem("step '\(name)' has neither 'uses' nor 'run'", pointer, key: true, hint: "\"uses\": a step kind, or \"run\": [program, …]")
    default: throw reader.problem("step '\(name)' has both 'uses' and 'run'", pointer / "run", key: true, hint: "keep one")
    }
  }

  /// What kinds, commands and groups may not have.
  private func checkAction(_ members: OrderedDictionary<String, JSON>, _ pointer: JSONPointer, _ reader: Reader) throws {
    if let flag = members["phony"], flag.bool == nil { throw reader.problem("'phony' must be true or false", pointer / "phony") }
    let isPhony = members["phony"]?.bool ?? false
    switch action {
    case .kind:
      if isPhony { throw reader.problem("a step kind cannot be phony", pointer / "phony", key: true, hint: "its outputs are the kind's") }
    case .command:
      if members["appends"] != nil {
        throw reader.problem("a command takes no 'appends'", pointer / "appends", key: true, hint: "only step kinds append")
      }
      if isPhony, !outputs.isEmpty { throw reader.problem("a phony step has no 'out'", pointer / "out", key: true, hint: "keep one of the two") }
      if !isPhony, outputs.isEmpty {
        throw reader.problem(
          "step '\(name)' has no 'out'", pointer, key: true,
          hint: "name what the command writes: \"out\": { \"result\": \"path/of/file\" }, or say \"phony\": true")
      }
    case .group:
      let known = ["phony", "description", "after", "when"]
      for key in members.keys where !known.contains(key) {
        throw reader.problem(
          "a group of steps takes no '\(key)'", pointer / key, key: true, hint: "without 'uses' or 'run' it has \(known.joined(separator: ", "))")
      }
    }
    for (index, name) in options.unkeyed.enumerated() {
      let isThere = name.hasPrefix("env.") ? environment[String(name.dropFirst(4))] != nil : with[name] != nil
      let known = (with.object?.keys.elements ?? []) + environment.keys.map { "env." + $0 }
      // A kind's parameter has a default, so it need not be written.
      if isThere { continue }
      if case .kind = action, !name.hasPrefix("env.") { continue }
      throw reader.problem(
        "no parameter '\(name)' here", pointer / "unkeyed" / index, hint: suggestion(for: name, among: known))
    }
  }

  private static func condition(_ json: JSON?, _ pointer: JSONPointer, _ reader: Reader) throws -> Condition? {
    guard let json else { return nil }
    guard let text = json.string ?? json.bool.map({ $0 ? "true" : "false" }) else {
      throw reader.problem("'when' must be a condition", pointer, hint: "as \"${step.evaluate.rate} >= 0.9\"")
    }
    do { return try Condition(text) } catch { throw reader.problem(error.sentence, pointer, hint: error.hint) }
  }

  /// Whether how it is run is known only when variables and matrix are filled in.
  static func usesVariables(_ step: OrderedDictionary<String, JSON>) -> Bool {
    func uses(_ json: JSON) -> Bool {
      switch json {
      case .string(let text): text.utf8.contains(UInt8(ascii: "$"))
      case .array(let elements): elements.contains(where: uses)
      case .object(let members): members.values.contains(where: uses)
      default: false
      }
    }
    return StepOptions.keys.contains { step[$0].map(uses) ?? false }
  }
}
