// Steps that came while the workflow ran: one file a step beside the manifest (`push-t.steps/`), named by its content, so that
// two branches that appended merge without conflict. What a step appended is part of its record and comes back with it;
// what a person or an agent appended by `enpire append` counts as written in the manifest.

import Hashing
import JSON
import OrderedCollections

public enum Appended {
  static func file(name: String, step: JSON, by parent: String?, _ key: Digest?, note: AppendNote = AppendNote()) -> AppendJournal.File {
    var json: JSON = ["append": 1, "name": .string(name), "step": step]
    if let parent { json["by"] = .string(parent) }
    if let key { json["key"] = .string(key.hex) }
    for (member, value) in note.members { json[member] = value }
    // A file's name has 255 bytes at most.
    let label = String(name.prefix(50).map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" })
    return ("\(label)-\(Digest(of: json.canonical).short).json", json)
  }

  // MARK: By steps

  /// Takes what a step appended: checks all of it against the graph, then writes the files. Returns the new steps.
  /// What is taken again from a record was allowed when it was recorded.
  static func take(_ list: JSON, from parent: Step, _ key: Digest, session: Session, isRecorded: Bool) throws -> [Step] {
    guard let entries = list.array, !entries.isEmpty else { return [] }
    guard parent.mayAppend else {
      throw parent.declaration.problem("step '\(parent.name)' may not append steps", key: true, hint: "\"appends\": true in the manifest allows it")
    }
    var declarations: [StepDeclaration] = []
    var files: [AppendJournal.File] = []
    for entry in entries {
      guard let given = entry["name"]?.string, let step = entry["step"] else {
        throw Problem(.manifest, "\(parent.name) appended something that is not a step")
      }
      // A record knows no namespace: the same step of the same file may have been run by itself.
      let name = given.hasPrefix(parent.family + "/") ? given : (parent.declaration.scope?.prefix ?? "") + given
      guard name.hasPrefix(parent.family + "/") else {
        throw Problem(.manifest, "\(parent.name) may not append '\(name)'", hint: "its steps' names start with '\(parent.family)/'")
      }
      let parts = name.dropFirst(parent.family.count + 1).split(separator: "/", omittingEmptySubsequences: false)
      guard parts.allSatisfy(Reader.isWord) else {
        throw Problem(.manifest, "'\(name)' cannot be a step's name", hint: "after '\(parent.family)/' use letters, digits, _, - and single /")
      }
      let file = file(name: name, step: step, by: parent.name, key)
      let path = session.manifest.appendedDirectory + "/" + file.name
      let declaration = try declaration(name, step, file: path, text: Array(file.json.pretty.utf8), scope: parent.declaration.scope)
      try checkAllowed(declaration, parent)
      declarations.append(declaration)
      files.append(file)
    }
    let (policy, before) = (session.manifest.appendPolicy, session.graph.appendedCount)
    let steps = try session.graph.insert(declarations, parent: parent.id) { created in
      if isRecorded { return }
      let cost = policy.stationMinutes == nil ? nil : try AppendCost(of: created, in: session.graph, state: session.state)
      try policy.check(created, before: before, cost: cost)
      // What lies there already was taken before, and what it published may be there though nothing is recorded.
      let known = Set(zip(declarations, files).filter { Files.exists(session.manifest.appendedDirectory + "/" + $1.name) }.map(\.0.name))
      try session.protect(created, known: known)
    }
    try AppendJournal.put(files, below: session.manifest.appendedDirectory)
    return steps
  }

  private static func checkAllowed(_ declaration: StepDeclaration, _ parent: Step) throws {
    guard let allowed = parent.allowance, !allowed.isEmpty else { return }
    let kind = declaration.action.word
    if !allowed.contains(kind) {
      throw declaration.problem(
        "'\(parent.name)' may not append a step of kind '\(kind)'", hint: "its 'appends' allows: \(allowed.joined(separator: ", "))")
    }
    if let inherited = declaration.appends, inherited.isEmpty || !Set(inherited).isSubset(of: allowed) {
      throw declaration.problem("'\(declaration.name)' may not append more than '\(parent.name)'", "appends", hint: "copy its 'appends'")
    }
  }

  // MARK: By persons and agents

  /// The files' names and the steps that persons and agents appended, in that order; a batch is there whole or not at all.
  static func read(beside manifest: Manifest, holding lock: AppendLock? = nil) throws -> (names: [String], steps: [StepDeclaration]) {
    let (state, directory) = (Session.stateDirectory(of: manifest), manifest.appendedDirectory)
    var lock = lock
    if Files.exists(state) {
      if AppendJournal.isPending(state) {
        lock = try lock ?? AppendLock(state: state, exclusive: true)
        try AppendJournal.finish(state)
      } else if lock == nil, Files.exists(directory) {
        lock = try? AppendLock(state: state, exclusive: false)
      }
    }
    defer { withExtendedLifetime(lock) {} }
    let names = names(in: directory)
    return (names, distinct(try names.compactMap { try byPerson(directory + "/" + $0) }))
  }

  /// Without the same step in a second file, as two branches may bring it by different authors; a goal goes before one that is none.
  static func distinct(_ steps: [StepDeclaration]) -> [StepDeclaration] {
    var chosen: [StepDeclaration] = []
    var places: [String: Int] = [:]
    for step in steps {
      if let place = places[step.name], chosen[place].isSame(as: step) {
        if chosen[place].note?.isGoal != true { chosen[place] = step }
      } else {
        places[step.name] = chosen.count
        chosen.append(step)
      }
    }
    return chosen
  }

  /// The appended steps' files in a directory.
  static func names(in directory: String) -> [String] { Files.list(directory).filter { $0.hasSuffix(".json") } }

  /// The graph's revision with these appended files.
  static func revision(of manifest: Manifest, _ names: [String]) -> String {
    String(Digest(of: manifest.digest.hex + names.sorted().joined(separator: "\0")).hex.prefix(16))
  }

  /// The step in a file; nil if a step appended it.
  static func byPerson(_ path: String) throws -> StepDeclaration? {
    let reader = Reader(file: path, text: try Files.read(path))
    let root = try reader.parse()
    try reader.version(root, "append")
    guard root["by"] == nil else { return nil }
    guard let step = root["step"], let name = root["name"]?.string else { throw reader.problem("'name' or 'step' is missing", JSONPointer()) }
    return try StepDeclaration(step, name: name, at: JSONPointer(["step"]), reader: reader, note: AppendNote(root))
  }

  private static func declaration(_ name: String, _ step: JSON, file: String, text: [UInt8], scope: Scope?) throws -> StepDeclaration {
    let reader = Reader(file: file, text: text)
    return try StepDeclaration(step, name: name, at: JSONPointer(["step"]), reader: reader, scope: scope, note: AppendNote())
  }
}
