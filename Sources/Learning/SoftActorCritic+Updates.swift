// The updates of soft actor-critic: a batch from both memories, critics towards their targets, the actor up the critics.

internal import Hashing
internal import Tensor

extension SoftActorCritic.Run {
  private func batch(_ count: Int, demonstrationShare: Double, from stream: inout RandomStream) -> (tensors: Tensors, shown: Int) {
    var batch = Replay.Batch()
    let shown = demonstrations.count == 0 ? 0 : own.count == 0 ? count : Int((Double(count) * demonstrationShare).rounded())
    demonstrations.draw(shown, into: &batch, scaling: scaling, from: &stream)
    own.draw(count - shown, into: &batch, scaling: scaling, from: &stream)
    return (
      Tensors(
        features: Tensor(batch.features, shape: [count, width]), actions: Tensor(batch.actions, shape: [count, actionSize]),
        rewards: Tensor(batch.rewards, shape: [count, 1]), bootstraps: Tensor(batch.bootstraps, shape: [count, 1]),
        next: Tensor(batch.next, shape: [count, width])), shown
    )
  }

  private struct Tensors { let features: Tensor, actions: Tensor, rewards: Tensor, bootstraps: Tensor, next: Tensor }

  // MARK: Networks

  /// A squashed normal action for each row and the logarithm of its density [batch, 1]; and the mean, squashed.
  func draw(_ seen: Tensor, from stream: inout RandomStream) -> (action: Tensor, logDensity: Tensor, mean: Tensor) {
    let output = actor(seen), rows = seen.shape[0]
    let mean = output.slice(0..<actionSize, of: 1)
    let logSpread = output.slice(actionSize..<2 * actionSize, of: 1).clamped(-5...1)
    let noise = Tensor((0..<rows * actionSize).map { _ in Float(stream.normal()) }, shape: [rows, actionSize])
    let raw = mean + logSpread.exp * noise
    // log N(raw) - log (1 - tanh²raw), the latter as 2 (log 2 - raw - softplus(-2 raw)).
    let normal = noise.squared * -0.5 - logSpread - 0.5 * naturalLogarithm(2 * .pi)
    let bend = -(raw + (raw * -2.0).softplus) * 2.0 + 2 * naturalLogarithm(2)
    return (raw.tanh, (normal - bend).sum(over: 1).reshaped([rows, 1]), mean.tanh)
  }

  /// One update of the critics; nil if it was not finite.
  mutating func updateCritics() -> Double? {
    var stream = stream("critics", criticUpdates)
    let batch = batch(settings.batch, demonstrationShare: settings.demonstrationShare, from: &stream).tensors
    let wanted = Tensor.unrecorded {
      let next = draw(batch.next, from: &stream)
      let values = targets(Tensor.concatenate([batch.next, next.action], along: 1))
      let first = stream.index(below: targets.members), step = 1 + stream.index(below: targets.members - 1)
      let second = (first + step) % targets.members
      let pair = Tensor.concatenate([values.slice(first..<first + 1, of: 0), values.slice(second..<second + 1, of: 0)], along: 0)
      let value = pair.least(over: 0) - temperature.exp * next.logDensity
      return batch.rewards + batch.bootstraps * value
    }
    let loss = critics(Tensor.concatenate([batch.features, batch.actions], along: 1)).meanSquaredError(to: wanted.repeated(critics.members))
    let value = loss.item
    loss.backward()
    criticUpdates += 1
    let norm = criticMoments.step(critics.parameters, number: criticUpdates, rate: settings.rate, clip: 10)
    guard value.isFinite, norm.isFinite else { return nil }
    Tensor.blend(targets.parameters, towards: critics.parameters, by: settings.following)
    return value
  }

  /// One update of actor and temperature, or by cloning alone; nil if it was not finite.
  mutating func updateActor(cloningOnly: Bool = false) -> Double? {
    var stream = stream("actor", actorUpdates)
    let (batch, shown) = batch(settings.batch, demonstrationShare: cloningOnly ? 1 : settings.demonstrationShare, from: &stream)
    let drawn = draw(batch.features, from: &stream)
    let baseWeight = base == nil ? 0 : settings.baseWeight
    var loss = Tensor(zeros: [])
    if !cloningOnly {
      let values = critics(Tensor.concatenate([batch.features, drawn.action], along: 1), frozen: true).mean(over: 0)
      let scale = demonstrations.count > 0 && settings.cloningWeight > 0 || baseWeight > 0 ? 1 / max(1e-3, values.detached.magnitude.mean().item) : 1
      loss = (temperature.detached.exp * drawn.logDensity - values).mean() * scale
    }
    if shown > 0, cloningOnly || settings.cloningWeight > 0 {
      let cloning = drawn.mean.slice(0..<shown, of: 0).meanSquaredError(to: batch.actions.slice(0..<shown, of: 0))
      // Spread towards the demonstrations' own, while nothing else teaches it.
      let density = cloningOnly ? drawn.logDensity.mean() * 0.001 : Tensor(zeros: [])
      loss = loss + cloning * (cloningOnly ? 1 : settings.cloningWeight) + density
    }
    if !cloningOnly, baseWeight > 0 { loss = loss + drawn.mean.squared.mean() * baseWeight }
    let value = loss.item
    loss.backward()
    actorUpdates += 1
    let norm = actorMoments.step(actor.parameters, number: actorUpdates, rate: settings.rate, clip: 10)
    guard value.isFinite, norm.isFinite else { return nil }
    if !cloningOnly {
      let surplus = drawn.logDensity.detached.mean() + settings.targetEntropy * Double(actionSize)
      (temperature.exp * surplus * -1.0).sum().backward()
      _ = temperatureMoments.step([temperature], number: actorUpdates, rate: settings.rate)
    }
    return value
  }
}
