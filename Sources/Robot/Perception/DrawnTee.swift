// The T as it is drawn: a shape for the fit, a little larger than the T, and not alike on all sides. It knows how pymunk's drawing, which
// gym-pusht and PushTRenderer share, puts a line over each edge; what that adds depends on the edge's direction and side, and half a unit that
// is taken for the T's place costs half a per cent of coverage.

internal import Foundation

struct DrawnTee: Outline {
  let pose: TeePose
  private let (sine, cosine): (Double, Double)
  /// The drawn rectangles in the body's frame: centres and half sizes.
  private let bar: (u: Double, v: Double, halfWidth: Double, halfHeight: Double)
  private let stem: (u: Double, v: Double, halfWidth: Double, halfHeight: Double)

  init(_ parameters: [Double]) {
    pose = TeePose(x: parameters[0], y: parameters[1], angle: parameters[2])
    let (s, c) = (sin(pose.angle), cos(pose.angle))
    (sine, cosine) = (s, c)
    // Edges along u have normals along v and the other way round.
    func box(_ left: Double, _ right: Double, _ top: Double, _ bottom: Double, _ width: Double, _ height: Double) -> (Double, Double, Double, Double)
    {
      let l = left - Self.reach(normal: (-c, -s), edge: (-s, c), length: height)
      let r = right + Self.reach(normal: (c, s), edge: (-s, c), length: height)
      let t = top - Self.reach(normal: (s, -c), edge: (c, s), length: 120)
      let b = bottom + Self.reach(normal: (-s, c), edge: (c, s), length: width)
      return ((l + r) / 2, (t + b) / 2, (r - l) / 2, (b - t) / 2)
    }
    // The stem is taken up to the bar's upper edge, so that no seam between the boxes counts as outline.
    bar = box(-60, 60, 0, 30, 120, 30)
    stem = box(-15, 15, 0, 120, 30, 90)
  }

  /// How far the drawing reaches over an edge on one side, units. The line over it is two bands between whole pixels: one from a unit before to
  /// two units behind the edge along x or y, whichever the edge runs less along; and one to either side by a vector that is across the edge only
  /// where the edge falls to the left. Pixels on the border are filled, which is half a pixel more.
  private static func reach(normal: (x: Double, y: Double), edge: (x: Double, y: Double), length: Double) -> Double {
    func first(_ along: Double) -> Double { max(2 * along, -along) }
    let (runX, runY) = (abs(edge.x), abs(edge.y))
    // Near 45° the corners' rounding decides.
    let byY = min(1, max(0, 0.5 + (runX - runY) * length / 2))
    let across = abs((2 * runY).rounded() * normal.x + (2 * runX).rounded() * normal.y)
    return max((1 - byY) * first(normal.x) + byY * first(normal.y), across) + 0.5 * max(abs(normal.x), abs(normal.y))
  }

  @inline(__always) func distance(_ x: Double, _ y: Double) -> (distance: Double, slope: SIMD4<Double>) {
    let (dx, dy) = (x - pose.x, y - pose.y)
    let (u, v) = (cosine * dx + sine * dy, cosine * dy - sine * dx)
    let one = Tee.boxDistance(u - bar.u, v - bar.v, bar.halfWidth, bar.halfHeight)
    let other = Tee.boxDistance(u - stem.u, v - stem.v, stem.halfWidth, stem.halfHeight)
    let (distance, du, dv) = one.distance < other.distance ? one : other
    return (distance, SIMD4(sine * dv - cosine * du, -sine * du - cosine * dv, du * v - dv * u, 0))
  }
}
