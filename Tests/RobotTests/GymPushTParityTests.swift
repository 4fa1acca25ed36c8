// Our Push-T against the real gym-pusht, which runs behind the station driver `gym`.

import Hashing
import Testing

import Robot

private let python = GymStation.pythonPath()

@Suite(.enabled(if: python != nil, "no Python with gym-pusht: set ENPIRE_PYTHON or run 'make test', which installs it in .deps/python"))
struct GymPushTParityTests {
  @Test func `forty episodes of random actions agree with gym-pusht within a millionth`() throws {
    let gym = try GymStation(name: "gym", entry: ["python": .string(python!)])
    #expect(gym.versions["gym-pusht"] == "0.1.6" && gym.versions["pymunk"]?.string?.hasPrefix("6.") == true, "\(gym.versions.compact)")
    let ours = SimulatedStation(name: "ours", physics: .nominal)
    // What the comparison must be able to see: a disc 0.001 units too large.
    var altered = PushTPhysics()
    altered.agentRadius += 0.001
    let other = SimulatedStation(name: "altered", physics: altered)
    var worst = (pose: 0.0, coverage: 0.0, altered: 0.0)
    var moved = 0
    for episode in 0..<40 {
      // Small seeds, and large ones as held-out plans draw them.
      let seed = episode < 20 ? UInt32(episode) : 0x8000_0000 | UInt32(episode) &* 104_729
      var random = RandomStream("parity", String(episode))
      var (a, b) = (try gym.reset(seed: seed), ours.reset(seed: seed))
      let start = other.reset(seed: seed).observation
      #expect(abs(a.observation[2] - b.observation[2]) < 1e-9, "start of seed \(seed)")
      for step in 0..<300 {
        let action = [random.uniform(0...512), random.uniform(0...512)]
        (a, b) = (try gym.step(action), ours.step(action))
        let (x, y) = (try #require(a.truth), try #require(b.truth))
        let pose = max(zip(x.state, y.state).map { abs($0 - $1) }.max()!, zip(a.observation, b.observation).map { abs($0 - $1) }.max()!)
        worst = (
          max(worst.pose, pose), max(worst.coverage, abs(x.score - y.score)),
          max(worst.altered, abs(other.step(action).observation[2] - a.observation[2]))
        )
        guard worst.pose < 1e-6, worst.coverage < 1e-6, a.terminated == b.terminated, a.truncated == b.truncated else {
          Issue.record("seed \(seed) step \(step): \(a) against \(b)")
          return
        }
      }
      if abs(a.observation[2] - start[2]) > 1 { moved += 1 }
    }
    #expect(moved >= 30, "the T must move in most episodes, or nothing was compared")
    #expect(worst.altered > 1e-3)
    print("parity with gym-pusht: 40 x 300 steps, worst pose error \(worst.pose), worst coverage error \(worst.coverage); the T moved in \(moved)")
  }

  @Test func `coverage agrees with shapely near the goal, where it decides`() throws {
    let gym = try GymStation(name: "gym", entry: ["python": .string(python!)])
    // Drives the T about with a crude pusher, so that goal and block overlap; checks every step.
    let ours = SimulatedStation(name: "ours", physics: .nominal)
    var overlapping = 0
    for seed in 0..<8 as Range<UInt32> {
      var (a, b) = (try gym.reset(seed: seed), ours.reset(seed: seed))
      for step in 0..<120 {
        // From behind the T, through it, towards the goal.
        let (x, y) = (a.observation[2], a.observation[3])
        let ahead = step % 20 < 10 ? -80.0 : 40.0
        let length = max(1, ((256 - x) * (256 - x) + (256 - y) * (256 - y)).squareRoot())
        let action = [min(max(x + ahead * (256 - x) / length, 0), 512), min(max(y + ahead * (256 - y) / length, 0), 512)]
        (a, b) = (try gym.step(action), ours.step(action))
        if a.truth!.score > 0.1 { overlapping += 1 }
        #expect(abs(a.truth!.score - b.truth!.score) < 1e-6, "seed \(seed) step \(step)")
      }
    }
    #expect(overlapping > 40)
  }

  @Test func `a station whose process dies says so as the station's failure`() throws {
    #expect { try GymStation(name: "lost", entry: ["python": "/bin/false"]) } throws: {
      "\($0)" == "station lost: its process ended with code 1"
    }
    #expect { try GymStation(name: "lost", entry: ["python": "/nonexistent/python"]) } throws: { "\($0)".hasPrefix("station lost: cannot start") }
  }
}
