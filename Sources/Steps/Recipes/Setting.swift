// One setting of a learner as a recipe tells it: its name (dotted, by group), where it is kept, its range, its meaning.
// Reading, schema and defaults are all made from tables of these, so they cannot disagree. It knows no learner.

import JSON

struct Setting<Root> {
  enum Storage {
    case number(WritableKeyPath<Root, Double>, ClosedRange<Double>)
    case count(WritableKeyPath<Root, Int>, ClosedRange<Int>)
    case flag(WritableKeyPath<Root, Bool>)
    /// A word of a few, kept as something else: get and set.
    case word([String], get: (Root) -> String, set: (inout Root, String) -> Void)
    /// Counts in order, between 1 and so many of them.
    case counts(WritableKeyPath<Root, [Int]>, ClosedRange<Int>, most: Int)
  }

  /// What other settings must be for this one to be used at all.
  struct Condition {
    let words: String
    let holds: (Root) -> Bool
    init(_ words: String, _ holds: @escaping (Root) -> Bool) { (self.words, self.holds) = (words, holds) }
  }

  let name: String
  let storage: Storage
  let meaning: String
  let condition: Condition?

  init(_ name: String, _ storage: Storage, _ meaning: String, when condition: Condition? = nil) {
    (self.name, self.storage, self.meaning, self.condition) = (name, storage, meaning, condition)
  }

  /// The group and the name in it; no group for a name without a dot.
  private var path: [String] { name.split(separator: ".").map(String.init) }

  private func value(in root: Root) -> JSON {
    switch storage {
    case .number(let path, _): .number(root[keyPath: path])
    case .count(let path, _): .integer(root[keyPath: path])
    case .flag(let path): .bool(root[keyPath: path])
    case .word(_, let get, _): .string(get(root))
    case .counts(let path, _, _): .array(root[keyPath: path].map { .integer($0) })
    }
  }

  /// Takes a value that fits the schema.
  private func set(_ value: JSON, in root: inout Root) {
    switch storage {
    case .number(let path, _): root[keyPath: path] = value.double ?? root[keyPath: path]
    case .count(let path, _): root[keyPath: path] = value.int ?? root[keyPath: path]
    case .flag(let path): root[keyPath: path] = value.bool ?? root[keyPath: path]
    case .word(_, _, let set): if let word = value.string { set(&root, word) }
    case .counts(let path, _, _): root[keyPath: path] = (value.array ?? []).compactMap(\.int)
    }
  }

  private var schema: JSON {
    switch storage {
    case .number(_, let range): ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    case .count(_, let range): ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    case .flag: ["type": "boolean"]
    case .word(let words, _, _): ["enum": .array(words.map { .string($0) })]
    case .counts(_, let range, let most):
      [
        "type": "array", "minItems": 1, "maxItems": .integer(most),
        "items": ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)],
      ]
    }
  }

  // MARK: Tables

  /// What `json` leaves out keeps its value. `json` must fit the table's schema.
  static func read(_ table: [Setting], from json: JSON?, into root: inout Root) {
    for setting in table {
      if let value = setting.path.reduce(json, { $0?[$1] }) { setting.set(value, in: &root) }
    }
  }

  /// What is said and would change nothing: settings of `root` that are not their defaults, and that nothing uses.
  static func unused(_ table: [Setting], in root: Root, defaults: Root, said: JSON?, at pointer: JSONPointer) -> [SchemaFault] {
    table.compactMap { setting in
      guard let condition = setting.condition, !condition.holds(root), setting.path.reduce(said, { $0?[$1] }) != nil else { return nil }
      let value = setting.value(in: root)
      guard value != setting.value(in: defaults) else { return nil }
      return SchemaFault(
        pointer: setting.path.reduce(pointer, /), problem: "is \(value.compact), and is used only where \(condition.words)", isKey: true)
    }
  }

  static func write(_ table: [Setting], of root: Root) -> JSON {
    var json: JSON = [:]
    for setting in table {
      let path = setting.path
      if path.count == 1 {
        json[path[0]] = setting.value(in: root)
      } else {
        var group = json[path[0]] ?? [:]
        group[path[1]] = setting.value(in: root)
        json[path[0]] = group
      }
    }
    return json
  }

  static func schema(_ table: [Setting], defaults: Root, description: String) -> JSON {
    var groups: JSON = [:]
    for setting in table {
      var schema = setting.schema
      schema["default"] = setting.value(in: defaults)
      schema["description"] = .string(setting.meaning + (setting.condition.map { "; used where " + $0.words } ?? ""))
      let path = setting.path
      if path.count == 1 {
        groups[path[0]] = schema
      } else {
        var group = groups[path[0]] ?? ["type": "object", "additionalProperties": false, "properties": [:]]
        var properties = group["properties"] ?? [:]
        properties[path[1]] = schema
        group["properties"] = properties
        groups[path[0]] = group
      }
    }
    return ["type": "object", "description": .string(description), "additionalProperties": false, "properties": groups]
  }
}
