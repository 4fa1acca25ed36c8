// Steps and what they wait for. It grows while the workflow runs: appended steps come in batches, each checked whole before it is taken.
// It knows the order of things, not how steps run. One function, `finish`, ends a step and says which others became ready.

import JSON
import OrderedCollections

public final class Graph {
  public let manifest: Manifest
  public let kinds: [String: Kind]
  public let fleet: Fleet
  /// Declarations whose steps wait for nothing, for they are up to date; what they need is not here.
  let settled: Set<String>
  public private(set) var steps: [Step] = []
  private var byName: [String: Step.ID] = [:]
  /// Instances of each declaration, gathers rather than shards, in matrix order.
  private var instances: [String: [Step.ID]] = [:]
  /// What references to all instances mean.
  private var fans: [String: Fan] = [:]
  /// Steps by family, in the order they came, but for those that a family is named after; most families have no other.
  private var families: [String: [Step.ID]] = [:]
  /// How many of these are unfinished, and who waits until a whole family has ended.
  private var unfinished: [String: Int] = [:]
  private var waitingForFamily: [String: [Step.ID]] = [:]
  /// Optional `after` of steps that do not exist yet.
  private var promises: [String: [Step.ID]] = [:]
  /// Their names, by family.
  private var promisedNames: [String: Set<String>] = [:]
  /// Steps that are about to end.
  private var doomed: [Ending] = []
  /// Steps that were passed over, in that order.
  private(set) var bypassed: [Step] = []
  /// Files that the manifest is read from.
  private let reserved: Set<String>
  /// Appended steps, shards not counted.
  private(set) var appendedCount = 0
  /// Who publishes to a path.
  private var publishers = Publishers()
  let linkedDirectories = LinkedDirectories()

  convenience init(_ manifest: Manifest, kinds: [String: Kind], fleet: Fleet) throws {
    try self.init(manifest, kinds: kinds, fleet: fleet, settled: [], recalled: [])
  }

  /// `recalled`: declarations that are up to date too, and not in the manifest.
  init(_ manifest: Manifest, kinds: [String: Kind], fleet: Fleet, settled: Set<String>, recalled: [Recalled]) throws {
    self.settled = settled.union(recalled.map(\.name))
    self.manifest = manifest
    self.kinds = kinds
    self.fleet = fleet
    let prefix = manifest.directory + "/"
    reserved = Set((manifest.sources + [manifest.fleet].compactMap { $0 }).filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
    for declaration in recalled { insert(declaration) }
    _ = try insert(Array(manifest.steps.values), parent: nil)
  }

  private func insert(_ recalled: Recalled) {
    let declaration = StepDeclaration(unread: recalled.name, file: manifest.path)
    for (name, outputs) in recalled.steps {
      byName[name] = steps.count
      instances[recalled.name, default: []].append(steps.count)
      steps.append(Step(id: steps.count, name: name, outputs: outputs, of: declaration))
    }
  }

  public func step(named name: String) -> Step? { byName[name].map { steps[$0] } }
  public var names: [String] { steps.map(\.name) }

  /// The steps a goal means: an instance, or all instances of a declaration.
  public func steps(for goal: String) throws -> [Step] {
    if let step = step(named: goal) { return [step] }
    if let ids = instances[goal] { return ids.map { steps[$0] } }
    if goal.hasSuffix("[*]"), let spread = step(named: String(goal.dropLast(3))), spread.spread != nil { return [spread] }
    if goal.hasSuffix("[*]"), let ids = instances[String(goal.dropLast(3))] { return ids.map { steps[$0] } }
    if let declaration = try Pattern.instance(of: goal, among: manifest.patterns, root: manifest), instances[declaration.name] == nil,
      byName[declaration.name] == nil
    {
      try insert([declaration], parent: nil)
      return try steps(for: goal)
    }
    throw Problem(
      .usage, "no step '\(goal)' in \(Files.display(manifest.path))",
      hint: suggestion(for: goal, among: manifest.steps.keys + names.filter { manifest.steps[$0] == nil }))
  }

  // MARK: Growing

  /// Adds declarations, all or none; `check` may refuse the new steps. Returns them.
  @discardableResult
  func insert(
    _ declarations: [StepDeclaration], parent: Step.ID?, lists: OrderedDictionary<String, [JSON]>? = nil, check: ([Step]) throws -> Void = { _ in }
  ) throws -> [Step] {
    let count = steps.count
    var added: [String] = []
    publishers.begin()
    defer { publishers.begin() }
    var declarations = declarations
    var names = manifest.patterns.isEmpty ? [] : Set(declarations.map(\.name))
    do {
      var next = 0
      while next < declarations.count {
        let declaration = declarations[next]
        next += 1
        let created = try Expansion(graph: self, parent: parent).expand(declaration, firstID: steps.count, lists: next == 1 ? lists : nil)
        for step in created {
          if let other = byName[step.name] {
            // Of this very declaration: two values of its matrix are written alike, as 1 and "1".
            guard other < steps.count else {
              throw declaration.problem("two of its steps would be called '\(step.name)'", key: true, hint: "give the matrix other values")
            }
            let place = steps[other].declaration.origin.place(key: true).map { "it stands in \(Files.display($0.file)) too" }
            throw declaration.problem(
              "there is a step '\(step.name)' already", key: true,
              hint: (place.map { $0 + "; " } ?? "") + "give one another name, or if both were appended remove one of the two files")
          }
          byName[step.name] = step.id
          added.append(step.name)
          if step.shard == nil && step.spread == nil { instances[declaration.name, default: []].append(step.id) }
        }
        steps += created
        for step in created {
          if step.name != step.family { families[step.family, default: []].append(step.id) }
          for (output, path) in step.publishes {
            if reserved.contains(path) {
              throw declaration.problem("step '\(step.name)' would overwrite \(path), which the manifest is read from", "out", output)
            }
            do { try publishers.claim(path, step.id) } catch {
              switch error {
              case .taken(let other):
                throw declaration.problem(
                  "steps '\(steps[other].name)' and '\(step.name)' both publish to '\(path)'", "out", output,
                  hint: "give each a path of its own, none below another; a matrix can use ${matrix.…} in it")
              case .tooLong:
                throw declaration.problem("step '\(step.name)' would publish under a name of more than \(Publishers.longest) bytes", "out", output)
              case .notPlain:
                throw declaration.problem(
                  "step '\(step.name)' would publish to '\(path)'", "out", output,
                  hint: "a place lies below the manifest's directory, not in .enpire, .git or NAME.steps, as results/x: no '.', '..' or empty part")
              }
            }
          }
        }
        if !manifest.patterns.isEmpty { declarations += try instances(namedBy: created, besides: &names) }
      }
      let created = Array(steps[count...])
      for step in created where !settled.contains(step.declaration.name) { try Linker(graph: self).link(step) }
      // Who waits for a spread will wait for its instances.
      let spread = lists == nil ? nil : parent.map { steps[$0] }
      let needs = spread?.needs
      spread?.needs += created.map { ($0.id, false, true) }
      defer { if let spread, let needs { spread.needs = needs } }
      try checkForCycles(from: created)
      try check(created)
      enlist(created)
      appendedCount += created.count { $0.isAppended && !$0.isShard }
      return created
    } catch {
      for name in declarations.map(\.name) {
        instances[name]?.removeAll { $0 >= count }
        if instances[name]?.isEmpty == true { instances[name] = nil }
      }
      for step in steps[count...] { families[step.family]?.removeAll { $0 >= count } }
      for name in added { byName[name] = nil }
      fans = [:]
      publishers.takeBack()
      steps.removeLast(steps.count - count)
      throw error
    }
  }

  /// The instances of patterns that steps name and that are not there yet.
  private func instances(namedBy created: [Step], besides known: inout Set<String>) throws -> [StepDeclaration] {
    var found: [StepDeclaration] = []
    for step in created {
      for name in try Linker(graph: self).names(in: step) {
        let name = self.name(name, in: step.declaration)
        if byName[name] != nil || instances[name] != nil { continue }
        guard let declaration = try Pattern.instance(of: name, among: manifest.patterns, root: manifest) else { continue }
        if instances[declaration.name] == nil, known.insert(declaration.name).inserted { found.append(declaration) }
      }
    }
    return found
  }

  /// The step that publishes to a path, relative to the manifest.
  func publisher(of path: String) -> Step? { publishers.owner(of: path).map { steps[$0] } }
  func publisher(above path: String) -> Step? { publishers.owner(above: path).map { steps[$0] } }

  func instances(of declaration: String) -> [Step.ID]? { instances[declaration] }

  func declaration(named name: String) -> StepDeclaration? { (instances[name]?.first.map { steps[$0] } ?? step(named: name))?.declaration }

  /// Each declaration that has steps, once.
  var declarations: [StepDeclaration] {
    steps.indices.filter { $0 == 0 || steps[$0 - 1].declaration !== steps[$0].declaration }.map { steps[$0].declaration }
  }

  /// The fan that a reference means; `make` makes it for the first who asks.
  func fan(_ reference: String, make: () throws -> Fan) rethrows -> Fan {
    if let fan = fans[reference] { return fan }
    let fan = try make()
    fans[reference] = fan
    return fan
  }

  /// Counts what the new steps wait for and makes them known to those.
  private func enlist(_ created: [Step]) {
    for step in created where step.name != step.family { unfinished[step.family, default: 0] += 1 }
    for step in created {
      if let fan = step.gate {
        wait(step, for: fan)
      } else {
        for need in step.needs where !steps[need.step].status.isFinished {
          step.waitingFor += 1
          steps[need.step].dependents.append(step.id)
        }
      }
      for family in step.families where !isEnded(family) {
        step.waitingFor += 1
        waitingForFamily[family, default: []].append(step.id)
      }
      for promised in step.promises {
        if byName[promised] == nil, !isEnded(Self.family(of: promised)) {
          step.waitingFor += 1
          promisedNames[Self.family(of: promised), default: []].insert(promised)
          promises[promised, default: []].append(step.id)
        }
      }
    }
    // A promise kept: who waited for the name now waits for the step.
    for step in created { steps[step.id].dependents += promises.removeValue(forKey: step.name) ?? [] }
    for step in created {
      step.isWanted = step.parent.map { steps[$0].isWanted } ?? false
      if step.waitingFor > 0 { continue }
      // What it needs may have ended before it came.
      if let ending = ending(of: step) { doomed.append(ending) } else { step.status = .ready }
    }
  }

  private func wait(_ step: Step, for fan: Fan) {
    if fan.unfinished == nil {
      let open = fan.needs.map { steps[$0.step] }.filter { !$0.status.isFinished }
      for step in open { step.gates.append(fan) }
      fan.unfinished = open.count
    }
    if fan.unfinished == 0 { return }
    step.waitingFor += 1
    fan.readers.append(step.id)
  }

  static func family(of name: String) -> String { name.firstIndex(of: "/").map { String(name[..<$0]) } ?? name }

  // MARK: Finishing

  private typealias Ending = (step: Step, status: Step.Status, problem: Problem?)

  /// Ends a step, and skips whatever cannot run any more. Returns the wanted steps that became ready.
  func finish(_ step: Step, _ status: Step.Status, problem: Problem? = nil) -> [Step] {
    doomed.append((step, status, problem))
    return finishDoomed()
  }

  /// Skips what came when it could not run any more.
  func finishDoomed() -> [Step] {
    var ready: [Step] = []
    var ended = doomed
    doomed = []
    while let (step, status, problem) = ended.popLast() {
      precondition(!step.status.isFinished && status.isFinished)
      step.status = status
      step.problem = problem
      if step.isBypassed { bypassed.append(step) }
      var released = step.dependents
      for fan in step.gates {
        fan.unfinished! -= 1
        if fan.unfinished == 0 { released += fan.readers }
      }
      if step.name != step.family { unfinished[step.family]! -= 1 }
      if !waitingForFamily.isEmpty || !promises.isEmpty, isEnded(step.family) {
        released += waitingForFamily.removeValue(forKey: step.family) ?? []
        if !promises.isEmpty {
          for name in promisedNames.removeValue(forKey: step.family) ?? [] { released += promises.removeValue(forKey: name) ?? [] }
        }
      }
      for id in released {
        let dependent = steps[id]
        dependent.waitingFor -= 1
        guard dependent.waitingFor == 0, dependent.status == .waiting else { continue }
        if let ending = ending(of: dependent) {
          ended.append(ending)
        } else {
          dependent.status = .ready
          if dependent.isWanted { ready.append(dependent) }
        }
      }
    }
    return ready
  }

  /// How a step ends that waits for nothing any more and cannot run; nil if it can.
  private func ending(of step: Step) -> Ending? {
    if let culprit = blocker(of: step) {
      let sentence = "\(step.name): skipped, for \(culprit.name) \(culprit.status.rawValue)"
      return (step, .skipped, Problem(culprit.problem?.code == .interrupted ? .interrupted : .stepFailed, sentence))
    }
    guard let reason = reasonToBypass(step) else { return nil }
    step.bypassReason = reason
    return (step, .skipped, nil)
  }

  /// Passes over a step whose condition does not hold: not a failure, but nothing that reads it can run.
  func bypass(_ step: Step, _ reason: String) -> [Step] {
    step.bypassReason = reason
    return finish(step, .skipped)
  }

  /// The failed or skipped step that keeps this one from running.
  private func blocker(of step: Step) -> Step? {
    for need in isWell(step) ? [] : step.needs where !need.optional && !steps[need.step].status.isSuccess && !steps[need.step].isBypassed {
      // Its failure is a result, and order was all that was asked for.
      if need.order, steps[need.step].status == .failed, steps[need.step].options.mayFail { continue }
      return steps[need.step]
    }
    for family in step.families {
      let culprit = members(of: family).first {
        ($0.status == .failed && !$0.options.mayFail) || ($0.name == family && !$0.status.isSuccess && !$0.isBypassed)
      }
      if let culprit { return culprit }
    }
    return nil
  }

  /// Whether all that it needs succeeded and left nothing out, as far as that is told at a glance.
  private func isWell(_ step: Step) -> Bool {
    guard let fan = step.gate else { return false }
    if let known = fan.isWell { return known }
    let isWell = fan.needs.allSatisfy { steps[$0.step].status.isSuccess && steps[$0.step].declaration.optionalOutputs.isEmpty }
    if fan.unfinished == 0 { fan.isWell = isWell }
    return isWell
  }

  /// Who waits for the step, or for its family; but for those that wait for a whole fan.
  func followers(of step: Step) -> [Step.ID] {
    waitingForFamily.isEmpty ? step.dependents : step.dependents + (waitingForFamily[step.family] ?? [])
  }

  /// Why a step is passed over though nothing failed: what it reads is of a branch that was not taken, or was left out.
  private func reasonToBypass(_ step: Step) -> String? {
    if isWell(step) { return nil }
    for need in step.needs where !need.optional && !need.order && steps[need.step].isBypassed { return "\(steps[need.step].name) is skipped" }
    for need in step.needs where !steps[need.step].declaration.optionalOutputs.isEmpty {
      return Linker(graph: self).missing(of: step).map { "\($0.name) left out '\($1)'" }
    }
    return nil
  }

  /// Itself first, then what came of it.
  func members(of family: String) -> some Sequence<Step> {
    ((byName[family].map { [$0] } ?? []) + (families[family] ?? [])).lazy.map { [unowned self] in steps[$0] }
  }

  private func isEnded(_ family: String) -> Bool {
    step(named: family)?.status.isFinished ?? true && unfinished[family, default: 0] == 0
  }

  // MARK: Wanting

  /// Marks the goals and everything they need. Returns those that can start.
  func want(_ goals: [Step]) -> [Step] {
    _ = wantMore(goals)
    return steps.filter { $0.isWanted && $0.status == .ready }
  }

  /// Forgets what was wanted: somebody only had a look.
  func wantNothing() { for step in steps { step.isWanted = false } }

  /// The same for goals that come while the workflow runs; returns only what was not wanted before.
  func wantMore(_ goals: [Step]) -> [Step] {
    var stack = goals
    var new: [Step] = []
    var pointless: [Step] = []
    var fans: Set<ObjectIdentifier> = []
    while let step = stack.popLast() {
      if step.isWanted { continue }
      step.isWanted = true
      new.append(step)
      // What can never run needs nothing.
      if let condition = step.condition, condition.constant == false, !step.status.isFinished {
        pointless.append(step)
        continue
      }
      if step.gate.map({ fans.insert(ObjectIdentifier($0)).inserted }) ?? true { stack += step.needs.map { steps[$0.step] } }
      for family in step.families { stack += members(of: family) }
    }
    for step in pointless where !step.status.isFinished { _ = bypass(step, "when \(step.condition!.text)") }
    return new.filter { $0.status == .ready }
  }

  /// A declaration and its wanted steps.
  struct Group {
    let name: String
    var steps: [Step]
  }

  /// In the order they came; those that steps appended are left out.
  var wantedDeclarations: [Group] {
    var groups: OrderedDictionary<String, Group> = [:]
    for step in steps where step.isWanted && step.parent.map({ steps[$0].spread != nil }) ?? true {
      groups[step.declaration.name, default: Group(name: step.declaration.name, steps: [])].steps.append(step)
    }
    return Array(groups.values)
  }

  /// Every step that `step` comes after, itself not included, in the order they were written.
  func ancestors(of step: Step) -> [Step] {
    var found: Set<Step.ID> = []
    var stack = [step]
    while let next = stack.popLast() {
      for id in next.needs.map(\.step) + next.families.flatMap({ members(of: $0).map(\.id) }) where found.insert(id).inserted {
        stack.append(steps[id])
      }
    }
    return found.sorted().map { steps[$0] }
  }

  /// All steps, each after those it waits for.
  public func topologicalOrder() -> [Step] {
    var missing = steps.map { $0.needs.count + $0.families.reduce(0) { $0 + members(of: $1).reduce(0) { count, _ in count + 1 } } }
    var dependents: [[Step.ID]] = Array(repeating: [], count: steps.count)
    for step in steps {
      for need in step.needs { dependents[need.step].append(step.id) }
      for family in step.families { for member in members(of: family) { dependents[member.id].append(step.id) } }
    }
    var order = steps.indices.filter { missing[$0] == 0 }
    var next = 0
    while next < order.count {
      for id in dependents[order[next]] {
        missing[id] -= 1
        if missing[id] == 0 { order.append(id) }
      }
      next += 1
    }
    return order.map { steps[$0] }
  }

  /// Refuses new steps that wait for themselves. Finished steps wait for nothing and end the search.
  private func checkForCycles(from created: [Step]) throws {
    enum Mark { case open, closed }
    var marks: [Step.ID: Mark] = [:]
    var closed: Set<ObjectIdentifier> = []
    for start in created where marks[start.id] == nil {
      var path: [(step: Step, waits: [Step.ID], next: Int)] = []
      func enter(_ step: Step) {
        marks[step.id] = .open
        let needs = step.gate.map { closed.contains(ObjectIdentifier($0)) } ?? false ? [] : step.needs.map(\.step)
        let waits = (needs + step.families.flatMap { members(of: $0).map(\.id) }).filter { !steps[$0].status.isFinished }
        path.append((step, waits, 0))
      }
      enter(start)
      while let (step, waits, next) = path.last {
        guard next < waits.count else {
          marks[step.id] = .closed
          if let fan = step.gate { closed.insert(ObjectIdentifier(fan)) }
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let id = waits[next]
        switch marks[id] {
        case .closed: continue
        case nil: enter(steps[id])
        case .open:
          let loop = path.drop { $0.step.id != id }.map(\.step.name)
          throw steps[id].declaration.problem("steps wait for each other: \((loop + [steps[id].name]).joined(separator: " → "))", key: true)
        }
      }
    }
  }
}

extension StepDeclaration {
  /// An error at a member of this step, by its JSON pointer below the step.
  func problem(_ sentence: String, _ pointer: String..., key: Bool = false, hint: String? = nil) -> Problem {
    problem(sentence, at: pointer, key: key, hint: hint)
  }

  func problem(_ sentence: String, at pointer: [String], key: Bool = false, hint: String? = nil) -> Problem {
    let place = Origin(file: origin.file, pointer: JSONPointer(origin.pointer.tokens + pointer)).place(key: key)
    // Without a file to point at, the step is named instead.
    return Problem(.manifest, place == nil ? "step '\(name)': \(sentence)" : sentence, at: place, hint: hint)
  }
}
