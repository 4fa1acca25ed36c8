// What may be appended to a workflow, by whomever: the manifest's `append`. What was appended before it was written stays.

import JSON

public struct AppendPolicy: Sendable {
  /// Kinds that may be appended, `run` for commands; nil for all.
  public var kinds: [String]?
  /// Kinds that may not.
  public var forbidden: [String] = []
  /// What an appended sample may be drawn for; nil for anything.
  public var purposes: [String]?
  /// Steps that may be there beside those of the manifest, a shard being none.
  public var steps: Int?
  /// What all appended steps together may hold stations, in minutes, by records and estimates.
  public var stationMinutes: Double?

  static let keys = ["kinds", "forbid", "purposes", "steps", "station_minutes"]

  private static let knownPurposes = ["search", "confirm", "held-out", "replicate"]

  init() {}

  /// Refuses kinds that there are not: a slip would forbid nothing.
  func check(kinds known: [String: Kind], of manifest: Manifest) throws {
    for (key, names) in [("kinds", kinds ?? []), ("forbid", forbidden)] {
      guard let slip = Self.slip(in: names, among: known) else { continue }
      let pointer = JSONPointer(["append", key, String(slip.index)])
      throw Problem(.manifest, slip.sentence, at: Origin(file: manifest.path, pointer: pointer).place(), hint: slip.hint)
    }
  }

  /// The first of these words that is no kind and means no command and no group.
  static func slip(in names: [String], among known: [String: Kind]) -> (index: Int, sentence: String, hint: String?)? {
    names.firstIndex { known[$0] == nil && !["run", "group"].contains($0) }.map {
      ($0, "no step kind '\(names[$0])'", suggestion(for: names[$0], among: known.keys.sorted() + ["run"]))
    }
  }

  init(_ json: JSON?, _ reader: Reader) throws {
    let pointer = JSONPointer(["append"])
    guard let json else { return }
    _ = try reader.object(json, pointer)
    try reader.onlyKeys(json, pointer, Self.keys)
    kinds = try json["kinds"].map { try reader.strings($0, pointer / "kinds") }
    forbidden = try json["forbid"].map { try reader.strings($0, pointer / "forbid") } ?? []
    purposes = try json["purposes"].map { try reader.strings($0, pointer / "purposes") }
    for (index, purpose) in (purposes ?? []).enumerated() where !Self.knownPurposes.contains(purpose) {
      throw reader.problem(
        "no trials are drawn for '\(purpose)'", pointer / "purposes" / index, hint: suggestion(for: purpose, among: Self.knownPurposes))
    }
    if let limit = json["steps"] {
      guard let count = limit.int, count >= 0 else { throw reader.problem("'steps' must be a count", pointer / "steps") }
      steps = count
    }
    if let limit = json["station_minutes"] {
      guard let minutes = limit.double, minutes >= 0 else {
        throw reader.problem("'station_minutes' must be a number of 0 or more", pointer / "station_minutes")
      }
      stationMinutes = minutes
    }
  }

  /// Refuses what may not be appended.
  func check(_ step: Step) throws {
    let kind = step.declaration.action.word
    if forbidden.contains(kind) || kinds?.contains(kind) == false {
      throw step.declaration.problem(
        "a step of kind '\(kind)' may not be appended here", key: true,
        hint: kinds.map { "the manifest's 'append' allows: \($0.joined(separator: ", "))" } ?? "the manifest's 'append' forbids it")
    }
    if let purposes, step.effect == .sample, let purpose = step.with["purpose"]?.string, !purposes.contains(purpose) {
      throw step.declaration.problem(
        "trials for '\(purpose)' may not be appended here", "with", "purpose",
        hint: "the manifest's 'append' allows: \(purposes.joined(separator: ", "))")
    }
  }

  /// Refuses steps for which the budget is too small; `before` counts what was appended earlier.
  func check(_ created: [Step], before: Int, cost: AppendCost?) throws {
    for step in created {
      try check(step)
      if step.spread != nil, steps != nil || stationMinutes != nil {
        throw step.declaration.problem(
          "nobody knows how many steps this will be, and the manifest's 'append' has a budget", "foreach", key: true,
          hint: "append its steps one by one")
      }
      if stationMinutes != nil, step.effect == .sample, step.with["trials"]?.string != nil {
        throw step.declaration.problem(
          "nobody knows how many trials this will be, and the manifest's 'append' has a budget", "with", "trials", hint: "write the number")
      }
    }
    let count = created.count { !$0.isShard }
    if let steps, before + count > steps {
      throw Problem(
        .budget, "\(count) more \(count == 1 ? "step" : "steps") would be \(before + count), and \(steps) may be appended",
        hint: "the manifest's append.steps says so")
    }
    if let stationMinutes, let cost, cost.allStationSeconds > stationMinutes * 60 {
      throw Problem(
        .budget,
        "stations would be held for \((cost.allStationSeconds / 6).rounded(.up) / 10) minutes, and appended steps have \(stationMinutes)",
        hint: "the manifest's append.station_minutes says so")
    }
  }
}
