// Behaviour cloning: a perceptron learns to say the next few actions of demonstrations from what was seen, directly (their mean)
// or by flow matching (Lipman et al., 2023: one of the ways in which they were done).
// Actions are relative to where the agent is, so displacing the agent in training (augmentation) teaches it to come back.
// It knows no environment; success is measured elsewhere.

internal import Hashing
internal import JSON
internal import Tensor

public enum BehaviourCloning {
  public enum Loss: String, Sendable, CaseIterable { case squared, absolute }

  public struct Settings: Sendable {
    public var network = NetworkShape(hidden: [256, 256, 256], layerNorm: true)
    /// Networks that are trained side by side from other weights; what they say is averaged. How a training turns out varies, their mean less
    /// (Lakshminarayanan et al., 2017). Not with modes or a flow.
    public var members = 1
    /// Actions said at once, and how fast older words fade (LearnedPolicy.ensembling).
    public var chunk = 4
    public var ensembling = 0.7
    /// Of a chunk, actions carried out before the next is said; more than one rules out ensembling.
    public var execute = 1
    public var loss = Loss.squared
    /// Ways of going on that are told apart: chunks said at once, each with its likelihood, of which the likeliest is done; so that two ways that
    /// were shown do not become the mean of both. Not with a flow.
    public var modes = 1
    /// Whether one of them is drawn by its likelihood instead, anew for each chunk.
    public var draws = false
    /// Euler steps of acting by flow matching; 0 to say actions directly.
    public var flowSteps = 0
    /// Chunks after which a flow starts from new noise; 0: once an episode.
    public var redraw = 0
    /// Spread of the noise a flow starts from when it acts, as a share of that in training.
    public var start = 1.0
    public var batch = 256
    public var updates = 20_000
    /// Adam's rate: rises over `warmUp` updates, then falls to zero as a cosine.
    public var rate = 1e-3
    public var warmUp = 200
    public var decay = 1e-4
    /// Largest norm of a gradient; 0 for none.
    public var clip = 1.0
    /// Decay per update of the running average of the weights, which is the policy.
    public var averaging = 0.999
    /// Standard deviation of the shift of each observation column, the same for all the history of a sample; empty for none.
    public var noise: [Double] = []
    /// A mirror that half of the samples are seen in; nil for none.
    public var symmetry: Symmetry?
    /// Share of episodes kept out of training, to measure the loss on.
    public var heldOut = 0.05
    /// Of libtorch and OpenBLAS. The same seed gives the same weights for the same count of threads.
    public var threads = 1

    public init() {}

    /// Whether what it does is drawn, so that it does not do the same from the same start.
    public var isDrawn: Bool { modes > 1 && draws || flowSteps > 0 && start > 0 }
  }

  /// `start`: a policy of the same settings that it goes on from, with its scales.
  public static func train(
    _ data: DataSet, task: String, features: Features, settings: Settings, seed: Int, from start: LearnedPolicy? = nil,
    at site: TrainingSite = TrainingSite()
  ) throws -> Trained {
    guard data.frames > 0 else { throw LearningError("behaviour cloning: the data set holds no frames", hint: "give 'demos' a data set") }
    guard data.actionSize == features.actionSize, features.fits(observation: data.observationSize),
      settings.noise.isEmpty || settings.noise.count == data.observationSize
    else {
      throw LearningError(
        "behaviour cloning: the data set has \(data.observationSize) observation and \(data.actionSize) action columns; the task has others")
    }
    guard settings.execute >= 1, settings.execute <= settings.chunk else {
      throw LearningError(
        "behaviour cloning: of a chunk of \(settings.chunk) actions \(settings.execute) cannot be carried out",
        hint: "set 'execute' to at most 'chunk'")
    }
    guard settings.modes == 1 || settings.flowSteps == 0 else {
      throw LearningError("behaviour cloning: a flow tells ways apart by itself", hint: "set 'modes' to 1 or 'flow_steps' to 0")
    }
    guard settings.members == 1 || settings.modes == 1 && settings.flowSteps == 0 else {
      throw LearningError("behaviour cloning: several networks say one mean", hint: "set 'members' to 1, or 'modes' to 1 and 'flow_steps' to 0")
    }
    Tensor.setThreads(settings.threads)
    return try Run(data: data, task: task, features: features, settings: settings, seed: seed, start: start).train(site)
  }

  private struct Run {
    let task: String, features: Features, settings: Settings, seed: Int, start: LearnedPolicy?
    let observationSize: Int
    let training: [Int], heldOut: [Int]
    let batches: CloningBatches

    init(data: DataSet, task: String, features: Features, settings: Settings, seed: Int, start: LearnedPolicy?) {
      (self.task, self.features, self.settings, self.seed, self.start) = (task, features, settings, seed, start)
      observationSize = data.observationSize
      var stream = RandomStream("bc", "\(seed)", "episodes")
      let order = data.episodes.shuffled(using: &stream)
      let kept = min(order.count - 1, Int((Double(order.count) * settings.heldOut).rounded()))
      heldOut = order.prefix(kept).flatMap(Array.init)
      training = order.dropFirst(kept).flatMap(Array.init).sorted()
      batches = CloningBatches(data, features: features, settings: settings, training: training, scaling: start.map { ($0.input, $0.output) })
    }

    private func loss(_ said: Tensor, _ wanted: Tensor) -> Tensor {
      guard settings.modes == 1 else { return Modes(count: settings.modes, loss: settings.loss).loss(said, wanted) }
      return switch settings.loss {
      case .squared where settings.members > 1: (said - wanted).squared.mean()
      case .squared: said.meanSquaredError(to: wanted)
      case .absolute: (said - wanted).magnitude.mean()
      }
    }

    private func rate(at update: Int) -> Double {
      let rise = min(1, Double(update) / Double(max(1, settings.warmUp)))
      return settings.rate * rise * (1 + cosine(.pi * Double(update - 1) / Double(settings.updates))) / 2
    }

    func train(_ site: TrainingSite) throws -> Trained {
      var stream = RandomStream("bc", "\(seed)", "weights")
      let outputs = settings.chunk * features.actionSize
      let flowInputs = settings.flowSteps > 0 ? outputs + FlowTime.size : 0
      let network =
        start.map(Network.init(of:))
        ?? Network(
          input: features.size(observation: observationSize) + flowInputs, output: Modes.outputs(settings.modes, outputs), shape: settings.network,
          members: settings.members, lastGain: 0.1, from: &stream)
      let average = network.copy()
      let moments = AdamMoments(for: network.parameters)
      var curves = LearningCurves(), done = 0
      if let directory = site.directory, let saved = try Checkpoint(directory: directory) {
        try saved.get("network", into: network.parameters)
        try saved.get("average", into: average.parameters)
        try saved.get("moments", into: moments)
        curves = LearningCurves(saved.state["curves"])
        done = saved.state["updates"]?.int ?? 0
      }
      let reportEvery = max(1, settings.updates / 100)
      let probe = heldOut.isEmpty ? nil : batches.batch(Array(heldOut.shuffled(using: &stream).prefix(2048)), from: &stream, plainly: true)
      var outcome = TrainingOutcome.finished
      while done < settings.updates {
        let update = done + 1
        var stream = RandomStream("bc", "\(seed)", "\(update)")
        let frames = (0..<settings.batch).map { _ in training[stream.index(below: training.count)] }
        let batch = batches.batch(frames, from: &stream)
        let loss = loss(network(batch.input), batch.label)
        let value = loss.item
        // Each member's gradient is its own loss's, and their norm together is bounded as if each had a share of its own.
        (settings.members > 1 ? loss * Double(settings.members) : loss).backward()
        let clip = settings.clip * Double(settings.members).squareRoot()
        let norm = moments.step(network.parameters, number: update, rate: rate(at: update), decay: settings.decay, clip: clip)
        guard value.isFinite, norm.isFinite else {
          outcome = .diverged(update: update)
          curves.add("loss", at: update, value)
          break
        }
        Tensor.blend(average.parameters, towards: network.parameters, by: 1 - min(settings.averaging, Double(update) / Double(update + 9)))
        done = update
        if update % reportEvery == 0 {
          curves.add("loss", at: update, value)
          if let probe { curves.add("held-out loss", at: update, Tensor.unrecorded { self.loss(average(probe.input), probe.label).item }) }
          try site.progress(update, settings.updates, "loss " + brief(value))
        }
        if let directory = site.directory, update % site.every == 0, update < settings.updates {
          var checkpoint = Checkpoint()
          checkpoint.put("network", network.parameters)
          checkpoint.put("average", average.parameters)
          checkpoint.put("moments", moments)
          checkpoint.state = ["updates": .integer(update), "curves": curves.json]
          try checkpoint.write(directory: directory)
        }
      }
      let policy = LearnedPolicy(
        task: task, regime: "bc", seed: seed, features: features, input: batches.input, output: batches.output, squashed: false,
        chunk: settings.chunk,
        ensembling: settings.ensembling, execute: settings.execute, flowSteps: settings.flowSteps, redraw: settings.redraw, start: settings.start,
        modes: settings.modes, draws: settings.draws,
        network: average, outputs: Modes.outputs(settings.modes, outputs))
      return Trained(policy: policy, outcome: outcome, curves: curves, updates: done)
    }
  }
}
