// train: makes a policy from a recipe: writes down a planner, clones demonstrations, or learns from rewards in the nominal simulation.
// Interrupted training goes on from its last checkpoint and ends with the same bytes; a training that diverges is a result, with its curves.

import JSON
import Learning
import Workflow

enum Train: StepKind {
  static let kind = Kind(
    "train", summary: "Make a policy from a recipe: heuristic, behaviour cloning or reinforcement learning.", effect: .pure, revision: 1,
    inputs: [
      Input("recipe", "How the policy is made (workflows/schemas/recipe.schema.json)."),
      Input("demos", "Demonstrations: a dataset. Needed by bc, used by rl.", required: false),
      Input("env", "The frozen environment the policy is for.", required: false),
    ],
    outputs: [
      Output("policy", .directory, path: "policy", "policy.json, and weights.safetensors for a learned policy."),
      Output("curves", .value, path: "curves.json", "Figures over the course of the training, and how it ended."),
    ],
    parameters: [
      Parameter(
        "regime", .oneOf(["recipe"] + Recipe.Regime.allCases.map(\.rawValue)), default: "recipe", "Which regime; 'recipe' is the recipe's own."),
      Parameter("seed", .integer(0...1_000_000), default: 0, "Of weights, batches and exploration, or of the planner."),
      Parameter("updates", .integer(1...10_000_000), optional: true, "Gradient steps of bc, instead of the recipe's."),
      Parameter("steps", .integer(1...10_000_000), optional: true, "Control steps of rl, instead of the recipe's."),
      Parameter("override", .object, optional: true, "A part of a recipe that is put over the file's."),
    ])

  static func run(_ step: StepContext) throws {
    let recipe = try step.recipe()
    if let env = step.inputs("env").first, let task = try StepContext.json(at: env.path + "/environment.json")["task"]?.string, task != recipe.task {
      throw StepFailure("step \(step.name): the recipe is for task '\(recipe.task)', the environment for '\(task)'")
    }
    let regime = Recipe.Regime(rawValue: step.string("regime")) ?? recipe.regime
    let maker = PolicyMaker(recipe: recipe, demonstrations: regime == .heuristic ? nil : try step.demonstrations(), seed: step.int("seed"))
    let site = TrainingSite(directory: step.progressDirectory.isEmpty ? nil : step.progressDirectory) { step.progress($0, of: $1, $2) }
    let made = try maker.make(regime, into: step.output("policy"), at: site)
    if case .diverged(let update) = made.outcome { step.log("the training diverged at update \(update); the policy has the weights before it") }
    step.telemetry("updates", .integer(made.updates))
    step.telemetry("simulated_steps", .integer(made.simulatedSteps))
    try step.write(made.json, to: "curves")
  }
}
