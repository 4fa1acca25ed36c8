// choose-regime: makes a quick policy by each regime and lets them compete on the station; the choice rests on trials, never on losses.
// What was tried, what it cost and why it was chosen is the evidence. Ties go to the pilot that was cheaper to make. Pilots are made before the
// station is taken, so that no robot waits for a training.

import Foundation
import JSON
import Learning
import Robot
import Workflow

enum ChooseRegime: StepKind {
  static let kind = Kind(
    "choose-regime", summary: "Try the regimes briefly on a station and choose one on evidence.", effect: .sample, revision: 6,
    inputs: [
      Input("recipe", "How each regime makes its policy."),
      Input("demos", "Demonstrations: a dataset. Without it bc is not tried, nor an rl that begins as a clone.", required: false),
      Input("env", "The frozen environment: its limits hold and its verifier judges.", required: false),
      Input("base", "A policy, of any regime, that rl's pilot learns a residual over.", required: false),
    ],
    outputs: [
      Output("choice", .value, path: "choice.json", "The regime's name."),
      Output("recipe", .file, path: "recipe.json", "The recipe with that regime as its own."),
      Output("evidence", .value, path: "evidence.json", "For each candidate its trials, successes, interval and cost; and the reason."),
    ],
    parameters: [
      Parameter(
        "candidates", .list(.oneOf(Recipe.Regime.allCases.map(\.rawValue))), default: ["heuristic", "bc", "rl"], "The regimes that compete."),
      Parameter(
        "pilot_trials", .integer(1...10_000), optional: true,
        "Most trials of each candidate, instead of the recipe's budget; fewer if it is decided earlier."),
      Parameter(
        "station_seconds", .number(1...1_000_000), optional: true,
        "Station time for all pilots together, instead of the recipe's budget; a trial that began is finished."),
      Parameter("confidence", .number(0.5...0.9999), default: 0.9, "That no interval of any candidate misses its rate."),
      Parameter(
        "tie", .number(0...1), default: 0.1, "Success rates no further apart than this are a tie, which the fewer gradient and simulated steps win."),
      Parameter("seed", .integer(0...1_000_000), optional: true, "Of the pilots' training, instead of the recipe's."),
      Parameter("updates", .integer(1...10_000_000), default: 2500, "Gradient steps of bc's pilot."),
      Parameter("steps", .integer(1...10_000_000), default: 600, "Control steps of rl's pilot in the nominal simulation."),
      Parameter("override", .object, optional: true, "A part of a recipe that is put over the file's, for the pilots."),
    ], usesStation: true, prepares: true)

  private struct Candidate {
    let regime: Recipe.Regime
    let made: MadePolicy
    let policy: any Policy
  }

  static func prepare(_ step: StepContext) throws { _ = try pilots(step) }

  /// The candidates, the cheapest to make first, and the regimes that cannot be tried.
  private static func pilots(_ step: StepContext) throws -> (recipe: Recipe, candidates: [Candidate], left: [Recipe.Regime]) {
    let recipe = try pilotRecipe(step)
    let demonstrations = try step.demonstrations()
    let wanted = Set(step.strings("candidates").compactMap(Recipe.Regime.init)).sorted()
    guard !wanted.isEmpty else { throw StepFailure("step \(step.name): 'candidates' is empty") }
    let clones: Set<Recipe.Regime> = recipe.reinforcement.algorithm == .selfImitation ? [.bc, .rl] : [.bc]
    let tried = wanted.filter { demonstrations != nil || !clones.contains($0) }
    guard !tried.isEmpty else {
      throw StepFailure("no candidate can do without demonstrations", hint: "give the input 'demos' a dataset")
    }
    let maker = PolicyMaker(
      recipe: recipe, demonstrations: demonstrations, seed: step.value("seed")?.int ?? recipe.seed, base: step.inputs("base").first?.path)
    let candidates = try tried.map { try pilot($0, maker, step) }.sorted { ($0.made.cost, $0.regime) < ($1.made.cost, $1.regime) }
    return (recipe, candidates, wanted.filter { !tried.contains($0) })
  }

  static func run(_ step: StepContext) throws {
    guard let entry = step.station else { throw StepFailure("step \(step.name): no station", hint: "add \"station\": {\"task\": \"push-t\"}") }
    let (recipe, candidates, left) = try pilots(step)
    var contest = Contest(
      count: candidates.count, rounds: step.value("pilot_trials")?.int ?? recipe.budget.pilotTrials, confidence: step.double("confidence"),
      tie: step.double("tie"), stationSeconds: step.value("station_seconds")?.double ?? recipe.budget.stationSeconds)
    let trials = try run(&contest, candidates, entry, step)
    let (winner, separated) = contest.verdict
    try step.write(.string(candidates[winner].regime.rawValue), to: "choice")
    var chosen = try step.json("recipe")
    chosen["regime"] = .string(candidates[winner].regime.rawValue)
    try step.write(chosen, to: "recipe")
    try step.write(evidence(step, contest, candidates, trials, winner: winner, separated: separated, left: left), to: "evidence")
  }

  /// The recipe with a pilot's budgets: rl clones for as many updates as it takes steps, and looks at itself twice.
  private static func pilotRecipe(_ step: StepContext) throws -> Recipe {
    var recipe = try step.recipe()
    let pilot = step.int("steps")
    recipe.reinforcement.learner.cloningUpdates = min(recipe.reinforcement.learner.cloningUpdates, 2 * pilot)
    recipe.reinforcement.learner.warmUp = min(recipe.reinforcement.learner.warmUp, max(1, pilot / 4))
    (recipe.reinforcement.learner.evaluations, recipe.reinforcement.learner.evaluationEpisodes) = (2, 5)
    // A round of self-imitation is of whole episodes.
    let attempts = recipe.reinforcement.imitation.attempts
    recipe.reinforcement.imitation.starts = min(recipe.reinforcement.imitation.starts, max(1, pilot / (attempts * PushTSimulation.stepLimit)))
    recipe.reinforcement.imitation.updates = min(recipe.reinforcement.imitation.updates, pilot)
    return recipe
  }

  /// Makes the regime's pilot; one that was made before, by this very step, is taken.
  private static func pilot(_ regime: Recipe.Regime, _ maker: PolicyMaker, _ step: StepContext) throws -> Candidate {
    let folder = step.progressDirectory + "/" + regime.rawValue, policy = folder + "/policy", note = folder + "/made.json"
    let made: MadePolicy
    if FileManager.default.fileExists(atPath: note) {
      made = MadePolicy(kept: try StepContext.json(at: note))
    } else {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try? FileManager.default.removeItem(atPath: policy)
      let site = TrainingSite(directory: folder, every: 1000) { step.progress($0, of: $1, "making \(regime.rawValue): \($2)") }
      made = try maker.make(regime, into: policy, at: site)
      try Data(made.kept.canonical.utf8).write(to: URL(filePath: note), options: .atomic)
    }
    return Candidate(regime: regime, made: made, policy: try PolicyLoader.policy(at: policy, task: maker.recipe.task))
  }

  private static func run(_ contest: inout Contest, _ candidates: [Candidate], _ entry: JSON, _ step: StepContext) throws -> [[TrialRecord]] {
    let environment = try step.inputs("env").first.map { try FrozenEnvironment(directory: $0.path) }
    let limits = environment?.limits ?? .pushT, referee = try environment.map { try Referee($0) }
    let seeds = try SeedPlan(purpose: .search, secretRoot: "").seeds(contest.rounds)
    let samples = try SamplesFile(path: step.samplesFile, lease: step.leases.first)
    try samples.takeLost(on: entry, seed: { seeds[$0 / candidates.count] }, policy: { $0 % candidates.count }, withSeed: true)
    var station = try TrialSession.start(entry, step)
    var trials = candidates.map { _ in [TrialRecord]() }, unknown = 0
    while let (candidate, round) = contest.next {
      let index = round * candidates.count + candidate
      let known = samples[index]?.trial
      if known == nil { try samples.begin(index, on: entry, in: environment) }
      let trial =
        known
        ?? runTrial(
          index: index, policy: candidates[candidate].policy, station: station, seed: seeds[round], referee: referee, limits: limits)
      trials[candidate].append(trial)
      if case .unknown(let reason) = trial.outcome {
        if known == nil {
          if entry["hardware"]?.bool == true { try samples.append(Sample(trial: trial, policy: candidate), withSeed: true) }
          unknown += 1
          guard unknown < 3 else { throw StepFailure(reason, hint: "three trials running were lost; see to the station and run again") }
          station = try TrialSession.start(entry, step)
        }
        contest.tell(nil, of: candidate, stationSeconds: trial.robotSeconds)
        continue
      }
      unknown = 0
      if known == nil { try samples.append(Sample(trial: trial, policy: candidate), withSeed: true) }
      contest.tell(trial.outcome == .success, of: candidate, stationSeconds: trial.robotSeconds)
      step.progress(trials.reduce(0) { $0 + $1.count }, of: candidates.count * contest.rounds, "piloting \(candidates[candidate].regime.rawValue)")
    }
    step.telemetry("robot_seconds", .number(trials.joined().reduce(0) { $0 + $1.robotSeconds }))
    return trials
  }

  private static func evidence(
    _ step: StepContext, _ contest: Contest, _ candidates: [Candidate], _ trials: [[TrialRecord]], winner: Int, separated: Bool, left: [Recipe.Regime]
  ) -> JSON {
    var tried = candidates.enumerated().map { index, candidate -> JSON in
      [
        "regime": .string(candidate.regime.rawValue), "rate": contest.rate(index).json, "left": .bool(!contest.live.contains(index)),
        "mean_best_coverage": .number(trials[index].reduce(0) { $0 + $1.bestScore } / Double(max(1, trials[index].count))),
        "updates": .integer(candidate.made.updates), "simulated_steps": .integer(candidate.made.simulatedSteps),
        "robot_seconds": .number(trials[index].reduce(0) { $0 + $1.robotSeconds }), "training": candidate.made.outcome.json,
        "curves": candidate.made.json,
      ]
    }
    tried += left.map { ["regime": .string($0.rawValue), "not_tried": "there are no demonstrations"] }
    let rate = contest.rate(winner), name = candidates[winner].regime.rawValue
    let count = "\(rate.successes) of \(rate.trials) trials"
    let over = contest.end == .stationTime ? "the station time was used up" : "the budget ended"
    let rivals = candidates.indices.filter { $0 != winner }
    let reason =
      if rivals.isEmpty { "\(name) was the only candidate that could be tried" } else if separated {
        "\(name) solved \(count); after them no other candidate can be better by more than a tie, at the confidence asked for"
      } else if rivals.contains(where: { $0 > winner && (contest.rate($0).estimate ?? 0) >= (rate.estimate ?? 0) }) {
        "\(name) solved \(count), a tie with the best, and is the cheaper; \(over) before the intervals separated"
      } else { "\(name) solved \(count), the most; \(over) before the intervals separated" }
    return [
      "evidence": 1, "choice": .string(name), "reason": .string(reason), "station": step.station?["name"] ?? nil, "separated": .bool(separated),
      "ended_by": .string(contest.end.rawValue),
      "station_seconds": .number((contest.usedSeconds * 1000).rounded() / 1000), "station_budget": .number(contest.stationSeconds),
      "confidence": .number(contest.confidence), "tie": .number(contest.tie), "candidates": .array(tried),
    ]
  }
}
