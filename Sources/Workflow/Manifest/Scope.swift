// What names, variables and paths mean in a file that another one includes, and in an instance of a pattern. Steps of the manifest itself
// have none: there a name is a name.

import JSON
import OrderedCollections

public final class Scope: Sendable {
  /// Before the names of its steps: `vision:`, or nothing.
  let prefix: String
  let variables: OrderedDictionary<String, JSON>
  /// Absolute; paths of inputs start here, and a command sees its inputs and outputs as if it ran here.
  let directory: String
  /// The same for `in` and `out`, relative to the manifest's directory (`lib/`), or absolute for inputs from elsewhere.
  let inputs: String
  let outputs: String
  /// What `%` stands for.
  let stem: String?

  init(prefix: String, variables: OrderedDictionary<String, JSON>, directory: String, inputs: String, outputs: String, stem: String? = nil) {
    self.prefix = prefix
    self.variables = variables
    self.directory = directory
    self.inputs = inputs
    self.outputs = outputs
    self.stem = stem
  }

  func with(stem: String) -> Scope {
    Scope(prefix: prefix, variables: variables, directory: directory, inputs: inputs, outputs: outputs, stem: stem)
  }

  func input(_ pattern: String) -> String { Files.isAbsolute(pattern) ? pattern : inputs + pattern }
}

extension Graph {
  /// What `${var.…}`, `${matrix.…}` or `${stem}` stands for in a step of this declaration, with these matrix values; inside of another reference,
  /// after this text.
  func value(
    of reference: Reference, after text: String?, in declaration: StepDeclaration, matrix: OrderedDictionary<String, JSON>
  ) throws -> JSON {
    switch reference {
    case .variable(let name):
      let variables = declaration.scope?.variables ?? manifest.variables
      guard let value = variables[name] else {
        throw TemplateError(sentence: "no variable '\(name)'", hint: suggestion(for: name, among: variables.keys))
      }
      return value
    case .matrix(let name):
      guard let value = matrix[name] else {
        throw TemplateError(sentence: "no '\(name)' in the step's matrix", hint: suggestion(for: name, among: matrix.keys))
      }
      if let text, namesElement(after: text, in: declaration) { return .string(Matrix.Combination.label(value)) }
      // Elements of a list that a step gave are data, never templates.
      return declaration.foreach[name] == nil ? value : Template.escaped(value)
    case .stem:
      guard let stem = declaration.scope?.stem else {
        throw TemplateError(sentence: "${stem} outside a pattern", hint: "a pattern's name holds a %, as \"train-%\"")
      }
      return .string(stem)
    default: throw TemplateError(sentence: "unexpected reference", hint: "")
    }
  }

  /// Whether an element in the name of a `foreach`'s step follows, as after `step.clip[episode=`.
  private func namesElement(after text: String, in declaration: StepDeclaration) -> Bool {
    guard text.hasPrefix("step."), text.hasSuffix("="), let bracket = text.firstIndex(of: "[") else { return false }
    let base = name(String(text[..<bracket].dropFirst(5)), in: declaration)
    let key = text.dropLast().split { $0 == "[" || $0 == "," }.last.map(String.init) ?? ""
    return (manifest.steps[base] ?? self.declaration(named: base))?.foreach[key] != nil
  }

  /// The full name of what a step calls by a name: one of its own file, or `:NAME` from the manifest on.
  func name(_ written: String, in declaration: StepDeclaration) -> String {
    if written.hasPrefix(":") { return String(written.dropFirst()) }
    guard let scope = declaration.scope, !scope.prefix.isEmpty else { return written }
    let full = scope.prefix + written
    // Steps that a step appended know themselves by their full names.
    if written.hasPrefix(scope.prefix), step(named: full) == nil, instances(of: full) == nil { return written }
    return full
  }

  func step(named written: String, from step: Step) -> Step? { self.step(named: name(written, in: step.declaration)) }
}
