// What people say of stations and do to them: arm, take over, release, reset.

import Glibc
internal import JSON

extension Session {
  private var book: StationBook { decider.stations }

  /// A station and what is known of it.
  public struct StationState {
    public let station: FleetStation
    public let record: StationRecord
    public let isHeld: Bool
    public let isArmed: Bool
    /// A movement of which nobody knows how it ended.
    public let unsure: StationRecord.Unsure?
    /// Whether its hours allow it to be used, and until when that is so.
    public let hours: (isOpen: Bool, until: Double?)
  }

  /// All stations of the fleet.
  public func stations() throws -> [StationState] {
    let now = Clock.now
    return try graph.fleet.stations.map { station in
      let record = try book.record(of: station.name)
      return StationState(
        station: station, record: record, isHeld: record.isHeld(at: now), isArmed: record.isArmed(at: now),
        unsure: record.unsure ?? record.cutOff(at: now),
        hours: station.hours.state(at: now))
    }
  }

  /// The station of this name; throws if the fleet has none.
  @discardableResult public func station(_ name: String) throws -> FleetStation {
    guard let station = graph.fleet.stations.first(where: { $0.name == name }) else {
      throw Problem(.usage, "no station '\(name)'", hint: suggestion(for: name, among: graph.fleet.stations.map(\.name)))
    }
    return station
  }

  /// Lets steps move a station for so many seconds.
  public func arm(_ name: String, seconds: Double, by person: String, reason: String) throws {
    let now = Clock.now
    try book.change(station(name).name) { $0.armed = StationRecord.Word(by: person, reason: reason, at: now, until: now + seconds) }
  }

  /// Nothing moves it from now on; what moves it now is ended.
  public func disarm(_ name: String, by person: String) throws {
    try book.change(station(name).name) { record in
      record.armed = nil
      if record.lease?.moves == true { take(&record, why: "\(person) disarmed it") }
    }
  }

  /// Takes a station from whoever has it, and keeps it until it is released. Returns whom it was taken from.
  public func keep(_ name: String, by person: String, reason: String) throws -> StationRecord.Lease? {
    let now = Clock.now
    return try book.change(station(name).name) { record in
      if let kept = record.kept, kept.by != person {
        throw Problem(
          .station, "station \(name) is kept by \(kept.by)\(kept.reason.isEmpty ? "" : ": \(kept.reason)")",
          hint: "ask \(kept.by); enpire release \(name) gives it back, whoever kept it")
      }
      record.kept = StationRecord.Word(by: person, reason: reason, at: now)
      guard record.isHeld(at: now) else { return nil }
      let lease = record.lease
      take(&record, why: "\(person) took the station")
      return lease
    }
  }

  private func take(_ record: inout StationRecord, why: String) {
    record.leaving = record.lease
    record.end(why: why, at: Clock.now)
  }

  /// Whether the step from which it was taken has left it; waits so many seconds for it.
  public func hasLeft(_ name: String, within seconds: Double) throws -> Bool {
    let end = Clock.monotonic + seconds
    while true {
      let leaving = try book.record(of: name).leaving
      if leaving.map({ $0.process.hasEnded }) ?? true { return true }
      if Clock.monotonic > end { return false }
      usleep(50_000)
    }
  }

  /// Gives a station back to the steps.
  @discardableResult
  public func release(_ name: String) throws -> Bool {
    try book.change(station(name).name) { record in
      defer { record.kept = nil }
      return record.kept != nil
    }
  }

  /// Brings a station to a known start and looks whether it is there, by its own commands or by its driver's; then steps may use it again.
  public func reset(_ name: String) throws {
    let station = try station(name)
    let now = Clock.now
    let token = try book.change(name) { record in
      if let lease = record.lease, record.isHeld(at: now) {
        throw Problem(.locked, "station \(name) is in use by '\(lease.step)'", hint: "wait for it, or take it: enpire preempt \(name)")
      }
      if station.isHardware, !record.isArmed(at: now) {
        throw Problem(.approval, "a reset moves station \(name), which is not armed", hint: "enpire arm \(name)")
      }
      record.end(why: "its process ended on the way", at: now)
      record.token += 1
      record.lease = StationRecord.Lease(
        token: record.token, workflow: manifest.workflow, step: "enpire reset", key: "", moves: station.isHardware || record.unsure != nil,
        process: .this, since: now, until: now + 3600)
      return record.token
    }
    do {
      if station.reset == nil && station.verify == nil {
        try act([Catalogue.worker, "reset", station.entry.compact], on: station, token)
      } else {
        for command in [station.reset, station.verify].compactMap({ $0 }) { try act(command, on: station, token) }
      }
    } catch {
      try book.change(name) { if $0.lease?.token == token { $0.end(why: "its reset failed", at: Clock.now) } }
      throw error
    }
    try book.change(name) { record in
      guard record.lease?.token == token else { throw Problem(.station, "station \(name) was taken during its reset") }
      record.lease = nil
      record.unsure = nil
    }
  }

  private func act(_ command: [String], on station: FleetStation, _ token: Int) throws {
    let output = state.directory + "/reset.tmp\(getpid())"
    defer { unlink(output) }
    var environment = Child.inheritedEnvironment
    environment["ENPIRE_STATION"] = station.name
    environment["ENPIRE_LEASE_TOKEN"] = String(token)
    let end = try Child.spawn(command, environment: environment, directory: manifest.directory, output: output).wait()
    if end == .exited(0) { return }
    let said = (try? Files.read(output)).map { String(decoding: $0.suffix(2000), as: UTF8.self) } ?? ""
    throw Problem(
      .station, "station \(station.name): '\(command.joined(separator: " ").prefix(100))' failed" + (said.isEmpty ? "" : "\n" + said),
      hint: "see to the station, then reset it again")
  }
}
