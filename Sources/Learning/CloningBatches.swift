// What behaviour cloning is shown: a frame with its history, and the actions from it on, mirrored and shifted as chance has it, scaled.
// It knows no network. Everything is kept in flat arrays, because a batch is drawn for every update.

internal import Hashing
internal import Tensor

struct CloningBatches {
  private let features: Features, chunk: Int, flows: Bool
  private let symmetry: Symmetry?
  private let noise: [Double]
  private let observations: [Double], actions: [Double]
  private let observationSize: Int, actionSize: Int
  /// The episode of each frame.
  private let episodeOf: [Range<Int>]
  private(set) var input: Scaling
  private(set) var output: Scaling

  /// Scales that are not given are measured on the frames `training`, and on their mirror images if there is a symmetry.
  init(
    _ data: DataSet, features: Features, settings: BehaviourCloning.Settings, training: [Int], scaling: (input: Scaling, output: Scaling)? = nil
  ) {
    self.features = features
    chunk = settings.chunk
    flows = settings.flowSteps > 0
    symmetry = settings.symmetry
    noise = settings.noise
    observations = data.observations.flatMap { $0 }
    actions = data.actions.flatMap { $0 }
    (observationSize, actionSize) = (data.observationSize, data.actionSize)
    episodeOf = data.episodes.flatMap { Array(repeating: $0, count: $0.count) }
    (input, output) = scaling ?? (Scaling(mean: [], spread: []), Scaling(mean: [], spread: []))
    if scaling != nil { return }
    var inputs: [[Float]] = [], labels: [[Float]] = []
    for frame in training {
      for mirrored in settings.symmetry == nil ? [false] : [false, true] {
        var (input, label): ([Float], [Float]) = ([], [])
        append(frame, mirrored: mirrored, shift: [], &input, &label)
        inputs.append(input)
        labels.append(label)
      }
    }
    input = Scaling(measuring: inputs)
    output = Scaling(measuring: labels)
  }

  /// What is seen at a frame and what should be said, unscaled.
  private func append(_ frame: Int, mirrored: Bool, shift: [Double], _ input: inout [Float], _ label: inout [Float]) {
    let episode = episodeOf[frame]
    let symmetry = mirrored ? symmetry : nil
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * observationSize) { scratch in
      func read(_ row: Int, into out: UnsafeMutableBufferPointer<Double>) {
        let start = row * observationSize
        if let symmetry {
          for (column, from) in symmetry.observation.enumerated() { out[column] = from.factor * observations[start + from.source] + from.offset }
        } else {
          for column in 0..<observationSize { out[column] = observations[start + column] }
        }
        if !shift.isEmpty { for column in 0..<observationSize { out[column] += shift[column] } }
      }
      func action(_ row: Int, _ column: Int) -> Double {
        guard let from = symmetry?.action[column] else { return actions[row * actionSize + column] }
        return from.factor * actions[row * actionSize + from.source] + from.offset
      }
      let now = UnsafeMutableBufferPointer(rebasing: scratch[..<observationSize])
      let then = UnsafeMutableBufferPointer(rebasing: scratch[observationSize...])
      read(frame, into: now)
      features.append(now, age: 0, to: &input)
      for age in 1..<max(1, features.history) {
        read(max(episode.lowerBound, frame - age), into: then)
        features.append(then, age: age, to: &input)
      }
      if features.showsAction {
        for column in 0..<actionSize { input.append(frame > episode.lowerBound ? Float(action(frame - 1, column) - features.base(now, column)) : 0) }
      }
      for step in 0..<chunk {
        let row = min(episode.upperBound - 1, frame + step)
        for column in 0..<actionSize { label.append(Float(action(row, column) - features.base(now, column))) }
      }
    }
  }

  /// A batch of these frames. `plainly` leaves out mirror and shifts.
  func batch(_ frames: [Int], from stream: inout RandomStream, plainly: Bool = false) -> (input: Tensor, label: Tensor) {
    var inputs: [Float] = [], labels: [Float] = [], shift = plainly ? [] : noise
    let (width, outputs) = (input.mean.count, output.mean.count)
    let row = width + (flows ? outputs + FlowTime.size : 0)
    inputs.reserveCapacity(frames.count * row)
    labels.reserveCapacity(frames.count * outputs)
    for frame in frames {
      for column in shift.indices { shift[column] = noise[column] * stream.normal() }
      let mirrored = symmetry != nil && !plainly && stream.uniform() < 0.5
      let (seen, said) = (inputs.count, labels.count)
      append(frame, mirrored: mirrored, shift: shift, &inputs, &labels)
      for column in 0..<width { inputs[seen + column] = (inputs[seen + column] - input.mean[column]) / input.spread[column] }
      for column in 0..<outputs { labels[said + column] = (labels[said + column] - output.mean[column]) / output.spread[column] }
      guard flows else { continue }
      // Somewhere on the straight way from noise to the label; what is to be said is the way's direction.
      let time = stream.uniform()
      for column in 0..<outputs {
        let (start, end) = (Float(stream.normal()), labels[said + column])
        inputs.append(start + Float(time) * (end - start))
        labels[said + column] = end - start
      }
      FlowTime.append(time, to: &inputs)
    }
    return (Tensor(inputs, shape: [frames.count, row]), Tensor(labels, shape: [frames.count, outputs]))
  }
}
