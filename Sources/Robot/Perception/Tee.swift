// The T of Push-T as a shape: where a pose puts it, how far a point is from it, how much of the goal it covers.
// It knows no pixels. Lengths are workspace units (0…512, y down), angles radians, clockwise as seen.

internal import Foundation

/// Pose of the T's body: its origin is the middle of the bar's upper edge.
public struct TeePose: Sendable, Equatable {
  public var x: Double
  public var y: Double
  public var angle: Double
  /// The T's unit, workspace units: bar 4 × 1, stem 1 × 3.
  public var size: Double

  public init(x: Double, y: Double, angle: Double, size: Double = Tee.size) { (self.x, self.y, self.angle, self.size) = (x, y, angle, size) }

  /// Where the benchmark wants it.
  public static let goal = TeePose(x: PushTGeometry.goal.x, y: PushTGeometry.goal.y, angle: PushTGeometry.goal.angle)

  /// The goal of a T of that size.
  static func goal(size: Double) -> TeePose { TeePose(x: goal.x, y: goal.y, angle: goal.angle, size: size) }

  /// The workspace point of a point in the body's frame.
  func point(_ u: Double, _ v: Double) -> (x: Double, y: Double) {
    let (sine, cosine) = (sin(angle), cos(angle))
    return (x + cosine * u - sine * v, y + sine * u + cosine * v)
  }

  var centroid: (x: Double, y: Double) { point(0, Tee.centre * size / Tee.size) }

  /// Distance between the centres of two poses' shapes, which, unlike the origins, does not exaggerate a rotation.
  public func distance(to other: TeePose) -> Double {
    let (a, b) = (centroid, other.centroid)
    return hypot(a.x - b.x, a.y - b.y)
  }

  /// Smallest rotation between two poses, 0…π.
  public func rotation(to other: TeePose) -> Double { abs((angle - other.angle).remainder(dividingBy: 2 * .pi)) }

  /// Share of the goal's area that the T at this pose covers, 0…1: the benchmark's measure. The goal is as big as the T: so it is the coverage of
  /// a nominal T that is so much nearer or farther.
  public var coverage: Double {
    let unit = Tee.size / size
    return Self.geometry.coverage(x: Self.goal.x + (x - Self.goal.x) * unit, y: Self.goal.y + (y - Self.goal.y) * unit, angle: angle)
  }

  private static let geometry = PushTGeometry()
}

public enum Tee {
  /// The nominal unit; what follows is of a T of that size.
  public static let size = 30.0
  static let area = 6300.0
  /// The centroid's distance from the origin along the stem: (3600·15 + 2700·75) / 6300.
  static let centre = 285.0 / 7
  /// No point of the T is farther from its centroid (a corner of the stem's end: √(79.3² + 15²)).
  static let reach = 81.0

  /// Signed distance of a point in the body's frame from the outline (negative inside), and the direction in which it grows.
  /// The stem is taken up to the bar's upper edge, so that no seam between the boxes counts as outline.
  @inline(__always) static func distance(_ u: Double, _ v: Double) -> (distance: Double, du: Double, dv: Double) {
    let bar = boxDistance(u, v - 15, 60, 15)
    let stem = boxDistance(u, v - 60, 15, 60)
    return bar.distance < stem.distance ? bar : stem
  }

  @inline(__always) static func boxDistance(
    _ u: Double, _ v: Double, _ halfWidth: Double, _ halfHeight: Double
  ) -> (distance: Double, du: Double, dv: Double) {
    let (a, b) = (abs(u) - halfWidth, abs(v) - halfHeight)
    let (signU, signV) = (u < 0 ? -1.0 : 1.0, v < 0 ? -1.0 : 1.0)
    if a > 0 && b > 0 {
      let distance = (a * a + b * b).squareRoot()
      return (distance, signU * a / distance, signV * b / distance)
    }
    return a > b ? (a, signU, 0) : (b, 0, signV)
  }
}
