// Appending by people and agents: all steps of a request or none, checked against the graph, the policy and the budget before a byte is
// written, one request at a time. The workflow may be running; its run takes them in (Run+Join).

import JSON
import OrderedCollections

public struct AppendRequest {
  /// `{"steps": {NAME: STEP, …}}`, and what errors call it.
  public var text: [UInt8]
  public var source: String
  public var note = AppendNote()
  /// The graph's revision that the steps were made for; nil for any.
  public var revision: String?
  public var dryRun = false

  public init(text: [UInt8], source: String) { (self.text, self.source) = (text, source) }
}

public struct AppendResult {
  public struct Entry {
    public let name: String
    /// Nil if nothing is written.
    public let file: String?
    /// False if the very step was there already.
    public let isNew: Bool
    /// A step that does the same: its results will be taken.
    public let sameAs: String?
  }

  public let entries: [Entry]
  /// Of a dry run, or where a budget asks for it.
  public let cost: AppendCost?
  /// Of the graph with the steps.
  public let revision: String
}

extension Session {
  /// Appends the steps of a request to the workflow of a manifest.
  public static func append(_ request: AppendRequest, to path: String) throws -> AppendResult {
    // Variables set for the checks would not hold for the runs.
    let manifest = try Manifest(path: path)
    let lock = try AppendLock(state: stateDirectory(of: manifest), exclusive: true)
    defer { withExtendedLifetime(lock) {} }
    let session = try Session(manifest, appended: try Appended.read(beside: manifest, holding: lock), withKinds: true)
    return try session.append(request)
  }

  /// What the graph is now: it is another one after anything was appended, or the manifest was edited.
  public var revision: String {
    Appended.revision(of: manifest, (appendedNames ?? Appended.names(in: manifest.appendedDirectory)))
  }

  private func append(_ request: AppendRequest) throws -> AppendResult {
    if let expected = request.revision, expected != revision {
      throw Problem(
        .conflict, "the workflow is at revision \(revision), not at \(expected)",
        hint: "somebody appended or edited meanwhile: look at it again, then append for the new revision")
    }
    let reader = Reader(file: request.source, text: request.text)
    let root = try reader.parse()
    try reader.onlyKeys(root, JSONPointer(), ["steps"])
    guard let steps = root["steps"]?.object, !steps.isEmpty else {
      throw reader.problem("there are no steps", JSONPointer(["steps"]), hint: "{\"steps\": {\"name\": {…}}}")
    }
    // What steps append, and lists spread to, can be referred to.
    if graph.steps.contains(where: { $0.mayAppend || $0.spread != nil }) { _ = try plan(graph.steps) }
    if let parent = request.note.parent, steps[parent] == nil, !AppendNote.isExperiment(parent), (try? graph.steps(for: parent)) == nil {
      throw Problem(
        .usage, "no step '\(parent)' to be the parent, and no experiment's id, as a-3", hint: suggestion(for: parent, among: graph.names))
    }
    Origin.note(request.text, of: request.source)
    var known: [String: String] = [:]
    for declaration in graph.declarations { known[declaration.experiment] = known[declaration.experiment] ?? declaration.name }
    var declarations: [StepDeclaration] = []
    var files: [AppendJournal.File] = []
    var entries: [AppendResult.Entry] = []
    for (name, step) in steps {
      let pointer = JSONPointer(["steps", name])
      try reader.checkName(name, pointer)
      let declaration = try StepDeclaration(step, name: name, at: pointer, reader: reader, note: request.note)
      let same = declaration.isRepeatable ? known[declaration.experiment] : nil
      let file = Appended.file(name: name, step: step, by: nil, nil, note: request.note)
      if let there = graph.declaration(named: name), there.isSame(as: declaration) {
        // A second file says that it is wanted.
        let becomesGoal = request.note.isGoal && there.note?.isGoal == false
        if becomesGoal { files.append(file) }
        entries.append(.init(name: name, file: becomesGoal ? file.name : nil, isNew: false, sameAs: nil))
        continue
      }
      declarations.append(declaration)
      files.append(file)
      entries.append(.init(name: name, file: file.name, isNew: true, sameAs: same))
    }
    let before = graph.appendedCount
    var cost: AppendCost?
    let created = try graph.insert(declarations, parent: nil) { created in
      try manifest.appendPolicy.check(created, before: before, cost: nil)
      try protect(created)
    }
    if request.dryRun || manifest.appendPolicy.stationMinutes != nil {
      cost = try AppendCost(of: created, in: graph, state: state)
      try manifest.appendPolicy.check(created, before: before, cost: cost)
    }
    if !request.dryRun, !files.isEmpty { try AppendJournal.write(files, below: manifest.appendedDirectory, state: state) }
    let names = (appendedNames ?? []) + files.map(\.name)
    return AppendResult(entries: entries, cost: cost, revision: Appended.revision(of: manifest, names))
  }
}

extension StepDeclaration {
  /// What is tried, whatever it is called and wherever its results go: two of these are the same experiment.
  var experiment: String {
    var json: JSON = [
      "in": .object(inputs.mapValues { .array($0.map { .string($0) }) }), "with": with, "env": .object(environment.mapValues { .string($0) }),
      "shards": shards ?? .null, "station": station ?? .null, "matrix": matrix?.json ?? .null, "after": .array(after.map { .string($0) }),
    ]
    switch action {
    case .kind(let name): json["uses"] = .string(name)
    case .command(let words):
      json["run"] = .array(words.map { .string($0) })
      // A command sees where it writes.
      json["out"] = .object(outputs.mapValues { .string($0) })
    case .group: json["phony"] = true
    }
    return json.canonical
  }

  /// Whether two steps of one name are one.
  func isSame(as other: StepDeclaration) -> Bool { outputs == other.outputs && experiment == other.experiment }

  /// Whether doing it twice tells nothing new. Confirmations and replications are drawn anew.
  var isRepeatable: Bool { !["confirm", "replicate"].contains(with["purpose"]?.string) }
}
