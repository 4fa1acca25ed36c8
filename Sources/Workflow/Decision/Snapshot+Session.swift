// Makes the snapshot of a run that ended: all declarations that were wanted, or the changed ones put into the snapshot that the run began with.

import Hashing
import JSON
import OrderedCollections

extension Session {
  /// Writes what this run found, for the next one to begin with.
  func keepSnapshot() {
    // What was marked as bad meanwhile was not heeded.
    guard let request, (try? state.isQuarantineCurrent()) == true, var writer = SnapshotWriter(self, request) else { return }
    do {
      try writer.collect()
      try Files.makeDirectory(request.snapshots)
      try writer.draft.write(to: request.snapshot)
    } catch {
      // Without one the next run reads the manifest; nothing else is lost.
    }
  }
}

private struct SnapshotWriter {
  let session: Session
  let request: Request
  /// The manifest's, where declarations are looked for in it.
  private let text: [UInt8]
  var draft: Snapshot.Draft
  /// Watches of files by path, and of names.
  private var watchIndex: [String: UInt32] = [:]
  private var listIndex: [String: UInt32] = [:]
  private var declarationIndex: [String: UInt32] = [:]
  /// The same by the number of a step, once all declarations have theirs.
  private lazy var declarationOfStep = session.graph.steps.map { declarationIndex[$0.declaration.name] }
  /// Where the names of outputs and their files stand among the strings.
  private var kept: [String: UInt32] = [:]
  private let prefix: String
  /// Watches of the snapshot that a part began with whose content is another one now.
  private var renewed: Set<UInt32> = []

  /// Nil where a snapshot would not tell the truth.
  init?(_ session: Session, _ request: Request) {
    // Edited while the run went on: its steps are those of the old text.
    if let edit = session.part?.edit {
      text = edit.text
    } else if session.part != nil {
      text = []
    } else {
      guard let now = try? Files.read(session.manifest.path), Digest(of: now) == session.manifest.digest else { return nil }
      text = now
    }
    self.session = session
    self.request = request
    draft = session.part.map { Snapshot.Draft($0.snapshot) } ?? Snapshot.Draft()
    prefix = session.manifest.directory + "/"
  }

  mutating func collect() throws {
    if let part = session.part {
      if let edit = part.edit, let manifest = part.snapshot.manifest(request) {
        edit.apply(to: &draft, manifest: manifest)
        if !edit.new.keys.allSatisfy({ name in session.graph.wantedDeclarations.contains { $0.name == name } }) {
          draft.flags &= ~Snapshot.Flags.complete
        }
      }
      for index in part.open + part.settled + part.unread {
        declarationIndex[part.snapshot.string(part.snapshot.declarations[index].name)] = UInt32(index)
      }
      let touched = Set(part.open.flatMap { part.snapshot.files[$0].map(Int.init) })
      for (index, watch) in part.snapshot.watches.enumerated() where watch.what == .appended || touched.contains(index) {
        note(part.snapshot.string(watch.path), watch.what, at: UInt32(index))
      }
    } else {
      draft.identity = request.identity(environment: session.manifest.environment + ["PATH"])
    }
    try addConfiguration()
    let groups = session.graph.wantedDeclarations.filter { session.part == nil || !session.graph.settled.contains($0.name) }
    if session.part == nil { try locate(groups) } else { try place(groups) }
    var (needs, files, results): ([Int: [UInt32]], [Int: [UInt32]], [Int: [Snapshot.Result]]) = ([:], [:], [:])
    for group in groups {
      let index = Int(declarationIndex[group.name]!)
      let (watches, isSure) = try watches(of: group)
      let isSettled = group.steps.allSatisfy { ($0.status.isSuccess || $0.bypassReason != nil) && !$0.options.always }
      draft.declarations[index].isOpen = isSettled && isSure ? 0 : 1
      needs[index] = self.needs(of: group)
      files[index] = watches
      results[index] = self.results(of: group, index)
    }
    if let part = session.part {
      if part.isTentative { open(groups, part) }
      if !renewed.isEmpty { openOthers(besides: Set(groups.map { Int(declarationIndex[$0.name]!) }), part.snapshot) }
    }
    draft.needs.put(needs, count: draft.declarations.count)
    draft.files.put(files, count: draft.declarations.count)
    draft.results.put(results, count: draft.declarations.count)
    // Whatever else was looked at, as the programs that steps name: a change there is for a whole reading.
    if session.part == nil {
      for path in session.state.files.entries.keys where watchIndex[relative(path)] == nil { _ = try watch(path, .configuration) }
      draft.steps = session.graph.steps.count { $0.isWanted }
      draft.skipped = session.graph.steps.count { $0.isWanted && $0.bypassReason != nil }
      draft.flags |= isSeparable ? Snapshot.Flags.separable : 0
    } else {
      draft.steps = session.untouched + session.graph.steps.count { $0.isWanted && !session.graph.settled.contains($0.declaration.name) }
    }
  }

  /// Whatever reads what came out otherwise is open.
  private mutating func open(_ groups: [Graph.Group], _ part: Glance.Part) {
    let changed = groups.filter { !$0.steps.allSatisfy { $0.record != nil && !part.isChanged($0) } }
    if changed.isEmpty { return }
    let dependents = Dependents(of: part.snapshot.needs, count: part.snapshot.declarations.count)
    for group in changed {
      for dependent in dependents[Int(declarationIndex[group.name]!)] { draft.declarations[Int(dependent)].isOpen = 1 }
    }
  }

  /// Whatever reads what is another one now, and was not looked at, is open.
  private mutating func openOthers(besides known: Set<Int>, _ snapshot: Snapshot) {
    for declaration in snapshot.declarations.indices where !known.contains(declaration) {
      if snapshot.files[declaration].contains(where: renewed.contains) { draft.declarations[declaration].isOpen = 1 }
    }
  }

  /// A declaration can be taken alone if nothing but its named needs decides over it.
  private var isSeparable: Bool {
    session.manifest.sources.count == 1 && session.manifest.patterns.isEmpty
      && session.graph.steps.allSatisfy { $0.isSeparable && $0.status != .skipped }
  }

  // MARK: Where declarations stand

  private mutating func addConfiguration() throws {
    // A part keeps what the whole was read from.
    if session.part == nil {
      for path in session.manifest.sources + [session.manifest.fleet].compactMap({ $0 }) { _ = try watch(path, .configuration) }
    }
    // What came after the last look is for the next run to see.
    if let names = session.appendedNames { _ = list(session.manifest.appendedDirectory, .appended, names.sorted()) }
  }

  private mutating func locate(_ groups: [Graph.Group]) throws {
    let members = JSONPointer().members(in: text) ?? []
    draft.header = Array(
      members.filter { $0.name != "steps" && $0.name != "default" }.map { text[$0.bytes] }.joined(separator: [UInt8(ascii: ",")]))
    var places: [String: Range<Int>] = [:]
    for member in JSONPointer(["steps"]).members(in: text) ?? [] { places[member.name] = member.bytes }
    for group in groups { try place(group, at: places[group.name]) }
    if Set(groups.map(\.name)).isSuperset(of: places.keys) { draft.flags |= Snapshot.Flags.complete }
    if let range = JSONPointer.members(ofObject: text, in: 0..<text.count)?.first(where: { $0.name == "default" })?.value {
      draft.defaults = draft.add(String(decoding: text[range], as: UTF8.self))
    }
  }

  /// In a part, what is not known yet is new in the manifest, or was appended.
  private mutating func place(_ groups: [Graph.Group]) throws {
    for group in groups where declarationIndex[group.name] == nil { try place(group, at: session.part?.edit?.new[group.name]) }
  }

  private mutating func place(_ group: Graph.Group, at bytes: Range<Int>?) throws {
    let file = group.steps[0].declaration.origin.file
    // A part keeps the manifest as its edit read it.
    let known = file == request.path ? session.part?.snapshot.manifest(request).map { UInt32($0) } : nil
    let source = if let known { known } else { try watch(file, .configuration) }
    declarationIndex[group.name] = UInt32(draft.declarations.count)
    draft.declarations.append(
      Snapshot.Declaration(
        source: source, length: UInt32(bytes?.count ?? 0), offset: UInt64(bytes?.lowerBound ?? 0), name: draft.add(group.name), isOpen: 0,
        mark: bytes.map { ManifestEdit.mark(text[$0]) } ?? 0))
  }

  // MARK: What they rest on

  private mutating func needs(of group: Graph.Group) -> [UInt32] {
    var needs: Set<UInt32> = []
    var last: UInt32?
    for step in group.steps {
      for need in step.needs {
        // A thousand instances are one declaration.
        guard let index = declarationOfStep[need.step], index != last else { continue }
        needs.insert(index)
        last = index
      }
    }
    if let own = declarationIndex[group.name] { needs.remove(own) }
    return needs.sorted()
  }

  /// Not sure if a file is not what the step read or what was recorded of it.
  private mutating func watches(of group: Graph.Group) throws -> (watches: [UInt32], isSure: Bool) {
    var watches: Set<UInt32> = []
    var isSure = true
    for step in group.steps {
      var isListed = false
      for case .files(let pattern) in step.inputs.values.joined() {
        let path = Files.absolute(pattern, in: session.manifest.directory)
        let matches = Files.matches(pattern, in: session.manifest.directory)
        if Files.isPattern(pattern) || matches.isEmpty { watches.insert(list(path, .pattern, matches)) }
        isListed = isListed || Files.isPattern(pattern) || matches.contains(where: Files.isDirectory)
        // What changed after the step was decided is for the next run to see.
        if matches.isEmpty || matches.contains(where: session.state.files.unsteady.contains) { isSure = false }
        for match in matches { watches.formUnion(try content(match)) }
      }
      // A listing of now may not be the one of then; the key tells.
      if isListed, let record = step.record, try Digest(of: session.decider.fingerprint(of: step).canonical) != record.key { isSure = false }
      for name in step.options.tools where !name.contains("/") {
        // A program that comes to stand before the one that was found.
        for directory in (Child.inheritedEnvironment["PATH"] ?? "").split(separator: ":") {
          let candidate = "\(directory)/\(name)"
          watches.insert(list(candidate, .pattern, Files.matches(candidate)))
        }
      }
      for path in step.options.tools.compactMap(session.decider.tools.path) { watches.insert(try watch(path, .file)) }
      for (name, artifact) in step.record?.outputs ?? [:] {
        guard let published = step.publishes[name] else {
          watches.insert(try watch(session.state.store.path(of: artifact.digest), .file, digest: artifact.digest))
          continue
        }
        let path = prefix + Files.withoutSlash(published)
        guard (try? session.decider.isInPlace(artifact, at: path)) == true else {
          isSure = false
          continue
        }
        watches.formUnion(try content(path, .output))
      }
    }
    return (watches.sorted(), isSure)
  }

  /// What its steps gave, for those who read it without its declaration. Nothing where there is more to know of it than that.
  private mutating func results(of group: Graph.Group, _ index: Int) -> [Snapshot.Result] {
    guard group.steps[0].declaration.optionalOutputs.isEmpty, let instances = session.graph.instances(of: group.name) else { return [] }
    let known = index < draft.results.starts.count - 1 ? Array(draft.results[index]) : []
    var results: [Snapshot.Result] = []
    for step in instances.map({ session.graph.steps[$0] }) {
      guard let record = step.record else { return [] }
      func add(_ output: Output?, _ artifact: Artifact?, watch: UInt32) {
        let old = results.count < known.count ? known[results.count] : nil
        results.append(
          Snapshot.Result(
            step: keep(step.name, old?.step), output: output.map { keep($0.name, old?.output) } ?? 0,
            file: output.map { keep(Files.name(of: $0.path), old?.file) } ?? 0, watch: watch, form: (output?.form ?? .file).code,
            isExecutable: artifact?.isExecutable == true ? 1 : 0))
      }
      if step.outputs.isEmpty { add(nil, nil, watch: 0) }
      for output in step.outputs {
        guard let artifact = record.outputs[output.name], artifact.form == output.form else { return [] }
        let path = step.publishes[output.name] ?? relative(session.state.store.path(of: artifact.digest))
        // A directory that is published has a watch for each of its files, and none has its digest.
        guard let watch = watchIndex[path], draft.watches[Int(watch)].digest == artifact.digest else { return [] }
        add(output, artifact, watch: watch)
      }
    }
    return results
  }

  /// Where a text stands among the strings: at its old place, if it is the same, or with others that are alike.
  private mutating func keep(_ text: String, _ old: UInt32?) -> UInt32 {
    if let old, draft.string(old) == text { return old }
    if let index = declarationIndex[text] { return draft.declarations[Int(index)].name }
    if let place = kept[text] { return place }
    kept[text] = draft.add(text)
    return kept[text]!
  }

  /// A file, or a directory with all its files.
  private mutating func content(_ path: String, _ kind: Snapshot.Watch.Kind = .file) throws -> [UInt32] {
    guard Files.isDirectory(path) else { return [try watch(path, kind)] }
    let files = try Files.walk(path)
    return [list(path, .directory, files)] + (try files.map { try watch(path + "/" + $0, kind) })
  }

  private func relative(_ path: String) -> String { Files.rest(of: path, after: prefix) ?? path }

  private mutating func watch(_ path: String, _ kind: Snapshot.Watch.Kind, digest: Digest? = nil) throws -> UInt32 {
    let entry: FileDigests.Entry
    if let digest {
      // The store's files are read only and named by their content.
      guard let stamp = FileStamp(of: path) else { throw Files.problem("read", path) }
      entry = FileDigests.Entry(stamp: stamp, digest: digest, hashed: .max)
    } else {
      // As it was when it was last looked at in this run, not as it may be by now.
      entry = try session.state.files.entries[path] ?? session.state.files.entry(of: path)
    }
    return put(relative(path), kind, entry.stamp, isTrusted: entry.isTrusted, entry.digest)
  }

  private mutating func list(_ path: String, _ kind: Snapshot.Watch.Kind, _ names: [String]) -> UInt32 {
    let none = FileStamp(size: 0, modified: 0, changed: 0, inode: 0, mode: 0)
    return put(relative(path), kind, none, isTrusted: false, Glance.digest(ofNames: names))
  }

  private mutating func note(_ path: String, _ kind: Snapshot.Watch.Kind, at index: UInt32) {
    if kind.isOfNames { listIndex[path] = index } else { watchIndex[path] = index }
  }

  private mutating func put(_ path: String, _ kind: Snapshot.Watch.Kind, _ stamp: FileStamp, isTrusted: Bool, _ digest: Digest) -> UInt32 {
    if let index = kind.isOfNames ? listIndex[path] : watchIndex[path] {
      let known = draft.watches[Int(index)]
      if let part = session.part, Int(index) < part.snapshot.watches.count, known.digest != digest || known.stamp.isExecutable != stamp.isExecutable {
        renewed.insert(index)
      }
      draft.watches[Int(index)] = Snapshot.Watch(
        path: known.path, kind: known.kind, stamp: stamp, isTrusted: isTrusted ? 1 : 0, digest: digest)
      return index
    }
    let index = UInt32(draft.watches.count)
    note(path, kind, at: index)
    draft.watches.append(Snapshot.Watch(path: draft.add(path), kind: kind.rawValue, stamp: stamp, isTrusted: isTrusted ? 1 : 0, digest: digest))
    return index
  }
}

extension Step {
  /// Nothing but its named needs decides over it.
  var isSeparable: Bool {
    parent == nil && spread == nil && !mayAppend && families.isEmpty && kind?.readsStudy != true && !declaration.after.contains { $0.hasSuffix("?") }
  }
}
