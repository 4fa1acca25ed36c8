// The T as it is drawn: a shape for the fit, a little larger than the T, and not alike on all sides. It knows how pymunk's drawing, which
// gym-pusht and PushTRenderer share, puts a line over each edge; what that adds depends on the edge's direction and side, and half a unit that
// is taken for the T's place costs half a per cent of coverage.

internal import Foundation

struct DrawnTee: Outline {
  let pose: TeePose
  private let (sine, cosine): (Double, Double)
  private let bar: Box
  private let stem: Box

  /// A drawn rectangle in the body's frame: centre and half sizes, and what a unit more of the T's size adds to the centre's v and to these.
  private struct Box {
    var u: Double, v: Double, halfWidth: Double, halfHeight: Double
    let growth: (v: Double, halfWidth: Double, halfHeight: Double)

    @inline(__always) func distance(_ u: Double, _ v: Double) -> Double {
      let (a, b) = (abs(u - self.u) - halfWidth, abs(v - self.v) - halfHeight)
      return a > 0 && b > 0 ? (a * a + b * b).squareRoot() : max(a, b)
    }
  }

  /// From x, y, angle and the T's unit.
  init(_ parameters: [Double]) {
    pose = TeePose(x: parameters[0], y: parameters[1], angle: parameters[2], size: parameters[3])
    let (s, c, unit) = (sin(pose.angle), cos(pose.angle), pose.size)
    (sine, cosine) = (s, c)
    // Edges along u have normals along v and the other way round. `width` and `height` are the lengths of the edges that are seen.
    func box(halfWidth: Double, bottom: Double, width: Double, height: Double) -> Box {
      let l = -halfWidth * unit - Self.reach(normal: (-c, -s), edge: (-s, c), length: height * unit)
      let r = halfWidth * unit + Self.reach(normal: (c, s), edge: (-s, c), length: height * unit)
      let t = -Self.reach(normal: (s, -c), edge: (c, s), length: 4 * unit)
      let b = bottom * unit + Self.reach(normal: (-s, c), edge: (c, s), length: width * unit)
      return Box(
        u: (l + r) / 2, v: (t + b) / 2, halfWidth: (r - l) / 2, halfHeight: (b - t) / 2, growth: (bottom / 2, halfWidth, bottom / 2))
    }
    // The stem is taken up to the bar's upper edge, so that no seam between the boxes counts as outline.
    bar = box(halfWidth: 2, bottom: 1, width: 4, height: 1)
    stem = box(halfWidth: 0.5, bottom: 4, width: 1, height: 3)
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

  @inline(__always) private func inBody(_ x: Double, _ y: Double) -> (u: Double, v: Double) {
    let (dx, dy) = (x - pose.x, y - pose.y)
    return (cosine * dx + sine * dy, cosine * dy - sine * dx)
  }

  @inline(__always) func distance(_ x: Double, _ y: Double) -> Double {
    let (u, v) = inBody(x, y)
    return min(bar.distance(u, v), stem.distance(u, v))
  }

  func slope(_ x: Double, _ y: Double) -> SIMD4<Double> {
    let (u, v) = inBody(x, y)
    let box = bar.distance(u, v) < stem.distance(u, v) ? bar : stem
    let (_, du, dv) = Tee.boxDistance(u - box.u, v - box.v, box.halfWidth, box.halfHeight)
    let bySize = -dv * box.growth.v - abs(du) * box.growth.halfWidth - abs(dv) * box.growth.halfHeight
    return SIMD4(sine * dv - cosine * du, -sine * du - cosine * dv, du * v - dv * u, bySize)
  }
}
