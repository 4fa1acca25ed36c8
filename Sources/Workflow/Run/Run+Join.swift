// Steps that people and agents append while a run goes on: it takes them in within a second, and looks once more before it ends. Those that
// were appended as goals it brings up to date, if it was asked for no goals itself. What people decide meanwhile it learns at the same time.

import Hashing
internal import Glibc
import JSON

extension Run {
  /// Decides the steps anew that waited for a person who has spoken by now.
  func askAgain() throws {
    for (id, waiting) in held where try isAnswered(waiting.step, waiting.key) {
      held[id] = nil
      undecided.append(waiting.step)
    }
  }

  private func isAnswered(_ step: Step, _ key: Digest) throws -> Bool {
    do { return try session.decider.question(of: step, key) == nil } catch let problem as Problem where problem.code == .approval { return true }
  }

  /// How often it looks, in seconds.
  static let joinInterval = 1.0

  /// Takes new files of appended steps into the graph. With `waiting`, waits for somebody who is appending right now.
  func joinAppended(waiting: Bool) throws {
    lookedForAppended = Clock.monotonic
    try askAgain()
    let directory = session.manifest.appendedDirectory
    // A run that read only a part cannot check new steps against the whole: it goes on with that at its end.
    guard session.part == nil, let known = session.appendedNames, let stamp = FileStamp(of: directory), stamp != appendedStamp else { return }
    let state = session.state.directory
    let isPending = AppendJournal.isPending(state)
    guard let lock = try AppendLock.take(state: state, exclusive: isPending, waiting: waiting) else { return }
    defer { withExtendedLifetime(lock) {} }
    if isPending { try AppendJournal.finish(state) }
    // Another file may come within the same tick of the file system's clock.
    appendedStamp = Clock.now - Double(stamp.modified) * 1e-9 < 0.1 ? nil : stamp
    let names = Appended.names(in: directory)
    let there = Set(known)
    let new = names.filter { !there.contains($0) }
    if new.isEmpty { return }
    session.appendedNames = names
    do {
      var declarations = Appended.distinct(try new.compactMap { try Appended.byPerson(directory + "/" + $0) })
      let goals = declarations.filter { $0.note?.isGoal == true }.map(\.name)
      declarations.removeAll { step in session.graph.declaration(named: step.name)?.isSame(as: step) ?? false }
      if !declarations.isEmpty { report(.joined(try session.graph.insert(declarations, parent: nil).filter { !$0.isShard })) }
      if session.request?.goals.isEmpty == true { undecided += session.graph.wantMore(try goals.flatMap(session.graph.steps)) }
      undecided += session.graph.finishDoomed()
    } catch let problem as Problem {
      // As a kind of step that this run did not read about: the next run takes it, or says what is wrong.
      report(.cache("appended steps are left to the next run: \(problem.sentence)", isWarning: true))
    }
  }
}
