// What references stand for when a step is decided or started: values of other steps, the station's fields, the step's parameters;
// and whether the step's condition holds.

import JSON
import OrderedCollections

extension Decider {
  /// Why the step does not run in this run, by its own condition; nil if it does.
  func bypass(_ step: Step) throws -> String? {
    guard let condition = step.condition else { return nil }
    do {
      return try condition.holds { try value(of: $0, in: step) } ? nil : "when \(condition.text)"
    } catch let error as TemplateError { throw step.declaration.problem(error.sentence, "when", hint: error.hint) }
  }

  /// Fills in references. With `forKey`, parameters stay as they are written: the key holds them by themselves.
  func resolve(_ json: JSON, in step: Step, _ member: String, forKey: Bool = false) throws -> JSON {
    do {
      return try Template.resolve(json) { reference in
        if case .parameter(let name) = reference, forKey { return ["with": .string(name)] }
        return try value(of: reference, in: step)
      }
    } catch let error as TemplateError { throw step.declaration.problem(error.sentence, member, hint: error.hint) }
  }

  /// The value that a reference stands for; null for an output that is not there.
  func value(of reference: Reference, in step: Step) throws -> JSON {
    switch reference {
    case .step(let reference):
      let target = reference.step.hasSuffix("[*]") ? nil : graph.step(named: reference.step, from: step)
      guard let target, let output = target.output(named: reference.output) else {
        throw TemplateError(sentence: "a parameter takes one step's value", hint: "pass several outputs as inputs")
      }
      guard output.form == .value else {
        throw TemplateError(sentence: "'\(reference.step).\(output.name)' is a \(output.form.rawValue), not a value", hint: "pass it as an input")
      }
      guard let artifact = target.record?.outputs[output.name] else { return .null }
      return try state.value(artifact)
    case .station(let field):
      guard let value = step.station?.entry[field] else {
        throw TemplateError(sentence: "the station has no '\(field)'", hint: "see the fleet file")
      }
      return value
    case .parameter(let name):
      guard let value = step.with[name] else {
        throw TemplateError(sentence: "no parameter '\(name)' in the step's 'with'", hint: suggestion(for: name, among: step.with.object?.keys ?? []))
      }
      return try resolve(value, in: step, "with")
    default: throw TemplateError(sentence: "this reference is not known here", hint: "only in 'run'")
    }
  }
}
