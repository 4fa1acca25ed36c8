// From a declaration to steps: one for each combination of the matrix, and for a sharded one its shards and the gather.

import JSON
import OrderedCollections

struct Expansion {
  let graph: Graph
  let parent: Step.ID?

  /// `lists` are the values of its `foreach`, once they are known.
  func expand(_ declaration: StepDeclaration, firstID: Step.ID, lists: OrderedDictionary<String, [JSON]>? = nil) throws -> [Step] {
    let kind = try kind(of: declaration).map { Shared($0) }
    if !declaration.foreach.isEmpty, lists == nil { return [try spread(declaration, kind, firstID)] }
    var steps: [Step] = []
    func named(_ labels: [String]) -> String { declaration.name + (labels.isEmpty ? "" : "[" + labels.joined(separator: ",") + "]") }
    func add(_ combination: Matrix.Combination, shard: (index: Int, count: Int)? = nil) throws -> Step {
      let labels = combination.labels
      let whole = named(labels)
      let step = Step(
        id: firstID + steps.count, name: shard.map { named(labels + ["shard=\($0.index)"]) } ?? whole, wholeName: whole, declaration: declaration,
        kind: kind, matrix: combination.values, shard: shard, parent: parent)
      try fill(step)
      steps.append(step)
      return step
    }
    let combinations = try declaration.matrix?.combinations(of: declaration) { try expand($0, declaration, [:], $1) } ?? [Matrix.Combination()]
    for combination in lists.map({ lists in combinations.flatMap { $0.combined(with: lists) } }) ?? combinations {
      let count = try shardCount(declaration, combination.values)
      guard count > 1 else {
        _ = try add(combination)
        continue
      }
      let shards = try (0..<count).map { try add(combination, shard: ($0, count)) }
      try add(combination).shards = shards.map(\.id)
    }
    return steps
  }

  private func spread(_ declaration: StepDeclaration, _ kind: Shared<Kind>?, _ id: Step.ID) throws -> Step {
    let step = Step(
      id: id, name: declaration.name, wholeName: declaration.name, declaration: declaration, kind: kind, matrix: [:], shard: nil, parent: parent)
    var lists = declaration.foreach
    for (name, list) in lists {
      do { lists[name] = try list.expanded { try graph.value(of: $0, after: $1, in: declaration, matrix: [:]) } } catch let error as TemplateError {
        throw declaration.problem(error.sentence, "foreach", name, hint: error.hint)
      }
    }
    step.spread = Spread(lists)
    return step
  }

  private func kind(of declaration: StepDeclaration) throws -> Kind? {
    guard case .kind(let name) = declaration.action else { return nil }
    guard let kind = graph.kinds[name] else {
      throw declaration.problem("no step kind '\(name)'", "uses", hint: suggestion(for: name, among: graph.kinds.keys.sorted()))
    }
    if declaration.appends != nil, !kind.appends {
      throw declaration.problem("kind '\(name)' appends nothing", "appends", key: true, hint: "remove 'appends'")
    }
    return kind
  }

  private func shardCount(_ declaration: StepDeclaration, _ matrix: OrderedDictionary<String, JSON>) throws -> Int {
    guard let shards = declaration.shards else { return 1 }
    guard let count = try expand(shards, declaration, matrix, ["shards"], settled: true).int, (1...10_000).contains(count) else {
      throw declaration.problem("'shards' must be a count from 1 to 10000", "shards")
    }
    if case .kind(let name) = declaration.action, graph.kinds[name]?.shardable != true {
      throw declaration.problem("kind '\(name)' cannot be split into shards", "shards", key: true, hint: "remove 'shards', or use a matrix")
    }
    if case .command = declaration.action {
      throw declaration.problem("a command cannot be split into shards", "shards", key: true, hint: "use a matrix")
    }
    if count > 1, case .kind(let name) = declaration.action,
      let whole = graph.kinds[name]?.parameters.first(where: { !$0.withShards && declaration.with[$0.name] != nil })
    {
      throw declaration.problem("'\(whole.name)' cannot be split into shards", "with", whole.name, key: true, hint: whole.summary)
    }
    return count
  }

  /// Fills in variables and matrix. With `settled`, nothing else is to be filled in later.
  private func expand(
    _ json: JSON, _ declaration: StepDeclaration, _ matrix: OrderedDictionary<String, JSON>, _ pointer: [String], settled: Bool = false
  ) throws -> JSON {
    do {
      let expanded = try Template.expand(json) { try graph.value(of: $0, after: $1, in: declaration, matrix: matrix) }
      return settled ? try Template.settle(expanded) : expanded
    } catch let error as TemplateError {
      throw Problem(
        .manifest, error.sentence,
        at: Origin(file: declaration.origin.file, pointer: JSONPointer(declaration.origin.pointer.tokens + pointer)).place(), hint: error.hint)
    }
  }

  /// Fills in variables, matrix and the kind's defaults, and checks the parameters that are known already.
  private func fill(_ step: Step) throws {
    let declaration = step.declaration
    func text(_ text: String, _ pointer: String..., settled: Bool = false) throws -> String {
      let value = try expand(.string(text), declaration, step.matrix, pointer, settled: settled)
      return value.string ?? value.canonical
    }
    step.with = try expand(declaration.with, declaration, step.matrix, ["with"])
    if step.kind?.appends == true {
      step.allowance = declaration.appends ?? parent.flatMap { graph.steps[$0].allowance }
      step.source = try expand(declaration.source, declaration, step.matrix, [])
    }
    try checkAllowance(declaration)
    if let kind = step.kind { try checkParameters(step, kind) }
    if case .command(let argv) = declaration.action {
      // Most words have nothing to fill in, and one array serves the declaration and its steps.
      step.argv = argv.contains(where: Template.mayExpand) ? try argv.map { try text($0, "run") } : argv
      step.allowance = declaration.appends
      if step.mayAppend { try checkAppending(step) }
    }
    for (name, value) in declaration.environment { step.environment[name] = try text(value, "env", name) }
    if step.shard == nil {
      for (name, written) in declaration.outputs {
        let path = try text(written, "out", name, settled: true)
        guard Self.isBelow(path) else {
          throw declaration.problem("step '\(step.name)' would publish to '\(path)', which is not below the manifest's directory", "out", name)
        }
        step.publishes[name] = (declaration.scope?.outputs ?? "") + path
      }
    }
    if let kind = step.kind {
      for output in declaration.outputs.keys where !kind.outputs.contains(where: { $0.name == output }) {
        throw declaration.problem(
          "kind '\(kind.name)' has no output '\(output)'", "out", output, key: true, hint: suggestion(for: output, among: kind.outputs.map(\.name)))
      }
    }
    step.options = try options(of: step)
    do {
      step.condition = try declaration.when?.expanded { try graph.value(of: $0, after: $1, in: declaration, matrix: step.matrix) }
    } catch let error as TemplateError { throw declaration.problem(error.sentence, "when", hint: error.hint) }
    step.stations = try stations(of: step)
  }

  /// Whether a path stays below where it starts; what variables and lists put into it cannot lead elsewhere.
  static func isBelow(_ path: String) -> Bool { !path.isEmpty && !Files.isAbsolute(path) && !Files.parts(of: path).contains("..") }

  private func options(of step: Step) throws -> StepOptions {
    let declaration = step.declaration
    var options = declaration.options
    if let members = declaration.source.object, StepDeclaration.usesVariables(members) {
      let known = members.filter { StepOptions.keys.contains($0.key) }
      let expanded = OrderedDictionary(uniqueKeysWithValues: try known.map { ($0, try expand($1, declaration, step.matrix, [$0], settled: true)) })
      options = try StepOptions.read(expanded, Complaint { declaration.problem($0, at: $1, key: $3, hint: $2) })
    }
    if declaration.source.object?["effect"] != nil || options.moves {
      guard step.kind == nil else {
        throw declaration.problem("kind '\(step.kind!.name)' has its own effect", "effect", key: true, hint: "'effect' is for commands")
      }
      guard !options.moves || declaration.station != nil else {
        throw declaration.problem("what moves hardware needs a station", "effect", hint: "\"station\": { \"name\": … } says which")
      }
    }
    for (name, count) in options.resources.units {
      guard let pool = graph.manifest.pools[name] else {
        if name == "gpu" { continue }
        throw declaration.problem(
          "no pool '\(name)'", "resources", name, key: true, hint: suggestion(for: name, among: ["cpu", "memory", "gpu"] + graph.manifest.pools.keys))
      }
      guard count <= pool.capacity else {
        throw declaration.problem("step '\(step.name)' wants \(count) of pool '\(name)', which has \(pool.capacity)", "resources", name)
      }
    }
    return options
  }

  /// Kinds that are allowed by a slip are none.
  private func checkAllowance(_ declaration: StepDeclaration) throws {
    // A manifest of commands alone is read without the kinds.
    guard !graph.kinds.isEmpty, let slip = AppendPolicy.slip(in: declaration.appends ?? [], among: graph.kinds) else { return }
    throw declaration.problem(slip.sentence, "appends", hint: slip.hint)
  }

  /// A command that appends could do so for ever.
  private func checkAppending(_ step: Step) throws {
    let declaration = step.declaration
    guard graph.manifest.appendPolicy.steps != nil else {
      throw declaration.problem(
        "nothing says how many steps '\(step.name)' may append", "appends", key: true, hint: "the manifest's \"append\": {\"steps\": 20} does")
    }
    // What is no reference at all is told by whoever resolves them.
    guard (try? Template.references(in: .array(step.argv.map { .string($0) })).contains(.append)) ?? true else {
      throw declaration.problem(
        "'\(step.name)' is not told where to write what it appends", "run", hint: "name ${append} in 'run', or remove 'appends'")
    }
  }

  private func checkParameters(_ step: Step, _ kind: Kind) throws {
    let declaration = step.declaration
    for (index, name) in declaration.options.unkeyed.enumerated()
    where !name.hasPrefix("env.") && !kind.parameters.contains(where: { $0.name == name }) {
      throw declaration.problem(
        "kind '\(kind.name)' has no parameter '\(name)'", "unkeyed", String(index), hint: suggestion(for: name, among: kind.parameters.map(\.name)))
    }
    for (name, value) in step.with.object ?? [:] {
      guard let parameter = kind.parameters.first(where: { $0.name == name }) else {
        throw declaration.problem(
          "kind '\(kind.name)' has no parameter '\(name)'", "with", name, key: true, hint: suggestion(for: name, among: kind.parameters.map(\.name)))
      }
      // A reference to a step's value is checked when it is known.
      if let references = try? Template.references(in: value), !references.isEmpty { continue }
      if let problem = parameter.form.problem(with: value) {
        throw declaration.problem("'\(name)' \(problem)", "with", name, hint: parameter.summary)
      }
    }
    for parameter in kind.parameters where step.with[parameter.name] == nil {
      if let fallback = parameter.fallback {
        step.with[parameter.name] = fallback
      } else if !parameter.optional {
        throw declaration.problem("kind '\(kind.name)' needs the parameter '\(parameter.name)'", "with", hint: parameter.summary)
      }
    }
  }

  /// The plan fixes the station: shard i of a fleet of n takes the (i mod n)th that fits, another step one chosen by its name; and if it wants
  /// several, those that follow.
  private func stations(of step: Step) throws -> [FleetStation] {
    let declaration = step.declaration
    guard let wish = declaration.station else {
      if step.kind?.usesStation == true {
        throw declaration.problem("kind '\(step.kind!.name)' needs a station", key: true, hint: "\"station\": { \"task\": … } says for what")
      }
      return []
    }
    let wanted = try expand(wish, declaration, step.matrix, ["station"], settled: true)
    for key in wanted.object?.keys ?? [] where !["task", "name", "count"].contains(key) {
      throw declaration.problem("unknown key '\(key)'", "station", key, key: true, hint: suggestion(for: key, among: ["task", "name", "count"]))
    }
    let count = wanted["count"].map { $0.int ?? 0 } ?? 1
    guard count >= 1 else {
      throw declaration.problem("'count' must be a count from 1", "station", "count")
    }
    guard graph.manifest.fleet != nil else {
      throw declaration.problem(
        "step '\(step.name)' needs a station, but the manifest names no fleet", "station", key: true, hint: "\"fleet\": \"fleets/….json\"")
    }
    let fitting = graph.fleet.stations.filter { station in
      (wanted["task"]?.string).map(station.tasks.contains) ?? true && (wanted["name"]?.string).map { $0 == station.name } ?? true
    }
    guard !fitting.isEmpty else {
      throw Problem(
        .station, "no station of the fleet can do what step '\(step.name)' wants: \(wanted.canonical)",
        at: Origin(file: declaration.origin.file, pointer: declaration.origin.pointer / "station").place(),
        hint: "the stations do: \(Set(graph.fleet.stations.flatMap(\.tasks)).sorted().joined(separator: ", "))")
    }
    // The gather of shards holds no station.
    if step.shard == nil, try shardCount(declaration, step.matrix) > 1 { return [] }
    guard count <= fitting.count else {
      throw Problem(
        .station, "step '\(step.name)' wants \(count) stations at once; \(fitting.count) of the fleet fit",
        at: Origin(file: declaration.origin.file, pointer: declaration.origin.pointer / "station").place())
    }
    let index = step.shard?.index ?? step.name.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff_ffff }
    return (0..<count).map { fitting[(index * count + $0) % fitting.count] }
  }
}
