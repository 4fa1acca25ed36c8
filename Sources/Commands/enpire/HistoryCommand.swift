// enpire history: the runs there were, or one step's executions.

import ArgumentParser
import Hashing
import JSON
import Workflow

struct HistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Lists past runs, or a step's executions, newest first.",
    discussion: """
      Runs that found nothing to do are not listed.

      Examples:
        enpire history --limit 5
        enpire history 'train[seed=0]' --json
      """)

  @OptionGroup var manifest: ManifestOptions
  @OptionGroup(title: "What is said") var limit: LimitOption
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "A step; NAME=value sets a variable.", completion: .goals) var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    guard names.count <= 1 else { throw Problem(.usage, "history takes one step at most") }
    let shown = limit.count(20)
    if let step = names.first { try tellExecutions(session, step, shown) } else { try tellRuns(session, shown) }
  }

  private func tellRuns(_ session: Session, _ shown: Int) throws {
    let runs = try session.state.runs(session.manifest.workflow, limit: shown)
    if output.json {
      return Terminal.print(
        (["history": 1, "workflow": .string(session.manifest.workflow), "runs": .array(runs.map(Self.json))] as JSON).pretty)
    }
    if runs.isEmpty { return Terminal.print("nothing has run here yet") }
    let isBusy = session.isBusy
    let rows = runs.map { run in
      let open = isBusy && run.number == runs[0].number ? "goes on" : "did not end"
      let exit = run.exit.map { code in Workflow.ExitCode(rawValue: Int32(code)).map(\.name) ?? "\(code)" } ?? open
      let counts = (run.counts?.object ?? [:]).filter { $0.value.int ?? 0 > 0 }.map { "\($0.value.int!) \(Self.words[$0.key] ?? $0.key)" }
      return ["\(run.number)", date(run.started), run.seconds.map(duration) ?? "", exit, counts.joined(separator: ", ")]
    }
    Terminal.print(table(rows))
  }

  private static let words = ["upToDate": "up to date", "notReached": "not reached", "held": "waiting for a person", "interrupted": "stopped"]

  private static func json(_ run: PastRun) -> JSON {
    var json: JSON = ["run": .integer(run.number), "started": .number(run.started)]
    json["seconds"] = run.seconds.map { .number($0) }
    json["exit"] = run.exit.map { .integer($0) }
    json["name"] = run.exit.flatMap { Workflow.ExitCode(rawValue: Int32($0)) }.map { .string($0.name) }
    json["counts"] = run.counts
    return json
  }

  private func tellExecutions(_ session: Session, _ name: String, _ shown: Int) throws {
    let workflow = session.manifest.workflow
    let steps = (try? session.graph.steps(for: name)) ?? []
    var known = steps.isEmpty ? [name] : steps.map(\.name)
    // Those of a list's elements, of its earlier ones too.
    if steps.first?.isSpread == true { known = try session.state.lastExecutions(workflow).keys.filter { $0.hasPrefix(known[0] + "[") }.sorted() }
    let executions = try known.flatMap { try session.state.executions(workflow, step: $0, limit: shown) }
    // One that is gone from the manifest may have run.
    if executions.isEmpty { _ = try session.graph.steps(for: name) }
    if output.json {
      return Terminal.print(
        (["history": 1, "step": .string(name), "executions": .array(try executions.map { try Self.json($0, session) })] as JSON).pretty)
    }
    if executions.isEmpty { return Terminal.print("step '\(name)' has not run here yet") }
    let rows = executions.map {
      [$0.step, "run \($0.run)", date($0.started), duration($0.seconds), $0.outcome, String($0.key.prefix(12)), $0.station ?? ""]
    }
    Terminal.print(table(rows))
  }

  private static func json(_ execution: Execution, _ session: Session) throws -> JSON {
    var json: JSON = [
      "step": .string(execution.step), "run": .integer(execution.run), "started": .number(execution.started), "seconds": .number(execution.seconds),
      "outcome": .string(execution.outcome), "key": .string(execution.key),
    ]
    json["station"] = execution.station.map { .string($0) }
    if execution.outcome == "done", let key = Digest(hex: execution.key), let details = try session.state.details(key) {
      json["stations"] = details.telemetry["stations"]
      // What is no part of its result: who agreed to it, the load before it, what its kind measured.
      json["telemetry"] = details.telemetry
    }
    if !execution.message.isEmpty { json["problem"] = .string(Terminal.brief(execution.message)) }
    return json
  }
}
