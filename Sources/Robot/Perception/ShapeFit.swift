// Fits a shape to the evidence of pixels: Levenberg–Marquardt on the difference between the share of each pixel that the shape
// at a pose should fill and the share seen. It knows neither what the shape is nor what a frame is.

internal import Foundation

/// What a fit found: parameters, how well they explain the pixels, and how sure that makes them.
struct Fit {
  /// x, y and what else the shape has: an angle, a size.
  var parameters: [Double]
  /// Mean squared difference over the pixels compared, 0…1.
  var cost: Double
  /// Standard deviations of the parameters, from the curvature of the cost.
  var deviations: [Double]
  /// What is known now of the parameter of which something was known before.
  var posterior: Prior
}

/// What is known of a parameter before a frame is looked at.
struct Prior {
  var index: Int
  var mean: Double
  var deviation: Double

  /// Taken for the deviation of an edge pixel's share. Edges are drawn on whole units, so pixels on one err together, and many of them say less
  /// than they would alone: this is much more than a pixel's own noise.
  private static let noise = 0.6
  /// Of a squared difference from the mean beside the pixels' squared differences.
  fileprivate var weight: Double { Self.noise * Self.noise / (deviation * deviation) }

  /// - Parameter spread: of the parameter, for pixels of unit noise.
  fileprivate func known(as mean: Double, spread: Double) -> Prior {
    Prior(index: index, mean: mean, deviation: min(deviation, max(Self.least, Self.noise * spread)))
  }
  /// What a few bad frames made sure of can be unlearnt.
  private static let least = 0.02
}

/// A shape at one pose.
protocol Outline {
  /// From its parameters.
  init(_ parameters: [Double])
  /// Signed distance of a point from the outline, negative inside.
  func distance(_ x: Double, _ y: Double) -> Double
  /// Its derivatives by the parameters.
  func slope(_ x: Double, _ y: Double) -> SIMD4<Double>
}

/// One pixel's place and evidence.
struct Sample {
  var x: Double
  var y: Double
  var share: Double
  /// How much evidence the shape's rim gives where it fills a pixel whole, of which at most 1 is seen. `DrawnTee` has it in its reach.
  var gain = 1.0
}

enum ShapeFit {
  /// - Parameters:
  ///   - start: parameters to begin with; at most four.
  ///   - samples: the pixels to explain.
  ///   - width: over how many units an edge goes from full to empty; wide ones attract from afar, narrow ones are exact.
  static func fit<Shape: Outline>(
    _ shape: Shape.Type, from start: [Double], to samples: [Sample], width: Double, iterations: Int, prior: Prior
  ) -> Fit {
    let count = start.count
    func equations(_ parameters: [Double]) -> Equations {
      var sums = Equations(Shape(parameters), samples, width)
      sums.add(prior, parameters)
      return sums
    }
    var best = start
    var normal = equations(best)
    var damping = 1e-3
    for _ in 0..<iterations {
      guard let step = normal.solution(of: normal.vector, count, damping: damping) else { break }
      var candidate = best
      for index in 0..<count { candidate[index] += step[index] }
      let next = equations(candidate)
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
    let spreads = (0..<count).map { index -> Double in
      var unit = SIMD4<Double>()
      unit[index] = 1
      return normal.solution(of: unit, count, damping: 1e-12).map { $0[index].squareRoot() } ?? .infinity
    }
    let deviation = (normal.pixels / Double(max(1, normal.edges - count))).squareRoot()
    return Fit(
      parameters: best, cost: normal.pixels / Double(max(1, samples.count)), deviations: spreads.map { $0 * deviation },
      posterior: prior.known(as: best[prior.index], spread: spreads[prior.index]))
  }

  /// Sum of squared differences for one pose, without derivatives.
  static func cost(_ samples: [Sample], width: Double, _ shape: some Outline) -> Double {
    var cost = 0.0
    for sample in samples {
      let share = min(1, max(0, 0.5 - shape.distance(sample.x, sample.y) / width))
      cost += (share - sample.share) * (share - sample.share)
    }
    return cost
  }

  /// Normal equations of one pose.
  private struct Equations {
    /// The pixels' squared differences alone, and with what the prior adds.
    var pixels = 0.0
    var cost = 0.0
    /// Pixels on an edge of the shape: the only ones that say where it is.
    var edges = 0
    var matrix = InlineArray<4, SIMD4<Double>>(repeating: SIMD4())
    var vector = SIMD4<Double>()

    init(_ shape: some Outline, _ samples: [Sample], _ width: Double) {
      for sample in samples {
        let raw = 0.5 - shape.distance(sample.x, sample.y) / width
        let difference = min(1, max(0, raw)) - sample.share
        pixels += difference * difference
        guard raw > 0, raw < 1 else { continue }
        edges += 1
        let slope = shape.slope(sample.x, sample.y) * (-1 / width)
        for row in 0..<4 { matrix[row] += slope * slope[row] }
        vector -= slope * difference
      }
      cost = pixels
    }

    mutating func add(_ prior: Prior, _ parameters: [Double]) {
      let off = parameters[prior.index] - prior.mean
      cost += prior.weight * off * off
      matrix[prior.index][prior.index] += prior.weight
      vector[prior.index] -= prior.weight * off
    }

    /// Solves the damped equations of the first `count` unknowns by elimination; nil if they are singular.
    func solution(of vector: SIMD4<Double>, _ count: Int, damping: Double) -> SIMD4<Double>? {
      var (rows, right) = (matrix, vector)
      for index in 0..<4 { rows[index][index] = index < count ? rows[index][index] * (1 + damping) : 1 }
      for pivot in 0..<4 {
        guard rows[pivot][pivot].isFinite, rows[pivot][pivot] > 1e-12 else { return nil }
        for row in pivot + 1..<4 {
          let factor = rows[row][pivot] / rows[pivot][pivot]
          rows[row] -= rows[pivot] * factor
          right[row] -= right[pivot] * factor
        }
      }
      var solution = SIMD4<Double>()
      for row in (0..<4).reversed() { solution[row] = (right[row] - (rows[row] * solution).sum()) / rows[row][row] }
      return solution
    }
  }
}
