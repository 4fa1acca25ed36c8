// Reads a manifest and checks its form; every error has its place. Names of steps and kinds are checked later, by the graph.

internal import Glibc
import JSON
import OrderedCollections

extension Manifest {
  /// Loads `path`. `overrides` are `NAME=value` of the command line.
  public init(path: String, overrides: [(name: String, value: String)] = []) throws {
    let path = Files.absolute(path)
    guard Files.exists(path) else {
      throw Problem(.manifest, "no manifest \(Files.display(path))", hint: "name one with -f FILE, or change to its directory with -C DIR")
    }
    let text = try Files.read(path)
    let reader = Reader(file: path, text: text)
    let root = try reader.parse()
    try reader.version(root, "manifest")
    try reader.onlyKeys(root, JSONPointer(), ["$schema", "manifest", "workflow", "description", "vars", "fleet", "default", "steps"])

    self.path = path
    self.text = text
    let stem = Files.name(of: path)
    workflow = try reader.string(root, "workflow") ?? (stem.hasSuffix(".json") ? String(stem.dropLast(5)) : stem)
    description = try reader.string(root, "description")
    variables = try reader.variables(root["vars"] ?? [:], overrides)
    let variables = variables
    let directory = Files.parent(of: path) ?? "."
    func expanded(_ json: JSON, _ pointer: JSONPointer) throws -> JSON { try reader.expand(json, pointer, variables: variables) }
    fleet = try reader.string(root, "fleet").map { Files.absolute(try expanded(.string($0), JSONPointer(["fleet"])).string ?? $0, in: directory) }
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

extension StepDeclaration {
  static let keys = [
    "uses", "run", "description", "in", "out", "with", "env", "after", "matrix", "shards", "station", "appends", "retries", "timeout", "may_fail",
  ]

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
    for (key, value) in try reader.object(station, pointer / "station") where value.string == nil {
      throw reader.problem("'\(key)' must be a string", pointer / "station" / key)
    }
    switch json["appends"] {
    case nil, .bool(false)?: appends = nil
    case .bool(true)?: appends = []
    case let kinds?: appends = try reader.strings(kinds, pointer / "appends")
    }
    retries = json["retries"]?.int ?? 0
    guard json["retries"] == nil || (0...100).contains(json["retries"]?.int ?? -1) else {
      throw reader.problem("'retries' must be a count from 0 to 100", pointer / "retries")
    }
    timeout = nil
    if let limit = json["timeout"] {
      guard let seconds = Self.seconds(limit) else {
        throw reader.problem("'timeout' must be a time", pointer / "timeout", hint: "as 90, \"90s\", \"10m\" or \"2h\"")
      }
      timeout = seconds
    }
    if let flag = json["may_fail"], flag.bool == nil { throw reader.problem("'may_fail' must be true or false", pointer / "may_fail") }
    mayFail = json["may_fail"]?.bool ?? false
    if case .command = action {
      for key in ["with", "appends"] where json[key] != nil {
        let hint = key == "with" ? "pass words in 'run', or variables in 'env'" : "only step kinds append"
        throw reader.problem("a command takes no '\(key)'", pointer / key, key: true, hint: hint)
      }
    }
  }

  /// `90`, `"90s"`, `"10m"`, `"2h"`.
  static func seconds(_ json: JSON) -> Double? {
    if let number = json.double { return number > 0 ? number : nil }
    guard let text = json.string, let unit = text.last, let number = Double(text.dropLast()), number > 0 else { return nil }
    return switch unit {
    case "s": number;
    case "m": number * 60;
    case "h": number * 3600;
    default: nil
    }
  }
}

/// Reads members of a JSON document with errors that have a place.
struct Reader {
  let file: String
  let text: [UInt8]

  init(file: String, text: [UInt8]) { (self.file, self.text) = (file, text) }

  func parse() throws -> JSON {
    do { return try JSON(parsing: text) } catch {
      throw Problem(.manifest, error.message, at: Place(file: Files.display(file), line: error.line, column: error.column, text: text))
    }
  }

  func problem(_ sentence: String, _ pointer: JSONPointer, key: Bool = false, hint: String? = nil) -> Problem {
    let place = pointer.place(in: text, key: key)
    return Problem(.manifest, sentence, at: Place(file: Files.display(file), line: place.line, column: place.column, text: text), hint: hint)
  }

  /// The format's version, `"manifest": 1`.
  func version(_ root: JSON, _ format: String) throws {
    guard let version = root[format]?.int else {
      throw problem(
        "\"\(format)\": 1 is missing", JSONPointer(root[format] == nil ? [] : [format]), hint: "it says which version of the format the file is in")
    }
    guard version == 1 else {
      throw problem("\(format) version \(version) is not known to this enpire", JSONPointer([format]), hint: "this one reads version 1")
    }
  }

  /// Names that people give; those of a matrix's instances and of a family's rounds are made of them.
  func checkName(_ name: String, _ pointer: JSONPointer) throws {
    guard !name.isEmpty, name.utf8.allSatisfy({ isalnum(Int32($0)) != 0 || "_-".utf8.contains($0) }) else {
      throw problem("'\(name)' cannot be a step's name", pointer, key: true, hint: "use letters, digits, _ and -")
    }
  }

  func onlyKeys(_ json: JSON, _ pointer: JSONPointer, _ known: [String]) throws {
    for key in json.object?.keys ?? [] where !known.contains(key) {
      throw problem("unknown key '\(key)'", pointer / key, key: true, hint: suggestion(for: key, among: known))
    }
  }

  func string(_ json: JSON, _ key: String, _ pointer: JSONPointer = JSONPointer()) throws -> String? {
    guard let value = json[key] else { return nil }
    guard let text = value.string else { throw problem("'\(key)' must be a string", pointer / key) }
    return text
  }

  func object(_ json: JSON?, _ pointer: JSONPointer) throws -> OrderedDictionary<String, JSON> {
    guard let json else { return [:] }
    guard let members = json.object else { throw problem("'\(pointer.tokens.last ?? "")' must be an object", pointer) }
    return members
  }

  /// A string or a list of strings.
  func strings(_ json: JSON, _ pointer: JSONPointer) throws -> [String] {
    if let one = json.string { return [one] }
    guard let list = json.array else { throw problem("'\(pointer.tokens.last ?? "")' must be a string or a list of strings", pointer) }
    return try list.enumerated().map { index, element in
      guard let text = element.string else { throw problem("must be a string", pointer / index) }
      return text
    }
  }

  /// Variables in order; each may use those before it. `{"env": NAME, "default": value}` takes an environment variable.
  func variables(_ json: JSON, _ overrides: [(name: String, value: String)]) throws -> OrderedDictionary<String, JSON> {
    let declared = try object(json, JSONPointer(["vars"]))
    for override in overrides where declared[override.name] == nil {
      throw Problem(.usage, "no variable '\(override.name)' in \(Files.display(file))", hint: suggestion(for: override.name, among: declared.keys))
    }
    var variables: OrderedDictionary<String, JSON> = [:]
    for (name, value) in declared {
      let pointer = JSONPointer(["vars", name])
      var value = value
      if let variable = value["env"]?.string {
        guard let fallback = value["default"] else {
          throw problem("variable '\(name)' has no default", pointer, hint: "{\"env\": \"\(variable)\", \"default\": …}")
        }
        value = getenv(variable).map { .string(String(cString: $0)) } ?? fallback
      }
      if let override = overrides.last(where: { $0.name == name }) {
        if value.string != nil {
          value = .string(override.value)
        } else if let parsed = try? JSON(parsing: override.value) {
          value = parsed
        } else {
          throw Problem(.usage, "\(name)=\(override.value): the variable holds no string, but \(value.canonical)", hint: "give JSON of the same type")
        }
      }
      variables[name] = try expand(value, pointer, variables: variables)
    }
    return variables
  }

  func expand(_ json: JSON, _ pointer: JSONPointer, variables: OrderedDictionary<String, JSON>) throws -> JSON {
    do {
      return try Template.expand(json) { reference in
        guard case .variable(let name) = reference else {
          throw TemplateError(sentence: "${matrix.…} outside a step with a matrix", hint: "only steps have a matrix")
        }
        guard let value = variables[name] else {
          throw TemplateError(sentence: "no variable '\(name)'", hint: suggestion(for: name, among: variables.keys))
        }
        return value
      }
    } catch let error as TemplateError { throw problem(error.sentence, pointer, hint: error.hint) }
  }
}
