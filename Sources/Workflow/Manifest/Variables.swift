// A manifest's variables: from the file, the environment and the command line.

internal import Glibc
import JSON
import OrderedCollections

enum Variables {
  /// The environment's variables that a manifest's variables ask for.
  static func environment(_ root: JSON) -> [String] { root["vars"]?.object?.values.compactMap { $0["env"]?.string } ?? [] }
}

extension Reader {
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
      return try Template.expand(json) { reference, _ in
        guard case .variable(let name) = reference else {
          if reference == .stem { throw TemplateError(sentence: "${stem} outside a pattern", hint: "a pattern's name holds a %, as \"train-%\"") }
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
