// enpire plan and enpire why: what a run would do and the reason, from the code that decides.

import ArgumentParser
import JSON
import Workflow

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Says what would run, and why.",
    discussion: "Example:\n  enpire plan -f workflows/push-t.json --json | jq '.steps[] | select(.action == \"run\")'")

  @OptionGroup var manifest: ManifestOptions
  @Flag(help: "One versioned JSON object.") var json = false
  @Argument(help: "NAME=value sets a variable; anything else is a goal.") var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    Self.print(try session.plan(try session.goals(names)), of: session, json: json)
  }

  static func print(_ plan: [(step: Step, forecast: Session.Forecast)], of session: Session, json: Bool) {
    if json {
      let steps = plan.map { step, forecast -> JSON in
        var entry: JSON = ["step": .string(step.name), "kind": .string(step.kind?.name ?? "run")]
        entry["station"] = step.stationName.map { .string($0) }
        let (action, details) = describe(forecast)
        entry["action"] = .string(action)
        entry["reasons"] = .array(details.map { .string($0) })
        return entry
      }
      return Terminal.print(JSON.object(["plan": 1, "workflow": .string(session.manifest.workflow), "steps": .array(steps)]).pretty)
    }
    var current = 0
    for (step, forecast) in plan {
      if case .upToDate = forecast {
        current += 1
        continue
      }
      let (action, details) = describe(forecast)
      Terminal.print("\(action)\(String(repeating: " ", count: max(1, 9 - action.count)))\(step.name)\(step.stationName.map { " on \($0)" } ?? "")")
      for detail in details.prefix(6) { Terminal.print("           \(detail)") }
      if details.count > 6 { Terminal.print("           and \(details.count - 6) more") }
    }
    Terminal.print(
      current == plan.count
        ? nothingToDo(current) : "\(plan.count - current) of \(plan.count) steps; \(current) are up to date")
  }

  static func describe(_ forecast: Session.Forecast) -> (String, [String]) {
    switch forecast {
    case .upToDate: ("up-to-date", [])
    case .restore(let paths): ("restore", paths)
    case .run(let reasons): ("run", reasons)
    case .waits(let steps): ("then", ["waits for \(steps.joined(separator: ", "))"])
    }
  }
}

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
            "fingerprint": step.record?.fingerprint ?? nil,
          ]).pretty)
      } else {
        Terminal.print(
          "\(step.name): \(action == "up-to-date" ? "up to date" : action == "then" ? "not known yet" : action == "run" ? "would run" : action)")
        for detail in details { Terminal.print("  \(detail)") }
      }
    }
  }
}
