// The stations of a run's steps: each step takes a lease of its station before it starts, renews it while it runs, and gives it back with its
// outcome. A person, the station's hours or a run elsewhere can keep it from getting one, or take it away; then it waits, and starts anew.

import Hashing
internal import Glibc
internal import HeapModule
import JSON

extension Run {
  /// Why a step cannot have its station now.
  struct Unavailable: Error {
    let reason: String
    /// Seconds after which it is worth asking again.
    var pause = 1.0
  }

  private var book: StationBook { session.decider.stations }

  // MARK: Taking

  /// Leases of all stations of a step, or none. Throws `Unavailable` if one cannot be had.
  func lease(_ step: Step, _ key: Digest) throws -> [Lease] {
    if step.stations.isEmpty { return [] }
    let now = Clock.now
    return try book.change(step.stations.map(\.name)) { records in
      for station in step.stations {
        let record = records[station.name]!
        if let kept = record.kept { throw Unavailable(reason: "\(kept.by) has it\(kept.reason.isEmpty ? "" : ": \(kept.reason)")") }
        let hours = station.hours.state(at: now)
        if !hours.isOpen {
          throw Unavailable(
            reason: "it is not to be used before \(date(hours.until ?? now))", pause: min(60, max(0.1, (hours.until ?? now) - now)))
        }
        if let lease = record.lease, record.isHeld(at: now) {
          throw Unavailable(reason: "'\(lease.step)' of workflow \(lease.workflow) has it (process \(lease.process.pid))")
        }
        if record.unsure != nil || record.cutOff(at: now) != nil { throw Unavailable(reason: "it has to be reset and verified") }
        if step.moves, !record.isArmed(at: now) { throw Unavailable(reason: "it is not armed") }
      }
      return step.stations.map { station in
        var record = records[station.name]!
        record.token += 1
        record.leaving = nil
        record.lease = StationRecord.Lease(
          token: record.token, workflow: session.manifest.workflow, step: step.name, key: key.hex, moves: step.moves, process: .this, since: now,
          until: now + book.leaseSeconds)
        records[station.name] = record
        return Lease(station: station.name, token: record.token, file: book.file(of: station.name))
      }
    }
  }

  /// What a step is told of its stations.
  static func surroundings(of step: Step, _ leases: [Lease]) -> [String: String] {
    guard !leases.isEmpty else { return [:] }
    func list(_ value: (FleetStation) -> JSON) -> String {
      step.stations.map { value($0) == .null ? "" : Digest(of: value($0).canonical).hex }.joined(separator: ",")
    }
    return [
      "ENPIRE_STATION": step.stations.map(\.name).joined(separator: ","), "ENPIRE_STATION_CAMERAS": list(\.cameras),
      "ENPIRE_STATION_CALIBRATION": list(\.calibration), "ENPIRE_LEASE_TOKEN": leases.map { String($0.token) }.joined(separator: ","),
    ]
  }

  /// Which stations, cameras, calibrations and leases a result came from, for its record.
  static func provenance(of step: Step, _ leases: [Lease]) -> JSON {
    .array(
      zip(step.stations, leases).map { station, lease in
        var json: JSON = ["station": .string(station.name), "token": .integer(lease.token)]
        if station.cameras != .null { json["cameras"] = .string(Digest(of: station.cameras.canonical).hex) }
        if station.calibration != .null { json["calibration"] = .string(Digest(of: station.calibration.canonical).hex) }
        return json
      })
  }

  /// The step's station cannot be had now: it is asked for again after a while.
  func wait(_ job: Job, _ unavailable: Unavailable, for what: String) {
    let reason = "\(what): \(unavailable.reason)"
    guard options.patience else {
      release(job.key)
      return fail(job.step, Problem(.station, "\(job.step.name): \(reason)", hint: "run without --no-wait to wait for it"))
    }
    if awaiting.updateValue(reason, forKey: job.step.id) != reason { report(.waiting(job.step, reason)) }
    job.step.status = .ready
    timers.insert(Timer(at: Clock.monotonic + unavailable.pause, what: .station(job)))
  }

  // MARK: Keeping

  /// When that is due again; nil while no step has a station.
  var nextLookAtStations: Double? {
    running.values.contains { !$0.leases.isEmpty } ? lookedAtStations + min(1, book.leaseSeconds / 4) : nil
  }

  /// Renews the leases of what runs, and ends what has lost its station or must leave it.
  func tendStations() throws {
    let interval = min(1, book.leaseSeconds / 4)
    guard Clock.monotonic - lookedAtStations >= interval else { return }
    lookedAtStations = Clock.monotonic
    let now = Clock.now
    for attempt in running.values where !attempt.leases.isEmpty && attempt.preemption == nil && !attempt.hasExited {
      for (station, lease) in zip(attempt.step.stations, attempt.leases) {
        let record = try book.record(of: station.name)
        guard let held = record.lease, held.token == lease.token else {
          preempt(attempt, record.kept.map { "\($0.by) took station \(station.name)" } ?? "its lease of station \(station.name) was lost")
          break
        }
        if !station.hours.state(at: now).isOpen {
          preempt(attempt, "the hours of station \(station.name) are over")
          break
        }
        if held.until - now < book.leaseSeconds * 2 / 3 {
          try book.change(station.name) { record in
            if record.lease?.token == lease.token { record.lease!.until = now + book.leaseSeconds }
          }
        }
      }
    }
  }

  private func preempt(_ attempt: Attempt, _ reason: String) {
    attempt.preemption = reason
    report(.waiting(attempt.step, reason))
    end([attempt], grace: 10)
  }

  /// Notes it if a step ended because its station had been taken: by its own look, before this run looked.
  func noteLoss(_ attempt: Attempt) {
    if attempt.preemption != nil { return }
    for lease in attempt.leases {
      guard let record = try? book.record(of: lease.station), record.lease?.token != lease.token else { continue }
      let reason = record.kept.map { "\($0.by) took station \(lease.station)" } ?? "its lease of station \(lease.station) was lost"
      attempt.preemption = reason
      report(.waiting(attempt.step, reason))
      return
    }
  }

  // MARK: Giving back

  /// Does what makes a result count while it is sure that the stations are still the step's, and gives them back.
  func concluding(_ attempt: Attempt, _ body: () throws -> Void) throws {
    if attempt.leases.isEmpty { return try body() }
    try book.change(attempt.leases.map(\.station)) { records in
      for lease in attempt.leases where records[lease.station]!.lease?.token != lease.token {
        throw Problem(
          .station, "\(attempt.step.name): its lease of station \(lease.station) was lost before it ended",
          hint: "its outputs are not kept; run again")
      }
      try body()
      for lease in attempt.leases { records[lease.station]!.lease = nil }
    }
  }

  /// Of a step that was not started after all.
  func giveBack(_ leases: [Lease]) {
    if leases.isEmpty { return }
    try? book.change(leases.map(\.station)) { records in
      for lease in leases where records[lease.station]!.lease?.token == lease.token { records[lease.station]!.lease = nil }
    }
  }

  /// Gives the stations of a step back that did not succeed. What moved something and did not end by itself left them in a state unknown.
  func giveUp(_ attempt: Attempt, why: String?) {
    if attempt.leases.isEmpty { return }
    try? book.change(attempt.leases.map(\.station)) { records in
      for lease in attempt.leases {
        if records[lease.station]!.leaving?.token == lease.token { records[lease.station]!.leaving = nil }
        guard records[lease.station]!.lease?.token == lease.token else { continue }
        if let why { records[lease.station]!.end(why: why, at: Clock.now) } else { records[lease.station]!.lease = nil }
      }
    }
  }
}
