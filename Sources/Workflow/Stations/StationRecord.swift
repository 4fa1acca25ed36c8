// What is known of a station beside its entry in the fleet: who has it, who armed it, whether a person keeps it, and whether nobody knows how
// it was left. All runs that use the station read and write it (StationBook.swift).

public import JSON

public struct StationRecord: Sendable {
  /// Who uses the station now, or did when its process died.
  public struct Lease: Sendable {
    /// Higher than that of every lease before it: who comes with an older one has lost the station.
    public var token: Int
    public var workflow: String
    public var step: String
    public var key: String
    /// Whether what it does moves something.
    public var moves: Bool
    var process: ProcessIdentity
    /// Seconds since 1970.
    public var since: Double
    /// Until then it counts, unless it is renewed.
    public var until: Double
  }

  /// A person's word.
  public struct Word: Sendable {
    public var by: String
    public var reason: String
    /// Seconds since 1970; `until` nil for ever.
    public var at: Double
    public var until: Double?
  }

  /// A movement of which nobody knows how it ended.
  public struct Unsure: Sendable {
    public var step: String
    public var token: Int
    public var why: String
    public var at: Double
  }

  public var token = 0
  public var lease: Lease?
  /// Who lost the station to a person and may not have left it yet.
  public var leaving: Lease?
  public var armed: Word?
  /// A person keeps it.
  public var kept: Word?
  public var unsure: Unsure?

  public init() {}

  /// Whether a lease still counts.
  public func isHeld(at time: Double) -> Bool { lease.map { time < $0.until && !$0.process.hasEnded } ?? false }

  public func isArmed(at time: Double) -> Bool { armed.map { time < $0.until ?? .infinity } ?? false }

  /// What is unknown of it if who moved it has died.
  func cutOff(at time: Double) -> Unsure? {
    var after = self
    if let lease, !isHeld(at: time) { after.end(why: "its process ended on the way", at: lease.since) }
    return after.unsure
  }

  /// Takes the lease away; a movement that is cut off leaves the station in an unknown state.
  mutating func end(why: String, at time: Double) {
    guard let lease else { return }
    if lease.moves { unsure = Unsure(step: lease.step, token: lease.token, why: why, at: time) }
    self.lease = nil
  }
}

extension StationRecord {
  var json: JSON {
    var json: JSON = ["station": 1, "token": .integer(token)]
    json["lease"] = lease?.json
    json["leaving"] = leaving?.json
    json["armed"] = armed?.json
    json["kept"] = kept?.json
    json["unsure"] = unsure?.json
    return json
  }

  /// Nil for what is no such record, or of another version.
  init?(json: JSON) {
    guard json["station"]?.int == 1, let token = json["token"]?.int else { return nil }
    self.token = token
    lease = json["lease"].flatMap(Lease.init)
    leaving = json["leaving"].flatMap(Lease.init)
    armed = json["armed"].flatMap(Word.init)
    kept = json["kept"].flatMap(Word.init)
    unsure = json["unsure"].map(Unsure.init)
  }
}

extension StationRecord.Lease {
  public var json: JSON {
    [
      "token": .integer(token), "workflow": .string(workflow), "step": .string(step), "key": .string(key), "moves": .bool(moves),
      "process": process.json, "since": .number(since), "until": .number(until),
    ]
  }

  init?(json: JSON) {
    guard let token = json["token"]?.int, let process = json["process"].flatMap(ProcessIdentity.init) else { return nil }
    self.init(
      token: token, workflow: json["workflow"]?.string ?? "?", step: json["step"]?.string ?? "?", key: json["key"]?.string ?? "",
      moves: json["moves"]?.bool ?? true, process: process, since: json["since"]?.double ?? 0, until: json["until"]?.double ?? 0)
  }
}

extension StationRecord.Unsure {
  public var json: JSON { ["step": .string(step), "token": .integer(token), "why": .string(why), "at": .number(at)] }

  init(json: JSON) {
    self.init(step: json["step"]?.string ?? "?", token: json["token"]?.int ?? 0, why: json["why"]?.string ?? "", at: json["at"]?.double ?? 0)
  }
}

extension StationRecord.Word {
  public var json: JSON {
    var json: JSON = ["by": .string(by), "reason": .string(reason), "at": .number(at)]
    json["until"] = until.map { .number($0) }
    return json
  }

  init?(json: JSON) {
    guard let by = json["by"]?.string, let at = json["at"]?.double else { return nil }
    self.init(by: by, reason: json["reason"]?.string ?? "", at: at, until: json["until"]?.double)
  }
}
