// What the engine knows of a step kind: its ports, parameters, effect and revision. It does not know what the kind does;
// that is a worker's business. Kinds reach the engine as JSON, printed by `enpire-worker kinds`.

/// How the engine may treat a step's result.
public enum Effect: String, Sendable, CaseIterable {
  /// The same key gives the same output; restored from the cache.
  case pure
  /// Draws trials; the cached unit is the trial, and more can be added later.
  case sample
  /// Changes something outside the cache; idempotent by the id of what it writes.
  case external
  /// Moves hardware; at most once, armed explicitly.
  case motion
}

public struct Kind: Sendable, Hashable {
  public var name: String
  /// One sentence, for `enpire kinds` and the step reference.
  public var summary: String
  public var effect: Effect
  /// Raised when the kind's meaning changes, so that old results are not taken for new ones.
  public var revision: Int
  public var inputs: [Input]
  /// The first is the primary one, which `${step.NAME}` alone means.
  public var outputs: [Output]
  public var parameters: [Parameter]
  /// Whether it runs on a station; such a step names what it wants of one under `station`.
  public var usesStation: Bool
  /// Whether it has work that needs no station: its step then runs twice, first without one, and what it keeps for another attempt is there
  /// when it has the station.
  public var prepares: Bool
  /// Whether `shards` may split it; the kind then gathers the shards' outputs into its own.
  public var shardable: Bool
  /// Whether it may append steps.
  public var appends: Bool
  /// Whether it reads every result of the steps it comes after, as a report does.
  public var readsStudy: Bool

  public init(
    _ name: String, summary: String, effect: Effect, revision: Int, inputs: [Input] = [], outputs: [Output],
    parameters: [Parameter] = [], usesStation: Bool = false, prepares: Bool = false, shardable: Bool = false, appends: Bool = false,
    readsStudy: Bool = false
  ) {
    self.name = name
    self.summary = summary
    self.effect = effect
    self.revision = revision
    self.inputs = inputs
    self.outputs = outputs
    self.parameters = parameters
    self.usesStation = usesStation
    self.prepares = prepares
    self.shardable = shardable
    self.appends = appends
    self.readsStudy = readsStudy
  }
}

/// A named input: files of the workspace or outputs of other steps.
public struct Input: Sendable, Hashable {
  public var name: String
  public var summary: String
  public var required: Bool
  /// Whether more than one file or output may be given.
  public var many: Bool

  public init(_ name: String, _ summary: String, required: Bool = true, many: Bool = false) {
    self.name = name
    self.summary = summary
    self.required = required
    self.many = many
  }
}

public struct Output: Sendable, Hashable {
  public enum Form: String, Sendable {
    case file, directory
    /// A file that holds one JSON value, which parameters of other steps can refer to.
    case value
  }

  public var name: String
  /// The file's or directory's name in the step's output directory.
  public var path: String
  public var form: Form
  public var summary: String

  public init(_ name: String, _ form: Form, path: String, _ summary: String) {
    self.name = name
    self.path = path
    self.form = form
    self.summary = summary
  }
}

public struct Parameter: Sendable, Hashable {
  public indirect enum Form: Sendable, Hashable {
    case bool
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case string
    case oneOf([String])
    case list(Form)
    /// Any JSON object; the kind checks its members.
    case object
  }

  public var name: String
  public var form: Form
  /// Nil: the manifest must give it, unless it is `optional`.
  public var fallback: JSON?
  public var optional: Bool
  public var summary: String
  /// False for what cannot change the result (a thread count, a count of trials of a sample), which stays out of the key.
  public var affectsResult: Bool
  /// False for what makes no sense of a part of the work alone.
  public var withShards: Bool

  public init(
    _ name: String, _ form: Form, default fallback: JSON? = nil, optional: Bool = false, _ summary: String, affectsResult: Bool = true,
    withShards: Bool = true
  ) {
    self.name = name
    self.form = form
    self.fallback = fallback
    self.optional = optional
    self.summary = summary
    self.affectsResult = affectsResult
    self.withShards = withShards
  }
}

public import JSON
