// Acts by a learned policy, one observation at a time, in plain Swift: starts without libtorch and costs some ten microseconds a step.
// It knows no environment. For one thread at a time.

internal import Foundation
internal import Hashing

public final class LearnedActor {
  public let policy: LearnedPolicy
  private var window: [[Double]] = []
  private var lastAction: [Double]?
  /// What was said in the last steps, newest first: absolute actions, the present one of that step first.
  private var said: [[[Double]]] = []
  /// What a flow starts from: one draw an episode, so that it keeps to one way of doing the task.
  private var noise: [Float] = []

  public init(_ policy: LearnedPolicy) { self.policy = policy }
  public convenience init(directory: String) throws { self.init(try LearnedPolicy(directory: directory)) }

  /// Forgets the last episode.
  public func reset() {
    window = []
    lastAction = nil
    said = []
    noise = []
  }

  /// The action for this observation, of all that was said about it: the newest counts most (temporal ensembling, Zhao et al., 2023).
  public func act(_ observation: [Double]) -> [Double] {
    window.insert(observation, at: 0)
    if window.count > policy.features.history { window.removeLast() }
    let features = policy.features.values(window: window, lastAction: lastAction)
    if policy.flowSteps > 0, noise.isEmpty {
      var stream = RandomStream("flow", "\(policy.seed)", "\(observation)")
      noise = policy.output.mean.map { _ in Float(stream.normal()) }
    }
    let output = policy.output.undo(policy.say(policy.input.apply(features), from: noise))
    let size = policy.features.actionSize
    said.insert(
      (0..<policy.chunk).map { step in
        policy.features.action((0..<size).map { Double(output[step * size + $0]) }, at: observation)
      }, at: 0)
    if said.count > policy.chunk { said.removeLast() }
    var action = [Double](repeating: 0, count: size), total = 0.0
    for (age, chunk) in said.enumerated() {
      let weight = exp(-policy.ensembling * Double(age))
      total += weight
      for column in 0..<size { action[column] += weight * chunk[age][column] }
    }
    action = action.map { $0 / total }
    lastAction = action
    return action
  }
}

extension LearnedPolicy {
  /// What is said, scaled, about scaled features; by a flow, from this noise.
  func say(_ features: [Float], from noise: [Float]) -> [Float] {
    guard flowSteps > 0 else { return forward(features) }
    var x = noise
    for step in 0..<flowSteps {
      let velocity = forward(features + x + FlowTime.features(Double(step) / Double(flowSteps)))
      for k in x.indices { x[k] += velocity[k] / Float(flowSteps) }
    }
    return x
  }

  /// The network's output for one scaled input.
  func forward(_ input: [Float]) -> [Float] {
    var x = input
    for (index, layer) in layers.enumerated() {
      var y = layer.bias
      layer.weight.withUnsafeBufferPointer { weight in
        y.withUnsafeMutableBufferPointer { y in
          for row in 0..<layer.inputs where x[row] != 0 {
            let (factor, start) = (x[row], row * layer.outputs)
            for column in 0..<layer.outputs { y[column] += factor * weight[start + column] }
          }
        }
      }
      if index < layers.count - 1 {
        if network.layerNorm { Self.normalise(&y) }
        switch network.activation {
        case .relu: for k in y.indices { y[k] = max(0, y[k]) }
        case .silu: for k in y.indices { y[k] /= 1 + exp(-y[k]) }
        case .tanh: for k in y.indices { y[k] = tanh(y[k]) }
        }
      }
      x = y
    }
    return squashed ? x.map { tanh($0) } : x
  }

  private static func normalise(_ y: inout [Float]) {
    let mean = y.reduce(0, +) / Float(y.count)
    let variance = y.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(y.count)
    let scale = 1 / (variance + 1e-5).squareRoot()
    for k in y.indices { y[k] = (y[k] - mean) * scale }
  }
}
