// Push-T as the learners see it: which columns are angles, what actions are relative to, and the nominal simulation as closures.
// Only the nominal physics is learnt in; what a station's physics is, nobody here knows.

import Learning
import Robot

enum PushTLearning {
  /// Numbers of an observation, and of an action.
  static let observationSize = 5, actionSize = 2

  /// Observation: agent x, y, block x, y (px), block angle (rad). Actions are relative to the agent; the block's view of the agent is shown too.
  static func features(history: Int, differences: Bool, showsAction: Bool) -> Features {
    Features(
      angles: [4], frames: [.init(origin: [2, 3], angle: 4, point: [0, 1])], anchor: [0, 1], history: history,
      differences: differences, showsAction: showsAction, actionBounds: [0...512, 0...512])
  }

  /// Spread of the shift of each column for `noise` px.
  static func noise(_ noise: Double) -> [Double] { noise > 0 ? [noise, noise, noise, noise, noise / 60] : [] }

  /// The goal and the workspace lie the same way in the mirror along the goal's stem, a diagonal; the T is its own mirror image.
  /// (The walls are a unit apart from that, and the T meets them rarely.)
  static let mirror: Symmetry = {
    let position = [Symmetry.Column(1, factor: -1, offset: 512), Symmetry.Column(0, factor: -1, offset: 512)]
    let block = [Symmetry.Column(3, factor: -1, offset: 512), Symmetry.Column(2, factor: -1, offset: 512)]
    return Symmetry(observation: position + block + [Symmetry.Column(4, factor: -1, offset: .pi / 2)], action: position)
  }()

  /// The nominal simulation. Demonstrations are judged by the benchmark's own measure, which is known in simulation.
  static func environment() -> LearningEnvironment {
    let simulation = PushTSimulation(), geometry = PushTGeometry()
    return LearningEnvironment(
      observationSize: observationSize, reset: { simulation.reset(seed: $0) },
      step: {
        let result = simulation.step($0)
        return .init(observation: result.observation, reward: result.reward, terminated: result.terminated, truncated: result.truncated)
      },
      judge: {
        let coverage = geometry.coverage(x: $0[2], y: $0[3], angle: $0[4])
        return (min(coverage / PushTGeometry.solvedCoverage, 1), coverage > PushTGeometry.solvedCoverage)
      })
  }
}
