// The named quantities a verifier may judge by: what a camera tells of one frame and of the step since the last one, and what the arm tells,
// where it does. They know no thresholds and no truth.

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
  /// How high the arm's tip is above the table; only where that is told.
  case height
  /// How strong a force the arm feels; only where that is told.
  case force

  /// Whether the quantity has to reach its threshold from below.
  public var wantsMore: Bool { self == .overlap || self == .clearance || self == .height }

  /// What has to be told beside the scene; nil for what the scene tells.
  public var sense: Sense? {
    switch self {
    case .height: .height
    case .force: .force
    case .position, .angle, .overlap, .stillness, .clearance: nil
    }
  }

  /// - Parameter previous: the frame before; nil in the first.
  func measure(_ sight: Sight, previous: Sight?) -> Double {
    let tee = sight.tee
    switch self {
    case .position: return tee.distance(to: .goal(size: tee.size))
    case .angle: return tee.rotation(to: .goal)
    case .overlap: return tee.coverage
    case .stillness: return previous.map { tee.distance(to: $0.tee) } ?? .infinity
    case .clearance:
      let unit = tee.size / Tee.size
      let (dx, dy) = ((sight.agent.x - tee.x) / unit, (sight.agent.y - tee.y) / unit)
      let (sine, cosine) = (sin(tee.angle), cos(tee.angle))
      return Tee.distance(cosine * dx + sine * dy, cosine * dy - sine * dx).distance * unit - 15
    case .height, .force: return sight[sense!] ?? .nan
    }
  }

  /// Whether a measured value passes; a value that is no number never does.
  public func holds(_ value: Double, _ threshold: Double) -> Bool { wantsMore ? value >= threshold : value <= threshold }
}

extension TeePose {
  /// The block in an observation of Push-T.
  public init(_ observation: Observation) { self.init(x: observation[2], y: observation[3], angle: observation[4]) }
}
