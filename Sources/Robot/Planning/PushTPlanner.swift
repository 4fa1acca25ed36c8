// The heuristic regime for Push-T: believe, identify, plan, act. It sees observations and its own actions alone.
// Every episode starts from the nominal model and the same seed, so a trial does not depend on the ones before it.

internal import Hashing
public import JSON

public final class PushTPlanner: ActionObserver {
  public let parameters: PlannerParameters
  private let nominal: PushTModel
  private let identification: Identification
  private var belief: BeliefTracker
  private let beam: BeamSearch
  private var sampler: CrossEntropySearch
  private var random: RandomStream
  private var isFirst = true

  public init(_ parameters: PlannerParameters = PlannerParameters()) {
    self.parameters = parameters
    nominal = PushTModel(parameters.nominal)
    identification = Identification(
      nominal: parameters.nominal, mutations: parameters.identificationMutations, window: parameters.identificationWindow)
    belief = BeliefTracker(model: nominal, poseGain: parameters.poseGain, velocities: parameters.velocity)
    beam = BeamSearch(model: nominal, budget: parameters.budget, weights: parameters.weights, transit: parameters.transit)
    sampler = CrossEntropySearch(parameters.cem)
    random = RandomStream(seed: UInt64(parameters.seed))
  }

  /// From a policy's parameters; see `PlannerParameters.fields`.
  public convenience init(json: JSON) throws { self.init(try PlannerParameters(json: json)) }

  public func reset() {
    belief.reset(model: nominal, poseGain: parameters.poseGain)
    beam.use(nominal)
    beam.forget()
    sampler.forget()
    random = RandomStream(seed: UInt64(parameters.seed))
    isFirst = true
  }

  public func act(_ observation: Observation) throws -> Action {
    precondition(observation.count == 5, "Push-T is observed as agent x, y, block x, y, angle")
    belief.observe(observation)
    if parameters.identifies && identification.improve(&belief, &random) { beam.use(belief.model) }
    let ahead = belief.ahead
    let target: PlaneVector
    switch parameters.planner {
    case .beam:
      beam.plan(from: ahead, isFirst: isFirst, &random)
      target = beam.references.first.map { belief.model.target(reaching: $0, from: ahead) } ?? ahead.agent
      beam.advance()
    case .cem:
      target = sampler.plan(from: ahead, belief.model, beam.goal, &random)
    }
    isFirst = false
    belief.issue(target)
    return [target.x, target.y]
  }

  public func carriedOut(_ action: Action) { belief.reissue(PlaneVector(action[0], action[1])) }

  /// The model as identified so far.
  package var model: PushTModel { belief.model }

  /// Control steps simulated by the search so far.
  package var simulatedSteps: Int { beam.simulated + sampler.simulated }
}
