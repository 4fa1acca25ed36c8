// One experiment as it stands in Git, at `experiments/ID.json`: what was believed, what was changed, what came out, what was decided.
// Any clone can rebuild the idea tree and every plot from these files. Form and meaning of each field are here; writing them is in +JSON.

public import JSON

public struct ExperimentRecord: Sendable, Hashable {
  public enum Decision: String, Sendable { case pending, keep, discard, crash }

  /// `AGENT-ROUND`, or `baseline`.
  public var id: String
  /// Names what makes results comparable: experiments of one study were run under the same conditions and may be compared.
  public var study: String
  /// A digest of all that the proposal, or a baseline's record, was made from; a step that finds it again does nothing twice.
  public var basis: String
  /// The agent's own name; empty for the baseline.
  public var agent: String
  /// From 1; 0 for the baseline.
  public var round: Int
  public var hypothesis: String
  /// The experiment whose recipe was changed.
  public var parent: String?
  /// The peer's experiment whose idea this is.
  public var borrowedFrom: String?
  public var branch: String
  public var code = Code()
  public var change: [RecipeChange] = []
  /// The whole recipe.
  public var config: JSON
  /// SHA-256 by name of what went in and came out: `demos`, `policy`, `trials`…
  public var data: [String: String] = [:]
  /// The frozen environment's hash.
  public var environment: String?
  public var outcome: Outcome?
  public var cost = Cost()
  public var decision = Decision.pending
  /// Why it was decided so.
  public var evidence: JSON?
  /// The best of this branch, this experiment counted.
  public var best: Best?

  /// The recipe's way of learning, if it names one.
  public var regime: String? { config["regime"]?.string }

  /// The code that was run, named by Git.
  public struct Code: Sendable, Hashable {
    /// Differs from run to run, for it holds a time.
    public var commit: String?
    /// Of everything in the commit but `experiments/`: the same for the same code.
    public var tree: String?

    public init(commit: String? = nil, tree: String? = nil) { (self.commit, self.tree) = (commit, tree) }
  }

  /// What the trials said.
  public struct Outcome: Sendable, Hashable {
    /// `search`, `confirm`, `held-out` or `replicate`.
    public var purpose: String
    /// The commitment to the seeds.
    public var seeds: String?
    /// All trials, those with an unknown end among them.
    public var trials: Int
    public var successes: Int
    /// Trials that crashed or whose metric is missing: neither successes nor failures.
    public var unknown: Int
    /// As the evaluation gave it: estimate, lower, upper, confidence, method.
    public var rate: JSON?
    /// Control steps of the median success.
    public var medianSteps: Double?
    /// One character a trial in the order of the seeds: `1` success, `0` failure, `?` unknown. Nil if the trials were not given.
    public var perTrial: String?

    public init(
      purpose: String, seeds: String?, trials: Int, successes: Int, unknown: Int = 0, rate: JSON? = nil, medianSteps: Double? = nil,
      perTrial: String? = nil
    ) {
      self.purpose = purpose
      self.seeds = seeds
      self.trials = trials
      self.successes = successes
      self.unknown = unknown
      self.rate = rate
      self.medianSteps = medianSteps
      self.perTrial = perTrial
    }

    /// Trials with a known end.
    public var known: Int { trials - unknown }
    /// Successes over known trials; nil without one.
    public var estimate: Double? { known > 0 ? Double(successes) / Double(known) : nil }
    /// The interval's lower end, 0...1.
    public var lower: Double? { rate?["lower"]?.double }
    /// As `62.5 % (25 of 40)`.
    public var words: String { estimate.map { "\(($0 * 1000).rounded() / 10) % (\(successes) of \(known))" } ?? "an unknown rate" }
  }

  public struct Cost: Sendable, Hashable {
    public var robotSeconds = 0.0
    public var tokens = Tokens()
    /// US dollars.
    public var money = 0.0

    public init(robotSeconds: Double = 0, tokens: Tokens = Tokens(), money: Double = 0) {
      (self.robotSeconds, self.tokens, self.money) = (robotSeconds, tokens, money)
    }
  }

  public struct Best: Sendable, Hashable {
    public var id: String
    /// 0...1; nil if unknown.
    public var rate: Double?
    public init(id: String, rate: Double?) { (self.id, self.rate) = (id, rate) }
  }

  public init(
    id: String, study: String, basis: String, agent: String, round: Int, hypothesis: String, parent: String? = nil, borrowedFrom: String? = nil,
    branch: String, change: [RecipeChange] = [], config: JSON
  ) {
    self.id = id
    self.study = study
    self.basis = basis
    self.agent = agent
    self.round = round
    self.hypothesis = hypothesis
    self.parent = parent
    self.borrowedFrom = borrowedFrom
    self.branch = branch
    self.change = change
    self.config = config
  }

  public var isBaseline: Bool { agent.isEmpty }
}

/// Tokens of a model, as they are paid for.
public struct Tokens: Sendable, Hashable {
  public var uncached = 0
  public var cached = 0
  public var output = 0
  public init(uncached: Int = 0, cached: Int = 0, output: Int = 0) { (self.uncached, self.cached, self.output) = (uncached, cached, output) }
}
