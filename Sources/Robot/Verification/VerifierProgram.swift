// A verifier as data (`verifier.json`): conditions that must hold together, in enough of the last frames; and the program that runs it.
// It sees observations only: no simulator, no policy, no outcome.

internal import Foundation
public import JSON

public struct VerifierDescription: Sendable, Hashable {
  public struct Condition: Sendable, Hashable {
    public var predicate: Predicate
    public var threshold: Double

    public init(_ predicate: Predicate, _ threshold: Double) { (self.predicate, self.threshold) = (predicate, threshold) }

    func holds(_ now: Sight, previous: Sight?) -> Bool { predicate.holds(predicate.measure(now, previous: previous), threshold) }
  }

  public var task: String
  /// What "done" means: `benchmark` or `human`.
  public var criterion: String
  public var conditions: [Condition]
  /// All conditions must hold in `hits` of the last `window` frames, the newest one among them.
  public var hits: Int
  public var window: Int
  /// What it wants to be told beside the scene, in that order.
  public var senses: [Sense]

  public init(task: String, criterion: String, conditions: [Condition], hits: Int = 1, window: Int = 1, senses: [Sense] = []) {
    (self.task, self.criterion, self.conditions, self.hits, self.window) = (task, criterion, conditions, hits, window)
    self.senses = senses
  }

  public var json: JSON {
    var json: JSON = [
      "verifier": 1, "task": .string(task), "criterion": .string(criterion),
      "conditions": .array(
        conditions.map {
          ["predicate": .string($0.predicate.rawValue), $0.predicate.wantsMore ? "at_least" : "at_most": .number($0.threshold)]
        }),
      "debounce": ["hits": .integer(hits), "window": .integer(window)],
    ]
    if !senses.isEmpty { json["senses"] = .array(senses.map { .string($0.rawValue) }) }
    return json
  }

  /// Every condition must be understood: a verifier that cannot be read passes nothing.
  public init(json: JSON) throws(VerifierError) {
    guard json["verifier"]?.int == 1 else { throw VerifierError("is not a verifier of version 1") }
    guard let task = json["task"]?.string, task == "push-t" else { throw VerifierError("judges task \(json["task"]?.compact ?? "none"), not push-t") }
    guard let list = json["conditions"]?.array, !list.isEmpty else { throw VerifierError("has no condition, so it would pass everything") }
    let senses = try Sense.list(json["senses"]?.array?.map { $0.string ?? $0.compact } ?? [])
    var conditions: [Condition] = []
    for condition in list {
      guard let predicate = condition["predicate"]?.string.flatMap(Predicate.init) else {
        throw VerifierError(
          "has the condition \(condition.compact), whose predicate is none of \(Predicate.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      let bound = predicate.wantsMore ? "at_least" : "at_most"
      guard let threshold = condition[bound]?.double, threshold.isFinite, condition.object?.count == 2 else {
        throw VerifierError("has the condition \(condition.compact), which should have a number '\(bound)' and nothing else")
      }
      if let sense = predicate.sense, !senses.contains(sense) {
        throw VerifierError("judges by '\(predicate.rawValue)', which is not among its 'senses'")
      }
      conditions.append(Condition(predicate, threshold))
    }
    let (hits, window) = (json["debounce"]?["hits"]?.int ?? 0, json["debounce"]?["window"]?.int ?? 0)
    guard hits >= 1, window >= hits, window <= 100 else { throw VerifierError("needs 'debounce' with 1 <= hits <= window <= 100") }
    self.init(task: task, criterion: json["criterion"]?.string ?? "", conditions: conditions, hits: hits, window: window, senses: senses)
  }
}

/// A verifier that cannot be read or run; the sentence goes on from "the verifier".
public struct VerifierError: Error, CustomStringConvertible {
  let problem: String
  init(_ problem: String) { self.problem = problem }
  public var description: String { "the verifier " + problem }
}

/// Runs a description. For one thread at a time.
public final class VerifierProgram: Verifier {
  public let description: VerifierDescription
  public var senses: [Sense] { description.senses }
  private var previous: Sight?
  private var passes: [Bool] = []

  public init(_ description: VerifierDescription) { self.description = description }

  public func reset() {
    previous = nil
    passes = []
  }

  public func verify(_ observation: Observation) throws -> Bool {
    guard observation.count == 5 + senses.count else {
      throw VerifierError("wants \(5 + senses.count) numbers an observation, not \(observation.count)")
    }
    let sight = Sight(observation, senses)
    let passed = sight.map { now in description.conditions.allSatisfy { $0.holds(now, previous: previous) } } ?? false
    previous = sight
    passes.append(passed)
    if passes.count > description.window { passes.removeFirst() }
    return passed && passes.count { $0 } >= description.hits
  }
}
