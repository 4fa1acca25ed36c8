// A multi-layer perceptron over tensors, alone or as an ensemble whose members are computed together.
// It knows no algorithm; weights are drawn from a stream, so a seed gives the same network everywhere.

public import Hashing
public import JSON
public import Tensor

/// The shape of a network between its input and its output.
public struct NetworkShape: Sendable, Hashable {
  public enum Activation: String, Sendable, CaseIterable { case relu, silu, tanh }

  /// Units of each hidden layer.
  public var hidden: [Int]
  public var activation: Activation
  /// Normalises each hidden layer before its activation (Ball et al., 2023, against runaway critics).
  public var layerNorm: Bool

  public init(hidden: [Int], activation: Activation = .relu, layerNorm: Bool = false) {
    (self.hidden, self.activation, self.layerNorm) = (hidden, activation, layerNorm)
  }

  public var json: JSON {
    ["hidden": .array(hidden.map { .integer($0) }), "activation": .string(activation.rawValue), "layer_norm": .bool(layerNorm)]
  }

  public init?(_ json: JSON?) {
    guard let hidden = json?["hidden"]?.array?.compactMap(\.int), let activation = json?["activation"]?.string.flatMap(Activation.init),
      let layerNorm = json?["layer_norm"]?.bool
    else { return nil }
    self.init(hidden: hidden, activation: activation, layerNorm: layerNorm)
  }
}

public final class Network {
  public let shape: NetworkShape
  public let members: Int
  /// Weight and bias of each layer in turn: [in, out] and [out], or [members, in, out] and [members, 1, out].
  public let parameters: [Tensor]

  /// Draws weights uniformly within ±√(3/in) (variance 1/in) and zero biases; the last layer is `lastGain` times as large.
  public init(input: Int, output: Int, shape: NetworkShape, members: Int = 1, lastGain: Double = 1, from stream: inout RandomStream) {
    self.shape = shape
    self.members = members
    let sizes = [input] + shape.hidden + [output]
    var parameters: [Tensor] = []
    for (layer, (rows, columns)) in zip(sizes, sizes.dropFirst()).enumerated() {
      let bound = (3 / Double(rows)).squareRoot() * (layer == sizes.count - 2 ? lastGain : 1)
      let weights = (0..<members * rows * columns).map { _ in Float(stream.uniform(-bound...bound)) }
      parameters.append(Tensor(weights, shape: members == 1 ? [rows, columns] : [members, rows, columns]).requiringGradient())
      parameters.append(Tensor(zeros: members == 1 ? [columns] : [members, 1, columns]).requiringGradient())
    }
    self.parameters = parameters
  }

  private init(copying other: Network) {
    (shape, members) = (other.shape, other.members)
    parameters = other.parameters.map { Tensor($0.values, shape: $0.shape) }
  }

  /// A policy's network, to be trained further.
  init(of policy: LearnedPolicy) {
    (shape, members) = (policy.network, policy.members)
    let several = policy.members > 1
    parameters = policy.layers.flatMap { layer in
      [
        Tensor(layer.weight, shape: several ? [policy.members, layer.inputs, layer.outputs] : [layer.inputs, layer.outputs]).requiringGradient(),
        Tensor(layer.bias, shape: several ? [policy.members, 1, layer.outputs] : [layer.outputs]).requiringGradient(),
      ]
    }
  }

  /// The same values in tensors of their own, which no gradient reaches: a target or an average.
  public func copy() -> Network { Network(copying: self) }

  /// - Parameters:
  ///   - x: [batch, in]; every member of an ensemble sees the same.
  ///   - frozen: whether gradients flow to the input only, not to the weights.
  /// - Returns: [batch, out], or [members, batch, out].
  public func callAsFunction(_ x: Tensor, frozen: Bool = false) -> Tensor {
    let parameters = frozen ? self.parameters.map(\.detached) : self.parameters
    return x.perceptron(parameters, activation: shape.activation.ofTensors, layerNorm: shape.layerNorm)
  }

  /// `layers.0.weight`, `layers.0.bias`, …
  public var names: [String] { parameters.indices.map { "layers.\($0 / 2)." + ($0 % 2 == 0 ? "weight" : "bias") } }
}

extension NetworkShape.Activation {
  fileprivate var ofTensors: Tensor.Activation {
    switch self {
    case .relu: .relu
    case .silu: .silu
    case .tanh: .tanh
    }
  }
}
