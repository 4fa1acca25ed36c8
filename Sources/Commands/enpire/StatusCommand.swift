// enpire status, enpire log and enpire graph: how things stand, what a step printed, and the picture.

import ArgumentParser
import Glibc
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

struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "log", abstract: "Prints what a step's last attempt printed.")

  @OptionGroup var manifest: ManifestOptions
  @Option(help: "Only the last lines.") var tail: Int?
  @Flag(help: "Print the log file's path instead.") var path = false
  @Argument(help: "The step.") var step: String

  func run() throws {
    let (session, _) = try manifest.session()
    guard let execution = try session.state.executions(session.manifest.workflow, step: step, limit: 1).first else {
      throw Problem(
        .usage, "step '\(step)' has not run here",
        hint: nearest(to: step, among: try session.state.executions(session.manifest.workflow).map(\.step)).map { "did you mean '\($0)'?" })
    }
    let file = "\(session.state.directory)/logs/\(execution.key).log"
    if path { return Terminal.print(file) }
    guard let stream = fopen(file, "r") else { throw Problem(.missingInput, "the log \(file) is gone") }
    defer { fclose(stream) }
    var lines: [String] = []
    var buffer: UnsafeMutablePointer<CChar>?
    var capacity = 0
    while getline(&buffer, &capacity, stream) > 0 { lines.append(String(cString: buffer!)) }
    free(buffer)
    Terminal.write((tail.map { Array(lines.suffix($0)) } ?? lines).joined(), to: 1)
    if execution.outcome != "done" { Terminal.say("\(execution.outcome): \(execution.message)") }
  }
}

struct GraphCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case dot, mermaid }

  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Prints the graph, appended steps included.",
    discussion: "Example:\n  enpire graph -f workflows/push-t.json | dot -Tsvg > graph.svg")

  @OptionGroup var manifest: ManifestOptions
  @Option(help: "dot or mermaid.") var format = Format.dot
  @Argument(help: "NAME=value sets a variable.") var arguments: [String] = []

  func run() throws {
    let (session, _) = try manifest.session(arguments)
    _ = try session.plan(session.graph.steps)
    Terminal.write(format == .dot ? session.graph.dot() : session.graph.mermaid(), to: 1)
  }
}
