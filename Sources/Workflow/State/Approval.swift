// A person's word on one action: it may run, or not. It is about the action's key: when anything that matters changes, it is asked again.

import Hashing
import JSON

public struct Approval: Sendable {
  public let isGranted: Bool
  public let by: String
  public let reason: String
  /// Seconds since 1970.
  public let at: Double

  static let table =
    "CREATE TABLE IF NOT EXISTS approval (key TEXT PRIMARY KEY, step TEXT, granted INTEGER, by TEXT, reason TEXT, at REAL) WITHOUT ROWID"

  /// What is wrong if it was refused.
  func problem(of step: String, in manifest: Manifest) -> Problem? {
    if isGranted { return nil }
    let question = Question("", "approve", step, in: manifest)
    return Problem(
      .approval, "\(step): \(by) rejected it\(reason.isEmpty ? "" : ": \(reason)")",
      hint: "change it, or agree to it after all: \(question.command)")
  }

  var json: JSON { ["by": .string(by), "reason": .string(reason), "at": .number(at)] }
}

extension State {
  func approval(of key: Digest) throws -> Approval? {
    try database.query("SELECT granted, by, reason, at FROM approval WHERE key = ?", .text(key.hex)).first.map { row in
      Approval(isGranted: row[0].int == 1, by: row[1].text ?? "", reason: row[2].text ?? "", at: row[3].double ?? 0)
    }
  }
}

extension Session {
  /// Records a person's word on a step that asks for it, as it would run now. Returns what was asked.
  public func decide(_ name: String, granted: Bool, by person: String, reason: String) throws -> String {
    try makeInstances(of: [name])
    _ = try plan(graph.steps)
    guard let step = graph.step(named: name) else { throw try missing(name) }
    guard let question = step.options.approval else {
      let asking = graph.steps.filter { $0.options.approval != nil }.map(\.name)
      throw Problem(
        .usage, "step '\(name)' asks nobody",
        hint: asking.isEmpty ? "\"approval\" in the manifest makes it ask" : "these do: \(asking.joined(separator: ", "))")
    }
    if step.status.isSuccess { throw Problem(.usage, "step '\(name)' is up to date: there is nothing to decide") }
    guard step.status == .ready else {
      throw Problem(.usage, "step '\(name)' cannot be decided yet: it waits for others", hint: "enpire plan '\(name)' tells for which")
    }
    let key = Digest(of: try decider.fingerprint(of: step).canonical)
    try state.database.execute(
      "INSERT OR REPLACE INTO approval (key, step, granted, by, reason, at) VALUES (?, ?, ?, ?, ?, ?)", .text(key.hex), .text(name),
      .integer(granted ? 1 : 0), .text(person), .text(reason), .real(Clock.now))
    return question
  }

  private func missing(_ name: String) throws -> Problem {
    Problem(.usage, "no step '\(name)' in \(Files.display(manifest.path))", hint: suggestion(for: name, among: graph.names))
  }
}
