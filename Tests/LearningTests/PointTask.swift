// A small task with a known answer: go to the origin of a plane. Observation: position x, y; action: target x, y;
// each step moves towards the target by at most 1; done within 0.5 of the origin; 40 steps at most; reward falls with the distance.

import Hashing
import Learning

enum PointTask {
  static let features = Features(anchor: [0, 1], actionBounds: [-10...10, -10...10])

  static func environment() -> LearningEnvironment {
    var position = [0.0, 0.0], steps = 0
    return LearningEnvironment(
      observationSize: 2,
      reset: { seed in
        var stream = RandomStream("point", "\(seed)")
        position = [stream.uniform(-8...8), stream.uniform(-8...8)]
        steps = 0
        return position
      },
      step: { action in
        let way = [action[0] - position[0], action[1] - position[1]]
        let length = (way[0] * way[0] + way[1] * way[1]).squareRoot()
        let share = length > 1 ? 1 / length : 1
        position = [position[0] + share * way[0], position[1] + share * way[1]]
        steps += 1
        let judged = judge(position)
        return .init(observation: position, reward: judged.reward, terminated: judged.terminated, truncated: steps == 40)
      },
      judge: judge)
  }

  static func judge(_ position: [Double]) -> (reward: Double, terminated: Bool) {
    let distance = (position[0] * position[0] + position[1] * position[1]).squareRoot()
    return (1 - distance / 12, distance < 0.5)
  }

  /// Episodes of going straight home, one a seed, the last observation that of being there. Of their steps a share strays: anywhere.
  static func demonstrations(_ count: Int, straying: Double = 0) -> DataSet {
    let environment = environment()
    var stray = RandomStream("point", "stray")
    var data = DataSet()
    for seed in 0..<UInt64(count) {
      var observations = [environment.reset(1000 + seed)], actions: [[Double]] = []
      while true {
        let here = observations.last!
        let length = max(1, (here[0] * here[0] + here[1] * here[1]).squareRoot())
        actions.append([here[0] - here[0] / length, here[1] - here[1] / length])
        if straying > 0, stray.uniform() < straying {
          actions[actions.count - 1] = here.map { $0 + stray.uniform(-1...1) }
        }
        if judge(here).terminated { break }
        observations.append(environment.step(actions.last!).observation)
      }
      data.append(observations: observations, actions: actions)
    }
    return data
  }
}

/// Stops a training in the middle, as a lost machine would.
struct Interrupted: Error {}
