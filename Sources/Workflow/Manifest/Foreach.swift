// A step for each element of lists that other steps give: a matrix whose values are known only while the workflow runs. Until then one step
// of the declaration's name, the spread, stands for all of them; who waits for it waits for them.

import Hashing
import JSON
import OrderedCollections

public final class Spread {
  /// Where each list comes from, with variables filled in.
  let lists: OrderedDictionary<String, Condition>
  /// Set when the lists are known.
  var instances: [Step.ID]?

  init(_ lists: OrderedDictionary<String, Condition>) { self.lists = lists }
}

extension StepDeclaration {
  /// Reads `foreach`: name to where its list comes from, as `${step.index.episodes}`.
  static func foreach(_ json: JSON?, _ pointer: JSONPointer, _ reader: Reader) throws -> OrderedDictionary<String, Condition> {
    var lists: OrderedDictionary<String, Condition> = [:]
    for (name, value) in try reader.object(json, pointer) {
      guard let text = value.string, text.hasPrefix("${") else {
        throw reader.problem(
          "foreach '\(name)' must name a list", pointer / name, hint: "as \"${step.index.episodes}\"; a matrix takes lists as they are")
      }
      do { lists[name] = try Condition(text, of: "foreach") } catch { throw reader.problem(error.sentence, pointer / name, hint: error.hint) }
    }
    if json != nil, lists.isEmpty { throw reader.problem("'foreach' names no list", pointer) }
    return lists
  }
}

extension Decider {
  /// The lists of a spread, all of whose steps have ended.
  func lists(of step: Step) throws -> OrderedDictionary<String, [JSON]> {
    var lists: OrderedDictionary<String, [JSON]> = [:]
    var count = 1
    for (name, written) in step.spread?.lists ?? [:] {
      let value: JSON
      do { value = try written.value { try self.value(of: $0, in: step) } } catch let error as TemplateError {
        throw step.declaration.problem(error.sentence, "foreach", name, hint: error.hint)
      }
      guard let list = value.array else {
        throw step.declaration.problem("step \(step.name): \(written.text) is no list, but \(value.compact.prefix(60))", "foreach", name)
      }
      guard Set(list).count == list.count else {
        throw step.declaration.problem("step \(step.name): \(written.text) holds a value twice", "foreach", name, hint: "each element makes one step")
      }
      count = count.multipliedReportingOverflow(by: list.count).overflow ? .max : count * list.count
      guard count <= Matrix.limit else {
        throw step.declaration.problem("step \(step.name): the lists make more than \(Matrix.limit) steps", "foreach", key: true)
      }
      lists[name] = list
    }
    return lists
  }
}

extension Matrix.Combination {
  /// One for each element; what would not do in a name appears as a digest.
  func combined(with lists: OrderedDictionary<String, [JSON]>) -> [Matrix.Combination] {
    lists.reduce([self]) { combinations, list in
      combinations.flatMap { combination in list.value.map { combination.adding(list.key, $0, label: Self.label($0)) } }
    }
  }

  /// How an element is written in the name of its step.
  static func label(_ value: JSON) -> String {
    let text = value.string ?? value.canonical
    let isPlain =
      !text.isEmpty && text.utf8.count <= 64
      && text.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || "0123456789_.:@+- ".unicodeScalars.contains($0) }
    return isPlain && value.array == nil && value.object == nil ? text : String(Digest(of: value.canonical).hex.prefix(12))
  }
}

extension Graph {
  /// Takes the steps that a spread stands for into the graph. Returns them.
  func spread(_ step: Step, over lists: OrderedDictionary<String, [JSON]>) throws -> [Step] {
    let created = try insert([step.declaration], parent: step.id, lists: lists)
    let instances = created.filter { $0.shard == nil && $0.declaration.name == step.declaration.name }
    step.spread!.instances = instances.map(\.id)
    for dependent in Set(step.dependents).sorted().map({ steps[$0] }) where dependent.spread == nil && dependent.status == .waiting {
      guard let need = dependent.needs.first(where: { $0.step == step.id }) else { continue }
      for instance in instances {
        dependent.needs.append((instance.id, need.optional, need.order))
        dependent.waitingFor += 1
        instance.dependents.append(dependent.id)
      }
    }
    return created
  }
}
