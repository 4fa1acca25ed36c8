// enpire status: how each step stands.

import ArgumentParser
import JSON
import Workflow

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows every step: up to date or not, when it ran, how long, where.",
    discussion: """
      Of many steps, those that are not up to date are shown first.

      Example:
        enpire status -f workflows/push-t.json --json | jq '.steps[] | select(.state == "failed") | .problem'
      """)

  @OptionGroup var manifest: ManifestOptions
  @OptionGroup(title: "What is said") var limit: LimitOption
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "NAME=value sets a variable; anything else is a goal.", completion: .goals) var arguments: [String] = []

  private struct Row {
    let step: Step
    let state: String
    let seconds: Double?
    let problem: String?
    let reason: String?
  }

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    try session.makeInstances(of: names)
    let plan = try session.plan(names.isEmpty ? session.graph.steps : try session.goals(names))
    let last = try session.state.lastExecutions(session.manifest.workflow)
    var rows = plan.map { step, forecast -> Row in
      let execution = last[step.name]
      let failed = execution.map { !$0.succeeded } ?? false
      let state: String =
        switch forecast {
        case .upToDate: "up to date"
        case .restore: "to restore"
        case .run(let key, _): failed ? execution!.outcome : key == nil ? "failed" : "to run"
        case .stale: "to run"
        case .skip: "skipped"
        case .hold: "approval"
        case .waits: failed ? execution!.outcome : "waiting"
        }
      var problem = failed && state != "up to date" ? execution!.message : nil
      if case .run(nil, let reasons) = forecast { problem = reasons.first?.text }
      return Row(
        step: step, state: state, seconds: step.record?.seconds ?? execution?.seconds, problem: problem,
        reason: { if case .hold(_, let question, _) = forecast { question.text } else { step.bypassReason } }())
    }
    var counts: [String: Int] = [:]
    for row in rows { counts[row.state, default: 0] += 1 }
    let shown = limit.count(output.json ? .max : 200)
    let omitted = max(0, rows.count - shown)
    if omitted > 0 { rows = Array((rows.filter { $0.state != "up to date" } + rows.filter { $0.state == "up to date" }).prefix(shown)) }

    if output.json {
      var json: JSON = ["status": 1, "workflow": .string(session.manifest.workflow), "revision": .string(session.revision)]
      json["counts"] = .object(.init(uniqueKeysWithValues: counts.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) }))
      if omitted > 0 { json["omitted"] = .integer(omitted) }
      json["steps"] = .array(rows.map(Self.json))
      return Terminal.print(json.pretty)
    }
    Terminal.print(
      table(
        rows.map { row in
          [
            row.step.name, row.step.kind?.name ?? "run", row.state, row.seconds.map(duration) ?? "", row.step.stationName ?? "",
            Self.origin(row.step),
          ]
        }))
    if omitted > 0 {
      let total = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
      Terminal.print("and \(omitted) more; in all \(total); --limit 0 shows all")
    }
  }

  /// Of an appended step: who wanted to know what.
  private static func origin(_ step: Step) -> String {
    [step.note?.author.map { "by " + $0 }, step.note?.hypothesis].compactMap { $0 }.joined(separator: ": ")
  }

  private static func json(_ row: Row) -> JSON {
    var entry: JSON = ["step": .string(row.step.name), "kind": .string(row.step.kind?.name ?? "run"), "state": .string(row.state)]
    entry["seconds"] = row.seconds.map { .number($0) }
    entry["station"] = row.step.stationName.map { .string($0) }
    entry["key"] = (row.step.record?.key.hex).map { .string($0) }
    entry["reason"] = row.reason.map { .string($0) }
    entry["problem"] = row.problem.map { .string(Terminal.brief($0)) }
    for (member, value) in row.step.note?.members ?? [] { entry[member] = value }
    return entry
  }
}
