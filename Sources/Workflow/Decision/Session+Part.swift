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

  /// Opens a workflow for a run, reading no more of it than what may have to run.
  public static func open(_ request: Request) throws -> Opening {
    // While another run is at work its snapshot is not there, or not yet true.
    if let free = WorkspaceLock(ifFree: request.state) {
      defer { withExtendedLifetime(free) {} }
      switch Glance.look(request) {
      case .upToDate(let steps, let skipped): return .nothingToDo(steps: steps, skipped: skipped)
      case .partly(let part): if let opening = try opening(request, part) { return opening }
      case .unknown: break
      }
    }
    let session = try Session(manifestPath: request.path, overrides: request.overrides)
    session.request = request
    return .session(session, goals: try session.goals(request.goals))
  }

  /// Nil if the part does not stand alone, and the whole has to be read.
  private static func opening(_ request: Request, _ part: Glance.Part) throws -> Opening? {
    let snapshot = part.snapshot
    let manifest = try Manifest(path: request.path, overrides: request.overrides, text: part.text(of: request))
    let files = (part.open + part.settled).map { snapshot.declarations[$0] }.filter { $0.length == 0 }
      .map { Files.absolute(snapshot.string(snapshot.watches[Int($0.source)].path), in: request.directory) }
    if AppendJournal.isPending(request.state) { return nil }
    let appended = try (files + part.appended).compactMap(Appended.byPerson)
    let settled = Set(part.settled.map { snapshot.string(snapshot.declarations[$0].name) })
    guard let session = try? Session(manifest, appended: appended, settled: settled) else { return nil }
    for step in session.graph.steps where settled.contains(step.declaration.name) {
      guard let key = try session.state.latest(manifest.workflow, step.name), let record = try session.state.action(key),
        record.outputs.values.allSatisfy(session.state.store.has)
      else { return nil }
      _ = try session.settle(step, .upToDate, record)
    }
    // A new step must not take the name of one that was not read; nor is it wanted unless a goal needs it.
    let new = Set(part.appended.compactMap { try? Appended.byPerson($0)?.name })
    if !new.isEmpty {
      guard new.count == part.appended.count, !snapshot.declarations.contains(where: { new.contains(snapshot.string($0.name)) }) else { return nil }
    }
    session.request = request
    session.part = part
    session.appendedNames = part.appendedNames
    let opened = Set(part.open.map { snapshot.string(snapshot.declarations[$0].name) })
    session.untouched = snapshot.steps - session.graph.steps.count { opened.contains($0.declaration.name) }
    let goals = session.graph.steps.filter {
      opened.contains($0.declaration.name) || request.goals.contains($0.declaration.name)
        || request.goals.isEmpty && $0.note?.isGoal == true
          && new.contains($0.declaration.name)
    }
    return goals.isEmpty ? .nothingToDo(steps: snapshot.steps, skipped: snapshot.skipped) : .session(session, goals: goals)
  }
}

extension Glance.Part {
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
      var bytes = [UInt8](repeating: 0, count: Int(declaration.length))
      guard pread(file, &bytes, bytes.count, off_t(declaration.offset)) == bytes.count else { throw Files.problem("read", request.path) }
      text += bytes
    }
    return text + Array("}}".utf8)
  }
}
