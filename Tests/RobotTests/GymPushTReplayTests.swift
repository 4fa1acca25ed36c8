// Whole episodes replayed: what a policy did on the real gym-pusht, done again here; and blows that press the T into the walls.

import Hashing
import Testing

@testable import Robot

private let python = GymStation.pythonPath()

@Suite(.enabled(if: python != nil, "no Python with gym-pusht: set ENPIRE_PYTHON or run 'make test', which installs it in .deps/python"))
struct GymPushTReplayTests {
  private struct Difference {
    var pose = 0.0, coverage = 0.0
    mutating func add(_ a: Reading, _ b: Reading) {
      pose = max(pose, zip(a.truth!.state, b.truth!.state).map { abs($0 - $1) }.max()!)
      coverage = max(coverage, abs(a.truth!.score - b.truth!.score))
    }
  }

  @Test func `two hundred episodes of the planner on gym-pusht run the same here, and end at the same step`() throws {
    let gym = try GymStation(name: "gym", entry: ["python": .string(python!)])
    let ours = SimulatedStation(name: "ours", physics: .nominal)
    let planner = PushTPlanner(.low)
    var worst = Difference(), solved = 0, steps = 0
    for seed in 300_000..<300_200 as Range<UInt32> {
      planner.reset()
      var (a, b) = (try gym.reset(seed: seed), ours.reset(seed: seed))
      var length = 0
      while !a.terminated, length < 300 {
        let action = try planner.act(a.observation)
        (a, b) = (try gym.step(action), ours.step(action))
        worst.add(a, b)
        length += 1
        #expect(a.terminated == b.terminated, "seed \(seed) step \(length)")
      }
      solved += a.terminated ? 1 : 0
      steps += length
    }
    #expect(worst.pose < 1e-6 && worst.coverage < 1e-6, "\(worst)")
    #expect(solved >= 198)
    print("replays of gym-pusht: 200 episodes, \(steps) steps, worst pose error \(worst.pose), worst coverage error \(worst.coverage)")
  }

  @Test func `blows through the T into the walls agree too, or are counted where they do not`() throws {
    let gym = try GymStation(name: "gym", entry: ["python": .string(python!)])
    let ours = SimulatedStation(name: "ours", physics: .nominal)
    var diverged: [(seed: UInt32, step: Int, wallDistance: Double)] = [], pressed = 0
    for seed in 0..<40 as Range<UInt32> {
      var random = RandomStream("blows", "\(seed)")
      var (a, b) = (try gym.reset(seed: seed), ours.reset(seed: seed))
      var worst = Difference()
      for step in 0..<300 {
        // From where the agent is, through the T, as far as the workspace goes.
        let state = a.truth!.state
        let (dx, dy) = (state[2] + 40 * random.normal() - state[0], state[3] + 40 * random.normal() - state[1])
        let action = [state[0] + 6 * dx, state[1] + 6 * dy].map { min(max($0, 0), 512) }
        (a, b) = (try gym.step(action), ours.step(action))
        worst.add(a, b)
        let wall = [state[2] - 5, 506 - state[2], state[3] - 5, 506 - state[3]].min()!
        if wall < 40 { pressed += 1 }
        if worst.pose >= 1e-6 {
          diverged.append((seed, step, wall))
          break
        }
      }
    }
    #expect(pressed > 400, "the T must be at the walls, or nothing violent was compared")
    // Chipmunk's sums are the same in both; were another build of it to round otherwise, a wedged T would show it first.
    #expect(diverged.count <= 2, "\(diverged)")
    print("blows into walls: 40 x 300 steps, \(pressed) of them with the T within 40 units of a wall, diverged: \(diverged)")
  }
}
