// Everything that can be set on the Push-T planner, with defaults, ranges and meanings in one table:
// the policy's JSON, its schema and the search agent's space are all made from it.

public struct PlannerParameters: Sendable, Hashable {
  public enum Kind: String, Sendable, CaseIterable { case beam, cem }

  public var planner = Kind.beam
  var seed = 0
  var budget = BeamSearch.Budget()
  var weights = BeamSearch.Weights()
  var transit = 55.0
  var cem = CrossEntropySearch.Settings()
  var velocity = VelocityBelief.lockStep
  var poseGain = 1.0
  var identifies = true
  var identificationMutations = 20
  var identificationWindow = 60
  var nominal = PushTModel.Parameters()

  /// The default: the full beam search with identification.
  public init() {}

  /// A sixteenth of the full budget, for evaluations of many trials.
  public static var low: PlannerParameters {
    var parameters = PlannerParameters()
    parameters.budget = BeamSearch.Budget(width: 20, firstFactor: 3, beam: 4, branches: 3, depth: 3, extensions: 5, mutations: 5)
    return parameters
  }

  /// The weak baseline: raw-action sampling, velocities guessed from positions, no identification.
  public static var baseline: PlannerParameters {
    var parameters = PlannerParameters()
    parameters.planner = .cem
    parameters.velocity = .finiteDifference
    parameters.identifies = false
    return parameters
  }

  static let presets: [(name: String, parameters: PlannerParameters)] = [("full", PlannerParameters()), ("low", .low), ("baseline", .baseline)]
}

// MARK: - The table

extension PlannerParameters {
  /// One parameter: its JSON name, where it is kept, its range, its meaning.
  public struct Field: Sendable {
    enum Storage: Sendable {
      case number(any WritableKeyPath<PlannerParameters, Double> & Sendable, ClosedRange<Double>)
      case count(any WritableKeyPath<PlannerParameters, Int> & Sendable, ClosedRange<Int>)
      case flag(any WritableKeyPath<PlannerParameters, Bool> & Sendable)
      case kind(any WritableKeyPath<PlannerParameters, Kind> & Sendable)
      case velocity(any WritableKeyPath<PlannerParameters, VelocityBelief> & Sendable)
    }
    public let name: String
    let storage: Storage
    public let meaning: String
  }

  public static let fields: [Field] = [
    Field(name: "planner", storage: .kind(\.planner), meaning: "beam: chains of pushes; cem: raw-action cross-entropy, the weak baseline"),
    Field(name: "seed", storage: .count(\.seed, 0...1_000_000), meaning: "seed of the planner's own random numbers"),
    Field(name: "width", storage: .count(\.budget.width, 4...400), meaning: "beam: first pushes drawn at each decision"),
    Field(name: "first_factor", storage: .count(\.budget.firstFactor, 1...10), meaning: "beam: times more at the first decision of an episode"),
    Field(name: "beam", storage: .count(\.budget.beam, 1...32), meaning: "beam: chains kept at each depth"),
    Field(name: "branches", storage: .count(\.budget.branches, 1...40), meaning: "beam: pushes drawn to follow each kept chain"),
    Field(name: "depth", storage: .count(\.budget.depth, 1...5), meaning: "beam: pushes in a chain, before extension"),
    Field(
      name: "extensions", storage: .count(\.budget.extensions, 0...100), meaning: "beam: tries to lengthen the best chain while it misses the goal"),
    Field(name: "mutations", storage: .count(\.budget.mutations, 0...200), meaning: "beam: variations of the best chain"),
    Field(name: "transit", storage: .number(\.transit, 10...80), meaning: "beam: way of the disc round the block, px a control step"),
    Field(
      name: "step_cost", storage: .number(\.weights.step, 0...4),
      meaning: "beam: price of a control step, px of mean corner distance; less where the block slides"),
    Field(name: "success_bonus", storage: .number(\.weights.success, 0...100), meaning: "beam: px taken off for a predicted success"),
    Field(name: "cem_horizon", storage: .count(\.cem.horizon, 5...60), meaning: "cem: control steps looked ahead"),
    Field(name: "cem_samples", storage: .count(\.cem.samples, 8...400), meaning: "cem: sequences drawn in each iteration"),
    Field(name: "cem_iterations", storage: .count(\.cem.iterations, 1...8), meaning: "cem: iterations at each decision"),
    Field(name: "cem_elites", storage: .count(\.cem.elites, 2...40), meaning: "cem: sequences that make the next mean"),
    Field(name: "cem_spread", storage: .number(\.cem.spread, 5...200), meaning: "cem: first standard deviation of the targets, px"),
    Field(name: "cem_least_spread", storage: .number(\.cem.leastSpread, 0...60), meaning: "cem: least standard deviation of the targets, px"),
    Field(name: "velocity", storage: .velocity(\.velocity), meaning: "where the believed velocities come from"),
    Field(name: "pose_gain", storage: .number(\.poseGain, 0.05...1), meaning: "share of an observed pose's surprise that is believed; 1 overwrites"),
    Field(name: "identification", storage: .flag(\.identifies), meaning: "find out the world's parameters while acting"),
    Field(
      name: "identification_mutations", storage: .count(\.identificationMutations, 1...200),
      meaning: "variations of the model tried at each control step"),
    Field(name: "identification_window", storage: .count(\.identificationWindow, 5...200), meaning: "transitions looked back on"),
    Field(name: "radius", storage: .number(\.nominal.radius, 5...35), meaning: "nominal radius of the disc, px"),
    Field(name: "block_scale", storage: .number(\.nominal.blockScale, 0.5...1.8), meaning: "nominal size of the block"),
    Field(name: "gain", storage: .number(\.nominal.gain, 30...250), meaning: "nominal proportional gain of the drive, 1/s²"),
    Field(name: "derivative_gain", storage: .number(\.nominal.derivativeGain, 5...60), meaning: "nominal derivative gain of the drive, 1/s"),
    Field(name: "inertia", storage: .number(\.nominal.inertia, 1000...9000), meaning: "nominal moment of inertia per mass at scale 1, px²"),
    Field(name: "friction", storage: .number(\.nominal.friction, 0...1.5), meaning: "nominal friction between disc and block"),
    Field(name: "damping", storage: .number(\.nominal.damping, 0...0.99), meaning: "nominal share of velocity the block keeps over a second"),
    Field(name: "latency", storage: .count(\.nominal.latency, 0...3), meaning: "nominal control steps from action to effect"),
  ]
}
