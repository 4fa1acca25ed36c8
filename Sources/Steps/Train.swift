// train: makes a policy from a recipe: writes down a planner, clones demonstrations, or learns from rewards in the nominal simulation;
// or has a program make it. Interrupted training goes on from its last checkpoint and ends with the same bytes; a training that diverges
// is a result, with its curves.

import JSON
import Learning
import Workflow

enum Train: StepKind {
  static let kind = Kind(
    "train", summary: "Make a policy from a recipe (heuristic, behaviour cloning, reinforcement learning), or by a program.", effect: .pure,
    revision: 4,
    inputs: [
      Input("recipe", "How the policy is made (workflows/schemas/recipe.schema.json); without it, 'program' makes it.", required: false),
      Input("demos", "Demonstrations: a dataset. Needed by bc, used by rl.", required: false),
      Input("env", "The frozen environment the policy is for.", required: false),
      Input("base", "A policy, of any regime, that rl learns a residual over.", required: false),
      Input("program", "A program that makes the policy instead of the recipe's regime (docs/training-programs.md).", required: false),
    ],
    outputs: [
      Output("policy", .directory, path: "policy", "policy.json, and weights.safetensors for a learned policy."),
      Output("curves", .value, path: "curves.json", "Figures over the course of the training, and how it ended."),
      Output("events", .directory, path: "events", "The same figures as a TensorBoard event file."),
    ],
    parameters: [
      Parameter(
        "regime", .oneOf(["recipe"] + Recipe.Regime.allCases.map(\.rawValue)), default: "recipe", "Which regime; 'recipe' is the recipe's own."),
      Parameter(
        "seed", .integer(0...1_000_000), optional: true,
        "Of weights, batches and exploration, or of the planner, instead of the recipe's; a program is told 0 if none is said."),
      Parameter("updates", .integer(1...10_000_000), optional: true, "Gradient steps of bc, instead of the recipe's."),
      Parameter("steps", .integer(1...10_000_000), optional: true, "Control steps of rl, instead of the recipe's."),
      Parameter("override", .object, optional: true, "A part of a recipe that is put over the file's."),
      Parameter("run", .list(.string), default: [], "What runs 'program', as [\"python3\"]; nothing for a program that runs by itself."),
      Parameter("options", .object, optional: true, "Handed to 'program' as they are."),
    ])

  static func run(_ step: StepContext) throws {
    if let program = step.inputs("program").first {
      try TrainingProgram(command: step.strings("run") + [program.path]).run(step)
    } else {
      try followRecipe(step)
    }
    try LearningCurves(json: step.curves()).writeEvents(directory: step.output("events"))
  }

  private static func followRecipe(_ step: StepContext) throws {
    guard !step.inputs("recipe").isEmpty else {
      throw StepFailure("step \(step.name): neither 'recipe' nor 'program' is given", hint: "\"in\": {\"recipe\": \"recipes/push-t.json\"}")
    }
    let recipe = try step.recipe()
    if let env = step.inputs("env").first, let task = try StepContext.json(at: env.path + "/environment.json")["task"]?.string, task != recipe.task {
      throw StepFailure("step \(step.name): the recipe is for task '\(recipe.task)', the environment for '\(task)'")
    }
    let regime = Recipe.Regime(rawValue: step.string("regime")) ?? recipe.regime
    let maker = PolicyMaker(
      recipe: recipe, demonstrations: regime == .heuristic ? nil : try step.demonstrations(), seed: step.value("seed")?.int ?? recipe.seed,
      base: step.inputs("base").first?.path)
    let site = TrainingSite(directory: step.progressDirectory.isEmpty ? nil : step.progressDirectory) { step.progress($0, of: $1, $2) }
    let made = try maker.make(regime, into: step.output("policy"), at: site)
    if case .diverged(let update) = made.outcome { step.log("the training diverged at update \(update); the policy has the weights before it") }
    step.telemetry("updates", .integer(made.updates))
    step.telemetry("simulated_steps", .integer(made.simulatedSteps))
    try step.write(made.json, to: "curves")
  }
}

extension StepContext {
  fileprivate func curves() throws -> JSON { try Self.json(at: output("curves")) }
}
