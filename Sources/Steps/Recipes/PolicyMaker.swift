// Makes a policy directory from a recipe, by one of its regimes: what `train` does once and `choose-regime` for each candidate.

import Foundation
import JSON
import Learning

/// What making a policy brought and cost.
struct MadePolicy {
  var outcome = TrainingOutcome.finished
  var curves = LearningCurves()
  /// Gradient steps, and control steps in the nominal simulation.
  var updates = 0
  var simulatedSteps = 0

  /// What decides between equals: steps of either kind.
  var cost: Int { updates + simulatedSteps }

  init() {}

  init(_ trained: Trained) {
    (outcome, curves, updates, simulatedSteps) = (trained.outcome, trained.curves, trained.updates, trained.environmentSteps)
  }

  /// The curves artifact, with how it ended.
  var json: JSON {
    var json = curves.json
    for (key, value) in outcome.json.object ?? [:] { json[key] = value }
    return json
  }
}

/// What is kept of it beside the policy.
extension MadePolicy {
  init(kept: JSON) {
    outcome = kept["outcome"] == "diverged" ? .diverged(update: kept["update"]?.int ?? 0) : .finished
    (curves, updates, simulatedSteps) = (LearningCurves(json: kept), kept["updates"]?.int ?? 0, kept["simulated_steps"]?.int ?? 0)
  }

  var kept: JSON {
    var json = self.json
    (json["updates"], json["simulated_steps"]) = (.integer(updates), .integer(simulatedSteps))
    return json
  }
}

struct PolicyMaker {
  let recipe: Recipe
  /// Nil if none were given.
  let demonstrations: DataSet?
  let seed: Int
  /// The directory of a policy that rl learns a residual over; nil for none.
  var base: String?

  /// Writes policy.json, and weights for a learned one, into the directory.
  func make(_ regime: Recipe.Regime, into directory: String, at site: TrainingSite) throws -> MadePolicy {
    switch regime {
    case .heuristic:
      try heuristic(into: directory)
      return MadePolicy()
    case .bc:
      guard let demonstrations else {
        throw StepFailure("behaviour cloning needs demonstrations", hint: "give the input 'demos' a dataset, as ${step.demos.dataset}")
      }
      let columns = (demonstrations.observationSize, demonstrations.actionSize)
      guard demonstrations.frames == 0 || columns == (PushTLearning.observationSize, PushTLearning.actionSize) else {
        throw StepFailure(
          "behaviour cloning: the data set has \(columns.0) observation and \(columns.1) action columns; push-t has "
            + "\(PushTLearning.observationSize) and \(PushTLearning.actionSize)")
      }
      return try save(
        learning {
          try BehaviourCloning.train(
            demonstrations, task: recipe.task, features: recipe.cloning.features, settings: recipe.cloning.settings, seed: seed, at: site)
        }, into: directory)
    case .rl where recipe.reinforcement.algorithm == .selfImitation:
      guard base == nil else {
        throw StepFailure("self-imitation learns no residual", hint: "leave the input 'base' out, or set rl.algorithm to \"soft-actor-critic\"")
      }
      var settings = recipe.reinforcement.imitation
      settings.cloning = recipe.cloning.settings
      settings.steps = recipe.reinforcement.learner.steps
      settings.evaluationEpisodes = recipe.reinforcement.learner.evaluationEpisodes
      return try save(
        learning {
          try SelfImitation.train(
            in: PushTLearning.environment(), demonstrations: demonstrations ?? DataSet(), task: recipe.task, features: recipe.cloning.features,
            settings: settings, seed: seed, at: site)
        }, into: directory)
    case .rl:
      let reinforcement = recipe.reinforcement
      let features = PushTLearning.features(
        history: reinforcement.history, differences: reinforcement.differences, showsAction: reinforcement.showsAction)
      let under = try base.map { try PolicyLoader.policy(at: $0, task: recipe.task) }?.asBase
      let made = try save(
        learning {
          reinforcement.algorithm == .proximalPolicy
            ? try ProximalPolicy.train(
              in: PushTLearning.environment(), task: recipe.task, features: features, settings: reinforcement.proximalSettings, base: under,
              seed: seed, at: site)
            : try SoftActorCritic.train(
              in: PushTLearning.environment(), demonstrations: demonstrations ?? DataSet(), task: recipe.task, features: features,
              settings: reinforcement.learner, base: under, seed: seed, at: site)
        }, into: directory)
      if let base { try FileManager.default.copyItem(atPath: base, toPath: directory + "/base") }
      return made
    }
  }

  private func heuristic(into directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    var parameters = recipe.heuristic
    parameters["seed"] = .integer(seed)
    let json: JSON = ["policy": 1, "task": .string(recipe.task), "regime": "heuristic", "seed": .integer(seed), "parameters": parameters]
    try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/policy.json"))
  }

  private func save(_ trained: Trained, into directory: String) throws -> MadePolicy {
    try trained.policy.write(directory: directory)
    return MadePolicy(trained)
  }

  private func learning(_ body: () throws -> Trained) throws -> Trained {
    do { return try body() } catch let error as LearningError { throw StepFailure(error.sentence, hint: error.hint) }
  }
}

extension CloningSettings {
  fileprivate var features: Features { PushTLearning.features(history: history, differences: differences, showsAction: showsAction) }

  /// With what the task knows of shifts and mirrors.
  fileprivate var settings: BehaviourCloning.Settings {
    var settings = learner
    settings.noise = PushTLearning.noise(noise)
    settings.symmetry = mirror ? PushTLearning.mirror : nil
    return settings
  }
}

extension ReinforcementSettings {
  /// With what it shares with soft actor-critic.
  fileprivate var proximalSettings: ProximalPolicy.Settings {
    var settings = proximal
    (settings.network, settings.rate, settings.threads) = (learner.network, learner.rate, learner.threads)
    (settings.reach, settings.spread) = (learner.reach, learner.spread)
    (settings.discount, settings.rewardWeight, settings.rewardOffset) = (learner.discount, learner.rewardWeight, learner.rewardOffset)
    (settings.steps, settings.valuesAlone) = (learner.steps, learner.criticsAlone)
    (settings.evaluations, settings.evaluationEpisodes) = (learner.evaluations, learner.evaluationEpisodes)
    return settings
  }
}

extension StepContext {
  /// The recipe of input `recipe`, with the parameters `override`, `updates` and `steps` put over it.
  func recipe() throws -> Recipe {
    let file = try input("recipe")
    _ = try Recipe(contentsOf: file.path, label: file.name)
    var json = try self.json("recipe")
    if let override = value("override") { json = json.overlaid(by: override) }
    if let updates = value("updates") { json = json.overlaid(by: ["bc": ["schedule": ["updates": updates]]]) }
    if let steps = value("steps") { json = json.overlaid(by: ["rl": ["schedule": ["steps": steps]]]) }
    return try Recipe(json, saying: value("override") ?? [:])
  }

  /// The data set of input `demos`, if there is one.
  func demonstrations() throws -> DataSet? {
    guard let file = inputs("demos").first else { return nil }
    do { return try DataSet(directory: file.path) } catch { throw StepFailure("\(error)") }
  }
}

extension JSON {
  /// Members of `other` replace those here; objects are merged.
  func overlaid(by other: JSON) -> JSON {
    guard object != nil, let members = other.object else { return other }
    var merged = self
    for (name, value) in members { merged[name] = self[name]?.overlaid(by: value) ?? value }
    return merged
  }
}
