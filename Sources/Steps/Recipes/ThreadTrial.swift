// How many threads serve a recipe's network best: short trainings of it by one, two, four… threads, in turns, on data made up for it. Another
// count may give other bits, so the recipe says it, and nothing chooses while it trains.

import Foundation
import Hashing
import JSON
import Learning

struct ThreadTrial {
  private static let rounds = 3
  /// A count of threads has to be this much faster than fewer are.
  private static let gain = 1.05

  private struct Enough: Error { let seconds: Double }

  let regime: Recipe.Regime
  /// Where the recipe says the count, and what it says.
  let setting: String, said: Int
  /// The median time of a short training with each count, s.
  private(set) var measured: [(threads: Int, seconds: Double)] = []

  /// Trains by `regime`; nil takes the recipe's own. Throws for one that trains nothing.
  init(_ recipe: Recipe, regime: Recipe.Regime? = nil) throws {
    self.regime = regime ?? recipe.regime
    guard self.regime != .heuristic else {
      throw StepFailure("a heuristic is not trained, so it has no threads", hint: "--regime bc, or rl, measures that part of the recipe")
    }
    // A clone that imitates itself is trained as a clone.
    let isCloning = self.regime == .bc || recipe.reinforcement.algorithm == .selfImitation
    (setting, said) =
      isCloning ? ("bc.optimiser.threads", recipe.cloning.learner.threads) : ("rl.optimiser.threads", recipe.reinforcement.learner.threads)
    let data = Self.data, trained: Recipe.Regime = isCloning ? .bc : .rl
    /// Of a whole training; of one that would take longer than `patience`, by what was done until then.
    func seconds(_ threads: Int, _ amount: Int, patience: Double = .infinity) throws -> Double {
      let directory = NSTemporaryDirectory() + "enpire-threads-" + UUID().uuidString, start = ContinuousClock.now
      defer { try? FileManager.default.removeItem(atPath: directory) }
      func passed() -> Double { (ContinuousClock.now - start) / .seconds(1) }
      let site = TrainingSite { done, total, _ in
        if done > 0, passed() > patience { throw Enough(seconds: passed() * Double(total) / Double(done)) }
      }
      let maker = PolicyMaker(recipe: Self.short(recipe, threads, amount), demonstrations: data, seed: 0)
      do { _ = try maker.make(trained, into: directory, at: site) } catch let enough as Enough { return enough.seconds }
      return passed()
    }
    // As much as takes about half a second; the first of it loads what is needed.
    _ = try seconds(1, 20)
    let amount = max(20, min(2000, Int(10 / (try seconds(1, 20)))))
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let counts = Array(sequence(first: 1) { $0 * 2 < cores ? $0 * 2 : nil }) + (cores > 1 ? [cores] : [])
    var times = counts.map { _ in [Double]() }
    for _ in 0..<Self.rounds {
      // On a machine with other work threads that wait for each other take very long: once, and not to the end, is enough to see that.
      for (index, threads) in counts.enumerated() {
        let limit = 2 * (times.joined().min() ?? .infinity)
        if times[index].min().map({ $0 < limit }) ?? true { times[index].append(try seconds(threads, amount, patience: limit)) }
      }
    }
    measured = zip(counts, times).map { ($0, $1.sorted()[$1.count / 2]) }
  }

  /// The fastest; fewer threads if they are nearly as fast.
  var choice: Int {
    let fastest = measured.map(\.seconds).min() ?? 0
    return measured.first { $0.seconds <= fastest * Self.gain }?.threads ?? 1
  }

  var json: JSON {
    [
      "thread_trial": 1, "regime": .string(regime.rawValue), "setting": .string(setting), "said": .integer(said), "choice": .integer(choice),
      "measured": .array(measured.map { ["threads": .integer($0.threads), "seconds": .number(($0.seconds * 10000).rounded() / 10000)] }),
    ]
  }

  /// The recipe with `amount` updates or control steps of each learner, and none of what has no network.
  private static func short(_ recipe: Recipe, _ threads: Int, _ amount: Int) -> Recipe {
    var recipe = recipe
    (recipe.cloning.learner.updates, recipe.cloning.learner.threads, recipe.cloning.learner.heldOut) = (amount, threads, 0)
    (recipe.reinforcement.learner.threads, recipe.reinforcement.learner.evaluations) = (threads, 0)
    (recipe.reinforcement.learner.steps, recipe.reinforcement.learner.warmUp, recipe.reinforcement.learner.criticsAlone) = (amount, 1, 0)
    (recipe.reinforcement.learner.cloningUpdates, recipe.reinforcement.learner.stepsPerUpdate) = (0, 1)
    recipe.reinforcement.proximal.round = amount
    return recipe
  }

  /// Smooth random walks over Push-T's columns.
  private static var data: DataSet {
    var data = DataSet(), stream = RandomStream("thread-trial")
    for _ in 0..<50 {
      var row = (0..<PushTLearning.observationSize).map { _ in stream.uniform(100...400) }
      let observations = (0..<100).map { _ in
        row = row.map { $0 + 3 * stream.normal() }
        return row
      }
      data.append(observations: observations, actions: observations.map { [$0[0] + 20, $0[1]] })
    }
    return data
  }
}
