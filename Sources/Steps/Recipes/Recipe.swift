// A recipe says how a policy is made: the regime, and for each regime what can be set. It is the file that agents edit, so
// whatever it says wrongly is told with its place and what would be right. What it leaves out has the defaults of the schema.

import Foundation
import JSON
import Learning
import Robot

struct Recipe {
  enum Regime: String, CaseIterable, Comparable {
    case heuristic, bc, rl
    /// As they are made, one after the other.
    static func < (a: Regime, b: Regime) -> Bool { allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)! }
  }

  var task: String
  var regime: Regime
  /// The planner's parameters as written.
  var heuristic: JSON
  var cloning = CloningSettings()
  var reinforcement = ReinforcementSettings()
  /// Of what is drawn in making a policy, where a step says none.
  var seed = 0
  var budget = ChoiceBudget()

  /// Reads and checks the file; `label` stands for it in messages.
  init(contentsOf path: String, label: String) throws {
    guard let text = FileManager.default.contents(atPath: path) else { throw StepFailure("recipe \(label) cannot be read") }
    let json: JSON
    do { json = try JSON(parsing: text) } catch { throw StepFailure(error.message, at: "\(label):\(error.line):\(error.column)") }
    if let fault = Self.faults(in: json).first {
      let place = fault.pointer.place(in: Array(text), key: fault.isKey)
      throw StepFailure(
        "recipe: \(fault)", at: "\(label):\(place.line):\(place.column)", hint: "the recipe's schema is workflows/schemas/recipe.schema.json")
    }
    try self.init(json)
  }

  /// Throws the first fault, if there is one. Only what `said` says has to be used: what a file says for another algorithm is no fault where an
  /// override chooses this one. Nil: all of it.
  init(_ json: JSON, saying said: JSON? = nil) throws {
    if let fault = Self.faults(in: json, saying: said).first { throw StepFailure("recipe: \(fault)") }
    task = json["task"]?.string ?? ""
    regime = json["regime"]?.string.flatMap(Regime.init) ?? .heuristic
    heuristic = json["heuristic"] ?? [:]
    Setting.read(CloningSettings.table, from: json["bc"], into: &cloning)
    Setting.read(ReinforcementSettings.table, from: json["rl"], into: &reinforcement)
    seed = json["seed"]?.int ?? seed
    Setting.read(ChoiceBudget.table, from: json["budget"], into: &budget)
  }

  static func faults(in json: JSON, saying said: JSON? = nil) -> [SchemaFault] {
    let faults = SchemaCheck.faults(of: json, against: schema)
    return faults.isEmpty ? contradictions(in: json, saying: said ?? json) : faults
  }

  /// Settings that are right alone and not together, or of no use beside others. `json` fits the schema.
  private static func contradictions(in json: JSON, saying said: JSON) -> [SchemaFault] {
    var cloning = CloningSettings()
    Setting.read(CloningSettings.table, from: json["bc"], into: &cloning)
    let settings = cloning.learner, bc = JSONPointer() / "bc"
    var faults: [SchemaFault] = []
    if settings.execute > settings.chunk {
      faults.append(SchemaFault(pointer: bc / "head" / "execute", problem: "is \(settings.execute), must be at most 'chunk', \(settings.chunk)"))
    }
    if settings.modes > 1, settings.flowSteps > 0 {
      faults.append(SchemaFault(pointer: bc / "head" / "modes", problem: "is \(settings.modes), must be 1 beside 'flow_steps'"))
    }
    if settings.members > 1, settings.modes > 1 || settings.flowSteps > 0 {
      let other = settings.modes > 1 ? "'modes'" : "'flow_steps'"
      faults.append(SchemaFault(pointer: bc / "network" / "members", problem: "is \(settings.members), must be 1 beside \(other)"))
    }
    var reinforcement = ReinforcementSettings()
    Setting.read(ReinforcementSettings.table, from: json["rl"], into: &reinforcement)
    if reinforcement.algorithm == .selfImitation, !settings.isDrawn {
      faults.append(
        SchemaFault(
          pointer: JSONPointer() / "rl" / "algorithm",
          problem: "is \"self-imitation\", which needs a clone that draws what it does: 'modes' above 1 with 'draws', or a flow, in /bc/head"))
    }
    return faults + Setting.unused(CloningSettings.table, in: cloning, defaults: CloningSettings(), said: said["bc"], at: bc)
      + Setting.unused(
        ReinforcementSettings.table, in: reinforcement, defaults: ReinforcementSettings(), said: said["rl"], at: JSONPointer() / "rl")
  }

  /// Every setting with its value.
  var json: JSON {
    [
      "recipe": 1, "task": .string(task), "regime": .string(regime.rawValue), "heuristic": heuristic,
      "bc": Setting.write(CloningSettings.table, of: cloning), "rl": Setting.write(ReinforcementSettings.table, of: reinforcement),
      "seed": .integer(seed), "budget": Setting.write(ChoiceBudget.table, of: budget),
    ]
  }

  /// The JSON Schema of a recipe; workflows/schemas/recipe.schema.json is this text.
  static var schema: JSON {
    var heuristic = PlannerParameters.schema
    heuristic["$schema"] = nil
    // The step's own seed is the planner's.
    heuristic["properties"]?["seed"] = nil
    heuristic["description"] = "a planner on a model of its own"
    return [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "enpire recipe, version 1",
      "description": "How a policy is made: the regime, and what can be set for each.",
      "type": "object", "required": ["recipe", "task", "regime"], "additionalProperties": false,
      "properties": [
        "$schema": ["type": "string"],
        "recipe": ["const": 1, "description": "version of this format"],
        "task": ["enum": ["push-t"]],
        "regime": ["enum": .array(Regime.allCases.map { .string($0.rawValue) }), "description": "which of the sections below makes the policy"],
        "heuristic": heuristic,
        "bc": Setting.schema(CloningSettings.table, defaults: CloningSettings(), description: "behaviour cloning from demonstrations"),
        "rl": Setting.schema(
          ReinforcementSettings.table, defaults: ReinforcementSettings(),
          description: "reinforcement learning in the nominal simulation, with demonstrations"),
        "seed": [
          "type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0,
          "description": "of weights, batches and exploration, or of the planner; a step's own comes first",
        ],
        "budget": Setting.schema(
          ChoiceBudget.table, defaults: ChoiceBudget(), description: "what choosing a regime may cost; a step's own words come first"),
      ],
    ]
  }
}
