// From a step's references to the steps they mean: what it reads, and what it waits for.

internal import Glibc
import JSON
import OrderedCollections

struct Linker {
  let graph: Graph
  private let positions = Positions()

  init(graph: Graph) { self.graph = graph }

  func link(_ step: Step) throws {
    if step.spread != nil { return try linkSpread(step) }
    let declaration = step.declaration
    for (port, texts) in declaration.inputs {
      step.inputs[port] = []
      for text in texts {
        step.inputs[port]!.append(try source(of: text, in: step, port))
      }
    }
    if let kind = step.kind { try checkPorts(step, kind) }
    // Values in parameters and environment, and outputs named in a command.
    for (member, references) in try valueReferences(of: step) {
      for reference in references {
        switch reference {
        case .step(let reference):
          for (id, name) in try resolve(reference, in: step, member) {
            let form = graph.steps[id].output(named: name)?.form ?? .file
            guard member == "run" || form == .value else {
              throw declaration.problem("'\(graph.steps[id].name).\(name)' is a \(form.rawValue), not a value", member, hint: "pass it as an input")
            }
            need(step, id, optional: reference.optional, order: false)
          }
        case .input(let name):
          guard member == "run", step.inputs[name] != nil else {
            throw declaration.problem("no input '\(name)' here", member, hint: suggestion(for: name, among: step.inputs.keys))
          }
        case .output(let name):
          guard member == "run", declaration.outputs[name] != nil else {
            throw declaration.problem("no output '\(name)' here", member, hint: suggestion(for: name, among: declaration.outputs.keys))
          }
        case .progress:
          guard member == "run" else { throw declaration.problem("only a command's words may name ${progress}", member) }
        case .append:
          guard member == "run", declaration.appends != nil else {
            throw declaration.problem("only the words of a command that appends may name ${append}", member, hint: "\"appends\": true allows it")
          }
        case .parameter(let name):
          guard member == "run" || member == "env", step.kind == nil, step.with[name] != nil else {
            throw declaration.problem("no parameter '\(name)' here", member, hint: suggestion(for: name, among: step.with.object?.keys ?? []))
          }
        default: break
        }
      }
    }
    for source in step.inputs.values.joined() {
      switch source {
      case .files: break
      case .output(let id, _, let optional): need(step, id, optional: optional, order: false)
      case .fan(let fan): need(step, fan)
      case .each(_, let id, _, let optional): need(step, id, optional: optional, order: false)
      }
    }
    for id in step.shards { need(step, id, optional: false, order: false) }
    for (index, name) in declaration.after.enumerated() { try order(step, after: name, at: index) }
  }

  /// A spread waits for its lists, and for the spreads whose instances its own will name: those exist then.
  private func linkSpread(_ step: Step) throws {
    for (name, list) in step.spread!.lists {
      for case .step(let reference) in try listReferences(list, of: step, name) {
        for (id, output) in try resolve(reference, in: step, "foreach", name) {
          let form = graph.steps[id].output(named: output)?.form ?? .file
          guard form == .value, graph.steps[id].spread == nil else {
            throw step.declaration.problem("'\(graph.steps[id].name).\(output)' is no list", "foreach", name, hint: "name an output that holds JSON")
          }
          need(step, id, optional: reference.optional, order: false)
        }
      }
    }
    for texts in step.declaration.inputs.values {
      for text in texts {
        for base in Template.instanceBases(in: text) {
          let other = graph.step(named: graph.name(base, in: step.declaration))
          if let other, other.spread != nil, other !== step { need(step, other.id, optional: true, order: true) }
        }
      }
    }
  }

  private func listReferences(_ list: Condition, of step: Step, _ name: String) throws -> [Reference] {
    do { return try list.references() } catch let error as TemplateError {
      throw step.declaration.problem(error.sentence, "foreach", name, hint: error.hint)
    }
  }

  /// The names of steps that a step mentions.
  func names(in step: Step) throws -> [String] {
    if let spread = step.spread {
      return try spread.lists.flatMap { name, list in
        try listReferences(list, of: step, name).compactMap { if case .step(let reference) = $0 { reference.step } else { nil } }
      }
    }
    var found = try step.declaration.after.enumerated().map { index, name in
      let name = try expand(after: name, in: step, index)
      return name.hasSuffix("?") ? String(name.dropLast()) : name
    }
    for (port, texts) in step.declaration.inputs {
      for text in texts where text.utf8.contains(UInt8(ascii: "$")) {
        for case .step(let reference) in try references(.string(try expand(text, in: step, "in", port)), in: step, "in") {
          found.append(reference.step)
        }
      }
    }
    for (_, references) in try valueReferences(of: step) {
      for case .step(let reference) in references { found.append(reference.step) }
    }
    return found
  }

  /// The members whose references mean values, and outputs named in a command.
  func valueReferences(of step: Step) throws -> [(member: String, references: [Reference])] {
    var found = [("with", try references(step.with, in: step, "with"))]
    if !step.environment.isEmpty { found.append(("env", try references(.array(step.environment.values.map { .string($0) }), in: step, "env"))) }
    if !step.argv.isEmpty { found.append(("run", try references(.array(step.argv.map { .string($0) }), in: step, "run"))) }
    if let condition = step.condition {
      do { found.append(("when", try condition.references())) } catch let error as TemplateError {
        throw step.declaration.problem(error.sentence, "when", hint: error.hint)
      }
    }
    return found
  }

  /// An output that the step cannot do without and that is not there, though its step succeeded.
  func missing(of step: Step) -> (Step, output: String)? {
    for source in step.inputs.values.joined() {
      for (id, name, optional) in source.outputs where !optional && isMissing(id, name) { return (graph.steps[id], name) }
    }
    for (_, references) in (try? valueReferences(of: step)) ?? [] {
      for case .step(let reference) in references where !reference.optional {
        for (id, name) in (try? resolve(reference, in: step)) ?? [] where isMissing(id, name) { return (graph.steps[id], name) }
      }
    }
    return nil
  }

  private func isMissing(_ id: Step.ID, _ output: String) -> Bool {
    let step = graph.steps[id]
    return step.mayOmit(output) && step.status.isSuccess && step.record?.outputs[output] == nil
  }

  private func need(_ step: Step, _ id: Step.ID, optional: Bool, order: Bool) {
    if let index = positions.index(of: id, in: step) {
      step.needs[index].optional = step.needs[index].optional && optional
      step.needs[index].order = step.needs[index].order && order
    } else {
      step.needs.append((id, optional, order))
    }
    // A spread that is spread already: its instances too.
    if step.spread == nil { for instance in graph.steps[id].spread?.instances ?? [] { need(step, instance, optional: optional, order: order) } }
  }

  /// Where each need of the step that is being linked stands, for wide fan-in.
  private final class Positions {
    private var known: [Step.ID: Int] = [:]

    func index(of id: Step.ID, in step: Step) -> Int? {
      guard step.needs.count > 16 else { return step.needs.firstIndex { $0.step == id } }
      while known.count < step.needs.count { known[step.needs[known.count].step] = known.count }
      return known[id]
    }
  }

  private func need(_ step: Step, _ fan: Fan) {
    if step.needs.isEmpty {
      (step.needs, step.fan) = (fan.needs, fan)
      return
    }
    var known = Dictionary(uniqueKeysWithValues: step.needs.enumerated().map { ($1.step, $0) })
    for need in fan.needs {
      if let index = known[need.step] {
        step.needs[index].optional = step.needs[index].optional && need.optional
        step.needs[index].order = false
      } else {
        known[need.step] = step.needs.count
        step.needs.append(need)
      }
    }
  }

  private func checkPorts(_ step: Step, _ kind: Kind) throws {
    for (port, sources) in step.inputs {
      guard let input = kind.inputs.first(where: { $0.name == port }) else {
        throw step.declaration.problem(
          "kind '\(kind.name)' has no input '\(port)'", "in", port, key: true, hint: suggestion(for: port, among: kind.inputs.map(\.name)))
      }
      let count = sources.reduce(0) { if case .fan(let fan) = $1 { $0 + fan.outputs.count } else { $0 + 1 } }
      if !input.many, count > 1 { throw step.declaration.problem("input '\(port)' takes one artifact, not \(count)", "in", port) }
    }
    for input in kind.inputs where input.required && step.inputs[input.name] == nil {
      throw step.declaration.problem("kind '\(kind.name)' needs the input '\(input.name)'", "in", hint: input.summary)
    }
  }

  private func references(_ json: JSON, in step: Step, _ member: String) throws -> [Reference] {
    do { return try Template.references(in: json) } catch let error as TemplateError {
      throw step.declaration.problem(error.sentence, member, hint: error.hint)
    }
  }

  private func source(of text: String, in step: Step, _ port: String) throws -> Step.Source {
    let expanded: JSON
    do {
      expanded = try Template.expand(.string(text)) { try graph.value(of: $0, after: $1, in: step.declaration, matrix: step.matrix) }
      let written = expanded.string ?? expanded.canonical
      let segments = try Template.parse(written)
      if segments.count == 1, case .reference(.step(let reference)) = segments[0] {
        let name = graph.name(reference.step, in: step.declaration)
        if name.hasSuffix("[*]"), let all = graph.step(named: String(name.dropLast(3))), let spread = all.spread {
          return .each(spread, all.id, try resolve(reference, in: step, "in", port)[0].1, optional: reference.optional)
        }
        if name.hasSuffix("[*]") {
          let key = "\(name).\(reference.output ?? "")\(reference.optional ? "?" : "")"
          return .fan(
            try graph.fan(key) { Fan(try resolve(reference, in: step, "in", port).map { ($0, $1, reference.optional) }) })
        }
        let (id, output) = try resolve(reference, in: step, "in", port)[0]
        return .output(id, output, optional: reference.optional)
      }
      if segments.contains(where: { if case .reference = $0 { true } else { false } }) {
        throw TemplateError(
          sentence: "an input is a path, or one reference to a step's output", hint: "as \"data/*.csv\" or \"${step.demos.dataset}\"")
      }
      let pattern = segments.map { if case .text(let text) = $0 { text } else { "" } }.joined()
      let meant = step.declaration.foreach.isEmpty || !Files.mayBePattern(pattern) ? pattern : try self.pattern(of: text, in: step)
      let path = step.declaration.scope?.input(meant) ?? meant
      let isPattern = Files.isPattern(path)
      let plain = Files.plain(isPattern ? path : Files.unescaped(path), in: graph.manifest.directory)
      if let publisher = graph.publisher(of: plain) {
        // Without the dependency it would be read before or after it is made, as it happens.
        let output = publisher.publishes.first { $0.value == plain }?.key ?? ""
        throw TemplateError(
          sentence: publisher === step ? "'\(pattern)' is this step's own output" : "'\(pattern)' is what step '\(publisher.name)' publishes",
          hint: publisher === step ? "a step cannot read what it makes" : "write ${step.\(publisher.name).\(output)}, so that it comes first")
      }
      if !isPattern, let publisher = graph.publisher(above: plain), publisher !== step {
        throw TemplateError(
          sentence: "'\(pattern)' lies in what step '\(publisher.name)' publishes",
          hint: "take the directory, ${step.\(publisher.name).\(publisher.publishes.keys.first ?? "")}, so that it comes first")
      }
      if !isPattern, let real = graph.linkedDirectories.resolved(plain, in: graph.manifest.directory),
        let publisher = graph.publisher(of: real) ?? graph.publisher(above: real)
      {
        let output = publisher.publishes.first { Files.lies(real, in: Files.withoutSlash($0.value)) }?.key ?? ""
        throw TemplateError(
          sentence: "'\(pattern)' leads to '\(real)', which step '\(publisher.name)' publishes",
          hint: publisher === step ? "a step cannot read what it makes" : "write ${step.\(publisher.name).\(output)}, so that it comes first")
      }
      if isPattern || step.kind == nil,
        let output = step.publishes.first(where: {
          isPattern ? Self.matches(plain, published: $0.value) : Files.rest(of: $0.value, after: plain + "/") != nil
        })
      {
        throw TemplateError(
          sentence: "the output '\(output.key)' (\(output.value)) would lie in the input '\(pattern)'", hint: "inputs are read only; write elsewhere")
      }
      let place = Files.normal(Files.absolute(plain, in: graph.manifest.directory)) + "/"
      if place.contains("/.enpire/") || (graph.manifest.directory + "/").hasPrefix(place) {
        throw TemplateError(
          sentence: "'\(pattern)' lies in the state, or holds it", hint: "name files, or a step's output by reference: ${step.NAME.OUTPUT}")
      }
      return .files(path)
    } catch let error as TemplateError { throw step.declaration.problem(error.sentence, "in", port, hint: error.hint) }
  }

  /// Whether a pattern means what is published at a path, or a directory that it lies in.
  private static func matches(_ pattern: String, published path: String) -> Bool {
    let isOfDirectories = pattern.hasSuffix("/")
    let pattern = isOfDirectories ? String(pattern.dropLast()) : pattern
    var next: String? = path.hasSuffix("/") ? String(path.dropLast()) : isOfDirectories ? Files.parent(of: path) : path
    while let place = next {
      if fnmatch(pattern, place, FNM_PATHNAME | FNM_PERIOD) == 0 { return true }
      next = Files.parent(of: place)
    }
    return false
  }

  /// The path or pattern of an input where elements of lists may hold what would make a pattern: they are data, and mean just what they hold.
  private func pattern(of text: String, in step: Step) throws -> String {
    func filled(_ write: (String) -> String) throws -> String {
      let value = try Template.expand(.string(text)) { reference, before in
        let value = try graph.value(of: reference, after: before, in: step.declaration, matrix: step.matrix)
        guard case .matrix(let name) = reference, step.declaration.foreach[name] != nil else { return value }
        return .string(write(value.string ?? value.canonical))
      }
      return try Template.settle(value).string ?? value.canonical
    }
    return Files.isPattern(try filled { _ in "" }) ? try filled(Files.escaped) : Files.escaped(try filled { $0 })
  }

  /// The steps and output names that a reference means.
  private func resolve(_ reference: StepReference, in step: Step, _ pointer: String...) throws -> [(Step.ID, String)] {
    func fail(_ sentence: String, _ hint: String?) -> Problem {
      let origin = Origin(file: step.declaration.origin.file, pointer: JSONPointer(step.declaration.origin.pointer.tokens + pointer))
      return Problem(.manifest, sentence, at: origin.place(), hint: hint)
    }
    let name = graph.name(reference.step, in: step.declaration)
    let targets: [Step.ID]
    let base = name.firstIndex(of: "[").map { String(name[..<$0]) } ?? name
    if graph.step(named: name) == nil || base == name, let all = graph.step(named: base), all.spread != nil {
      guard name.hasSuffix("[*]") else {
        throw base == name
          ? fail("step '\(name)' stands for one step for each element of a list", "write ${step.\(name)[*]…} for all of them")
          : fail("no step '\(name)' in this list", "the steps of '\(base)' are known when its list is")
      }
      targets = [all.id]
    } else if name.hasSuffix("[*]"), let all = graph.instances(of: String(name.dropLast(3))) {
      targets = all
    } else if let one = graph.step(named: name) {
      targets = [one.id]
    } else if let all = graph.instances(of: name) {
      let one = graph.steps[all[0]].name
      throw fail("step '\(reference.step)' has a matrix", "write ${step.\(reference.step)[*]…} for all of them, ${step.\(one)…} for one")
    } else {
      throw fail("no step '\(name)'", suggestion(for: name, among: graph.manifest.steps.keys + graph.names))
    }
    return try targets.map { id in
      guard let output = graph.steps[id].output(named: reference.output) else {
        throw fail(
          "step '\(reference.step)' has no output '\(reference.output ?? "")'",
          suggestion(for: reference.output ?? "", among: graph.steps[id].outputs.map(\.name)))
      }
      return (id, output.name)
    }
  }

  private func expand(_ text: String, in step: Step, _ pointer: String...) throws -> String {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
    do {
      let value = try Template.expand(.string(text)) { try graph.value(of: $0, after: $1, in: step.declaration, matrix: step.matrix) }
      return value.string ?? value.canonical
    } catch let error as TemplateError { throw step.declaration.problem(error.sentence, at: pointer, hint: error.hint) }
  }

  /// A name is one as in a reference.
  private func expand(after name: String, in step: Step, _ index: Int) throws -> String {
    guard name.utf8.contains(UInt8(ascii: "$")) else { return name }
    return String(try expand("${step.\(name)}", in: step, "after", String(index)).dropFirst(7).dropLast())
  }

  /// `after`: order alone. After a step that appends means after its whole family; a name with `?` may never exist.
  private func order(_ step: Step, after written: String, at index: Int) throws {
    let written = try expand(after: written, in: step, index)
    let optional = written.hasSuffix("?")
    var name = graph.name(optional ? String(written.dropLast()) : written, in: step.declaration)
    if name.hasSuffix("[*]") { name = String(name.dropLast(3)) }
    let targets = graph.step(named: name).map { [$0.id] } ?? graph.instances(of: name)
    guard let targets else {
      if optional, let root = graph.step(named: Graph.family(of: name)) {
        guard root.name != step.family else {
          throw step.declaration.problem(
            "'\(written)' may come of the step's own family, which cannot wait for itself", "after", String(index), hint: "name a step that exists")
        }
        step.promises.append(name)
        return
      }
      throw step.declaration.problem("no step '\(name)'", "after", String(index), hint: suggestion(for: name, among: graph.manifest.steps.keys))
    }
    for id in targets {
      let target = graph.steps[id]
      if target.mayAppend, target.family == target.name, step.family != target.family {
        step.families.append(target.name)
      } else {
        need(step, id, optional: optional, order: true)
      }
    }
  }
}
