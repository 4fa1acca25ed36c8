// Several chunks said at once, each with its likelihood: a mixture (Bishop, 1994) of distributions of one fixed spread about each chunk.
// It knows no data set; what is likeliest is done, see LearnedActor.swift.

internal import Tensor

struct Modes {
  let count: Int
  let loss: BehaviourCloning.Loss
  /// Spread of what is shown about the nearest chunk, in scaled units.
  static let spread = 0.2

  /// Numbers said: the chunks one after the other, then how likely each is (as logarithms, up to a constant).
  static func outputs(_ modes: Int, _ outputs: Int) -> Int { modes == 1 ? outputs : modes * (outputs + 1) }

  /// The mean negative logarithm of the mixture's density, up to constants, in the units of the plain loss.
  func loss(_ said: Tensor, _ wanted: Tensor) -> Tensor {
    let (rows, width) = (wanted.shape[0], wanted.shape[1])
    let chunks = said.slice(0..<count * width, of: 1).reshaped([rows, count, width])
    let difference = chunks - wanted.reshaped([rows, 1, width])
    let likely = said.slice(count * width..<count * (width + 1), of: 1)
    let (distance, unit) =
      switch loss {
      case .squared: (difference.squared.mean(over: 2), 2 * Self.spread * Self.spread / Double(width))
      case .absolute: (difference.magnitude.mean(over: 2), Self.spread / Double(width))
      }
    return (leastSoftly(distance * (1 / unit) - likely) - leastSoftly(-likely)).mean() * unit
  }

  /// -log Σ exp -x of each row.
  private func leastSoftly(_ x: Tensor) -> Tensor {
    let rows = x.shape[0], least = x.detached.least(over: 1)
    return least - (least.reshaped([rows, 1]) - x).exp.sum(over: 1).log
  }
}
