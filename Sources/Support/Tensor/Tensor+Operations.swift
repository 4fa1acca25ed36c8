// What can be computed with tensors. Shapes broadcast as in NumPy; every result is a new tensor.

internal import CTorch

extension Tensor {
  func unary(_ operation: enpire_unary) -> Tensor { Tensor(owning: enpire_tensor_unary(handle, operation)) }
  private func binary(_ other: Tensor, _ operation: enpire_binary) -> Tensor {
    Tensor(owning: enpire_tensor_binary(handle, other.handle, operation))
  }
  private func affine(_ factor: Double, _ offset: Double) -> Tensor { Tensor(owning: enpire_tensor_affine(handle, factor, offset)) }
  private func reduce(_ operation: enpire_reduction, _ dimension: Int?) -> Tensor {
    Tensor(owning: enpire_tensor_reduce(handle, operation, Int32(dimension ?? -1)))
  }

  public static func + (a: Tensor, b: Tensor) -> Tensor { a.binary(b, enpire_add) }
  public static func - (a: Tensor, b: Tensor) -> Tensor { a.binary(b, enpire_subtract) }
  public static func * (a: Tensor, b: Tensor) -> Tensor { a.binary(b, enpire_multiply) }
  public static func / (a: Tensor, b: Tensor) -> Tensor { a.binary(b, enpire_divide) }
  public static func + (a: Tensor, b: Double) -> Tensor { a.affine(1, b) }
  public static func - (a: Tensor, b: Double) -> Tensor { a.affine(1, -b) }
  public static func * (a: Tensor, b: Double) -> Tensor { a.affine(b, 0) }
  public static func * (a: Double, b: Tensor) -> Tensor { b.affine(a, 0) }
  public static prefix func - (a: Tensor) -> Tensor { a.affine(-1, 0) }

  public var relu: Tensor { unary(enpire_relu) }
  public var silu: Tensor { unary(enpire_silu) }
  public var tanh: Tensor { unary(enpire_tanh) }
  public var exp: Tensor { unary(enpire_exp) }
  public var log: Tensor { unary(enpire_log) }
  public var squared: Tensor { unary(enpire_square) }
  public var magnitude: Tensor { unary(enpire_abs) }
  /// Mean 0 and variance 1 over the last dimension, without gain and offset.
  public var layerNormed: Tensor { Tensor(owning: enpire_tensor_layer_norm(handle)) }

  public func clamped(_ range: ClosedRange<Double>) -> Tensor {
    Tensor(owning: enpire_tensor_clamp(handle, range.lowerBound, range.upperBound))
  }

  /// Over one dimension, which disappears, or over all values.
  public func mean(over dimension: Int? = nil) -> Tensor { reduce(enpire_mean, dimension) }
  public func sum(over dimension: Int? = nil) -> Tensor { reduce(enpire_sum, dimension) }
  public func least(over dimension: Int? = nil) -> Tensor { reduce(enpire_least, dimension) }

  /// x·w + b for x [batch, in], w [in, out], b [out]; or for each member of an ensemble, with the members' dimension before and b [members, 1, out].
  public func linear(_ weight: Tensor, _ bias: Tensor) -> Tensor { Tensor(owning: enpire_tensor_linear(handle, weight.handle, bias.handle)) }

  /// What follows each hidden layer of a perceptron.
  public enum Activation: Sendable { case relu, silu, tanh }

  /// All layers of a perceptron in one operation: what `linear`, `layerNormed` and the activation give one after the other, at less cost.
  /// - Parameter parameters: weight and bias of each layer in turn, as `linear` takes them. An ensemble shows the same [batch, in] to all members.
  public func perceptron(_ parameters: [Tensor], activation: Activation, layerNorm: Bool) -> Tensor {
    let operation =
      switch activation {
      case .relu: enpire_relu
      case .silu: enpire_silu
      case .tanh: enpire_tanh
      }
    return Tensor(owning: enpire_tensor_perceptron(handle, parameters.map(\.handle), Int32(parameters.count), operation, layerNorm))
  }

  /// A draw from a normal, squashed by tanh, where this is what a network says of it, [batch, 2 n]: means, then logarithms of spreads.
  /// - Parameters:
  ///   - noise: [batch, n], from a standard normal.
  ///   - range: which logarithms of spreads there are; those beyond are moved into it, and have no gradient.
  /// - Returns: the action [batch, n] in -1…1, the logarithm of its density [batch, 1], and the mean, squashed, [batch, n].
  public func squashedNormal(noise: Tensor, spreads range: ClosedRange<Double>) -> (action: Tensor, logDensity: Tensor, mean: Tensor) {
    var results: [OpaquePointer?] = [nil, nil, nil]
    Self.check(enpire_tensor_squashed_normal(handle, noise.handle, range.lowerBound, range.upperBound, &results))
    return (Tensor(owning: results[0]), Tensor(owning: results[1]), Tensor(owning: results[2]))
  }

  public func slice(_ range: Range<Int>, of dimension: Int) -> Tensor {
    Tensor(owning: enpire_tensor_slice(handle, Int32(dimension), Int64(range.lowerBound), Int64(range.upperBound)))
  }

  /// The same values in the same order, in another shape.
  public func reshaped(_ shape: [Int]) -> Tensor { Tensor(owning: enpire_tensor_reshape(handle, shape.map(Int64.init), Int32(shape.count))) }

  /// `count` views of the same values along a new first dimension.
  public func repeated(_ count: Int) -> Tensor { Tensor(owning: enpire_tensor_repeat(handle, Int64(count))) }

  public static func concatenate(_ tensors: [Tensor], along dimension: Int) -> Tensor {
    Tensor(
      owning: tensors.map { Optional($0.handle) }.withUnsafeBufferPointer { enpire_tensor_cat($0.baseAddress, Int32($0.count), Int32(dimension)) })
  }

  /// Mean squared difference; the shapes must be equal.
  public func meanSquaredError(to other: Tensor) -> Tensor { Tensor(owning: enpire_tensor_mse(handle, other.handle)) }
}
