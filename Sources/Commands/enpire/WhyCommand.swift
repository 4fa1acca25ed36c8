// enpire why: what changed since a step last ran, or why it does not run.

import ArgumentParser
import JSON
import Workflow

struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why", abstract: "Says why a step would run, or why not.",
    discussion: "Example:\n  enpire why -f workflows/push-t.json 'train[seed=0]'")

  @OptionGroup var manifest: ManifestOptions
  @Flag(help: "JSON.") var json = false
  @Argument(help: "The step; NAME=value sets a variable.") var arguments: [String]

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    guard let name = names.first, names.count == 1 else { throw Problem(.usage, "why takes one step") }
    // What a step appended exists once it is walked, so all are.
    let plan = try session.plan(session.graph.steps)
    let wanted = Set(try session.graph.steps(for: name).map(\.name))
    for (step, forecast) in plan where wanted.contains(step.name) {
      var (action, details) = PlanCommand.describe(forecast)
      if case .upToDate = forecast, let record = step.record {
        details = ["its action \(record.key.short) is recorded: it took \(duration(record.seconds))" + (record.station.map { " on \($0)" } ?? "")]
      }
      if json {
        Terminal.print(
          JSON.object([
            "why": 1, "step": .string(step.name), "action": .string(action), "reasons": .array(details.map { .string($0) }),
            "fingerprint": try (step.record?.key).flatMap { try session.state.details($0)?.fingerprint } ?? nil,
          ]).pretty)
      } else {
        Terminal.print(
          "\(step.name): \(action == "up-to-date" ? "up to date" : action == "then" ? "not known yet" : action == "run" ? "would run" : action)")
        for detail in details { Terminal.print("  \(detail)") }
      }
    }
  }
}
