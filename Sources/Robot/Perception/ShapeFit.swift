// Fits a shape to the evidence of pixels: Levenberg–Marquardt on the difference between the share of each pixel that the shape
// at a pose should fill and the share seen. It knows neither what the shape is nor what a frame is.

internal import Foundation

/// What a fit found: parameters, how well they explain the pixels, and how sure that makes them.
struct Fit {
  /// x, y and, for a shape that turns, angle.
  var parameters: [Double]
  /// Mean squared difference over the pixels compared, 0…1.
  var cost: Double
  /// Standard deviations of the parameters, from the curvature of the cost.
  var deviations: [Double]
}

/// A shape at one pose.
protocol Outline {
  /// From its parameters.
  init(_ parameters: [Double])
  /// Signed distance of a point from the outline, negative inside, and its derivatives by the parameters.
  func distance(_ x: Double, _ y: Double) -> (distance: Double, slope: SIMD4<Double>)
}

/// One pixel's place and evidence.
struct Sample {
  var x: Double
  var y: Double
  var share: Double
}

enum ShapeFit {
  /// - Parameters:
  ///   - start: parameters to begin with; two or three.
  ///   - samples: the pixels to explain.
  ///   - width: over how many units an edge goes from full to empty; wide ones attract from afar, narrow ones are exact.
  static func fit<Shape: Outline>(_ shape: Shape.Type, from start: [Double], to samples: [Sample], width: Double, iterations: Int) -> Fit {
    let count = start.count
    var best = start
    var normal = equations(Shape(best), samples, width)
    var damping = 1e-3
    for _ in 0..<iterations {
      guard let step = solve(normal.matrix, normal.vector, count, damping: damping) else { break }
      var candidate = best
      for index in 0..<count { candidate[index] += step[index] }
      let next = equations(Shape(candidate), samples, width)
      if next.cost < normal.cost {
        let gain = normal.cost - next.cost
        (best, normal) = (candidate, next)
        damping = max(1e-6, damping / 8)
        if gain < 1e-5 * normal.cost { break }
      } else {
        damping *= 8
        if damping > 1e3 { break }
      }
    }
    let variance = normal.cost / Double(max(1, normal.edges - count))
    let deviations = (0..<count).map { index -> Double in
      var unit = SIMD4<Double>()
      unit[index] = 1
      return solve(normal.matrix, unit, count, damping: 1e-12).map { ($0[index] * variance).squareRoot() } ?? .infinity
    }
    return Fit(parameters: best, cost: normal.cost / Double(max(1, samples.count)), deviations: deviations)
  }

  /// Sum of squared differences for one pose, without derivatives.
  static func cost(_ samples: [Sample], width: Double, _ shape: some Outline) -> Double {
    var cost = 0.0
    for sample in samples {
      let share = min(1, max(0, 0.5 - shape.distance(sample.x, sample.y).distance / width))
      cost += (share - sample.share) * (share - sample.share)
    }
    return cost
  }

  private struct Equations {
    var cost = 0.0
    /// Pixels on an edge of the shape: the only ones that say where it is.
    var edges = 0
    var matrix = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
    var vector = SIMD4<Double>()
  }

  private static func equations(_ shape: some Outline, _ samples: [Sample], _ width: Double) -> Equations {
    var sums = Equations()
    for sample in samples {
      let (signed, gradient) = shape.distance(sample.x, sample.y)
      let raw = 0.5 - signed / width
      let difference = min(1, max(0, raw)) - sample.share
      sums.cost += difference * difference
      guard raw > 0, raw < 1 else { continue }
      sums.edges += 1
      let slope = gradient * (-1 / width)
      sums.matrix.0 += slope * slope.x
      sums.matrix.1 += slope * slope.y
      sums.matrix.2 += slope * slope.z
      sums.vector -= slope * difference
    }
    return sums
  }

  /// Solves the damped normal equations of two or three unknowns by Cramer's rule; nil if they are singular.
  private static func solve(
    _ matrix: (SIMD4<Double>, SIMD4<Double>, SIMD4<Double>), _ vector: SIMD4<Double>, _ count: Int, damping: Double
  ) -> SIMD4<Double>? {
    var (a, b, c) = matrix
    a.x *= 1 + damping
    b.y *= 1 + damping
    c.z = count == 3 ? c.z * (1 + damping) : 1
    func determinant(_ a: SIMD4<Double>, _ b: SIMD4<Double>, _ c: SIMD4<Double>) -> Double {
      a.x * (b.y * c.z - b.z * c.y) - b.x * (a.y * c.z - a.z * c.y) + c.x * (a.y * b.z - a.z * b.y)
    }
    let whole = determinant(a, b, c)
    guard whole.isFinite, abs(whole) > 1e-300 else { return nil }
    return SIMD4(determinant(vector, b, c) / whole, determinant(a, vector, c) / whole, determinant(a, b, vector) / whole, 0)
  }
}
