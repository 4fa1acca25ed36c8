// Brings columns of numbers to mean 0 and spread 1, and back. Measured once on training data and kept with the policy.

internal import Foundation
public import JSON

public struct Scaling: Sendable, Equatable {
  public var mean: [Float]
  /// Never 0.
  public var spread: [Float]

  public init(mean: [Float], spread: [Float]) { (self.mean, self.spread) = (mean, spread) }

  /// Mean and standard deviation of each column; a column that hardly varies keeps the spread 1.
  public init(measuring rows: some Collection<[Float]>) {
    let width = rows.first?.count ?? 0
    var sum = [Double](repeating: 0, count: width), squares = sum
    for row in rows { for column in 0..<width { sum[column] += Double(row[column]) } }
    let count = Double(max(1, rows.count))
    for row in rows { for column in 0..<width { squares[column] += pow(Double(row[column]) - sum[column] / count, 2) } }
    mean = sum.map { Float($0 / count) }
    spread = squares.map {
      let deviation = ($0 / count).squareRoot(); return deviation < 1e-6 ? 1 : Float(deviation)
    }
  }

  public func apply(_ row: [Float]) -> [Float] { row.indices.map { (row[$0] - mean[$0]) / spread[$0] } }
  public func undo(_ row: [Float]) -> [Float] { row.indices.map { row[$0] * spread[$0] + mean[$0] } }

  public var json: JSON { ["mean": .array(mean.map { .number(Double($0)) }), "spread": .array(spread.map { .number(Double($0)) })] }

  public init?(_ json: JSON?) {
    guard let mean = json?["mean"]?.array?.compactMap(\.double), let spread = json?["spread"]?.array?.compactMap(\.double),
      mean.count == spread.count, spread.allSatisfy({ $0 > 0 })
    else { return nil }
    self.init(mean: mean.map(Float.init), spread: spread.map(Float.init))
  }
}

// Foundation's functions by the words used here.
func cosine(_ x: Double) -> Double { cos(x) }
func sine(_ x: Double) -> Double { sin(x) }
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
func naturalExponential(_ x: Double) -> Double { exp(x) }
/// The decimal exponent of a value that is not 0.
func magnitudeOf(_ x: Double) -> Double { log10(abs(x)).rounded(.down) }
func naturalLogarithm(_ x: Double) -> Double { log(x) }
