// One step as it will run: a declaration with its matrix values filled in, or one shard of it, and where it stands.
// The graph makes steps and changes their state; nobody else does.

public import JSON
public import OrderedCollections

public final class Step {
  public typealias ID = Int

  /// Where an input comes from.
  enum Source {
    /// Files of the workspace: a path or shell pattern.
    case files(String)
    case output(Step.ID, String, optional: Bool)
    case fan(Fan)
    /// That output of all steps that a spread, which is a step, stands for.
    case each(Spread, Step.ID, String, optional: Bool)
  }

  typealias SourceOutput = (step: Step.ID, output: String, optional: Bool)
  typealias Need = (step: Step.ID, optional: Bool, order: Bool)

  public enum Status: String, Sendable {
    /// Waits for other steps.
    case waiting
    /// Everything it waits for is done.
    case ready
    case running
    /// Its action is recorded and everything is in place.
    case upToDate = "up to date"
    /// Its action is recorded; a published file was put back.
    case restored
    case done
    case failed
    /// Something it needs failed, or its condition does not hold.
    case skipped

    public var isFinished: Bool { self != .waiting && self != .ready && self != .running }
    public var isSuccess: Bool { self == .upToDate || self == .restored || self == .done }
  }

  public let id: ID
  public let name: String
  /// The name up to the first slash: whatever a step appends stands below its own name, and so belongs to its family.
  let family: String
  /// The name without the shard.
  let wholeName: String
  public let declaration: StepDeclaration
  /// Nil for a command.
  public var kind: Kind? { sharedKind?.value }
  private let sharedKind: Shared<Kind>?
  public let matrix: OrderedDictionary<String, JSON>
  /// Set for one shard of a sharded step.
  public let shard: (index: Int, count: Int)?
  /// The step that appended it; nil if it is written in the manifest or was appended by a person.
  public let parent: Step.ID?

  var inputs: OrderedDictionary<String, [Source]> = [:]
  /// Parameters with variables and matrix filled in, and the kind's defaults.
  var with: JSON = [:]
  /// The step as it is written, with variables and matrix filled in: a round carries it on to the next.
  var source: JSON = [:]
  var argv: [String] = []
  var environment: OrderedDictionary<String, String> = [:]
  /// Output name to published path.
  var publishes: OrderedDictionary<String, String> = [:]
  /// Set if its declaration was not read.
  var recalledOutputs: [Output]?
  /// The shards it gathers.
  var shards: [Step.ID] = []
  /// How it is run, with variables and matrix filled in.
  public internal(set) var options: StepOptions
  /// Set for the step that stands for those of a `foreach`.
  var spread: Spread?
  /// Whether it runs at all, with variables and matrix filled in.
  var condition: Condition?
  /// The stations it holds while it runs; one, unless it wants several at once.
  public internal(set) var stations: [FleetStation] = []
  /// The first of them, which `${station.…}` means.
  var station: FleetStation? { stations.first }

  /// Steps it waits for, whether it goes on if they fail, and whether it comes after them without reading anything of theirs.
  var needs: [Need] = []
  /// The fan that its first needs came from.
  var fan: Fan?
  /// The same, if it needs nothing else of other steps.
  var gate: Fan? { fan.flatMap { $0.needs.count == needs.count ? $0 : nil } }
  /// Families it waits for: `after` a step that appends means after all that came of it.
  var families: [String] = []
  /// Steps that it waits for if they ever come.
  var promises: [String] = []

  public internal(set) var status: Status = .waiting
  /// Unfinished steps, families and promises it waits for.
  var waitingFor = 0
  /// Who waits for it alone; those that wait for a whole fan are told by that.
  var dependents: [Step.ID] = []
  /// The fans that it belongs to and that somebody waits for.
  var gates: [Fan] = []
  var isWanted = false
  /// Seconds from its start to the end of the workflow along the longest path, by recorded durations.
  var height = 0.0

  /// Set once it succeeded.
  public internal(set) var record: ActionRecord? {
    get { sharedRecord?.value }
    set { sharedRecord = newValue.map { Shared($0) } }
  }
  private var sharedRecord: Shared<ActionRecord>?
  /// Why it was skipped though nothing failed: its condition, or that of a step it reads, does not hold.
  public internal(set) var bypassReason: String?
  public var isBypassed: Bool { bypassReason != nil }
  /// Why it failed or was skipped.
  public internal(set) var problem: Problem? {
    get { sharedProblem?.value }
    set { sharedProblem = newValue.map { Shared($0) } }
  }
  private var sharedProblem: Shared<Problem>?

  init(
    id: ID, name: String, wholeName: String, declaration: StepDeclaration, kind: Shared<Kind>?, matrix: OrderedDictionary<String, JSON>,
    shard: (index: Int, count: Int)?,
    parent: Step.ID?
  ) {
    self.id = id
    self.name = name
    family = Graph.family(of: name)
    self.wholeName = wholeName
    self.declaration = declaration
    options = declaration.options
    sharedKind = kind
    self.matrix = matrix
    self.shard = shard
    self.parent = parent
  }

  public var isShard: Bool { shard != nil }
  /// Nil if it is written in the manifest.
  public var note: AppendNote? { declaration.note }
  public var isAppended: Bool { note != nil }
  public var stationName: String? { station?.name }
  public var effect: Effect { options.moves ? .motion : kind?.effect ?? .pure }
  /// It moves something: by what it does, or because it is done on hardware.
  public var moves: Bool { effect == .motion || stations.contains(where: \.isHardware) }
  /// It has work that needs none of its stations.
  var prepares: Bool { kind?.prepares == true && !stations.isEmpty }
  /// The kinds it may append (empty for all), by its own word or by that of the step that appended it; nil if none.
  var allowance: [String]?
  public var mayAppend: Bool { allowance != nil }

  /// What it writes: the kind's outputs, or what a command's `out` declares.
  public var outputs: [Output] {
    if let recalledOutputs { return recalledOutputs }
    if let kind { return kind.outputs }
    if spread != nil { return declaration.outputs.map { Output($0.key, commandPath: $0.value) } }
    return publishes.map { output($0.key, at: $0.value) }
  }

  /// It reads files that nobody but the workspace's users keep as they are.
  var readsFiles: Bool { inputs.values.contains { $0.contains(where: \.isOfFiles) } }

  /// It stands for the steps of a `foreach`, one for each element.
  public var isSpread: Bool { spread != nil }
  /// It stands for other steps and runs nothing itself.
  public var isNominal: Bool { spread != nil || declaration.action == .group }

  /// Whether it may leave this output out.
  func mayOmit(_ output: String) -> Bool { declaration.optionalOutputs.contains(output) }

  func output(named name: String?) -> Output? {
    guard let name else { return outputs.first }
    // One of thousands is found without making all of them.
    if recalledOutputs == nil, kind == nil, spread == nil { return publishes[name].map { output(name, at: $0) } }
    return outputs.first { $0.name == name }
  }

  /// Of a command: where it stands in its own directory.
  private func output(_ name: String, at path: String) -> Output {
    Output(name, commandPath: String(path.dropFirst(declaration.scope?.outputs.count ?? 0)))
  }
}

extension Output {
  /// An output of a command: the path's form says what it is.
  fileprivate init(_ name: String, commandPath path: String) {
    let directory = path.hasSuffix("/")
    self.init(name, directory ? .directory : path.hasSuffix(".json") ? .value : .file, path: directory ? String(path.dropLast()) : path, "")
  }
}
