// Steps that came while the workflow ran: one file a step beside the manifest (`push-t.steps/`), named by its content, so that
// two branches that appended merge without conflict. What a step appended is part of its record and comes back with it;
// what a person or an agent appended by `enpire append` counts as written in the manifest.

import Hashing
import JSON
import OrderedCollections

public enum Appended {
  private static func file(name: String, step: JSON, by parent: String?, _ key: Digest?, author: String? = nil) -> (name: String, json: JSON) {
    var json: JSON = ["append": 1, "name": .string(name), "step": step]
    if let parent { json["by"] = .string(parent) }
    if let key { json["key"] = .string(key.hex) }
    if let author { json["author"] = .string(author) }
    let label = String(name.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" })
    return ("\(label)-\(Digest(of: json.canonical).short).json", json)
  }

  // MARK: By steps

  /// Takes what a step appended: checks all of it against the graph, then writes the files. Returns the new steps.
  static func take(_ list: JSON, from parent: Step, _ key: Digest, session: Session) throws -> [Step] {
    guard let entries = list.array, !entries.isEmpty else { return [] }
    guard parent.mayAppend else {
      throw parent.declaration.problem("step '\(parent.name)' may not append steps", key: true, hint: "\"appends\": true in the manifest allows it")
    }
    var declarations: [StepDeclaration] = []
    var files: [(name: String, json: JSON)] = []
    for entry in entries {
      guard let name = entry["name"]?.string, let step = entry["step"] else {
        throw Problem(.manifest, "\(parent.name) appended something that is not a step")
      }
      guard name.hasPrefix(parent.family + "/") else {
        throw Problem(.manifest, "\(parent.name) may not append '\(name)'", hint: "its steps' names start with '\(parent.family)/'")
      }
      let file = file(name: name, step: step, by: parent.name, key)
      let path = session.manifest.appendedDirectory + "/" + file.name
      let declaration = try declaration(name, step, file: path, text: Array(file.json.pretty.utf8), scope: parent.declaration.scope)
      try checkAllowed(declaration, parent)
      declarations.append(declaration)
      files.append(file)
    }
    let steps = try session.graph.insert(declarations, parent: parent.id)
    try write(files, beside: session.manifest)
    return steps
  }

  private static func checkAllowed(_ declaration: StepDeclaration, _ parent: Step) throws {
    guard let allowed = parent.allowance, !allowed.isEmpty else { return }
    let kind =
      switch declaration.action {
      case .kind(let name): name;
      case .command: "run";
      case .group: "group"
      }
    if !allowed.contains(kind) {
      throw declaration.problem(
        "'\(parent.name)' may not append a step of kind '\(kind)'", hint: "its 'appends' allows: \(allowed.joined(separator: ", "))")
    }
    if let inherited = declaration.appends, inherited.isEmpty || !Set(inherited).isSubset(of: allowed) {
      throw declaration.problem("'\(declaration.name)' may not append more than '\(parent.name)'", "appends", hint: "copy its 'appends'")
    }
  }

  // MARK: By persons and agents

  /// Appends steps to a workflow that may be running: all or none. Returns the files written.
  /// `text` holds `{"steps": {NAME: STEP, …}}` and is called `source` in errors.
  public static func append(_ text: [UInt8], from source: String, author: String?, to session: Session, dryRun: Bool = false) throws -> [String] {
    let reader = Reader(file: source, text: text)
    let root = try reader.parse()
    try reader.onlyKeys(root, JSONPointer(), ["steps"])
    guard let steps = root["steps"]?.object, !steps.isEmpty else {
      throw reader.problem("there are no steps", JSONPointer(["steps"]), hint: "{\"steps\": {\"name\": {…}}}")
    }
    var declarations: [StepDeclaration] = []
    var files: [(name: String, json: JSON)] = []
    for (name, step) in steps {
      try reader.checkName(name, JSONPointer(["steps", name]))
      declarations.append(try StepDeclaration(step, name: name, at: JSONPointer(["steps", name]), reader: reader))
      files.append(file(name: name, step: step, by: nil, nil, author: author))
    }
    try session.graph.insert(declarations, parent: nil)
    if !dryRun { try write(files, beside: session.manifest) }
    return files.map { session.manifest.appendedDirectory + "/" + $0.name }
  }

  /// The steps that persons appended, in the order of their files' names.
  static func byPersons(beside manifest: Manifest) throws -> [StepDeclaration] {
    let directory = manifest.appendedDirectory
    return try names(in: directory).compactMap { try byPerson(directory + "/" + $0) }
  }

  /// The appended steps' files in a directory.
  static func names(in directory: String) -> [String] { Files.list(directory).filter { $0.hasSuffix(".json") } }

  /// The step in a file; nil if a step appended it.
  static func byPerson(_ path: String) throws -> StepDeclaration? {
    let reader = Reader(file: path, text: try Files.read(path))
    let root = try reader.parse()
    try reader.version(root, "append")
    guard root["by"] == nil else { return nil }
    guard let step = root["step"], let name = root["name"]?.string else { throw reader.problem("'name' or 'step' is missing", JSONPointer()) }
    return try StepDeclaration(step, name: name, at: JSONPointer(["step"]), reader: reader)
  }

  private static func declaration(_ name: String, _ step: JSON, file: String, text: [UInt8], scope: Scope? = nil) throws -> StepDeclaration {
    try StepDeclaration(step, name: name, at: JSONPointer(["step"]), reader: Reader(file: file, text: text), scope: scope)
  }

  private static func write(_ files: [(name: String, json: JSON)], beside manifest: Manifest) throws {
    try Files.makeDirectory(manifest.appendedDirectory)
    for file in files where !Files.exists(manifest.appendedDirectory + "/" + file.name) {
      try Files.write(file.json.pretty, to: manifest.appendedDirectory + "/" + file.name)
    }
  }
}
