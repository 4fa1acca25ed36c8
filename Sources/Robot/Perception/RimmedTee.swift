// The T as a camera shows it: its outline with the rim around it, alike on all sides.

internal import Foundation

struct RimmedTee: Outline {
  let pose: TeePose
  private let (sine, cosine): (Double, Double)
  /// What a polygon's border pixels add to the rim, units.
  private static let border = 0.08
  private static let reach = PushTRenderer.rim + border

  /// From x, y, angle and the T's unit.
  init(_ parameters: [Double]) {
    pose = TeePose(x: parameters[0], y: parameters[1], angle: parameters[2], size: parameters[3])
    (sine, cosine) = (sin(pose.angle), cos(pose.angle))
  }

  /// The nominal T's distance at a point of the body's frame, as if the T were nominal.
  @inline(__always) private func nominal(_ x: Double, _ y: Double) -> (distance: Double, du: Double, dv: Double, u: Double, v: Double) {
    let (dx, dy) = (x - pose.x, y - pose.y)
    let unit = Tee.size / pose.size
    let (u, v) = ((cosine * dx + sine * dy) * unit, (cosine * dy - sine * dx) * unit)
    let (distance, du, dv) = Tee.distance(u, v)
    return (distance, du, dv, u, v)
  }

  @inline(__always) func distance(_ x: Double, _ y: Double) -> Double { nominal(x, y).distance * pose.size / Tee.size - Self.reach }

  func slope(_ x: Double, _ y: Double) -> SIMD4<Double> {
    let (distance, du, dv, u, v) = nominal(x, y)
    let scale = pose.size / Tee.size
    // By the size: s·d(p/s) grows by d − ∇d·p over the nominal unit.
    return SIMD4(sine * dv - cosine * du, -sine * du - cosine * dv, (du * v - dv * u) * scale, (distance - du * u - dv * v) / Tee.size)
  }
}
