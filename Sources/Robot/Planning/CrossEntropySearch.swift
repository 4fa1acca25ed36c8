// The cross-entropy method on raw actions: the plain sampler that planning research starts from, kept as an honest weak baseline.
// Targets of the agent over a horizon are drawn around a mean, the best ones make the next mean; the mean is shifted on from step to step.

internal import Hashing

struct CrossEntropySearch {
  struct Settings: Sendable, Hashable {
    var horizon = 25
    var samples = 60
    var iterations = 2
    var elites = 8
    /// Standard deviation of the targets at first, px, and its least value.
    var spread = 100.0
    var leastSpread = 20.0
  }

  private let settings: Settings
  private var mean: [PlaneVector] = []
  private(set) var simulated = 0

  init(_ settings: Settings) { self.settings = settings }

  mutating func forget() { mean = [] }

  /// The first target of the best sequence found from `state`.
  mutating func plan(from state: PushTModel.State, _ model: PushTModel, _ goal: PushTGoal, _ random: inout RandomStream) -> PlaneVector {
    let (n, horizon) = (settings.samples, settings.horizon)
    if mean.isEmpty { mean = Array(repeating: state.agent, count: horizon) }
    var centre = mean
    var spread = [PlaneVector](repeating: PlaneVector(repeating: settings.spread), count: horizon)
    var best: (cost: Double, targets: [PlaneVector]) = (.infinity, mean)
    for _ in 0..<settings.iterations {
      var tried: [(cost: Double, targets: [PlaneVector])] = []
      for sample in 0..<n {
        // The mean itself is tried too.
        let targets =
          sample == 0
          ? centre
          : (0..<horizon).map { t in
            (centre[t] + spread[t] * PlaneVector(random.normal(), random.normal())).clamped(
              lowerBound: PlaneVector(repeating: 0), upperBound: PlaneVector(repeating: 512))
          }
        tried.append((cost(of: targets, from: state, model, goal), targets))
      }
      tried.sort { $0.cost < $1.cost }
      if tried[0].cost < best.cost { best = tried[0] }
      let elites = tried.prefix(settings.elites)
      for t in 0..<horizon {
        let average = elites.reduce(PlaneVector.zero) { $0 + $1.targets[t] } / Double(elites.count)
        let variance = elites.reduce(PlaneVector.zero) { $0 + ($1.targets[t] - average) * ($1.targets[t] - average) } / Double(elites.count)
        centre[t] = average
        spread[t] = variance.squareRoot().clamped(lowerBound: PlaneVector(repeating: settings.leastSpread), upperBound: PlaneVector(repeating: 512))
      }
    }
    mean = Array(best.targets.dropFirst()) + [best.targets[horizon - 1]]
    return best.targets[0]
  }

  /// Mean corner distance over the horizon, a little for being far from the block, less for an early success.
  private mutating func cost(of targets: [PlaneVector], from state: PushTModel.State, _ model: PushTModel, _ goal: PushTGoal) -> Double {
    var s = state
    var total = 0.0
    for (t, target) in targets.enumerated() {
      model.step(&s, toward: target)
      simulated += 1
      let distance = goal.distance(s)
      if goal.isReached(s, distance: distance) { return (total - Double(targets.count - t) * 30) / Double(targets.count) }
      total += distance + 0.1 * (s.agent - s.block).length
    }
    return total / Double(targets.count)
  }
}
