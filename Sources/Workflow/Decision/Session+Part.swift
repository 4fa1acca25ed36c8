// A session over a few declarations of a large manifest: those that a glance found open, and those that they need, which count as up to date.

internal import Glibc
import Hashing
import JSON
import OrderedCollections

extension Session {
  public enum Opening {
    /// All of so many steps are up to date, or skipped by their conditions.
    case nothingToDo(steps: Int, skipped: Int)
    case session(Session, goals: [Step])
  }

  /// Opens a workflow for a run, reading no more of it than what may have to run. `mayTry`: nor what depends on that, if it is much; then
  /// `Run.execute` goes on with it if it has to.
  public static func open(_ request: Request, mayTry: Bool = false) throws -> Opening {
    // While another run is at work its snapshot is not there, or not yet true.
    if let free = WorkspaceLock(ifFree: request.state) {
      defer { withExtendedLifetime(free) {} }
      switch Glance.look(request, mayTry: mayTry) {
      case .upToDate(let steps, let skipped): return .nothingToDo(steps: steps, skipped: skipped)
      case .partly(let part):
        if let opening = try opening(request, part) { return opening }
        if part.isTentative, case .partly(let whole) = Glance.look(request), let opening = try opening(request, whole) { return opening }
      case .unknown: break
      }
    }
    let session = try Session(manifestPath: request.path, overrides: request.overrides)
    session.request = request
    return .session(session, goals: try session.goals(request.goals))
  }

  /// Nil if the part does not stand alone, and the whole has to be read.
  private static func opening(_ request: Request, _ part: Glance.Part) throws -> Opening? {
    var part = part
    guard try part.addNeeds() else { return nil }
    let snapshot = part.snapshot
    let recalled = part.recallSettled()
    // What is wrong has its place in the whole text.
    guard let manifest = try? Manifest(path: request.path, overrides: request.overrides, text: part.text(of: request)) else { return nil }
    let files = (part.open + part.settled).map { snapshot.declarations[$0] }.filter { $0.length == 0 }
      .map { Files.absolute(snapshot.string(snapshot.watches[Int($0.source)].path), in: request.directory) }
    if AppendJournal.isPending(request.state) { return nil }
    let appended = try (files + part.appended).compactMap(Appended.byPerson)
    let settled = Set(part.settled.map { snapshot.string(snapshot.declarations[$0].name) })
    guard let session = try? Session(manifest, appended: appended, settled: settled, recalled: recalled), part.fits(session) else { return nil }
    // What was taken from the store since is for a whole reading to make anew.
    guard recalled.allSatisfy({ $0.steps.allSatisfy { $0.outputs.allSatisfy { session.state.store.has($0.artifact) } } }) else { return nil }
    let isSettled = try session.state.database.reading {
      for step in session.graph.steps where settled.contains(step.declaration.name) {
        guard let key = try session.state.latest(manifest.workflow, step.name), let record = try session.state.action(key),
          record.outputs.values.allSatisfy(session.state.store.has)
        else { return false }
        _ = try session.settle(step, .upToDate, record)
      }
      return true
    }
    guard isSettled else { return nil }
    // A new step must not take the name of one that was not read; nor is it wanted unless a goal needs it.
    let new = Set(part.appended.compactMap { try? Appended.byPerson($0)?.name })
    if !new.isEmpty {
      guard new.count == part.appended.count, !snapshot.declarations.contains(where: { new.contains(snapshot.string($0.name)) }) else { return nil }
    }
    if part.isTentative, try !session.prepareTrying(&part) { return nil }
    session.request = request
    session.part = part
    session.appendedNames = part.appendedNames
    let opened = Set(part.open.map { snapshot.string(snapshot.declarations[$0].name) })
    session.untouched = snapshot.steps - session.graph.steps.count { opened.contains($0.declaration.name) }
    let asked = Set(request.goals.isEmpty ? part.edit?.goals ?? [] : request.goals)
    let goals = session.graph.steps.filter { step in
      let name = step.declaration.name
      return opened.contains(name) || asked.contains(name) || request.goals.isEmpty && step.note?.isGoal == true && new.contains(name)
    }
    return goals.isEmpty ? .nothingToDo(steps: snapshot.steps, skipped: snapshot.skipped) : .session(session, goals: goals)
  }
}

extension Session {
  /// Notes what the open steps of a part gave before; false if they should not run before others that need not wait for them.
  fileprivate func prepareTrying(_ part: inout Glance.Part) throws -> Bool {
    let steps = graph.steps.filter { !graph.settled.contains($0.declaration.name) }
    for step in steps {
      guard step.options.approval == nil, let key = try state.latest(manifest.workflow, step.name), let record = try state.action(key) else {
        return false
      }
      if steps.count > 1, record.seconds > 1 { return false }
      part.before[step.name] = record.outputs
    }
    return true
  }
}

extension Glance.Part {
  /// Takes out of the settled declarations those of which all is known that others may ask.
  fileprivate mutating func recallSettled() -> [Recalled] {
    let known = settled.map { snapshot.recalled($0) }
    unread = zip(settled, known).filter { $1 != nil }.map(\.0)
    settled = zip(settled, known).filter { $1 == nil }.map(\.0)
    return known.compactMap { $0 }
  }

  /// A manifest of the declarations that are needed, from their own bytes.
  fileprivate func text(of request: Request) throws -> [UInt8] {
    let file = Glibc.open(request.path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Files.problem("read", request.path) }
    defer { close(file) }
    var text = [UInt8(ascii: "{")] + Array(snapshot.header)
    if text.count > 1 { text.append(UInt8(ascii: ",")) }
    text += Array("\"steps\": {".utf8)
    var isFirst = true
    for index in open + settled {
      let declaration = snapshot.declarations[index]
      if declaration.length == 0 { continue }
      if !isFirst { text.append(UInt8(ascii: ",")) }
      isFirst = false
      if let edit {
        text += edit.text[edit.places[index]]
        continue
      }
      var bytes = [UInt8](repeating: 0, count: Int(declaration.length))
      guard pread(file, &bytes, bytes.count, off_t(declaration.offset)) == bytes.count else { throw Files.problem("read", request.path) }
      text += bytes
    }
    for (_, place) in edit?.new.sorted(by: { $0.value.lowerBound < $1.value.lowerBound }) ?? [] {
      if !isFirst { text.append(UInt8(ascii: ",")) }
      isFirst = false
      text += edit!.text[place]
    }
    return text + Array("}}".utf8)
  }

  // MARK: What was written anew

  /// The declarations that are other ones or new, as JSON.
  private func written() throws -> [JSON] {
    let places = edit.map { edit in edit.changed.map { edit.places[$0] } + edit.new.values } ?? []
    let texts = places.map { [UInt8(ascii: "{")] + edit!.text[$0] + [UInt8(ascii: "}")] }
    return try (texts + appended.map(Files.read)).map { try JSON(parsing: $0) }
  }

  /// Takes in what those need; false if that is not known.
  fileprivate mutating func addNeeds() throws -> Bool {
    guard let written = try? written() else { return false }
    if written.isEmpty { return true }
    var names: Set<String> = []
    for json in written {
      guard let references = try? Template.references(in: json) else { return false }
      for case .step(let reference) in references { names.insert(String(reference.step.prefix { $0 != "[" })) }
      for step in [json["step"]].compactMap({ $0 }) + (json.object?.values.elements ?? []) {
        for after in step["after"]?.array ?? step["after"]?.string.map({ [.string($0)] }) ?? [] {
          names.insert(String((after.string ?? "").prefix { $0 != "[" && $0 != "?" }))
        }
      }
    }
    // What is left out of a try must not come before what is tried.
    if isTentative, let edit {
      let leftOut = Dependents(of: snapshot.needs, count: snapshot.declarations.count).closure(of: edit.changed)
      if leftOut.indices.contains(where: { leftOut[$0] && names.contains(snapshot.string(snapshot.declarations[$0].name)) }) { return false }
    }
    let known = Set(open + settled)
    for index in snapshot.declarations.indices where !names.isEmpty {
      guard names.remove(snapshot.string(snapshot.declarations[index].name)) != nil, !known.contains(index) else { continue }
      settled.append(index)
    }
    return true
  }

  /// Whether what was written anew can be judged without the rest: it publishes nowhere near what others do, reads nothing that others publish,
  /// and asks for nothing that a whole reading would look at.
  fileprivate func fits(_ session: Session) -> Bool {
    guard let edit else { return true }
    let names = Set(edit.changed.map { snapshot.string(snapshot.declarations[$0].name) } + edit.new.keys)
    let asked = (try? JSON(parsing: snapshot.identity))?["environment"]?.object
    guard session.manifest.patterns.isEmpty, session.manifest.sources.count == 1,
      session.manifest.environment.allSatisfy({ asked?[$0] != nil })
    else { return false }
    // What those that changed published is their own.
    let output = Snapshot.Watch.Kind.output.rawValue
    let own = Set(edit.changed.flatMap { snapshot.files[$0].map(Int.init) }.filter { snapshot.watches[$0].kind == output })
    let others = snapshot.watches.indices.filter { !own.contains($0) }.map { (snapshot.string(snapshot.watches[$0].path), snapshot.watches[$0].kind) }
    return session.graph.steps.filter { names.contains($0.declaration.name) }.allSatisfy { step in
      guard step.isSeparable else { return false }
      for case .files(let pattern) in step.inputs.values.joined() {
        let path = Files.absolute(pattern, in: session.manifest.directory), plain = Files.plain(pattern, in: session.manifest.directory)
        if Files.mayBePattern(path) || session.graph.linkedDirectories.resolved(plain, in: session.manifest.directory) != nil { return false }
        if Files.isDirectory(path) || others.contains(where: { $0.1 == output && $0.0 == plain }) { return false }
      }
      return step.publishes.values.allSatisfy { published in
        let path = Files.withoutSlash(published)
        return !others.contains { Files.lies($0.0, in: path) || Files.lies(path, in: $0.0) }
      }
    }
  }
}
