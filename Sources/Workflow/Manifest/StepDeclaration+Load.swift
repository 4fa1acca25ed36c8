// The parts of a step as they are read. Names of steps and kinds are checked later, by the graph.

import JSON
import OrderedCollections

extension StepDeclaration {
  static let keys =
    ["uses", "run", "description", "in", "out", "with", "env", "after", "matrix", "foreach", "shards", "station", "appends", "phony", "when"]
    + StepOptions.keys

  static func action(_ json: JSON, _ name: String, _ pointer: JSONPointer, _ reader: Reader) throws -> Action {
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
  func checkAction(_ members: OrderedDictionary<String, JSON>, _ pointer: JSONPointer, _ reader: Reader) throws {
    if let flag = members["phony"], flag.bool == nil { throw reader.problem("'phony' must be true or false", pointer / "phony") }
    let isPhony = members["phony"]?.bool ?? false
    switch action {
    case .kind:
      if isPhony { throw reader.problem("a step kind cannot be phony", pointer / "phony", key: true, hint: "its outputs are the kind's") }
    case .command:
      if isPhony, appends != nil {
        throw reader.problem("a phony step appends nothing", pointer / "appends", key: true, hint: "give it an 'out' instead of 'phony'")
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

  static func condition(_ json: JSON?, _ pointer: JSONPointer, _ reader: Reader) throws -> Condition? {
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
