// The planner as a policy, on the real simulation: it solves, it repeats itself, and it finds out what is different about a world.

import Testing

@testable import Robot

/// Steps to success, or nil.
private func episode(_ planner: PushTPlanner, _ physics: PushTPhysics = .nominal, seed: UInt64, limit: Int = 300) throws -> Int? {
  let simulation = PushTSimulation(physics: physics)
  var observation = simulation.reset(seed: seed)
  planner.reset()
  for step in 1...limit {
    let result = simulation.step(try planner.act(observation))
    if result.terminated { return step }
    observation = result.observation
  }
  return nil
}

private func physics(_ change: (inout PushTPhysics) -> Void) -> PushTPhysics {
  var physics = PushTPhysics.nominal
  change(&physics)
  return physics
}

struct PlanningTests {
  @Test func `the cheap preset solves twenty seeds in a median of at most forty steps`() throws {
    let planner = PushTPlanner(.low)
    let steps = try (100_000..<100_020).compactMap { try episode(planner, seed: UInt64($0)) }.sorted()
    #expect(steps.count == 20)
    #expect(steps[steps.count / 2] <= 40)
  }

  @Test(arguments: [PlannerParameters(), .low, .baseline]) func `the same seed acts the same, whatever was played before`(
    parameters: PlannerParameters
  ) throws {
    func actions(_ planner: PushTPlanner) throws -> [Action] {
      let simulation = PushTSimulation(physics: physics { $0.latencySteps = 1 })
      planner.reset()
      var observation = simulation.reset(seed: 7)
      return try (0..<12).map { _ in
        let action = try planner.act(observation)
        observation = simulation.step(action).observation
        return action
      }
    }
    let used = PushTPlanner(parameters)
    _ = try episode(used, seed: 3, limit: 10)
    #expect(try actions(used) == actions(PushTPlanner(parameters)))
  }

  @Test(arguments: [
    physics { $0.latencySteps = 1 }, physics { $0.damping = 0.1 }, physics { $0.agentRadius = 19.5 }, physics { $0.blockScale = 36 },
    physics { $0.observationNoise = 2 },
  ])
  func `identification lets the cheap preset solve a world that differs`(physics: PushTPhysics) throws {
    let planner = PushTPlanner(.low)
    for seed in 100_000..<100_004 as Range<UInt64> { #expect(try episode(planner, physics, seed: seed) != nil, "seed \(seed)") }
  }

  @Test func `without identification a step of latency defeats it`() throws {
    var fixed = PlannerParameters.low
    fixed.identifies = false
    let planner = PushTPlanner(fixed)
    let solved = try (100_000..<100_004).compactMap { try episode(planner, physics { $0.latencySteps = 1 }, seed: UInt64($0), limit: 100) }
    #expect(solved.count <= 1)
  }

  @Test func `identification finds latency, radius, damping, friction, both gains and the size of the block`() throws {
    /// The model after a hundred steps, success or not.
    func identified(_ physics: PushTPhysics) throws -> PushTModel.Parameters {
      let planner = PushTPlanner(.low)
      let simulation = PushTSimulation(physics: physics)
      var observation = simulation.reset(seed: 5)
      for _ in 0..<100 { observation = simulation.step(try planner.act(observation)).observation }
      return planner.model.parameters
    }
    #expect(try identified(physics { $0.latencySteps = 2 }).latency == 2)
    #expect(abs(try identified(physics { $0.agentRadius = 19.5 }).radius - 19.5) < 0.5)
    #expect(abs(try identified(physics { $0.damping = 0.3 }).damping - 0.3) < 0.05)
    #expect(abs(try identified(physics { $0.blockScale = 36 }).blockScale - 1.2) < 0.03)
    #expect(abs(try identified(physics { $0.friction = 0.4 }).friction - 0.4) < 0.05)
    // One gain can nearly stand for the other: what both make of a target in a control step is known.
    for (gain, derivativeGain) in [(70.0, 20.0), (100, 10), (100, 30)] {
      let found = try identified(physics { ($0.gain, $0.derivativeGain) = (gain, derivativeGain) })
      var parameters = PushTModel.Parameters()
      (parameters.gain, parameters.derivativeGain) = (gain, derivativeGain)
      let (own, real) = (PushTModel(found), PushTModel(parameters))
      #expect(abs(own.pull - real.pull) < 0.005 && abs(own.coast - real.coast) < 0.005, "\(found)")
      #expect(abs(found.gain / gain - 1) < 0.1 && abs(found.derivativeGain / derivativeGain - 1) < 0.1, "\(found)")
    }
    #expect(try identified(.nominal) == PushTModel.Parameters(), "a world as expected is left alone")
  }
}
