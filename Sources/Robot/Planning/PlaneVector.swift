// The few operations of the plane that the planner's model needs on SIMD2<Double>; y points down as everywhere in Push-T.

package typealias PlaneVector = SIMD2<Double>

extension SIMD2<Double> {
  @inline(__always) func dot(_ other: Self) -> Double { x * other.x + y * other.y }
  @inline(__always) func cross(_ other: Self) -> Double { x * other.y - y * other.x }
  /// Turned by a quarter from x towards y.
  @inline(__always) var turned: Self { Self(-y, x) }
  @inline(__always) var length: Double { (x * x + y * y).squareRoot() }
  /// Turned by the rotation whose cosine and sine are given.
  @inline(__always) func rotated(by r: Self) -> Self { Self(r.x * x - r.y * y, r.y * x + r.x * y) }
  /// Turned back by the rotation whose cosine and sine are given.
  @inline(__always) func unrotated(by r: Self) -> Self { Self(r.x * x + r.y * y, r.x * y - r.y * x) }
}
