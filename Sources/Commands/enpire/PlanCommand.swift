// enpire plan: what a run would do, and why, from the code that decides.

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
    case .run(_, let reasons): ("run", reasons.map(\.text))
    case .waits(let steps): ("then", ["waits for \(steps.joined(separator: ", "))"])
    }
  }
}
