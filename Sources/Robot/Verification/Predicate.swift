// The named quantities a verifier may judge by: what a camera tells of one frame and of the step since the last one.
// They know no thresholds and no truth.

internal import Foundation

public enum Predicate: String, Sendable, CaseIterable {
  /// Distance of the T's centroid from the goal's, workspace units.
  case position
  /// Rotation between T and goal, rad, 0…π.
  case angle
  /// Share of the goal that the T covers, 0…1.
  case overlap
  /// How far the T's centroid moved since the last frame, units; infinite in the first frame.
  case stillness
  /// Distance of the agent's rim from the T, units; negative if it seems to overlap.
  case clearance

  /// Whether the quantity has to reach its threshold from below.
  public var wantsMore: Bool { self == .overlap || self == .clearance }

  /// - Parameters:
  ///   - observation: agent x, y, block x, y, angle.
  ///   - previous: that of the frame before; nil in the first.
  public func measure(_ observation: Observation, previous: Observation?) -> Double {
    let pose = TeePose(observation)
    switch self {
    case .position: return pose.distance(to: .goal)
    case .angle: return pose.rotation(to: .goal)
    case .overlap: return pose.coverage
    case .stillness: return previous.map { pose.distance(to: TeePose($0)) } ?? .infinity
    case .clearance:
      let (dx, dy) = (observation[0] - pose.x, observation[1] - pose.y)
      let (sine, cosine) = (sin(pose.angle), cos(pose.angle))
      return Tee.distance(cosine * dx + sine * dy, cosine * dy - sine * dx).distance - 15
    }
  }

  /// Whether a measured value passes; a value that is no number never does.
  public func holds(_ value: Double, _ threshold: Double) -> Bool { wantsMore ? value >= threshold : value <= threshold }
}

extension TeePose {
  /// The block in an observation of Push-T.
  public init(_ observation: Observation) { self.init(x: observation[2], y: observation[3], angle: observation[4]) }
}
