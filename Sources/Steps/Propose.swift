// The kind `propose`: opens one round of one agent. The agent reads what its team has measured, states a hypothesis, changes the recipe on its own
// branch, and the round's other steps are appended: train, evaluate, commit, decide. It uses the records of earlier rounds alone, so its idea does
// not depend on who was faster.

import Foundation
import Hashing
import JSON
import LLM
import Workflow

enum Propose: StepKind {
  static let kind = Kind(
    "propose", summary: "An agent states a hypothesis, changes the recipe on its branch and appends the steps that test it.",
    effect: .external, revision: 1,
    inputs: [
      Input("recipe", "the baseline's recipe, JSON"),
      Input("baseline", "the result of the baseline's evaluation, for the same purpose as the experiments'", required: false),
      Input("baseline_trials", "the trials of that evaluation, for a comparison seed by seed", required: false),
      Input("env", "the frozen environment", required: false),
      Input("demos", "the demonstrations", required: false),
      Input("space", "the search space as a JSON file, instead of the parameter", required: false),
    ],
    outputs: [
      Output("proposal", .value, path: "proposal.json", "experiment id, hypothesis, parent, change, branch, commit, tree"),
      Output("recipe", .file, path: "recipe.json", "the changed recipe"),
    ],
    parameters: [
      Parameter("agent", .oneOf(["search"]), default: "search", "the kind of agent"),
      Parameter("name", .string, "the agent's own name, which names its branch"),
      Parameter("peers", .list(.string), default: [], "the names of the agents of the team"),
      Parameter("goal", .object, default: [:], "the success rate at which the search is over, and its interval's lower end: rate, lower"),
      Parameter("rounds", .integer(1...10_000), "how many rounds at most"),
      Parameter("round", .integer(1...10_000), default: 1, "which round this is; the workflow counts on"),
      Parameter("trials", .integer(1...1_000_000), optional: true, "trials of each evaluation"),
      Parameter("shards", .integer(1...4096), optional: true, "shards of each evaluation"),
      Parameter(
        "space", .list(.object), optional: true, "the search space: factors with path, values or range, scale, why, when; the most promising first"),
      Parameter(
        "then", .object, default: [:],
        "templates of the steps `train` and `evaluate`; write their references to steps with two dollars, as $${step.demos.dataset}"),
      Parameter(
        "evidence", .number(0.5...1), default: 0.667, "how probable it must be that an experiment is better than the best so far, for it to be kept"),
      Parameter("seed", .integer(0...1_000_000_000), default: 0, "another seed searches otherwise"),
    ],
    appends: true)

  static func run(_ step: StepContext) throws {
    let (name, round) = (step.string("name"), EvolutionRound(stepName: step.name, round: step.int("round")))
    let recipe = try step.json("recipe")
    let space = try space(of: step)
    let study = study(of: step, recipe: recipe, space: space)
    let hub = try Hub(at: step.hub)
    let baseline = try baseline(of: step, study: study, recipe: recipe)
    try hub.publishBaseline(baseline, recipe: recipe)

    // The trunk's own copy may hold more, if someone else wrote it too; what this step knows must come from its inputs.
    let records = try hub.records().filter { !$0.isBaseline } + [baseline]
    let briefing = Briefing(study: study, agent: name, round: round.round, team: step.strings("peers"), from: records)
    let agent = SearchAgent(seed: step.int("seed"))
    guard let record = try experiment(by: agent, briefing, recipe: recipe, space: space, hub: hub) else {
      step.log("agent \(name) has nothing left to try in its search space")
      let best = briefing.best(of: name)
      try step.write(["proposal": 1, "agent": .string(name), "round": .integer(round.round), "exhausted": true], to: "proposal")
      try step.write(best?.config ?? recipe, to: "recipe")
      return
    }
    step.log("\(record.id): \(record.hypothesis)")
    let proposal = try proposal(record, step: step, round: round, best: briefing.best(of: name))
    try step.write(proposal, to: "proposal")
    try step.write(record.config, to: "recipe")
    step.telemetry("tokens", record.json["tokens"] ?? [:])
    step.append(round.steps(templates: step.value("then") ?? [:], trials: step.value("trials")?.int, shards: step.value("shards")?.int))
  }

  /// The committed proposal: the one on the branch if it was made from the very same knowledge, else a new one. Nil if nothing is left to try.
  private static func experiment(
    by agent: some Agent, _ briefing: Briefing, recipe: JSON, space: JSON, hub: Hub
  ) throws -> ExperimentRecord? {
    let (id, branch) = ("\(briefing.agent)-\(briefing.round)", Hub.branch(of: briefing.agent))
    let basis = Digest(of: [agent.identity, briefing.digest.hex, recipe.canonical, space.canonical].joined(separator: "\n")).hex
    if let present = try hub.record(id, on: branch), present.basis == basis { return present }
    guard let idea = try agent.propose(briefing, recipe: recipe, space: SearchSpace(json: space)) else { return nil }
    let worktree = try hub.openWorktree(of: briefing.agent)
    try Data(idea.recipe.pretty.utf8).write(to: URL(filePath: worktree + "/" + Hub.recipeFile))
    var record = ExperimentRecord(
      id: id, study: briefing.study, basis: basis, agent: briefing.agent, round: briefing.round, hypothesis: idea.hypothesis,
      parent: idea.parent, borrowedFrom: idea.borrowedFrom, branch: branch, change: idea.change, config: idea.recipe)
    record.cost.tokens = idea.tokens
    record.cost.money = idea.money
    return try hub.commitProposal(record)
  }

  /// What `commit` and `decide` need, and the next round's step.
  private static func proposal(_ record: ExperimentRecord, step: StepContext, round: EvolutionRound, best: ExperimentRecord?) throws -> JSON {
    var json: JSON = ["proposal": 1, "id": .string(record.id), "agent": .string(record.agent), "round": .integer(record.round)]
    for key in ["hypothesis", "parent", "borrowed_from", "branch", "commit", "tree", "change", "study", "basis", "tokens", "money"] {
      json[key] = record.json[key]
    }
    json["config"] = record.config
    json["best"] = best?.json
    json["goal"] = step.value("goal")
    json["evidence"] = .number(step.double("evidence"))
    var data: JSON = [:]
    for input in ["demos", "env"] { data[input] = step.inputs(input).first.map { .string($0.digest) } }
    json["data"] = data
    if round.round < step.int("rounds") { json["next"] = try next(step, round.next) }
    return json
  }

  /// The next round's `propose` step: this one as the manifest has it, one round on, after the peers' decisions of this round.
  private static func next(_ step: StepContext, _ next: EvolutionRound) throws -> JSON {
    guard var source = step.request["source"], source["uses"]?.string == kind.name else {
      throw StepFailure("step \(step.name): the request does not hold the step as the manifest has it")
    }
    let name = step.string("name")
    source["matrix"] = nil
    source["with"]?["round"] = .integer(next.round)
    source["after"] = try .array(
      step.strings("peers").filter { $0 != name }.map { peer in
        guard let family = next.family(of: peer, agent: name) else {
          throw StepFailure(
            "step \(step.name): cannot tell which step is that of the peer '\(peer)'",
            hint: "make the agents' names a matrix, as \"agent\": [\"\(name)\", \"\(peer)\"]")
        }
        return .string("\(family)/\(next.round - 1)/decide?")
      })
    return ["name": .string(next.propose), "step": source]
  }

  // MARK: What the study is

  private static func space(of step: StepContext) throws -> JSON {
    if let space = step.value("space") { return space }
    guard !step.inputs("space").isEmpty else { throw StepFailure("step \(step.name): no search space", hint: "give 'space' under 'with' or 'in'") }
    return try step.json("space")
  }

  /// All that the experiments of a team have in common. Not the count of rounds: more rounds carry a study on.
  private static func study(of step: StepContext, recipe: JSON, space: JSON) -> String {
    var facts: JSON = ["recipe": recipe, "space": space]
    for input in ["baseline", "env", "demos"] { facts[input] = step.inputs(input).first.map { .string($0.digest) } }
    for parameter in ["goal", "trials", "then", "evidence", "seed"] { facts[parameter] = step.value(parameter) }
    facts["team"] = .array(Set(step.strings("peers") + [step.string("name")]).sorted().map { .string($0) })
    return Digest(of: facts.canonical).short
  }

  private static func baseline(of step: StepContext, study: String, recipe: JSON) throws -> ExperimentRecord {
    let result = try step.jsonIfGiven("baseline")
    let trials = try step.inputs("baseline_trials").first.map { try Commit.perTrial(at: $0.path) } ?? nil
    return Commit.baseline(study: study, result: result, perTrial: trials, recipe: recipe, hypothesis: ExperimentRecord.baselineHypothesis)
  }
}
