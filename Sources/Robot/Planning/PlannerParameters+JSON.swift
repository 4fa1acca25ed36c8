// The planner's parameters as JSON, both ways, and the JSON Schema of that object. A preset gives the start, named members override it.

public import JSON

/// A parameter that the planner does not have or cannot take: which, and what would be right.
public struct PlannerParameterError: Error, Equatable, CustomStringConvertible {
  public let parameter: String
  public let hint: String
  public var description: String { "The planner's parameter \"\(parameter)\" is wrong: \(hint)." }
}

extension PlannerParameters {
  /// From an object of parameters; what it leaves out keeps the preset's value ("preset": full, low or baseline; full if absent).
  public init(json: JSON) throws {
    guard let members = json.object else { throw PlannerParameterError(parameter: "", hint: "expected an object, found \(json.typeName)") }
    self.init()
    if let preset = members["preset"] {
      guard let found = Self.presets.first(where: { $0.name == preset.string }) else {
        throw PlannerParameterError(parameter: "preset", hint: "one of \(Self.presets.map(\.name).joined(separator: ", "))")
      }
      self = found.parameters
    }
    for (name, value) in members where name != "preset" {
      guard let field = Self.fields.first(where: { $0.name == name }) else {
        throw PlannerParameterError(
          parameter: name, hint: "there is no such parameter; there are preset, \(Self.fields.map(\.name).joined(separator: ", "))")
      }
      guard field.set(value, in: &self) else { throw PlannerParameterError(parameter: name, hint: "expected \(field.expected)") }
    }
  }

  /// Every parameter with its value.
  public var json: JSON {
    var json: JSON = [:]
    for field in Self.fields { json[field.name] = field.value(in: self) }
    return json
  }

  /// JSON Schema (draft 2020-12) of the object that `init(json:)` reads; `default` is the full preset's.
  public static var schema: JSON {
    var properties: JSON = ["preset": ["enum": .array(presets.map { .string($0.name) }), "description": "where the other parameters start from"]]
    let defaults = PlannerParameters()
    for field in fields {
      var property = field.schema
      property["default"] = field.value(in: defaults)
      property["description"] = .string(field.meaning)
      properties[field.name] = property
    }
    return ["$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": properties, "additionalProperties": false]
  }
}

extension PlannerParameters.Field {
  func value(in parameters: PlannerParameters) -> JSON {
    switch storage {
    case .number(let path, _): .number(parameters[keyPath: path])
    case .count(let path, _): .integer(parameters[keyPath: path])
    case .flag(let path): .bool(parameters[keyPath: path])
    case .kind(let path): .string(parameters[keyPath: path].rawValue)
    case .velocity(let path): .string(parameters[keyPath: path].rawValue)
    }
  }

  /// False if the value is of another type or out of range.
  func set(_ value: JSON, in parameters: inout PlannerParameters) -> Bool {
    switch storage {
    case .number(let path, let range):
      guard let number = value.double, range.contains(number) else { return false }
      parameters[keyPath: path] = number
    case .count(let path, let range):
      guard let count = value.int, range.contains(count) else { return false }
      parameters[keyPath: path] = count
    case .flag(let path):
      guard let flag = value.bool else { return false }
      parameters[keyPath: path] = flag
    case .kind(let path):
      guard let kind = value.string.flatMap(PlannerParameters.Kind.init(rawValue:)) else { return false }
      parameters[keyPath: path] = kind
    case .velocity(let path):
      guard let velocity = value.string.flatMap(VelocityBelief.init(rawValue:)) else { return false }
      parameters[keyPath: path] = velocity
    }
    return true
  }

  fileprivate var expected: String {
    switch storage {
    case .number(_, let range): "a number from \(range.lowerBound) to \(range.upperBound)"
    case .count(_, let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
    case .flag: "true or false"
    case .kind: "one of \(PlannerParameters.Kind.allCases.map(\.rawValue).joined(separator: ", "))"
    case .velocity: "one of \(VelocityBelief.allCases.map(\.rawValue).joined(separator: ", "))"
    }
  }

  fileprivate var schema: JSON {
    switch storage {
    case .number(_, let range): ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    case .count(_, let range): ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    case .flag: ["type": "boolean"]
    case .kind: ["enum": .array(PlannerParameters.Kind.allCases.map { .string($0.rawValue) })]
    case .velocity: ["enum": .array(VelocityBelief.allCases.map { .string($0.rawValue) })]
    }
  }
}
