// Takes published outputs as they are for the results of the present inputs, without running anything: after a change that cannot matter,
// or for results that were made elsewhere. The record says that it was so. Only pure steps can be touched: trials and effects are not
// made by declaring them.

internal import Glibc
import Hashing
import JSON
import OrderedCollections

extension Session {
  public struct Touched: Sendable {
    public let step: String
    public let paths: [String]
  }

  private struct Claim {
    let step: Step
    let record: ActionRecord
    let details: ActionDetails
  }

  /// Touches the goals and everything they need, all or none. Steps that are up to date are left alone.
  public func touch(_ goals: [Step], dryRun: Bool, waiting: (String) -> Void) throws -> [Touched] {
    let lock = try WorkspaceLock(state: state.directory, patience: true, waiting: waiting)
    defer { withExtendedLifetime(lock) {} }
    var claims: [Claim] = []
    var ready = graph.want(goals)
    var next = 0
    while next < ready.count {
      let step = ready[next]
      next += 1
      switch try decider.decide(step) {
      case .upToDate(let record): ready += try settle(step, .upToDate, record)
      case .restore(let record, let paths):
        // What is missing comes back with the next run; what is there instead of the record is taken.
        guard paths.allSatisfy({ Files.exists(published($0)) }), let details = try state.details(record.key) else {
          ready += try settle(step, .restored, record)
          continue
        }
        let claim = try claim(step, record.key, details.fingerprint)
        claims.append(claim)
        ready += try settle(step, .upToDate, claim.record)
      case .skip(let reason): ready += graph.bypass(step, reason)
      case .hold: throw Problem(.approval, "step '\(step.name)' waits for approval", hint: "enpire approve '\(step.name)', or leave it out")
      case .run(let key, let fingerprint, _):
        let claim = try claim(step, key, fingerprint)
        claims.append(claim)
        ready += try settle(step, .upToDate, claim.record)
      }
    }
    if !dryRun { try write(claims) }
    return claims.map { Touched(step: $0.step.name, paths: Array($0.step.publishes.values)) }
  }

  private func published(_ path: String) -> String {
    Files.absolute(Files.withoutSlash(path), in: manifest.directory)
  }

  /// The record that the published outputs would make.
  private func claim(_ step: Step, _ key: Digest, _ fingerprint: JSON) throws -> Claim {
    guard step.effect == .pure else {
      throw Problem(
        .usage, "'\(step.name)' cannot be touched: a step of effect \(step.effect.rawValue) is not done by saying so",
        hint: "run it, or name other goals")
    }
    guard !step.mayAppend else { throw Problem(.usage, "'\(step.name)' cannot be touched: it may append steps", hint: "run it, or name other goals") }
    var outputs: OrderedDictionary<String, Artifact> = [:]
    for output in step.outputs {
      guard let path = step.publishes[output.name] else {
        throw Problem(.usage, "'\(step.name)' cannot be touched: its output '\(output.name)' is published nowhere", hint: "name it in 'out'")
      }
      let full = published(path)
      if step.mayOmit(output.name), !Files.exists(full) { continue }
      guard Files.exists(full) else { throw Problem(.missingInput, "'\(step.name)' cannot be touched: there is no \(path)", hint: "run it") }
      guard Files.isDirectory(full) == (output.form == .directory) else {
        throw Problem(.usage, "'\(step.name)' cannot be touched: \(path) is \(Files.isDirectory(full) ? "a directory" : "no directory")")
      }
      if output.form == .value { _ = try Reader(file: full, text: try Files.read(full)).parse() }
      outputs[output.name] = try Store.artifact(at: full, form: output.form, look: state.files.entry)
    }
    let before = try state.latest(manifest.workflow, step.name).flatMap(state.action)
    let record = ActionRecord(
      key: key, step: step.name, outputs: outputs, appended: [], started: Clock.now, seconds: before?.seconds ?? 0, station: nil)
    return Claim(step: step, record: record, details: ActionDetails(fingerprint: fingerprint, telemetry: ["touched": true]))
  }

  private func write(_ claims: [Claim]) throws {
    if claims.isEmpty { return }
    let temporary = state.directory + "/work/touch-\(getpid())"
    try Files.makeDirectory(temporary)
    defer { Files.removeTree(temporary) }
    func take(_ file: String, _ copy: String) throws {
      try Files.copy(file, to: copy, mode: Store.mode(0o644, FileStamp(of: file)?.isExecutable == true))
    }
    for claim in claims {
      for (name, artifact) in claim.record.outputs where !state.store.has(artifact) {
        let (path, copy) = (published(claim.step.publishes[name]!), temporary + "/" + artifact.digest.hex)
        if artifact.form == .directory {
          for file in try Files.walk(path) {
            try Files.makeDirectory(Files.parent(of: copy + "/" + file)!)
            try take(path + "/" + file, copy + "/" + file)
          }
        } else {
          try take(path, copy)
        }
        guard try state.store.add(copy, form: artifact.form) == artifact else {
          throw Problem(.stepFailed, "\(claim.step.publishes[name]!) changed while it was taken", hint: "try again once nothing writes it")
        }
      }
    }
    state.store.sync()
    try state.database.transaction {
      let run = try state.beginRun(manifest.workflow)
      for claim in claims {
        try state.record(claim.record, claim.details)
        try state.setLatest(manifest.workflow, claim.record.step, claim.record.key)
        let execution = Execution(
          run: run, step: claim.record.step, key: claim.record.key.hex, started: claim.record.started, seconds: 0, station: nil, outcome: "touched",
          message: "")
        try state.log(execution, workflow: manifest.workflow)
      }
      try state.endRun(run, exit: .success, summary: (["touched": .integer(claims.count)] as JSON).compact)
    }
  }
}

extension Execution {
  /// Whether the step is done by it.
  public var succeeded: Bool { ["done", "touched", "prepared"].contains(outcome) }
}
