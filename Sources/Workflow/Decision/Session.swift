// A workflow being walked: the graph, what is recorded of it, and the steps that recorded steps appended.
// Planning and running share it, so that a plan is what a run would do.

internal import Glibc
public import Hashing
import JSON
import OrderedCollections

public final class Session {
  public let manifest: Manifest
  public let graph: Graph
  public let state: State
  let decider: Decider
  /// What the run was asked for, and the part of the manifest that was read; set by `open`.
  var request: Request?
  var part: Glance.Part?
  /// The files of appended steps that were read, or seen to be there already; nil if only a part was read and none is new.
  var appendedNames: [String]?
  /// Wanted steps that are up to date and were not read.
  public internal(set) var untouched = 0
  /// With the steps that were not read too, for what is said of a failure.
  private(set) lazy var wholeGraph: Graph =
    part == nil ? graph : request.flatMap { try? Session(manifestPath: $0.path, overrides: $0.overrides).graph } ?? graph
  /// Where its steps run.
  private(set) lazy var rooms = Rooms(root: state.directory + "/work")
  private(set) lazy var drafts = Drafts(root: state.directory + "/work")
  private var readyLogs: Set<String> = []
  /// Readable when its run is asked to end.
  var interruption: Int32 = -1

  /// Makes the directory of logs, once.
  func makeReady(logs directory: String) throws {
    if readyLogs.insert(directory).inserted { try Files.makeDirectory(directory) }
  }
  /// The steps that may run, if not all may, and the option that says so.
  var restriction: (steps: Set<Step.ID>, option: String)?
  /// How its steps are kept apart from everything else.
  public let isolation: Isolation

  /// Loads everything; `overrides` are variables given on the command line.
  /// `withKinds`: know the step kinds even if no step uses one yet.
  public convenience init(manifestPath: String, overrides: [(name: String, value: String)] = [], withKinds: Bool = false) throws {
    let manifest = try Manifest(path: manifestPath, overrides: overrides)
    try self.init(manifest, appended: try Appended.read(beside: manifest), withKinds: withKinds)
  }

  /// The whole manifest with what was appended to it.
  convenience init(_ manifest: Manifest, appended: (names: [String], steps: [StepDeclaration]), withKinds: Bool = false) throws {
    try self.init(manifest, appended: appended.steps, withKinds: withKinds)
    appendedNames = appended.names
  }

  /// `settled`: declarations that count as up to date; whoever calls says by which records. `recalled`: such that are not in the manifest.
  init(
    _ manifest: Manifest, appended: [StepDeclaration], settled: Set<String> = [], recalled: [Recalled] = [], withKinds: Bool = false
  ) throws {
    self.manifest = manifest
    let directory = Self.stateDirectory(of: manifest)
    let usesKinds = withKinds || (Array(manifest.steps.values) + appended).contains { if case .kind = $0.action { true } else { false } }
    let kinds = usesKinds ? try Catalogue.kinds(state: directory) : [:]
    let fleet = try manifest.fleet.map { try Fleet(path: $0, of: manifest.path) } ?? Fleet()
    graph = try Graph(manifest, kinds: kinds, fleet: fleet, settled: settled, recalled: recalled)
    try graph.insert(appended, parent: nil)
    state = try State(directory: directory)
    decider = Decider(graph: graph, state: state)
    isolation = Isolation(state: directory)
    for step in graph.steps where step.isAppended { try checkRights(of: step) }
    if !kinds.isEmpty { try manifest.appendPolicy.check(kinds: kinds, of: manifest) }
  }

  /// `ENPIRE_STATE`, or `.enpire` beside the manifest.
  public static func stateDirectory(of manifest: Manifest) -> String { stateDirectory(besides: manifest.directory) }

  static func stateDirectory(besides directory: String) -> String {
    getenv("ENPIRE_STATE").map { Files.absolute(String(cString: $0)) } ?? directory + "/.enpire"
  }

  /// Steps are settled that no run has looked after.
  private(set) var isPlanned = false
  /// Goals run even if they are recorded. To be set before they are named.
  public var forcesGoals = false

  /// Goals by name; if there are none, the manifest's own and those that were appended as goals.
  /// Steps that steps appended, or that stand for elements of lists, exist once those are walked; they are, if such a name is asked for.
  public func goals(_ names: [String]) throws -> [Step] {
    let isDefault = names.isEmpty
    let names = isDefault ? manifest.defaults : names
    let later = Set(names.filter { ($0.contains("/") || $0.contains("[") && !$0.hasSuffix("[*]")) && graph.step(named: $0) == nil })
    if !later.isEmpty {
      try makeInstances(of: Array(later))
      // What is to run again is not settled now, nor what comes after it.
      let forced = forcesGoals ? Set(try names.filter { !later.contains($0) }.flatMap(graph.steps(for:)).map(\.id)) : []
      _ = try plan(graph.steps.filter { $0.parent == nil }) { isOf(forced, $0) || forcesGoals && later.contains($0.name) }
      graph.wantNothing()
      isPlanned = true
      if !forced.isEmpty, let missing = later.filter({ graph.step(named: $0) == nil }).min() {
        throw Problem(
          .usage, "no step '\(missing)' as long as -B has the other goals run again",
          hint: "name it in a run of its own, after one with -B for the others")
      }
    }
    return try names.flatMap(graph.steps(for:)) + (isDefault ? graph.steps.filter { $0.note?.isGoal == true && !$0.isShard } : [])
  }

  /// Ends a step by its record: takes the steps it appended, and returns those that became ready.
  func settle(_ step: Step, _ status: Step.Status, _ record: ActionRecord) throws -> [Step] {
    step.record = step.isNominal ? nil : record
    let new =
      step.spread == nil
      ? try Appended.take(record.appended, from: step, record.key, session: self, isRecorded: status != .done)
      : try graph.spread(step, over: decider.lists(of: step))
    // Those that wait for nothing are ready now; the others come with what they wait for, which nobody may have wanted before.
    let wanted = new.filter(\.isWanted)
    let free = wanted.filter { $0.status == .ready } + graph.wantMore(wanted.flatMap { $0.needs.map { graph.steps[$0.step] } })
    return graph.finish(step, status) + free
  }

  // MARK: Planning

  public enum Forecast {
    case upToDate
    case restore([String])
    /// Has to run under this key; without a key it will fail.
    case run(Digest?, [Reason])
    /// Would have to run, and must not: why.
    case stale(String)
    /// Has to run under this key, and waits for a person.
    case hold(Digest, Question, [Reason])
    /// Depends on what these steps will give.
    case waits([String])
    /// Is passed over though nothing failed: why.
    case skip(String)

    /// Whether a run would leave it alone.
    public var isIdle: Bool {
      switch self {
      case .upToDate, .skip: true
      default: false
      }
    }
  }

  /// What a run would do, step by step in the order it would do it. Runs nothing.
  public func plan(_ goals: [Step]) throws -> [(step: Step, forecast: Forecast)] {
    let forced = forcesGoals ? Set(goals.map(\.id)) : []
    return try plan(goals) { isOf(forced, $0) }
  }

  /// Whether a step is among these goals, or a goal stands for it.
  func isOf(_ goals: Set<Step.ID>, _ step: Step) -> Bool {
    goals.contains(step.id) || step.parent.map { graph.steps[$0].spread != nil && goals.contains($0) } ?? false
  }

  private func plan(_ goals: [Step], forced: (Step) -> Bool) throws -> [(step: Step, forecast: Forecast)] {
    var forecasts: [(Step, Forecast)] = []
    var planned: [Digest: Step] = [:]
    var told = graph.bypassed.count
    var ready = graph.want(goals)
    func tellBypassed() {
      forecasts += graph.bypassed[told...].filter(\.isWanted).map { ($0, .skip($0.bypassReason ?? "")) }
      told = graph.bypassed.count
    }
    tellBypassed()
    var next = 0
    while next < ready.count {
      let step = ready[next]
      next += 1
      let decision: Decision
      do { decision = try decider.decide(step, force: forced(step)) } catch let problem as Problem
        where problem.code != .inputOutput && problem.code != .internalError
      {
        forecasts.append((step, .run(nil, [Reason(.failure, "it will fail: \(problem.sentence)")])))
        continue
      }
      switch decision {
      case .upToDate(let record):
        forecasts.append((step, .upToDate))
        ready += try settle(step, .upToDate, record)
      case .restore(let record, let paths):
        forecasts.append((step, .restore(paths)))
        ready += try settle(step, .restored, record)
      case .run(let key, _, let reasons):
        if let refusal = refusal(of: step, reasons) {
          forecasts.append((step, .stale("it must not run: \(refusal.sentence)")))
        } else if let twin = planned[key], !forced(step), !step.options.always {
          // It takes the record of the other one.
          forecasts.append((step, .waits([twin.name])))
        } else {
          planned[key] = step
          forecasts.append((step, .run(key, reasons)))
        }
      case .hold(let key, let question, let reasons): forecasts.append((step, .hold(key, question, reasons)))
      case .skip(let reason): ready += graph.bypass(step, reason)
      }
      tellBypassed()
    }
    for step in graph.topologicalOrder() where step.isWanted && step.status == .waiting {
      let waits = step.needs.map { graph.steps[$0.step] }.filter { !$0.status.isFinished }.map(\.name) + step.families
      forecasts.append((step, .waits(waits)))
    }
    return forecasts
  }
}

extension Request {
  /// Throws what is wrong with the manifest, the variables or the goals, as far as it can be seen before anything was planned; makes nothing.
  public func check() throws {
    let manifest = try Manifest(path: path, overrides: overrides)
    let names: [String] = manifest.steps.keys + (try Appended.read(beside: manifest).steps.map(\.name))
    for goal in goals where try Pattern.instance(of: goal, among: manifest.patterns, root: manifest) == nil {
      // Instances, and what a step appends, are named after it.
      guard names.contains(where: { goal == $0 || goal.hasPrefix($0 + "[") || goal.hasPrefix($0 + "/") }) else {
        throw Problem(.usage, "no step '\(goal)' in \(Files.display(path))", hint: suggestion(for: goal, among: names))
      }
    }
  }
}
