// Whether a step has to run, and why: the one place that decides, for `run`, `plan` and `why` alike.

public import Hashing
public import JSON
import OrderedCollections

public enum Decision {
  /// Recorded, and everything is in place.
  case upToDate(ActionRecord)
  /// Recorded; the published files named have to be put back.
  case restore(ActionRecord, [String])
  case run(key: Digest, fingerprint: JSON, reasons: [Reason])
  /// Has to run under this key, for what differs from the last record, and waits for a person.
  case hold(key: Digest, Question, reasons: [Reason])
  /// Not in this run: why.
  case skip(String)
}

/// What a run waits for a person to do or say, and the command by which it is done or said.
public struct Question: Sendable {
  public let text: String
  /// As it can be given from anywhere.
  public let command: String
  /// As it can be given here, for a person.
  public let advice: String

  init(_ text: String, _ verb: String, _ name: String, in manifest: Manifest) {
    func line(_ path: String) -> String { Shell.line(["enpire", verb, "-f", path] + manifest.overrides.map { "\($0.name)=\($0.value)" } + [name]) }
    self.text = text
    command = line(Files.normal(manifest.path))
    advice = line(Files.display(manifest.path)) + (verb == "approve" ? ", or reject" : "")
  }
}

struct Decider {
  let graph: Graph
  let state: State
  let stations: StationBook
  let tools: Tools

  init(graph: Graph, state: State) {
    self.graph = graph
    self.state = state
    stations = StationBook(graph.fleet, state: state.directory)
    tools = Tools(state.files)
  }

  /// Decides for a step whose needs have all succeeded (or are optional and ended). `force` runs it whatever is recorded; `hasRun` says that it
  /// has run in this run already, which is enough for one that always runs.
  func decide(_ step: Step, force: Bool = false, hasRun: Bool = false) throws -> Decision {
    if let reason = try bypass(step) { return .skip(reason) }
    if step.isNominal {
      if step.spread != nil { _ = try lists(of: step) }
      return .upToDate(ActionRecord(group: step))
    }
    let fingerprint = try fingerprint(of: step)
    let key = Digest(of: fingerprint.canonical)
    let record = try state.action(key)
    let force = !hasRun && (force || step.options.always)
    let quarantine = try state.quarantine()
    let taint = record == nil ? nil : quarantine?.taint(of: key)
    if let record, !force, taint == nil,
      try record.outputs.allSatisfy({ try state.store.has($0.value) || isTakenBack($0.value, from: step.publishes[$0.key]) })
    {
      let displaced = try step.publishes.filter { try isDisplaced(record.outputs[$0.key], at: graph.manifest.directory + "/" + $0.value) }
      return displaced.isEmpty ? .upToDate(record) : .restore(record, displaced.map(\.value))
    }
    if let quarantine { try refuse(step, for: quarantine) }
    let reasons: [Reason]
    if let taint {
      reasons = [Reason(.tainted, "its result is in quarantine: \(taint.sentence)", name: taint.name)]
    } else if record != nil {
      reasons = [step.options.always ? .always : force ? .forced : .lost]
    } else if let latest = try state.latest(graph.manifest.workflow, step.name), let old = try state.details(latest) {
      reasons = try Explanation.reasons(from: old.fingerprint, to: fingerprint, of: step.declaration, lists: state.lists)
    } else {
      reasons = [.first]
    }
    if step.moves, !force, let run = try state.runThatDid(key) {
      throw Problem(
        .station, "\(step.name): run \(run) did it, and its result is gone; what moves hardware is not done twice by itself",
        hint: "if it shall be done again: enpire run -B '\(step.name)'")
    }
    if let question = try question(of: step, key) { return .hold(key: key, question, reasons: reasons.filter { $0.what != .first }) }
    return .run(key: key, fingerprint: fingerprint, reasons: reasons)
  }

  /// What a person has to do or say before a step may run under this key; nil if nothing. Throws if it was refused.
  func question(of step: Step, _ key: Digest) throws -> Question? {
    if let text = step.options.approval {
      guard let approval = try state.approval(of: key) else {
        return Question(text, "approve", step.name, in: graph.manifest)
      }
      if let problem = approval.problem(of: step.name, in: graph.manifest) { throw problem }
    }
    for station in step.stations {
      let record = try stations.record(of: station.name)
      if let unsure = record.unsure ?? record.cutOff(at: Clock.now) {
        return Question(
          "nobody knows how '\(unsure.step)' left station \(station.name) (\(unsure.why)): it has to be reset and verified", "reset", station.name,
          in: graph.manifest)
      }
      if step.moves, !record.isArmed(at: Clock.now) {
        return Question("it moves station \(station.name), which is not armed", "arm", station.name, in: graph.manifest)
      }
    }
    return nil
  }

  /// Nothing runs on a station, or reads a file, that is marked as bad.
  private func refuse(_ step: Step, for quarantine: Quarantine) throws {
    if let taint = step.stations.lazy.compactMap({ quarantine.taint(ofStation: $0.name) }).first {
      throw Problem(
        .station, "\(step.name): \(taint.sentence)",
        hint: "leave the station out of the fleet, or take the mark back: enpire taint --remove \(taint.id)")
    }
    guard quarantine.marksFiles else { return }
    for artifact in try inputs(of: step).values.joined() {
      guard artifact.artifact == nil, let taint = try taint(of: artifact, in: quarantine) else { continue }
      throw Problem(
        .stepFailed, "\(step.name): reads \(artifact.name), and \(taint.sentence)",
        hint: "leave it out of 'in', or take the mark back: enpire taint --remove \(taint.id)")
    }
  }

  /// The mark of a file, of a directory as it is, or of a file in it.
  private func taint(of input: InputArtifact, in quarantine: Quarantine) throws -> Taint? {
    if let taint = quarantine.taint(ofFile: input.digest) { return taint }
    guard let path = input.path, input.stamp?.isDirectory == true else { return nil }
    return try Files.walk(path).lazy.compactMap { quarantine.taint(ofFile: try state.files.digest(of: path + "/" + $0)) }.first
  }

  /// What is published there is not what is recorded, or something is where an output was left out.
  private func isDisplaced(_ artifact: Artifact?, at path: String) throws -> Bool {
    try artifact == nil ? isLeftover(path) : !isInPlace(artifact, at: path)
  }

  /// Whether an output that the store lost is still published as it was, and so is in the store again.
  private func isTakenBack(_ artifact: Artifact, from path: String?) throws -> Bool {
    guard let path = path.map({ graph.manifest.directory + "/" + $0 }), try isInPlace(artifact, at: path) else { return false }
    return (try? state.store.takeBack(artifact, from: path)) != nil && state.store.has(artifact)
  }

  /// Whether a path holds just this artifact.
  func isInPlace(_ artifact: Artifact?, at path: String) throws -> Bool {
    guard let artifact, Files.exists(path), Files.isDirectory(path) == (artifact.form == .directory) else { return false }
    // What no output can be, as a link in a directory, is another thing.
    return (try? Store.artifact(at: path, form: artifact.form, look: state.files.entry)) == artifact
  }

  // MARK: What the key is the hash of

  /// Everything that may change the result, and nothing else: no times, paths, hosts or order of keys.
  func fingerprint(of step: Step) throws -> JSON {
    var print: JSON = [:]
    switch step.declaration.action {
    case .kind:
      let kind = step.kind!
      print["kind"] = .string(kind.name)
      print["revision"] = .integer(kind.revision)
      print["with"] = try parameters(of: step, forSample: false)
      if kind.effect == .external { print["workflow"] = .string(graph.manifest.workflow) }
      // A confirmation or replication is drawn anew, however alike it is to another.
      if kind.effect == .sample, ["confirm", "replicate"].contains(step.with["purpose"]?.string) { print["step"] = .string(step.wholeName) }
    case .command:
      let with = try parameters(of: step, forSample: false)
      if with.object?.isEmpty == false { print["with"] = with }
      print["command"] = .array(step.argv.map { .string($0) })
      let named = try referenced(by: step)
      if !named.isEmpty { print["references"] = .object(named) }
      print["outputs"] = .object(OrderedDictionary(uniqueKeysWithValues: step.outputs.map { ($0.name, .string($0.path)) }))
      if !step.declaration.optionalOutputs.isEmpty { print["optional"] = .array(step.declaration.optionalOutputs.sorted().map { .string($0) }) }
    case .group: break
    }
    var inputs: JSON = [:]
    for (port, artifacts) in try self.inputs(of: step) {
      // A port that is one fan shares its list with all who read that.
      if let sources = step.inputs[port], sources.count == 1, case .fan(let fan) = sources[0], step.shards.isEmpty, fan.artifacts != nil {
        if fan.print == nil { fan.print = state.lists.print(of: artifacts.map(\.print)) }
        inputs[port] = fan.print
      } else {
        inputs[port] = .array(artifacts.map(\.print))
      }
    }
    print["inputs"] = inputs
    let environment = step.environment.filter { !step.options.unkeyed.contains("env." + $0.key) }
    if !environment.isEmpty { print["env"] = try resolve(.object(environment.mapValues { .string($0) }), in: step, "env", forKey: true) }
    if let tools = try tools(of: step) { print["tools"] = tools }
    if let station = step.station { print["station"] = station.entry }
    if step.stations.count > 1 { print["stations"] = .array(step.stations.map(\.entry)) }
    if !step.options.secrets.isEmpty { print["secrets"] = .array(step.options.secrets.map { .string($0.name) }) }
    if let shard = step.shard { print["shard"] = ["index": .integer(shard.index), "count": .integer(shard.count)] }
    if step.kind?.readsStudy == true {
      print["study"] = study(of: step)
      // They are told how each was made, too. By name: who is appended first differs from one reading to the next.
      func text(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
      let ancestors = graph.ancestors(of: step).map { ($0.name, [text($0.record?.key.hex), text($0.declaration.description)] as JSON) }
      print["ancestors"] = .object(OrderedDictionary(uniqueKeysWithValues: ancestors))
      if let quarantine = try state.quarantine() { print["taints"] = .array(quarantine.taints.map(\.json)) }
    }
    return print
  }

  /// The outputs of other steps that a command names in its words, by digest.
  private func referenced(by step: Step) throws -> OrderedDictionary<String, JSON> {
    var digests: OrderedDictionary<String, JSON> = [:]
    for case .step(let reference) in try Template.references(in: .array(step.argv.map { .string($0) })) {
      guard let target = graph.step(named: reference.step, from: step), let output = target.output(named: reference.output) else { continue }
      // A path's last part is seen too.
      let file = output.form == .value ? "" : "/" + Files.name(of: output.path)
      digests["\(reference.step).\(output.name)"] = (target.record?.outputs[output.name]).map { .string($0.name + file) } ?? .null
    }
    return digests
  }

  /// Where a sample's finished trials are kept: everything but how many are wanted.
  func sampleKey(of step: Step, fingerprint: JSON) throws -> Digest {
    var print = fingerprint
    print["with"] = try parameters(of: step, forSample: true)
    return Digest(of: print.canonical)
  }

  /// The same, of a recorded step.
  static func sampleKey(of fingerprint: JSON, kind: Kind) -> Digest {
    var (print, with) = (fingerprint, fingerprint["with"] ?? [:])
    for parameter in kind.parameters where !parameter.affectsResult { with[parameter.name] = nil }
    print["with"] = with
    return Digest(of: print.canonical)
  }

  /// What held-out seeds are drawn from: the same for all shards and stations of a step.
  func seedRoot(of step: Step, fingerprint: JSON) throws -> Digest {
    var print = fingerprint
    print["with"] = try parameters(of: step, forSample: true)
    for key in ["shard", "station", "stations"] { print[key] = nil }
    return authenticationCode(key: try state.secret(), message: print.canonical)
  }

  /// The parameters that count: all that affect the result, and for a step's key also a sample's size.
  private func parameters(of step: Step, forSample: Bool) throws -> JSON {
    var with = try resolvedParameters(of: step)
    for parameter in step.kind?.parameters ?? [] where !parameter.affectsResult && (forSample || step.effect != .sample) {
      with[parameter.name] = nil
    }
    for name in step.options.unkeyed { with[name] = nil }
    return with
  }

  func resolvedParameters(of step: Step) throws -> JSON {
    let with = try resolve(step.with, in: step, "with")
    for parameter in step.kind?.parameters ?? [] {
      if let value = with[parameter.name], let problem = parameter.form.problem(with: value) {
        throw step.declaration.problem("'\(parameter.name)' \(problem)", "with", parameter.name, hint: parameter.summary)
      }
    }
    return with
  }

  // MARK: Inputs

  struct InputArtifact {
    let name: String
    let digest: Digest
    /// Set for a file of the workspace, with its stamp when it was hashed.
    let path: String?
    let stamp: FileStamp?
    /// Set for a step's output.
    let artifact: Artifact?
    let step: String?
    /// Set for what a command reads of the workspace, which it sees at this path of its own directory.
    var place: String?
  }

  /// The artifacts at each port, in order. A gather gets its shards' outputs too.
  func inputs(of step: Step) throws -> OrderedDictionary<String, [InputArtifact]> {
    var inputs: OrderedDictionary<String, [InputArtifact]> = [:]
    for (port, sources) in step.inputs {
      inputs[port] =
        sources.count == 1 ? try artifacts(sources[0], at: port, of: step) : try sources.flatMap { try artifacts($0, at: port, of: step) }
    }
    for id in step.shards {
      for output in step.outputs {
        inputs[output.name, default: []] += try artifacts(.output(id, output.name, optional: false), at: output.name, of: step)
      }
    }
    return inputs
  }

  private func artifacts(_ source: Step.Source, at port: String, of step: Step) throws -> [InputArtifact] {
    switch source {
    case .fan(let fan):
      if let artifacts = fan.artifacts { return artifacts }
      let found = try fan.outputs.flatMap { try artifacts(.output($0.step, $0.output, optional: $0.optional), at: port, of: step) }
      if fan.outputs.allSatisfy({ graph.steps[$0.step].status.isFinished }) { fan.artifacts = found }
      return found
    case .output(let id, let name, let optional):
      let producer = graph.steps[id]
      guard let artifact = producer.record?.outputs[name] else {
        if optional { return [] }
        throw Problem(.internalError, "\(producer.name) has no recorded output '\(name)'")
      }
      let file = producer.outputs.first { $0.name == name }.map { Files.name(of: $0.path) } ?? name
      return [InputArtifact(name: file, digest: artifact.digest, path: nil, stamp: nil, artifact: artifact, step: producer.name)]
    case .each:
      return try source.outputs.flatMap { try artifacts(.output($0.step, $0.output, optional: $0.optional), at: port, of: step) }
    case .files(let pattern):
      let paths = Files.matches(pattern, in: graph.manifest.directory)
      if paths.isEmpty {
        let isPattern = Files.isPattern(pattern)
        // A pattern at an optional input may match nothing; a path must exist.
        if isPattern, step.kind?.inputs.first(where: { $0.name == port })?.required == false { return [] }
        var problem = step.declaration.problem(
          "step \(step.name): " + (isPattern ? "no file matches '\(pattern)'" : "no file '\(Files.unescaped(pattern))'"), "in", port,
          hint: "paths start at \(Files.display(graph.manifest.directory))/")
        problem.code = .missingInput
        throw problem
      }
      // By a pattern, or where the state is elsewhere.
      if let path = paths.first(where: { ($0 + "/").hasPrefix(state.place) || state.place.hasPrefix($0 + "/") }) {
        throw step.declaration.problem(
          "step \(step.name): \(Files.display(path)) lies in the state, or holds it", "in", port, hint: "name other files")
      }
      if step.isAppended { try checkReach(of: step, paths) }
      let home = (step.declaration.scope?.directory ?? graph.manifest.directory) + "/"
      return try paths.map { path in
        guard let stamp = FileStamp(of: path) else { throw Files.problem("read", path) }
        func artifact(_ digest: Digest, _ stamp: FileStamp) -> InputArtifact {
          InputArtifact(
            name: Files.name(of: path), digest: digest, path: path, stamp: stamp, artifact: nil, step: nil,
            place: step.kind == nil && path.hasPrefix(home) ? String(path.dropFirst(home.count)) : nil)
        }
        if stamp.isDirectory { return artifact(try Store.artifact(at: path, form: .directory, look: state.files.entry).digest, stamp) }
        let entry = try state.files.entry(of: path)
        // Names are compared as texts, and these would count as one file.
        guard state.files.spelling(of: path)?.utf8.elementsEqual(path.utf8) ?? true else {
          var problem = step.declaration.problem(
            "step \(step.name): two files are called '\(Files.display(path))', in two spellings of Unicode", "in", port, hint: "rename one of them")
          problem.code = .missingInput
          throw problem
        }
        return artifact(entry.digest, entry.stamp)
      }
    }
  }

  /// What a step that was decided reads as it starts; nil if that is not what its key was made of, for files changed while it waited.
  func inputs(of step: Step, decidedAs fingerprint: JSON) throws -> OrderedDictionary<String, [InputArtifact]>? {
    let inputs = try inputs(of: step)
    for (port, sources) in step.inputs where sources.contains(where: \.isOfFiles) {
      guard fingerprint["inputs"]?[port] == .array((inputs[port] ?? []).map(\.print)) else { return nil }
    }
    return try tools(of: step) == fingerprint["tools"] ? inputs : nil
  }

  /// Whether a file or directory of the workspace is still what it was when the step started, or is again.
  func isUnchanged(_ input: InputArtifact) throws -> Bool {
    guard let path = input.path, let stamp = input.stamp else { return true }
    guard stamp.isDirectory else { return FileDigests.isUnchanged(path, since: stamp) }
    return try Files.isDirectory(path) && Store.artifact(at: path, form: .directory, look: state.files.entry).digest == input.digest
  }

  private func study(of step: Step) -> JSON {
    .object(
      OrderedDictionary(
        uniqueKeysWithValues: graph.ancestors(of: step).map { ancestor in
          let outputs = ancestor.record?.outputs.mapValues { JSON.string($0.digest.hex) } ?? [:]
          return (ancestor.name, ancestor.status.isSuccess ? .object(outputs) : .string(ancestor.status.rawValue))
        }))
  }
}
