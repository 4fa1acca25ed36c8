// A step for each combination of some values. `exclude` takes combinations away, then `include` adds to those that are left, or makes new ones.

import JSON
import OrderedCollections

final class Matrix: Sendable {
  /// Lists of values, or references to variables that hold such lists.
  let axes: OrderedDictionary<String, JSON>
  let exclude: [JSON]
  let include: [JSON]

  static let limit = 100_000

  /// The values of one instance, and those that make its name: `seed=0`, `size=s`.
  struct Combination {
    var values: OrderedDictionary<String, JSON> = [:]
    var labels: [String] = []

    func adding(_ key: String, _ value: JSON, label: String? = nil) -> Combination {
      var more = self
      more.values[key] = value
      more.labels.append("\(key)=\(label ?? value.string ?? value.canonical)")
      return more
    }
  }

  init(_ json: JSON, at pointer: JSONPointer, reader: Reader) throws {
    var axes: OrderedDictionary<String, JSON> = [:]
    var entries: [String: [JSON]] = [:]
    for (key, values) in try reader.object(json, pointer) {
      if key == "include" || key == "exclude" {
        guard let list = values.array, list.allSatisfy({ $0.object?.isEmpty == false }) else {
          throw reader.problem("'\(key)' must be a list of objects", pointer / key, hint: "as [{\"seed\": 0, \"size\": \"s\"}]")
        }
        entries[key] = list
      } else {
        if values.string?.hasPrefix("${") != true { try Self.check(values, key) { reader.problem($0, pointer / key) } }
        axes[key] = values
      }
    }
    self.axes = axes
    (exclude, include) = (entries["exclude"] ?? [], entries["include"] ?? [])
    for (index, entry) in exclude.enumerated() {
      for key in entry.object!.keys where axes[key] == nil {
        throw reader.problem("the matrix has no '\(key)'", pointer / "exclude" / index / key, key: true, hint: suggestion(for: key, among: axes.keys))
      }
    }
  }

  private static func check(_ values: JSON, _ key: String, _ problem: (String) -> Problem) throws {
    guard let list = values.array, !list.isEmpty else { throw problem("matrix '\(key)' must be a list with at least one value") }
    guard Set(list).count == list.count else { throw problem("matrix '\(key)' holds a value twice") }
  }

  var json: JSON { ["axes": .object(axes), "exclude": .array(exclude), "include": .array(include)] }

  /// All combinations, in the order written. `expand` fills in variables.
  func combinations(of declaration: StepDeclaration, _ expand: (JSON, [String]) throws -> JSON) throws -> [Combination] {
    var combinations = axes.isEmpty ? [] : [Combination()]
    for (key, written) in axes {
      let values = try expand(written, ["matrix", key])
      try Self.check(values, key) { declaration.problem($0, at: ["matrix", key]) }
      guard combinations.count * values.array!.count <= Self.limit else {
        throw declaration.problem("the matrix has more than \(Self.limit) combinations", at: ["matrix"], key: true)
      }
      combinations = combinations.flatMap { combination in
        values.array!.map { combination.adding(key, $0) }
      }
    }
    for (index, entry) in exclude.enumerated() {
      let entry = try expand(entry, ["matrix", "exclude", String(index)]).object ?? [:]
      combinations.removeAll { combination in entry.allSatisfy { combination.values[$0.key] == $0.value } }
    }
    var added: [Combination] = []
    for (index, entry) in include.enumerated() {
      let entry = try expand(entry, ["matrix", "include", String(index)]).object ?? [:]
      var isNew = true
      for position in combinations.indices where entry.allSatisfy({ axes[$0.key] == nil || combinations[position].values[$0.key] == $0.value }) {
        for (key, value) in entry { combinations[position].values[key] = value }
        isNew = false
      }
      if isNew { added.append(entry.reduce(Combination()) { $0.adding($1.key, $1.value) }) }
    }
    guard !combinations.isEmpty || !added.isEmpty else {
      throw declaration.problem("the matrix excludes all its combinations", at: ["matrix", "exclude"], key: true)
    }
    return combinations + added
  }
}
