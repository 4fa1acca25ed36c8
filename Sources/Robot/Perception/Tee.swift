// The T of Push-T as a shape: where a pose puts it, how far a point is from it, how much of the goal it covers.
// It knows no pixels. Lengths are workspace units (0…512, y down), angles radians, clockwise as seen.

internal import Foundation

/// Pose of the T's body: its origin is the middle of the bar's upper edge.
public struct TeePose: Sendable, Equatable {
  public var x: Double
  public var y: Double
  public var angle: Double

  public init(x: Double, y: Double, angle: Double) { (self.x, self.y, self.angle) = (x, y, angle) }

  /// Where the benchmark wants it.
  public static let goal = TeePose(x: 256, y: 256, angle: .pi / 4)

  /// The workspace point of a point in the body's frame.
  func point(_ u: Double, _ v: Double) -> (x: Double, y: Double) {
    let (sine, cosine) = (sin(angle), cos(angle))
    return (x + cosine * u - sine * v, y + sine * u + cosine * v)
  }

  /// Distance between the centres of two poses' shapes, which, unlike the origins, does not exaggerate a rotation.
  public func distance(to other: TeePose) -> Double {
    let (a, b) = (point(0, Tee.centre), other.point(0, Tee.centre))
    return hypot(a.x - b.x, a.y - b.y)
  }

  /// Smallest rotation between two poses, 0…π.
  public func rotation(to other: TeePose) -> Double { abs((angle - other.angle).remainder(dividingBy: 2 * .pi)) }

  /// Share of the goal's area that the T at this pose covers, 0…1: the benchmark's measure.
  public func coverage(of goal: TeePose = .goal) -> Double {
    var area = 0.0
    for mine in Tee.boxes { for theirs in Tee.boxes { area += overlap(Tee.corners(mine, at: self), Tee.corners(theirs, at: goal)) } }
    return area / Tee.area
  }
}

enum Tee {
  /// An axis-parallel box in the body's frame.
  struct Box {
    let (left, right, top, bottom): (Double, Double, Double, Double)
    init(_ left: Double, _ right: Double, _ top: Double, _ bottom: Double) {
      (self.left, self.right, self.top, self.bottom) = (left, right, top, bottom)
    }
  }

  /// Bar and stem; they touch and do not overlap.
  static let boxes = [Box(-60, 60, 0, 30), Box(-15, 15, 30, 120)]
  static let area = 6300.0
  /// The centroid's distance from the origin along the stem: (3600·15 + 2700·75) / 6300.
  static let centre = 285.0 / 7
  /// No point of the T is farther from its centroid (a corner of the stem's end: √(79.3² + 15²)).
  static let reach = 81.0

  static func corners(_ box: Box, at pose: TeePose) -> [(x: Double, y: Double)] {
    [pose.point(box.left, box.top), pose.point(box.right, box.top), pose.point(box.right, box.bottom), pose.point(box.left, box.bottom)]
  }

  /// Signed distance of a point in the body's frame from the outline (negative inside), and the direction in which it grows.
  /// The stem is taken up to the bar's upper edge, so that no seam between the boxes counts as outline.
  @inline(__always) static func distance(_ u: Double, _ v: Double) -> (distance: Double, du: Double, dv: Double) {
    let bar = boxDistance(u, v - 15, 60, 15)
    let stem = boxDistance(u, v - 60, 15, 60)
    return bar.distance < stem.distance ? bar : stem
  }

  @inline(__always) private static func boxDistance(
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

/// Area common to two convex polygons with corners in the same turning sense: one is clipped by each edge of the other (Sutherland and Hodgman, 1974).
private func overlap(_ subject: [(x: Double, y: Double)], _ clip: [(x: Double, y: Double)]) -> Double {
  var polygon = subject
  for (index, a) in clip.enumerated() where !polygon.isEmpty {
    let b = clip[(index + 1) % clip.count]
    func side(_ p: (x: Double, y: Double)) -> Double { (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) }
    var kept: [(x: Double, y: Double)] = []
    for (index, end) in polygon.enumerated() {
      let start = polygon[(index + polygon.count - 1) % polygon.count]
      let (before, after) = (side(start), side(end))
      if (before < 0) != (after < 0) {
        let t = before / (before - after)
        kept.append((start.x + t * (end.x - start.x), start.y + t * (end.y - start.y)))
      }
      if after >= 0 { kept.append(end) }
    }
    polygon = kept
  }
  var twice = 0.0
  for (index, p) in polygon.enumerated() {
    let q = polygon[(index + 1) % polygon.count]
    twice += p.x * q.y - p.y * q.x
  }
  return abs(twice) / 2
}
