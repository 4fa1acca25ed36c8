// Reads one step of a manifest and checks its form. Names of steps and kinds are checked later, by the graph.

internal import Glibc
import JSON
import OrderedCollections

extension StepDeclaration {
  static let keys =
    ["uses", "run", "description", "in", "out", "with", "env", "after", "matrix", "shards", "station", "appends"] + StepOptions.keys

  init(_ json: JSON, name: String, at pointer: JSONPointer, reader: Reader) throws {
    guard json.object != nil else { throw reader.problem("step '\(name)' must be an object", pointer) }
    guard !name.isEmpty, name.utf8.allSatisfy({ isalnum(Int32($0)) != 0 || "_-./[]=,".utf8.contains($0) }), !name.hasPrefix("."), !name.contains("..")
    else {
      throw reader.problem("'\(name)' cannot be a step's name", pointer, key: true, hint: "use letters, digits, _ and -")
    }
    try reader.onlyKeys(json, pointer, Self.keys)
    self.name = name
    source = json
    origin = Origin(file: reader.file, pointer: pointer)
    description = try reader.string(json, "description", pointer)
    switch (json["uses"], json["run"]) {
    case (let uses?, nil):
      guard let kind = uses.string else { throw reader.problem("'uses' must name a step kind", pointer / "uses") }
      action = .kind(kind)
    case (nil, .array(let words)?):
      let argv = words.compactMap(\.string)
      guard !argv.isEmpty, argv.count == words.count else {
        throw reader.problem("'run' must be a list of strings, the program first", pointer / "run")
      }
      action = .command(argv)
    case (nil, _?):
      throw reader.problem("'run' must be a list of strings", pointer / "run", hint: "[\"sh\", \"-c\", \"…\"] runs a shell")
    case (nil, nil):
      throw reader.problem("step '\(name)' has neither 'uses' nor 'run'", pointer, key: true, hint: "\"uses\": a step kind, or \"run\": [program, …]")
    default: throw reader.problem("step '\(name)' has both 'uses' and 'run'", pointer / "run", key: true, hint: "keep one")
    }
    inputs = [:]
    for (port, value) in try reader.object(json["in"], pointer / "in") { inputs[port] = try reader.strings(value, pointer / "in" / port) }
    outputs = [:]
    for (output, value) in try reader.object(json["out"], pointer / "out") {
      guard let path = value.string, !path.isEmpty, !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
        throw reader.problem("output '\(output)' must be a path below the manifest's directory", pointer / "out" / output)
      }
      outputs[output] = path
    }
    if case .command = action, outputs.isEmpty {
      throw reader.problem(
        "step '\(name)' has no 'out'", pointer, key: true, hint: "name what the command writes: \"out\": { \"result\": \"path/of/file\" }")
    }
    with = json["with"] ?? [:]
    _ = try reader.object(json["with"], pointer / "with")
    environment = [:]
    for (variable, value) in try reader.object(json["env"], pointer / "env") {
      guard let text = value.string else { throw reader.problem("environment variable '\(variable)' must be a string", pointer / "env" / variable) }
      environment[variable] = text
    }
    after = try reader.strings(json["after"] ?? [], pointer / "after")
    matrix = [:]
    for (key, values) in try reader.object(json["matrix"], pointer / "matrix") {
      guard let list = values.array, !list.isEmpty else {
        throw reader.problem("matrix '\(key)' must be a list with at least one value", pointer / "matrix" / key)
      }
      guard Set(list).count == list.count else { throw reader.problem("matrix '\(key)' holds a value twice", pointer / "matrix" / key) }
      matrix[key] = list
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
    let members = json.object!
    options =
      Self.usesVariables(members)
      ? .none
      : try StepOptions.read(members, Complaint { reader.problem($0, JSONPointer(pointer.tokens + $1), key: $3, hint: $2) })
    if case .command = action {
      for key in ["with", "appends"] where json[key] != nil {
        let hint = key == "with" ? "pass words in 'run', or variables in 'env'" : "only step kinds append"
        throw reader.problem("a command takes no '\(key)'", pointer / key, key: true, hint: hint)
      }
    }
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
