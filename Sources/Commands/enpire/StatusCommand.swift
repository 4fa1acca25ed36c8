// enpire status: how each step stands.

import ArgumentParser
import JSON
import Workflow

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows every step: up to date or not, when it ran, how long, where.")

  @OptionGroup var manifest: ManifestOptions
  @Flag(help: "JSON.") var json = false
  @Argument(help: "NAME=value sets a variable; anything else is a goal.") var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    let plan = try session.plan(names.isEmpty ? session.graph.steps : try session.goals(names))
    var last: [String: Execution] = [:]
    for execution in try session.state.executions(session.manifest.workflow) where last[execution.step] == nil { last[execution.step] = execution }
    var rows: [[String]] = []
    var entries: [JSON] = []
    for (step, forecast) in plan {
      let execution = last[step.name]
      let failed = execution.map { $0.outcome != "done" } ?? false
      let state: String =
        switch forecast {
        case .upToDate: "up to date"
        case .restore: "to restore"
        case .run: failed ? execution!.outcome : "to run"
        case .waits: failed ? execution!.outcome : "waiting"
        }
      let seconds = step.record?.seconds ?? execution?.seconds
      rows.append([step.name, step.kind?.name ?? "run", state, seconds.map(duration) ?? "", step.stationName ?? ""])
      var entry: JSON = ["step": .string(step.name), "kind": .string(step.kind?.name ?? "run"), "state": .string(state)]
      entry["seconds"] = seconds.map { .number($0) }
      entry["station"] = step.stationName.map { .string($0) }
      entry["key"] = (step.record?.key.hex).map { .string($0) }
      entry["problem"] = failed && state != "up to date" ? .string(execution!.message) : nil
      entries.append(entry)
    }
    if json { return Terminal.print(JSON.object(["status": 1, "workflow": .string(session.manifest.workflow), "steps": .array(entries)]).pretty) }
    let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
      Terminal.print(String(cells.reversed().drop { $0 == " " }.reversed()))
    }
  }
}
