// What a step kind is: a description for the engine, and the work, which a worker process does.
// One kind a file; the file is all there is to add (the build lists the kinds, see Plugins/StepCatalogue).

import Workflow

protocol StepKind {
  static var kind: Kind { get }

  /// Does the work: reads the inputs, writes every declared output. Runs alone in its process.
  static func run(_ step: StepContext) throws

  /// What can be done before it has its station, for a kind that `prepares`: kept in the directory for checkpoints, where `run` finds it.
  static func prepare(_ step: StepContext) throws

  /// Joins the outputs of the shards (given as the inputs of the same names) into the step's own outputs.
  static func gather(_ step: StepContext) throws
}

extension StepKind {
  static func prepare(_ step: StepContext) throws {}

  static func gather(_ step: StepContext) throws {
    throw StepFailure("'\(kind.name)' cannot be split into shards", hint: "remove 'shards' from step \(step.name)")
  }
}

/// Why a step failed, for a person: one sentence that names the thing, and what to do.
public struct StepFailure: Error, CustomStringConvertible {
  public var sentence: String
  public var hint: String?
  /// A place in an input: `file:line:column`, `file: frame 12`.
  public var place: String?

  public init(_ sentence: String, at place: String? = nil, hint: String? = nil) {
    self.sentence = sentence
    self.place = place
    self.hint = hint
  }

  public var description: String { (place.map { "\($0): " } ?? "") + sentence + (hint.map { "\n  hint: \($0)" } ?? "") }
}
