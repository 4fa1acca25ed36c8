// A look at the workspace through the snapshot of the last run: is there anything to do, and for which declarations?
// Says less than the truth never, more sometimes: a declaration that it names is decided anew, by the one place that decides.

internal import Glibc
import Hashing
import JSON
import OrderedCollections

/// What a run is asked for: a snapshot belongs to one of these.
public struct Request: Sendable {
  /// Absolute path of the manifest.
  let path: String
  let overrides: [(name: String, value: String)]
  /// As given; none means the manifest's own.
  let goals: [String]

  public init(manifest path: String, overrides: [(name: String, value: String)], goals: [String]) {
    (self.path, self.overrides, self.goals) = (Files.located(path), overrides, goals)
  }

  var directory: String { Files.parent(of: path) ?? "." }
  var state: String { Session.stateDirectory(besides: directory) }
  var snapshots: String { state + "/snapshots" }

  private var json: JSON {
    [
      "manifest": .string(path), "goals": .array(goals.map { .string($0) }),
      "variables": .array(overrides.map { [.string($0.name), .string($0.value)] }),
    ]
  }

  var snapshot: String { snapshots + "/" + Digest(of: json.canonical).short }

  /// What has to be the same beside the files for a snapshot to hold. Values of the environment appear as digests.
  func identity(environment names: [String]) -> [UInt8] {
    var json = json
    for (name, program) in [("enpire", "/proc/self/exe"), ("worker", Catalogue.worker)] {
      guard let stamp = FileStamp(of: program) else { continue }
      json[name] = [.integer(stamp.size), .integer(stamp.modified), .integer(Int(truncatingIfNeeded: stamp.inode))]
    }
    var environment: JSON = [:]
    for name in names {
      let value: JSON = getenv(name).map { .string(Digest(of: String(cString: $0)).hex) } ?? .null
      environment[name] = value
    }
    json["environment"] = environment
    return Array(json.canonical.utf8)
  }
}

struct Glance {
  /// A few declarations of a large manifest, and what they rest on.
  struct Part {
    let snapshot: Snapshot
    /// Declarations to decide anew.
    var open: [Int] = []
    /// Declarations that those need and that are up to date.
    var settled: [Int] = []
    /// The same, but what they gave is all that is needed of them.
    var unread: [Int] = []
    /// Files of newly appended steps.
    var appended: [String] = []
    /// All files of appended steps, if there are others than before.
    var appendedNames: [String]?
    /// What depends on the open ones is left out, for they may give what they gave before.
    var isTentative = false
    /// What an edit of the manifest has to do with it.
    var edit: ManifestEdit?
    /// What their steps gave then.
    var before: [String: OrderedDictionary<String, Artifact>] = [:]
  }

  enum Verdict {
    /// Read the manifest.
    case unknown
    case upToDate(steps: Int, skipped: Int)
    case partly(Part)

    /// So many more declarations would be open that it is worth a try with those alone that changed.
    static let many = 8
  }

  private let request: Request
  private let snapshot: Snapshot
  private let mayTry: Bool
  /// Watches whose file has the old content under a new stamp.
  private var refreshed: [Int: FileDigests.Entry] = [:]
  private var isStale: [Bool]
  private var appended: [String] = []
  private var appendedNames: [String]?
  private var edit: ManifestEdit?

  /// `mayTry`: a part may leave out what depends on what changed.
  static func look(_ request: Request, mayTry: Bool = false) -> Verdict {
    guard let snapshot = Snapshot(path: request.snapshot), Files.exists(request.state + "/state.db"), isCurrent(snapshot, request) else {
      return .unknown
    }
    var glance = Glance(request: request, snapshot: snapshot, mayTry: mayTry, isStale: Array(repeating: false, count: snapshot.watches.count))
    return glance.verdict()
  }

  private static func isCurrent(_ snapshot: Snapshot, _ request: Request) -> Bool {
    guard let names = try? JSON(parsing: snapshot.identity)["environment"]?.object?.keys else { return false }
    return request.identity(environment: Array(names)).elementsEqual(snapshot.identity)
  }

  private mutating func verdict() -> Verdict {
    for index in WatchClient.changed(in: snapshot, of: request) ?? changedByStamp() {
      guard isHarmless(index) else { return .unknown }
    }
    if !refreshed.isEmpty || edit?.isIdle == true { rewrite() }
    let changed = Set(edit?.changed ?? [])
    let stale = snapshot.declarations.indices.filter { declaration in
      snapshot.declarations[declaration].isOpen != 0 || changed.contains(declaration)
        || snapshot.files[declaration].contains { isStale[Int($0)] }
    }
    if stale.isEmpty && appended.isEmpty && edit?.isIdle ?? true { return .upToDate(steps: snapshot.steps, skipped: snapshot.skipped) }
    return part(stale)
  }

  // MARK: Files

  /// Indices of the watches that are not as they were, by one `stat` each.
  private func changedByStamp() -> [Int] {
    let root = open(request.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else { return Array(snapshot.watches.indices) }
    defer { close(root) }
    var status = stat()
    return snapshot.watches.indices.filter { index in
      let watch = snapshot.watches[index]
      switch watch.what {
      case .configuration, .file, .output:
        return fstatat(root, snapshot.pointer(watch.path), &status, 0) != 0 || watch.isTrusted == 0 || FileStamp(status) != watch.stamp
      case .pattern, .directory, .appended: return true
      }
    }
  }

  /// Looks at one watch closely. False: too much has changed for the snapshot to tell what follows.
  private mutating func isHarmless(_ index: Int) -> Bool {
    let watch = snapshot.watches[index]
    let path = Files.absolute(snapshot.string(watch.path), in: request.directory)
    switch watch.what {
    case .configuration where path == request.path && snapshot.flags & Snapshot.Flags.complete != 0 && !isRead(index):
      if let entry = try? FileDigests.hash(path), entry.digest == watch.digest {
        refreshed[index] = entry
        return true
      }
      edit = ManifestEdit(of: path, since: snapshot)
      return edit != nil
    case .configuration, .file, .output:
      if let entry = try? FileDigests.hash(path), entry.digest == watch.digest, entry.stamp.isExecutable == watch.stamp.isExecutable {
        refreshed[index] = entry
        return true
      }
      isStale[index] = true
      return watch.kind != Snapshot.Watch.Kind.configuration.rawValue
    case .pattern, .directory: isStale[index] = snapshot.listing(watch, in: request.directory) != watch.digest
    case .appended:
      let names = Appended.names(in: path)
      if Self.digest(ofNames: names) == watch.digest { return true }
      // New files are new declarations; a file that is gone is a step less, of which anything may follow.
      let snapshot = snapshot
      let known = Set(snapshot.declarations.filter { $0.length == 0 }.map { Files.name(of: snapshot.string(snapshot.watches[Int($0.source)].path)) })
      guard known.isSubset(of: names) else { return false }
      appendedNames = names
      appended = names.filter { !known.contains($0) }.map { path + "/" + $0 }.filter { (try? Appended.byPerson($0)) ?? nil != nil }
    }
    return true
  }

  /// Whether a step reads it: of the manifest, that is for a whole reading.
  private func isRead(_ index: Int) -> Bool { snapshot.files.values.contains(UInt32(index)) }

  static func digest(ofNames names: [String]) -> Digest { Digest(of: names.joined(separator: "\0")) }

  /// Keeps new stamps of old content, so that the next look hashes nothing.
  private func rewrite() {
    var draft = Snapshot.Draft(snapshot)
    for (index, entry) in refreshed {
      draft.watches[index].stamp = entry.stamp
      draft.watches[index].isTrusted = entry.isTrusted ? 1 : 0
    }
    if let edit, edit.isIdle, let manifest = snapshot.manifest(request) { edit.apply(to: &draft, manifest: manifest) }
    try? draft.write(to: request.snapshot)
  }

  // MARK: What depends on what changed

  private func part(_ stale: [Int]) -> Verdict {
    guard snapshot.flags & Snapshot.Flags.separable != 0 else { return .unknown }
    let count = snapshot.declarations.count
    // Who needs an open one is open.
    var isOpen = Dependents(of: snapshot.needs, count: count).closure(of: stale)
    // Whether one that changed needs another one that did.
    let isEntangled = stale.contains { snapshot.needs[$0].contains { isOpen[Int($0)] } }
    var open = isOpen.indices.filter { isOpen[$0] }
    let isTentative = mayTry && !isEntangled && appended.isEmpty && edit?.new.isEmpty ?? true && open.count > stale.count + Verdict.many
    if isTentative {
      open = stale
      isOpen = [Bool](repeating: false, count: count)
      for declaration in stale { isOpen[declaration] = true }
    }
    // Reading everything is quicker than reading most of it this way.
    guard open.count <= 1000 || open.count <= count / 4 else { return .unknown }
    let settled = Set(open.lazy.flatMap { snapshot.needs[$0].lazy.map(Int.init) }.filter { !isOpen[$0] }).sorted()
    return .partly(
      Part(
        snapshot: snapshot, open: open, settled: settled, appended: appended, appendedNames: appendedNames, isTentative: isTentative,
        edit: edit))
  }
}

extension Snapshot {
  /// The digest of the names that a watch is of, as they are now; nil if it is of one file.
  func listing(_ watch: Watch, in directory: String) -> Digest? {
    let path = string(watch.path), whole = Files.absolute(path, in: directory)
    let names: [String]? =
      switch watch.what {
      case .pattern: Files.matches(path, in: directory)
      // An empty one is not none.
      case .directory: Files.isDirectory(whole) ? (try? Files.walk(whole)) ?? [] : ["/"]
      case .appended: Appended.names(in: whole)
      case .configuration, .file, .output: nil
      }
    return names.map(Glance.digest(ofNames:))
  }

  /// The watch of the manifest itself.
  func manifest(_ request: Request) -> Int? {
    watches.firstIndex { $0.kind == Watch.Kind.configuration.rawValue && Files.absolute(string($0.path), in: request.directory) == request.path }
  }
}

/// The rows of needs turned round.
struct Dependents {
  private var starts: [Int]
  private var values: [UInt32]

  init(of needs: Snapshot.Rows<UInt32>, count: Int) {
    starts = Array(repeating: 0, count: count + 1)
    for need in needs.values { starts[Int(need) + 1] += 1 }
    for row in 0..<count { starts[row + 1] += starts[row] }
    values = Array(repeating: 0, count: needs.values.count)
    var next = starts
    for row in 0..<count {
      for need in needs[row] {
        values[next[Int(need)]] = UInt32(row)
        next[Int(need)] += 1
      }
    }
  }

  subscript(row: Int) -> ArraySlice<UInt32> { values[starts[row]..<starts[row + 1]] }

  /// Whether each row is one of these or depends on one, over others too.
  func closure(of rows: [Int]) -> [Bool] {
    var isIn = [Bool](repeating: false, count: starts.count - 1), stack = rows
    for row in rows { isIn[row] = true }
    while let row = stack.popLast() {
      for dependent in self[row] where !isIn[Int(dependent)] {
        isIn[Int(dependent)] = true
        stack.append(Int(dependent))
      }
    }
    return isIn
  }
}
