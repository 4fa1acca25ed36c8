// The T's shape and how much of the goal it covers. Frames: the T's own, origin at the middle of the bar's outer edge, stem along +y;
// the workspace 0...512, y down. It knows no dynamics.

internal import Foundation
public import Physics

public struct PushTGeometry: Sendable {
  /// The two rectangles, four corners each, in the T's frame.
  public let parts: [[Vector]]
  /// Where dynamics has the T's centre of gravity: midway between the rectangles' centres, as gym-pusht has it.
  public let centre: Vector
  private let area: Double
  private let boxes: [Box]

  /// The pose to reach: x, y, angle.
  public static let goal = (x: 256.0, y: 256.0, angle: Double.pi / 4)
  /// The coverage above which an episode is solved.
  public static let solvedCoverage = 0.95

  public init(scale: Double = 30) {
    let length = 4.0
    boxes = [
      Box(left: -length * scale / 2, right: length * scale / 2, top: 0, bottom: scale),
      Box(left: -scale / 2, right: scale / 2, top: scale, bottom: length * scale),
    ]
    parts = [
      [Vector(-length * scale / 2, scale), Vector(length * scale / 2, scale), Vector(length * scale / 2, 0), Vector(-length * scale / 2, 0)],
      [Vector(-scale / 2, scale), Vector(-scale / 2, length * scale), Vector(scale / 2, length * scale), Vector(scale / 2, scale)],
    ]
    let (bar, stem) = (PlanarSpace.centroid(ofPolygon: parts[0]), PlanarSpace.centroid(ofPolygon: parts[1]))
    centre = Vector((bar.x + stem.x) / 2, (bar.y + stem.y) / 2)
    area = boxes.reduce(0) { $0 + ($1.right - $1.left) * ($1.bottom - $1.top) }
  }

  /// The corners of a part with the T at this pose, in the workspace.
  public func corners(ofPart part: Int, x: Double, y: Double, angle: Double) -> [Vector] {
    let (c, s) = (cos(angle), sin(angle))
    return parts[part].map { Vector(x + c * $0.x - s * $0.y, y + s * $0.x + c * $0.y) }
  }

  /// The share of the goal's area that a T at this pose covers, 0...1: the sum over pairs of rectangles of the clipped area,
  /// worked out in the goal's frame, where its rectangles are upright.
  public func coverage(x: Double, y: Double, angle: Double) -> Double {
    let (gc, gs) = (cos(Self.goal.angle), sin(Self.goal.angle))
    let (dx, dy) = (x - Self.goal.x, y - Self.goal.y)
    let origin = Vector(gc * dx + gs * dy, gc * dy - gs * dx)
    let (c, s) = (cos(angle - Self.goal.angle), sin(angle - Self.goal.angle))
    var covered = 0.0
    for part in parts {
      var polygon = Polygon()
      for corner in part { polygon.append(Vector(origin.x + c * corner.x - s * corner.y, origin.y + s * corner.x + c * corner.y)) }
      for box in boxes { covered += polygon.clipped(to: box).area }
    }
    return covered / area
  }
}

private struct Box {
  let left: Double, right: Double, top: Double, bottom: Double
}

/// A convex polygon of at most eight corners: a rectangle cut by four lines.
private struct Polygon {
  private var corners = InlineArray<12, Vector>(repeating: Vector(0, 0))
  private var count = 0

  mutating func append(_ corner: Vector) {
    corners[count] = corner
    count += 1
  }

  var area: Double {
    guard count > 2 else { return 0 }
    var twice = 0.0
    for index in 0..<count {
      let (a, b) = (corners[index], corners[index + 1 == count ? 0 : index + 1])
      twice += a.x * b.y - a.y * b.x
    }
    return abs(twice) / 2
  }

  func clipped(to box: Box) -> Polygon {
    clipped { $0.x - box.left }.clipped { box.right - $0.x }.clipped { $0.y - box.top }.clipped { box.bottom - $0.y }
  }

  /// The part where `side` is not negative (Sutherland and Hodgman, 1974).
  private func clipped(by side: (Vector) -> Double) -> Polygon {
    var result = Polygon()
    for index in 0..<count {
      let (a, b) = (corners[index], corners[index + 1 == count ? 0 : index + 1])
      let (da, db) = (side(a), side(b))
      if da >= 0 { result.append(a) }
      if (da >= 0) != (db >= 0) {
        let t = da / (da - db)
        result.append(Vector(a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)))
      }
    }
    return result
  }
}
