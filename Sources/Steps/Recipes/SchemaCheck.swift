// Checks a JSON value against the part of JSON Schema (draft 2020-12) that this project's schemas use: type, enum, const, minimum, maximum,
// exclusiveMinimum, items, minItems, maxItems, properties, required, additionalProperties: false. It knows no recipe; it finds all faults, not the first.

import JSON
import Workflow

/// What is wrong at one place of a document.
struct SchemaFault: Equatable, CustomStringConvertible {
  let pointer: JSONPointer
  let problem: String
  /// Whether the fault is the member's name rather than its value.
  var isKey = false
  var description: String { (pointer.tokens.isEmpty ? "/" : pointer.description) + ": " + problem }
}

enum SchemaCheck {
  static func faults(of value: JSON, against schema: JSON, at pointer: JSONPointer = JSONPointer()) -> [SchemaFault] {
    func fault(_ problem: String) -> [SchemaFault] { [SchemaFault(pointer: pointer, problem: problem)] }
    if let type = schema["type"]?.string, !value.isOf(type: type) { return fault("is \(article(value.typeName)), must be \(article(type))") }
    if let only = schema["const"], value != only { return fault("must be \(only.compact), is \(value.compact)") }
    if let choices = schema["enum"]?.array, !choices.contains(value) {
      let near = value.string.flatMap { likely($0, among: choices.compactMap(\.string)) }.map { "; did you mean \"\($0)\"?" } ?? ""
      return fault("is \(value.compact), must be one of \(choices.map(\.compact).joined(separator: ", "))" + near)
    }
    if let number = value.double {
      if let minimum = schema["minimum"]?.double, number < minimum {
        return fault("is \(value.compact), must be at least \(JSON.number(minimum).compact)")
      }
      if let minimum = schema["exclusiveMinimum"]?.double, number <= minimum {
        return fault("is \(value.compact), must be above \(JSON.number(minimum).compact)")
      }
      if let maximum = schema["maximum"]?.double, number > maximum {
        return fault("is \(value.compact), must be at most \(JSON.number(maximum).compact)")
      }
    }
    if let elements = value.array {
      if let least = schema["minItems"]?.int, elements.count < least { return fault("has \(elements.count) elements, must have at least \(least)") }
      if let most = schema["maxItems"]?.int, elements.count > most { return fault("has \(elements.count) elements, must have at most \(most)") }
      guard let items = schema["items"] else { return [] }
      return elements.enumerated().flatMap { faults(of: $1, against: items, at: pointer / $0) }
    }
    if let members = value.object { return Self.faults(in: Array(members), against: schema, at: pointer) }
    return []
  }

  private static func faults(in members: [(key: String, value: JSON)], against schema: JSON, at pointer: JSONPointer) -> [SchemaFault] {
    let properties = schema["properties"]?.object ?? [:]
    var faults: [SchemaFault] = []
    for name in (schema["required"]?.array ?? []).compactMap(\.string) where !members.contains(where: { $0.key == name }) {
      faults.append(SchemaFault(pointer: pointer, problem: "lacks \"\(name)\""))
    }
    for (name, value) in members {
      if let property = properties[name] {
        faults += Self.faults(of: value, against: property, at: pointer / name)
      } else if schema["additionalProperties"] == .bool(false) {
        let near =
          likely(name, among: Array(properties.keys)).map { "did you mean \"\($0)\"?" } ?? "there are \(properties.keys.joined(separator: ", "))"
        faults.append(SchemaFault(pointer: pointer / name, problem: "is not known; " + near, isKey: true))
      }
    }
    return faults
  }

  private static func likely(_ name: String, among known: [String]) -> String? {
    nearest(to: name, among: known.sorted(), within: max(1, name.count / 3))
  }

  private static func article(_ type: String) -> String { "aeiou".contains(type.first ?? "x") ? "an " + type : "a " + type }
}

extension JSON {
  fileprivate func isOf(type: String) -> Bool { typeName == type || type == "number" && double != nil || type == "integer" && int != nil }
}
