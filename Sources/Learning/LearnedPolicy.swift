// A trained policy as a directory: policy.json (what it sees, how it is scaled, its network) and weights.safetensors.
// It knows no task beyond the name; acting is LearnedActor's business.

internal import Foundation
internal import JSON

public struct LearnedPolicy: Sendable {
  public var task: String
  /// "bc" or "rl".
  public var regime: String
  public var seed: Int
  public var features: Features
  /// Features to the network's input; the network's output to labels.
  public var input: Scaling
  public var output: Scaling
  /// Whether the output passes through tanh before scaling.
  public var squashed: Bool
  /// Future actions in one output, the present one first.
  public var chunk: Int
  /// Weight exp(-ensembling · age) of what was said `age` steps ago about the present action.
  public var ensembling: Double
  /// Of a chunk, actions carried out before the next is said. With more than one, older words do not count.
  public var execute: Int
  /// Euler steps from noise to actions for a policy trained by flow matching; 0 for one that says them directly.
  public var flowSteps: Int
  /// Chunks after which a flow starts from new noise; 0: once an episode.
  public var redraw: Int
  /// Spread of the noise a flow starts from when it acts: 1 draws as it was trained, 0 starts from the middle always.
  public var start: Double
  /// Chunks said at once with their likelihoods, of which the likeliest is done.
  public var modes: Int
  /// Whether a chunk is drawn by its likelihood instead.
  public var draws: Bool
  /// Whether what is said is added to the action of another policy, which is shown to the network too.
  public var residual: Bool
  public var network: NetworkShape
  /// Networks whose words are averaged.
  public var members: Int
  /// Layer by layer: weight [in, out] row by row, bias; of several members one after the other.
  public var layers: [Layer]

  public struct Layer: Sendable, Equatable {
    public var inputs: Int
    public var outputs: Int
    public var weight: [Float]
    public var bias: [Float]
  }

  public init(
    task: String, regime: String, seed: Int, features: Features, input: Scaling, output: Scaling, squashed: Bool, chunk: Int, ensembling: Double,
    execute: Int = 1, flowSteps: Int = 0, redraw: Int = 0, start: Double = 1, modes: Int = 1, draws: Bool = false, residual: Bool = false,
    network: Network, outputs: Int
  ) {
    self.task = task
    self.regime = regime
    self.seed = seed
    self.features = features
    self.input = input
    self.output = output
    self.squashed = squashed
    self.chunk = chunk
    self.ensembling = ensembling
    self.execute = execute
    self.flowSteps = flowSteps
    self.redraw = redraw
    self.start = start
    self.modes = modes
    self.draws = draws
    self.residual = residual
    self.network = network.shape
    members = network.members
    let parameters = network.parameters
    layers = (0..<parameters.count / 2).map { index in
      let shape = parameters[2 * index].shape.suffix(2)
      return Layer(inputs: shape.first!, outputs: shape.last!, weight: parameters[2 * index].values, bias: parameters[2 * index + 1].values)
    }
    layers[layers.count - 1].keepOutputs(outputs)
  }
}

extension LearnedPolicy.Layer {
  /// Drops all outputs but the first `count`: an actor's spread is of use in training only.
  mutating func keepOutputs(_ count: Int) {
    guard count < outputs else { return }
    weight = (0..<inputs).flatMap { weight[$0 * outputs..<$0 * outputs + count] }
    bias = Array(bias.prefix(count))
    outputs = count
  }
}

extension LearnedPolicy {
  /// Numbers of the observations it is for.
  public var observationSize: Int { Self.observationSize(features, input, residual: residual) ?? 0 }

  private static func observationSize(_ features: Features, _ input: Scaling, residual: Bool) -> Int? {
    features.observationSize(shown: input.mean.count - (residual ? features.actionSize : 0))
  }

  public func write(directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    var json: JSON = [
      "policy": 1, "task": .string(task), "regime": .string(regime), "seed": .integer(seed),
      "features": features.json, "input": input.json, "output": output.json, "squashed": .bool(squashed),
      "chunk": .integer(chunk), "ensembling": .number(ensembling), "execute": .integer(execute), "flow_steps": .integer(flowSteps),
      "redraw": .integer(redraw), "start": .number(start), "modes": .integer(modes), "draws": .bool(draws),
      "residual": .bool(residual), "network": network.json,
      "weights": "weights.safetensors",
    ]
    if members > 1 { json["members"] = .integer(members) }
    try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/policy.json"))
    var file = SafeTensors()
    let several = members > 1 ? [members] : []
    for (index, layer) in layers.enumerated() {
      file.entries["layers.\(index).weight"] = .init(shape: several + [layer.inputs, layer.outputs], values: layer.weight)
      file.entries["layers.\(index).bias"] = .init(shape: several + [layer.outputs], values: layer.bias)
    }
    try file.write(to: directory + "/weights.safetensors")
  }

  public init(directory: String) throws {
    func fail(_ problem: String) -> LearningError { LearningError("policy \(directory): \(problem)") }
    guard let data = FileManager.default.contents(atPath: directory + "/policy.json"), let json = try? JSON(parsing: data) else {
      throw fail("has no policy.json that can be read")
    }
    guard json["policy"]?.int == 1 else { throw fail("is not a policy of version 1") }
    guard let task = json["task"]?.string, let regime = json["regime"]?.string, let features = Features(json["features"]),
      let input = Scaling(json["input"]), let output = Scaling(json["output"]), let squashed = json["squashed"]?.bool,
      let chunk = json["chunk"]?.int, chunk >= 1, let network = NetworkShape(json["network"])
    else { throw fail("its policy.json lacks what a learned policy needs") }
    self.task = task
    self.regime = regime
    seed = json["seed"]?.int ?? 0
    (self.features, self.input, self.output, self.squashed, self.chunk, self.network) = (features, input, output, squashed, chunk, network)
    ensembling = json["ensembling"]?.double ?? 0
    execute = json["execute"]?.int ?? 1
    flowSteps = json["flow_steps"]?.int ?? 0
    redraw = json["redraw"]?.int ?? 0
    start = json["start"]?.double ?? 1
    modes = json["modes"]?.int ?? 1
    draws = json["draws"]?.bool ?? false
    residual = json["residual"]?.bool ?? false
    members = json["members"]?.int ?? 1
    guard 1...chunk ~= execute, flowSteps >= 0, redraw >= 0, start >= 0, modes >= 1, modes == 1 || flowSteps == 0,
      members >= 1, members == 1 || modes == 1 && flowSteps == 0
    else { throw fail("its policy.json has 'execute', 'flow_steps', 'redraw', 'start', 'modes' or 'members' out of range") }
    guard let observation = Self.observationSize(features, input, residual: residual) else {
      throw fail("its policy.json has an 'input' of \(input.mean.count) numbers, which its 'features' make of no observation")
    }
    guard features.actionSize > 0, features.fits(observation: observation) else {
      throw fail("its policy.json has 'features' that do not fit observations of \(observation) numbers and actions of \(features.actionSize)")
    }
    let several = members > 1 ? [members] : []
    let file = try SafeTensors(contentsOf: directory + "/weights.safetensors")
    layers = try (0...network.hidden.count).map { index in
      guard let weight = file.entries["layers.\(index).weight"], let bias = file.entries["layers.\(index).bias"],
        weight.shape.count == several.count + 2, Array(weight.shape.dropLast(2)) == several, bias.shape == several + [weight.shape.last!]
      else { throw fail("layer \(index) is missing or has the wrong shape") }
      return Layer(inputs: weight.shape[several.count], outputs: weight.shape.last!, weight: weight.values, bias: bias.values)
    }
    let flowInputs = flowSteps > 0 ? output.mean.count + FlowTime.size : 0
    guard chunk <= output.mean.count, output.mean.count == chunk * features.actionSize, modes <= layers.last!.outputs,
      layers[0].inputs == input.mean.count + flowInputs, layers.last!.outputs == Modes.outputs(modes, output.mean.count),
      zip(layers, layers.dropFirst()).allSatisfy({ $0.outputs == $1.inputs })
    else { throw fail("its weights do not fit its policy.json") }
  }
}
