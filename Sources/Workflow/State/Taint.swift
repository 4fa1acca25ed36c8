// What people found out to be bad afterwards: a file, a station for a while, a run, what a step gave until now. Nothing is deleted; whatever
// came of it is put into quarantine (Quarantine.swift) until the mark is taken back.

import Database
public import Hashing
public import JSON

public struct Taint: Sendable {
  public enum What: String, Sendable, CaseIterable { case file, station, run, step }

  public let id: Int
  public let what: What
  /// As a person calls it: a path, a station, a run's number, a step.
  public let name: String
  /// Seconds since 1970: what was made in between is bad. Of a station, nil means from the first, and to this day and on.
  public let since: Double?
  public let until: Double?
  public let reason: String
  public let by: String
  /// When it was marked, in seconds since 1970.
  public let at: Double
  /// Of a file: its digest, and those of the listings of the directories it lies in.
  let digests: [Digest]

  static let table = """
    CREATE TABLE IF NOT EXISTS taint
      (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, name TEXT, since REAL, until REAL, reason TEXT, by TEXT, at REAL, digests TEXT)
    """

  /// `station sim-3 is marked as bad (the camera moved)`.
  public var sentence: String { "\(what.rawValue) \(name) is marked as bad\(reason.isEmpty ? "" : " (\(reason))")" }

  /// Whether something that was begun at this time falls under it.
  func covers(_ time: Double) -> Bool { time >= since ?? 0 && time < until ?? .infinity }

  public var json: JSON {
    var json: JSON = ["id": .integer(id), "what": .string(what.rawValue), "name": .string(name), "by": .string(by), "at": .number(at)]
    json["since"] = since.map { .number($0) }
    json["until"] = until.map { .number($0) }
    if !reason.isEmpty { json["reason"] = .string(reason) }
    return json
  }
}

extension State {
  /// All marks, oldest first.
  func taints() throws -> [Taint] {
    try database.query("SELECT id, what, name, since, until, reason, by, at, digests FROM taint ORDER BY id").compactMap { row in
      guard let id = row[0].int, let what = row[1].text.flatMap(Taint.What.init) else { return nil }
      return Taint(
        id: id, what: what, name: row[2].text ?? "", since: row[3].double, until: row[4].double, reason: row[5].text ?? "", by: row[6].text ?? "",
        at: row[7].double ?? 0, digests: (row[8].text ?? "").split(separator: " ").compactMap { Digest(hex: $0) })
    }
  }
}

extension Session {
  /// Marks something as bad.
  public func taint(_ what: Taint.What, _ name: String, since: Double?, until: Double?, reason: String, by person: String) throws {
    var (name, until) = (name, until)
    var digests: [Digest] = []
    switch what {
    case .file:
      let path = Files.absolute(name, in: Files.currentDirectory)
      guard Files.exists(path) else {
        throw Problem(.usage, "there is no file \(name)", hint: "a file is known by its content: put it back, mark it, remove it")
      }
      digests = [try Store.artifact(at: path, form: Files.isDirectory(path) ? .directory : .file, look: state.files.entry).digest]
      // As part of a directory that is an input.
      var parent = Files.parent(of: path)
      while let directory = parent, Files.rest(of: directory, after: manifest.directory + "/") != nil {
        digests.append(try Store.artifact(at: directory, form: .directory, look: state.files.entry).digest)
        parent = Files.parent(of: directory)
      }
      name = Files.rest(of: path, after: manifest.directory + "/") ?? name
    case .station:
      guard graph.fleet.stations.contains(where: { $0.name == name }) else {
        throw Problem(.usage, "no station '\(name)'", hint: suggestion(for: name, among: graph.fleet.stations.map(\.name)))
      }
    case .run:
      guard let run = Int(name), try state.runs(manifest.workflow, limit: 1_000_000).contains(where: { $0.number == run }) else {
        throw Problem(.usage, "no run '\(name)'", hint: "enpire history lists them")
      }
    case .step:
      _ = try plan(graph.steps)
      guard try !graph.steps(for: name).isEmpty else { return }
      // What it gives from now on is not meant.
      until = until ?? Clock.now
    }
    try write(
      "INSERT INTO taint (what, name, since, until, reason, by, at, digests) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", .text(what.rawValue), .text(name),
      since.map { .real($0) } ?? .null, until.map { .real($0) } ?? .null, .text(reason), .text(person), .real(Clock.now),
      .text(digests.map(\.hex).joined(separator: " ")))
  }

  /// Takes a mark back.
  public func removeTaint(_ id: Int) throws {
    let known = try state.taints().map(\.id)
    guard known.contains(id) else {
      throw Problem(
        .usage, "no mark \(id)", hint: known.isEmpty ? "nothing is marked as bad" : "there are: \(known.map(String.init).joined(separator: ", "))")
    }
    try write("DELETE FROM taint WHERE id = ?", .integer(id))
  }

  /// All marks, and the steps whose latest results are in quarantine, each with the mark it is for.
  public func tainted() throws -> (marks: [Taint], steps: [(step: String, key: Digest, mark: Int)], records: Int) {
    guard let quarantine = try state.quarantine() else { return ([], [], 0) }
    let steps = try state.latest(manifest.workflow).compactMap { step, key in quarantine.taint(of: key).map { (step, key, $0.id) } }
    return (quarantine.taints, steps, quarantine.count)
  }

  private func write(_ statement: String, _ values: DatabaseValue...) throws {
    state.dropSnapshots()
    state.knownQuarantine = nil
    try state.database.execute(statement, values)
  }
}
