// Finds out while acting which Push-T this is: parameters of the model are varied at random and kept when they explain the recent past better.
// It knows no goal and plans nothing. A world that the present model explains costs nothing.

internal import Hashing

package struct Identification: Sendable {
  /// Variations tried at each control step.
  package let mutations: Int
  /// Transitions looked back on.
  package let window: Int
  /// A mean squared innovation below this (px²) is a fit.
  private static let fits = 1e-6
  /// The innovation has to fall by this share.
  private static let gain = 0.02

  private let nominal: PushTModel.Parameters

  package init(nominal: PushTModel.Parameters, mutations: Int, window: Int) {
    self.nominal = nominal
    self.mutations = mutations
    self.window = window
  }

  /// Improves the belief's model. True if it changed.
  func improve(_ belief: inout BeliefTracker, _ random: inout RandomStream) -> Bool {
    guard belief.transitions > 0, belief.fit(window: window) > Self.fits else { return false }
    guard var best = belief.replay(belief.model, poseGain: belief.poseGain, window: window, limit: .infinity) else { return false }
    var changed = false
    for _ in 0..<mutations {
      let (parameters, poseGain) = varied(belief.model.parameters, belief.poseGain, &random)
      let model = PushTModel(parameters)
      let limit = best.total * (1 - Self.gain)
      if let better = belief.replay(model, poseGain: poseGain, window: window, limit: limit), better.total < limit {
        best = better
        belief.adopt(model, poseGain: poseGain, better)
        changed = true
      }
    }
    return changed
  }

  /// One parameter, or several, changed by anything from a trifle to a lot; or some back to nominal, since most of a world is as expected
  /// and a wrong radius, size and inertia can hide each other.
  private func varied(_ old: PushTModel.Parameters, _ oldGain: Double, _ random: inout RandomStream) -> (PushTModel.Parameters, Double) {
    var new = old
    var gain = oldGain
    if random.uniform() < 0.15 {
      func back<Value>(_ path: WritableKeyPath<PushTModel.Parameters, Value>) {
        if random.uniform() < 0.6 { new[keyPath: path] = nominal[keyPath: path] }
      }
      back(\.radius)
      back(\.blockScale)
      back(\.gain)
      back(\.derivativeGain)
      back(\.inertia)
      back(\.friction)
      back(\.damping)
      back(\.latency)
      return (new, gain)
    }
    let several = random.uniform() < 0.3
    let one = random.index(below: 9)
    for kind in 0..<9 where several ? random.uniform() < 0.4 : kind == one {
      let size = raise(10, random.uniform(-2.5...0))
      func scaled(_ x: Double, _ range: ClosedRange<Double>) -> Double {
        min(range.upperBound, max(range.lowerBound, x * (1 + 0.4 * size * random.normal())))
      }
      switch kind {
      case 0: new.radius = scaled(old.radius, 5...35)
      case 1: new.blockScale = scaled(old.blockScale, 0.5...1.8)
      case 2: new.gain = scaled(old.gain, 30...250)
      case 3: new.inertia = scaled(old.inertia, 1000...9000)
      case 4: new.friction = min(1.5, max(0, old.friction + 0.5 * size * random.normal()))
      case 5:
        // The share kept over a control step is closer to linear in its effect.
        let kept = (old.damping <= 0 ? 0 : raise(old.damping, 0.1)) + 0.5 * size * random.normal()
        new.damping = kept <= 0.02 ? 0 : raise(min(0.99, kept), 10)
      case 6: new.derivativeGain = scaled(old.derivativeGain, 5...60)
      case 7: new.latency = min(3, max(0, old.latency + (random.uniform() < 0.5 ? -1 : 1)))
      default: gain = min(1, max(0.1, oldGain * (1 + 0.5 * size * random.normal())))
      }
    }
    return (new, gain)
  }
}
