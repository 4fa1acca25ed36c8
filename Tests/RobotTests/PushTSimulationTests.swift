import Foundation
import Testing

import Robot

@Suite struct PushTSimulationTests {
  @Test func `the generator draws what NumPy's default generator draws`() {
    // numpy.random.default_rng(seed): four integers and a uniform, as gym-pusht's reset draws them.
    let known: [(UInt64, [Int], Double)] = [
      (0, [390, 304, 253, 180], -2.8841484100105235), (1, [239, 254, 326, 385], -2.2358110930610913),
      (100000, [113, 100, 219, 240], 3.1260699166107457), (4_294_967_295, [126, 150, 317, 165], -1.336529519174337),
    ]
    for (seed, integers, angle) in known {
      var generator = NumPyGenerator(seed: seed)
      let drawn = [50..<450, 50..<450, 100..<400, 100..<400].map { generator.integer(in: $0) }
      #expect(drawn == integers)
      #expect(generator.uniform(from: -.pi, to: .pi) == angle)
    }
  }

  @Test func `a start state is placed with gym-pusht's quirk`() {
    // The documented example of gym-pusht's option reset_to_state, which is printed in float32.
    let seen = PushTSimulation().reset(to: [0, 10, 20, 30, 1])
    for (value, expected) in zip(seen, [0, 10, 57.866196, 50.686398, 1]) { #expect(abs(value - expected) < 4e-6) }
  }

  @Test func `coverage is 1 at the goal, 0 far away, and a rectangle's for a shift`() {
    let geometry = PushTGeometry()
    #expect(abs(geometry.coverage(x: 256, y: 256, angle: .pi / 4) - 1) < 1e-12)
    #expect(geometry.coverage(x: 20, y: 20, angle: 0) == 0)
    // Shifted by 10 along the bar: the bar keeps 110 × 30, the stem 20 × 90 of 6300.
    let d = 10 * cos(Double.pi / 4)
    #expect(abs(geometry.coverage(x: 256 + d, y: 256 + d, angle: .pi / 4) - (3300.0 + 1800) / 6300) < 1e-12)
    // Turned by 2π and half a turn about the same origin: the second has the bars back to back.
    #expect(abs(geometry.coverage(x: 256, y: 256, angle: .pi / 4 + 2 * .pi) - 1) < 1e-12)
    #expect(geometry.coverage(x: 256, y: 256, angle: 5 * .pi / 4) < 1e-12)
  }

  @Test func `the same seed gives the same episode, another seed another`() {
    func episode(_ seed: UInt64) -> [[Double]] {
      var physics = PushTPhysics()
      physics.observationNoise = 1
      let simulation = PushTSimulation(physics: physics)
      return [simulation.reset(seed: seed)] + (0..<40).map { simulation.step([Double($0) * 12, 300]).observation }
    }
    #expect(episode(7) == episode(7))
    #expect(episode(7) != episode(8))
  }

  @Test func `latency holds the agent still until the first action arrives`() {
    var physics = PushTPhysics()
    physics.latencySteps = 2
    let simulation = PushTSimulation(physics: physics)
    let start = simulation.reset(seed: 3)
    let seen = (0..<3).map { _ in simulation.step([0, 0]).observation }
    #expect(Array(seen[1][..<2]) == Array(start[..<2]))
    #expect(seen[2][0] < start[0] - 1)
  }

  @Test func `without damping zero a pushed block slides on`() {
    func slid(damping: Double) -> Double {
      var physics = PushTPhysics()
      physics.damping = damping
      let simulation = PushTSimulation(physics: physics)
      _ = simulation.reset(to: [256, 100, 256, 200, 0])
      for _ in 0..<6 { _ = simulation.step([256, 260]) }
      let pushed = simulation.truth.state[3]
      for _ in 0..<20 { _ = simulation.step([256, 20]) }
      return simulation.truth.state[3] - pushed
    }
    #expect(slid(damping: 0) < 2)
    #expect(slid(damping: 0.3) > 10)
  }

  @Test func `an episode is cut off after 300 steps`() {
    let simulation = PushTSimulation()
    _ = simulation.reset(seed: 0)
    let ends = (0..<300).map { _ in simulation.step([20, 20]).truncated }
    #expect(ends.firstIndex(of: true) == 299)
  }

  @Test func `physical constants survive JSON, and wrong ones are refused`() throws {
    var physics = PushTPhysics()
    (physics.friction, physics.latencySteps) = (0.2, 1)
    #expect(try PushTPhysics(json: physics.json) == physics)
    #expect { try PushTPhysics(json: ["fricton": 1]) } throws: { "\($0)" == "Push-T has no physical constant 'fricton'" }
    #expect { try PushTPhysics(json: ["latency_steps": 0.5]) } throws: { "\($0)" == "'latency_steps' must be an integer in 0...20" }
  }
}
