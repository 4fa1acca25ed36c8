// The summary of a run of which nothing but its records is left: one by hand, or of before there was a schedule.

internal import Database
internal import Glibc
import Hashing
import JSON

extension Session {
  /// Of the run with this number, or the last one; nil if nothing ran.
  public func summary(run number: Int?) throws -> Summary? {
    let runs = try state.runs(manifest.workflow, limit: number == nil ? 2 : .max)
    guard let index = number.map({ number in runs.firstIndex { $0.number == number } }) ?? (runs.isEmpty ? nil : 0) else { return nil }
    let run = runs[index]
    var summary = Summary()
    (summary.workflow, summary.manifest, summary.host) = (manifest.workflow, Files.normal(manifest.path), Machine.host)
    (summary.run, summary.started, summary.seconds, summary.counts) = (run.number, run.started, run.seconds, run.counts)
    let isGoingOn = index == 0 && run.exit == nil && isBusy
    summary.exit = run.exit
    summary.name = run.exit.map { ExitCode(rawValue: Int32($0))?.name ?? "exit-\($0)" } ?? (isGoingOn ? "running" : "cut-off")
    if run.exit == nil {
      summary.problem = isGoingOn ? "it goes on" : "the run was cut off: nobody recorded its end (a kill, a crash, a power cut)"
    }
    let failed = try state.failures(of: run.number, manifest.workflow)
    summary.failures = failed.prefix(Summary.mostFailures).map { attempt in
      Summary.Failure(
        step: attempt.step, station: attempt.station, name: attempt.outcome, problem: Summary.cut(attempt.message, lines: 16),
        log: attempt.message.contains("\n    ") ? [] : Summary.lastLines(of: "\(state.directory)/logs/\(attempt.key).log", but: attempt.message),
        command: Shell.line(["enpire", "run", "-f", Files.normal(manifest.path), attempt.step]))
    }
    let decisions = try state.decisions(run: run.number)
    // What could not be tried: a person rejected it, or an input is missing.
    let untried = decisions.filter { $0.action == .fail }
    summary.failures += untried.prefix(Summary.mostFailures - summary.failures.count).map { decision in
      Summary.Failure(
        step: decision.step, station: nil, name: "failed", problem: Summary.cut(decision.reasons.first?["text"]?.string ?? "", lines: 16), log: [],
        command: Shell.line(["enpire", "run", "-f", Files.normal(manifest.path), decision.step]))
    }
    summary.moreFailures = failed.count + untried.count - summary.failures.count
    summary.held = decisions.filter { $0.action == .ask }.map { decision in
      (decision.step, decision.reasons.first?["text"]?.string ?? "", decision.reasons.first?["command"]?.string ?? "")
    }
    summary.rates = try state.rates(of: run.number, manifest.workflow)
    // What is undecided says nothing of how the work stands.
    let before = runs[(index + 1)...].first {
      $0.exit.map { ![ExitCode.budget, .approval, .interrupted].contains(ExitCode(rawValue: Int32($0))) } ?? true
    }
    let failedBefore = before.map { $0.exit != 0 } ?? false
    switch run.exit.map({ ExitCode(rawValue: Int32($0)) }) {
    case .success: summary.transition = failedBefore ? .recovery : .success
    case .budget, .approval, .interrupted: summary.transition = .unfinished
    case nil where isGoingOn: summary.transition = .unfinished
    default: summary.transition = failedBefore ? .stillFailing : .failure
    }
    return summary
  }
}

extension Session {
  /// Whether a run has the workspace.
  public var isBusy: Bool { WorkspaceLock(ifFree: state.directory) == nil }
}

extension State {
  /// The last attempt of each step that ended badly in a run.
  func failures(of run: Int, _ workflow: String) throws -> [Execution] {
    let rows = try database.query(
      """
      SELECT run, step, key, started, seconds, station, outcome, message FROM execution
        WHERE id IN (SELECT max(id) FROM execution WHERE run = ? AND workflow = ? GROUP BY step) AND outcome IN ('failed', 'timeout') ORDER BY id
      """, .integer(run), .text(workflow))
    return rows.map(Execution.init)
  }

  /// The rates of success that steps of a run gave, those of shards left out.
  func rates(of run: Int, _ workflow: String) throws -> [Summary.Rate] {
    let rows = try database.query(
      "SELECT DISTINCT step, key FROM execution WHERE run = ? AND workflow = ? AND outcome = 'done' ORDER BY id LIMIT 2000", .integer(run),
      .text(workflow))
    var rates: [Summary.Rate] = []
    for row in rows {
      guard rates.count < 20 else { break }
      guard let step = row[0].text, !step.contains("shard="), let key = row[1].text.flatMap({ Digest(hex: $0) }), let record = try action(key) else {
        continue
      }
      // A command's is a file.
      for artifact in record.outputs.values
      where artifact.form != .directory && FileStamp(of: store.path(of: artifact.digest))?.size ?? .max < 1 << 16 {
        if let value = try? store.value(artifact), let rate = Summary.Rate(step: step, value) { rates.append(rate) }
      }
    }
    return rates
  }
}
