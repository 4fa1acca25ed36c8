// Acts by a learned policy, one observation at a time, without libtorch's operations: it costs some ten microseconds a step. It knows no
// environment. For one thread at a time.

internal import Foundation
internal import Hashing
internal import Tensor

public final class LearnedActor {
  /// A policy under a residual one.
  public struct Base {
    public var reset: () -> Void
    public var act: ([Double]) throws -> [Double]
    /// Told what was done in the end: its own action and the residual.
    public var carriedOut: ([Double]) -> Void

    public init(
      reset: @escaping () -> Void, act: @escaping ([Double]) throws -> [Double], carriedOut: @escaping ([Double]) -> Void = { _ in }
    ) {
      (self.reset, self.act, self.carriedOut) = (reset, act, carriedOut)
    }
  }

  public let policy: LearnedPolicy
  private let base: Base?
  private var window: [[Double]] = []
  private var lastAction: [Double]?
  /// What was said in the last steps, newest first: absolute actions, the present one of that step first.
  private var said: [[[Double]]] = []
  /// Steps into the newest chunk, and chunks said, in this episode.
  private var position = 0, chunks = 0
  /// What a flow starts from: kept for a while, so that it keeps to one way of doing the task.
  private var noise: [Float] = []
  private var stream = RandomStream(seed: 0)

  /// A residual policy needs its base.
  public init(_ policy: LearnedPolicy, base: Base? = nil) {
    precondition(policy.residual == (base != nil), "a base belongs to a residual policy, and to no other")
    (self.policy, self.base) = (policy, base)
  }
  public convenience init(directory: String, base: Base? = nil) throws {
    let policy = try LearnedPolicy(directory: directory)
    guard policy.residual == (base != nil) else {
      throw LearningError("policy \(directory): " + (policy.residual ? "is a residual and has no base" : "has a base and is no residual"))
    }
    self.init(policy, base: base)
  }

  /// Forgets the last episode.
  public func reset() {
    base?.reset()
    window = []
    lastAction = nil
    said = []
    noise = []
    (position, chunks) = (0, 0)
  }

  /// The action for this observation, of all that was said about it: the newest counts most (temporal ensembling, Zhao et al., 2023).
  /// Throws what the base throws.
  public func act(_ observation: [Double]) throws -> [Double] {
    window.insert(observation, at: 0)
    if window.count > policy.features.history { window.removeLast() }
    if policy.execute > 1, 1..<policy.execute ~= position {
      let action = said[0][position]
      position = (position + 1) % policy.execute
      lastAction = action
      return action
    }
    let (features, under) = try policy.features.look(window, lastAction: lastAction, over: base)
    let output = policy.output.undo(policy.say(policy.input.apply(features), from: start(observation), chance: chance(observation)))
    let size = policy.features.actionSize
    said.insert(
      (0..<policy.chunk).map { step in
        let label = (0..<size).map { Double(output[step * size + $0]) }
        return policy.features.action(label, at: observation, over: under)
      }, at: 0)
    chunks += 1
    position = policy.execute > 1 ? 1 : 0
    if said.count > (policy.execute > 1 ? 1 : policy.chunk) { said.removeLast() }
    var action = [Double](repeating: 0, count: size), total = 0.0
    for (age, chunk) in said.enumerated() {
      let weight = exp(-policy.ensembling * Double(age))
      total += weight
      for column in 0..<size { action[column] += weight * chunk[age][column] }
    }
    action = action.map { $0 / total }
    carriedOut(action)
    return action
  }

  /// Another action was carried out than the last one said, as by who adds something to it.
  public func carriedOut(_ action: [Double]) {
    lastAction = action
    base?.carriedOut(action)
  }

  /// What decides between several chunks, if chance does: in 0..<1.
  private func chance(_ observation: [Double]) -> Double? {
    guard policy.draws else { return nil }
    if chunks == 0 { stream = RandomStream("modes", "\(policy.seed)", "\(observation)") }
    return stream.uniform()
  }

  /// What a flow starts from, drawn anew when it is time.
  private func start(_ observation: [Double]) -> [Float] {
    guard policy.flowSteps > 0 else { return [] }
    if chunks == 0 { stream = RandomStream("flow", "\(policy.seed)", "\(observation)") }
    if noise.isEmpty || policy.redraw > 0 && chunks % policy.redraw == 0 {
      noise = policy.output.mean.map { _ in Float(policy.start * stream.normal()) }
    }
    return noise
  }
}

extension Features {
  /// What is shown for the newest observation of the window, its base's action too, and that action.
  func look(_ window: [[Double]], lastAction: [Double]?, over base: LearnedActor.Base?) throws -> (seen: [Float], under: [Double]?) {
    let seen = values(window: window, lastAction: lastAction)
    guard let base else { return (seen, nil) }
    let under = try base.act(window[0])
    return (seen + label(under, at: window[0]).map(Float.init), under)
  }

  /// The action that a label stands for, added to a base's action if there is one, within its bounds.
  func action(_ label: [Double], at observation: [Double], over under: [Double]?) -> [Double] {
    under.map { bounded(zip($0, label).map(+)) } ?? action(label, at: observation)
  }
}

extension LearnedPolicy {
  /// What is said, scaled, about scaled features; by a flow, from this noise; of several chunks, the likeliest or the one that `chance` hits.
  func say(_ features: [Float], from noise: [Float], chance: Double? = nil) -> [Float] {
    guard flowSteps > 0 else { return modes == 1 ? forward(features) : one(of: forward(features), by: chance) }
    var x = noise
    for step in 0..<flowSteps {
      var shown = features + x
      FlowTime.append(Double(step) / Double(flowSteps), to: &shown)
      let velocity = forward(shown)
      for k in x.indices { x[k] += velocity[k] / Float(flowSteps) }
    }
    return x
  }

  private func one(of said: [Float], by chance: Double?) -> [Float] {
    let width = output.mean.count, likely = Array(said[(modes * width)...]), top = likely.max()!
    var mode = likely.firstIndex(of: top) ?? 0
    if let chance {
      let shares = likely.map { exp($0 - top) }
      var left = Float(chance) * shares.reduce(0, +)
      mode =
        shares.firstIndex {
          left -= $0; return left < 0
        } ?? mode
    }
    return Array(said[mode * width..<(mode + 1) * width])
  }

  /// The network's output for one scaled input, the mean of all members'.
  func forward(_ input: [Float]) -> [Float] {
    var said = forward(input, member: 0)
    if members == 1 { return said }
    for member in 1..<members { for (column, word) in forward(input, member: member).enumerated() { said[column] += word } }
    return said.map { $0 / Float(members) }
  }

  private func forward(_ input: [Float], member: Int) -> [Float] {
    var x = input
    for (index, layer) in layers.enumerated() {
      var y = Array(layer.bias[member * layer.outputs..<(member + 1) * layer.outputs])
      let size = layer.inputs * layer.outputs
      layer.weight.withUnsafeBufferPointer { weight in
        addProduct(of: x, and: UnsafeBufferPointer(rebasing: weight[member * size..<(member + 1) * size]), to: &y)
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
