// A step as it was written, before matrix and shards, and where that is.

internal import Glibc
public import JSON
public import OrderedCollections

/// One step of a manifest, before matrix and shards. All steps that come of it share it.
public final class StepDeclaration: Sendable {
  public enum Action: Sendable, Hashable {
    /// A step kind, run by the worker.
    case kind(String)
    /// A command, as argv.
    case command([String])
    /// Nothing: it stands for the steps it comes after.
    case group

    /// What `appends` and `append` call it: the kind's name, `run` or `group`.
    var word: String {
      switch self {
      case .kind(let name): name
      case .command: "run"
      case .group: "group"
      }
    }
  }

  public let name: String
  /// The file it stands in and its JSON pointer there, for errors.
  public let origin: Origin
  /// What names and paths mean here; nil in the manifest itself.
  let scope: Scope?
  public let action: Action
  /// Port to patterns and references.
  public let inputs: OrderedDictionary<String, [String]>
  /// Output to the path it is published at, relative to the manifest.
  public let outputs: OrderedDictionary<String, String>
  /// Outputs that it may leave out.
  public let optionalOutputs: Set<String>
  public let with: JSON
  public let environment: OrderedDictionary<String, String>
  public let after: [String]
  /// How it is run; steps whose options use variables have them in `Step.options` alone.
  public let options: StepOptions
  private let rest: Shared<Rest>

  /// What most steps do not say; those share one.
  private struct Rest: Sendable {
    var source = JSON.null
    var description: String?
    var matrix: Matrix?
    var foreach: OrderedDictionary<String, Condition> = [:]
    var shards: JSON?
    var station: JSON?
    var appends: [String]?
    var when: Condition?
    var note: AppendNote?

    static let nothing = Shared(Rest())

    var shared: Shared<Rest> {
      let isNothing =
        source == .null && description == nil && matrix == nil && foreach.isEmpty && shards == nil && station == nil && appends == nil && when == nil
        && note == nil
      return isNothing ? Self.nothing : Shared(self)
    }
  }

  /// The step as it is written; null if nobody will ask, as of a command whose options are known.
  public var source: JSON { rest.value.source }
  public var description: String? { rest.value.description }
  var matrix: Matrix? { rest.value.matrix }
  /// Lists that are known only while the workflow runs: one step for each of their elements.
  var foreach: OrderedDictionary<String, Condition> { rest.value.foreach }
  /// A count, or a reference to a variable that holds one.
  public var shards: JSON? { rest.value.shards }
  /// What the step wants of a station: `task`.
  public var station: JSON? { rest.value.station }
  /// Nil: may not append. Empty: every kind. Else the kinds it may append (`run` for commands).
  public var appends: [String]? { rest.value.appends }
  /// Whether it runs at all.
  public var when: Condition? { rest.value.when }
  /// Set if it was appended.
  var note: AppendNote? { rest.value.note }

  /// One whose text was not read.
  init(unread name: String, file: String) {
    (self.name, scope, action, options, rest) = (name, nil, .command([]), .none, Rest.nothing)
    origin = Origin(file: file, pointer: JSONPointer(["steps", name]))
    (inputs, outputs, optionalOutputs, with, environment, after) = ([:], [:], [], [:], [:], [])
  }

  /// The same step under another name, or as another file means it.
  func renamed(_ name: String, scope: Scope) -> StepDeclaration { StepDeclaration(self, name: name, scope: scope) }

  private init(_ other: StepDeclaration, name: String, scope: Scope) {
    self.name = name
    self.scope = scope
    origin = other.origin
    action = other.action
    inputs = other.inputs
    outputs = other.outputs
    optionalOutputs = other.optionalOutputs
    with = other.with
    environment = other.environment
    after = other.after
    options = other.options
    rest = other.rest
  }

  /// Reads a step and checks its form.
  init(_ json: JSON, name: String, at pointer: JSONPointer, reader: Reader, scope: Scope? = nil, note: AppendNote? = nil) throws {
    guard json.object != nil else { throw reader.problem("step '\(name)' must be an object", pointer) }
    guard !name.isEmpty, name.utf8.allSatisfy({ isalnum(Int32($0)) != 0 || "_-./[]=,:%".utf8.contains($0) }), !name.hasPrefix("."),
      !name.contains("..")
    else {
      throw reader.problem("'\(name)' cannot be a step's name", pointer, key: true, hint: "use letters, digits, _ and -")
    }
    try reader.onlyKeys(json, pointer, Self.keys)
    (self.name, self.scope) = (name, scope)
    origin = Origin(file: reader.file, pointer: pointer)
    var rest = Rest(note: note)
    rest.description = try reader.string(json, "description", pointer)
    let members = json.object!
    action = try Self.action(json, name, pointer, reader)
    var inputs: OrderedDictionary<String, [String]> = [:]
    for (port, value) in try reader.object(json["in"], pointer / "in") { inputs[port] = try reader.strings(value, pointer / "in" / port) }
    self.inputs = inputs
    var outputs: OrderedDictionary<String, String> = [:]
    var optionalOutputs: Set<String> = []
    for (output, value) in try reader.object(json["out"], pointer / "out") {
      let pointer = pointer / "out" / output
      if value.object != nil { try reader.onlyKeys(value, pointer, ["path", "optional"]) }
      guard let path = value["path"]?.string ?? value.string, Expansion.isBelow(path) else {
        throw reader.problem("output '\(output)' must be a path below the manifest's directory", pointer)
      }
      outputs[output] = path
      if let optional = value["optional"] {
        guard let optional = optional.bool else { throw reader.problem("'optional' must be true or false", pointer / "optional") }
        if optional { optionalOutputs.insert(output) }
      }
    }
    (self.outputs, self.optionalOutputs) = (outputs, optionalOutputs)
    with = json["with"] ?? [:]
    _ = try reader.object(json["with"], pointer / "with")
    var environment: OrderedDictionary<String, String> = [:]
    for (variable, value) in try reader.object(json["env"], pointer / "env") {
      guard let text = value.string else { throw reader.problem("environment variable '\(variable)' must be a string", pointer / "env" / variable) }
      environment[variable] = text
    }
    self.environment = environment
    after = try reader.strings(json["after"] ?? [], pointer / "after")
    rest.matrix = try members["matrix"].map { try Matrix($0, at: pointer / "matrix", reader: reader) }
    rest.foreach = try Self.foreach(members["foreach"], pointer / "foreach", reader)
    for name in rest.foreach.keys where rest.matrix?.axes[name] != nil {
      throw reader.problem("'\(name)' is in 'matrix' and in 'foreach'", pointer / "foreach" / name, key: true)
    }
    rest.shards = json["shards"]
    rest.station = json["station"]
    for (key, value) in try reader.object(rest.station, pointer / "station") where value.string == nil && !(key == "count" && value.int != nil) {
      throw reader.problem("'\(key)' must be a \(key == "count" ? "count" : "string")", pointer / "station" / key)
    }
    switch json["appends"] {
    case nil, .bool(false)?: break
    case .bool(true)?: rest.appends = []
    case let kinds?:
      let kinds = try reader.strings(kinds, pointer / "appends")
      guard !kinds.isEmpty else { throw reader.problem("'appends' names no kind", pointer / "appends", hint: "true means all, false none") }
      rest.appends = kinds
    }
    let usesVariables = Self.usesVariables(members)
    if case .command = action, !usesVariables {} else { rest.source = json }
    options =
      usesVariables
      ? .none
      : try StepOptions.read(members, Complaint { reader.problem($0, JSONPointer(pointer.tokens + $1), key: $3, hint: $2) })
    rest.when = try Self.condition(members["when"], pointer / "when", reader)
    self.rest = rest.shared
    try checkAction(members, pointer, reader)
  }
}

/// Where a step is written: for errors, looked up only when there is one.
public struct Origin: Sendable {
  public var file: String
  public var pointer: JSONPointer

  public func place(_ more: String..., key: Bool = false) -> Place? {
    if Self.last?.file != file || Self.last?.stamp != FileStamp(of: file) {
      guard let stamp = FileStamp(of: file), let text = try? Files.read(file) else { return nil }
      Self.last = (file, stamp, PlaceFinder(text))
    }
    let place = Self.last!.finder.place(of: JSONPointer(pointer.tokens + more), key: key)
    return Place(file: Files.display(file), line: place.line, column: place.column, source: Self.last!.finder.line(place.line))
  }

  /// Notes the text of what is no file, as standard input, for the places of the errors that follow.
  static func note(_ text: [UInt8], of name: String) { if FileStamp(of: name) == nil { last = (name, nil, PlaceFinder(text)) } }

  /// The file of the last error: of a hundred thousand steps that fail, each tells its place.
  nonisolated(unsafe) private static var last: (file: String, stamp: FileStamp?, finder: PlaceFinder)?  // one thread reads manifests
}

extension Files {
  /// The path as a person would write it: relative to the current directory if it lies below.
  static func display(_ path: String) -> String {
    rest(of: path, after: currentDirectory + "/") ?? path
  }
}
