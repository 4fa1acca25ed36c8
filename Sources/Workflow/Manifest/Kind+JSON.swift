// Kinds as JSON, both ways: how the worker tells the engine what it can do, and the JSON Schema of a kind's parameters.

public import JSON

extension Kind {
  public var json: JSON {
    [
      "name": .string(name), "summary": .string(summary), "effect": .string(effect.rawValue), "revision": .integer(revision),
      "inputs": .array(
        inputs.map { ["name": .string($0.name), "summary": .string($0.summary), "required": .bool($0.required), "many": .bool($0.many)] }),
      "outputs": .array(
        outputs.map { ["name": .string($0.name), "path": .string($0.path), "form": .string($0.form.rawValue), "summary": .string($0.summary)] }),
      "parameters": .array(parameters.map(\.json)),
      "usesStation": .bool(usesStation), "prepares": .bool(prepares), "shardable": .bool(shardable), "appends": .bool(appends),
      "readsStudy": .bool(readsStudy),
    ]
  }

  /// Nil for JSON that another version wrote.
  public init?(json: JSON) {
    guard let name = json["name"]?.string, let summary = json["summary"]?.string, let effect = json["effect"]?.string.flatMap(Effect.init),
      let revision = json["revision"]?.int, let inputs = json["inputs"]?.array, let outputs = json["outputs"]?.array,
      let parameters = json["parameters"]?.array
    else { return nil }
    self.init(
      name, summary: summary, effect: effect, revision: revision,
      inputs: inputs.map {
        Input($0["name"]?.string ?? "", $0["summary"]?.string ?? "", required: $0["required"]?.bool ?? true, many: $0["many"]?.bool ?? false)
      },
      outputs: outputs.map {
        Output(
          $0["name"]?.string ?? "", ($0["form"]?.string).flatMap(Output.Form.init) ?? .file, path: $0["path"]?.string ?? "",
          $0["summary"]?.string ?? "")
      },
      parameters: parameters.compactMap(Parameter.init(json:)),
      usesStation: json["usesStation"]?.bool ?? false, prepares: json["prepares"]?.bool ?? false, shardable: json["shardable"]?.bool ?? false,
      appends: json["appends"]?.bool ?? false, readsStudy: json["readsStudy"]?.bool ?? false)
  }

  /// The JSON Schema of the step's `with`.
  public var parameterSchema: JSON {
    var properties: JSON = [:]
    for parameter in parameters {
      var schema = parameter.form.schema
      schema["description"] = .string(parameter.summary)
      schema["default"] = parameter.fallback
      properties[parameter.name] = schema
    }
    let required = parameters.filter { $0.fallback == nil && !$0.optional }.map { JSON.string($0.name) }
    var schema: JSON = ["type": "object", "additionalProperties": false, "properties": properties]
    if !required.isEmpty { schema["required"] = .array(required) }
    return schema
  }
}

extension Parameter {
  var json: JSON {
    var json: JSON = [
      "name": .string(name), "schema": form.schema, "summary": .string(summary), "optional": .bool(optional), "affectsResult": .bool(affectsResult),
    ]
    json["default"] = fallback
    if !withShards { json["withShards"] = false }
    return json
  }

  init?(json: JSON) {
    guard let name = json["name"]?.string, let form = json["schema"].flatMap(Form.init(schema:)) else { return nil }
    self.init(
      name, form, default: json["default"], optional: json["optional"]?.bool ?? false, json["summary"]?.string ?? "",
      affectsResult: json["affectsResult"]?.bool ?? true, withShards: json["withShards"]?.bool ?? true)
  }
}

extension Parameter.Form {
  public var schema: JSON {
    switch self {
    case .bool: ["type": "boolean"]
    case .integer(let range): ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    case .number(let range): ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    case .string: ["type": "string"]
    case .oneOf(let names): ["enum": .array(names.map { .string($0) })]
    case .list(let element): ["type": "array", "items": element.schema]
    case .object: ["type": "object"]
    }
  }

  init?(schema: JSON) {
    if let names = schema["enum"]?.array {
      self = .oneOf(names.compactMap(\.string))
      return
    }
    switch schema["type"]?.string {
    case "boolean": self = .bool
    case "integer": self = .integer((schema["minimum"]?.int ?? .min)...(schema["maximum"]?.int ?? .max))
    case "number": self = .number((schema["minimum"]?.double ?? -.greatestFiniteMagnitude)...(schema["maximum"]?.double ?? .greatestFiniteMagnitude))
    case "string": self = .string
    case "array":
      guard let element = schema["items"].flatMap(Self.init(schema:)) else { return nil }
      self = .list(element)
    case "object": self = .object
    default: return nil
    }
  }

  /// For people: `number from 0 to 1`.
  public var words: String {
    switch self {
    case .bool: "true or false"
    case .integer(let range): "integer from \(range.lowerBound) to \(range.upperBound)"
    case .number(let range): "number from \(JSON.number(range.lowerBound).compact) to \(JSON.number(range.upperBound).compact)"
    case .string: "text"
    case .oneOf(let names): names.joined(separator: ", ")
    case .list(let element): "list of: " + element.words
    case .object: "object"
    }
  }

  /// What is wrong with `value`, as the end of a sentence, or nil.
  public func problem(with value: JSON) -> String? {
    switch self {
    case .bool: value.bool == nil ? "must be true or false" : nil
    case .integer(let range):
      if let int = value.int { range.contains(int) ? nil : "must be an \(words), not \(value.compact)" } else { "must be an integer" }
    case .number(let range):
      if let double = value.double {
        range.contains(double) ? nil : "must be a \(words), not \(value.compact)"
      } else {
        "must be a number"
      }
    case .string: value.string == nil ? "must be a string" : nil
    case .oneOf(let names): value.string.map(names.contains) == true ? nil : "must be one of \(names.joined(separator: ", "))"
    case .list(let element):
      if let array = value.array {
        array.lazy.compactMap { element.problem(with: $0) }.first.map { "must be a list, each of which " + $0 }
      } else {
        "must be a list"
      }
    case .object: value.object == nil ? "must be an object" : nil
    }
  }
}
