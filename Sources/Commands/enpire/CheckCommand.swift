// enpire check: whether a manifest, its fleet and its appended steps are right.

import ArgumentParser
import JSON
import Workflow

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks a manifest, its fleet and its appended steps; runs nothing.",
    discussion: """
      Example:
        enpire check -f workflows/push-t.json
      """)

  @OptionGroup var manifest: ManifestOptions
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "NAME=value sets a variable.", completion: .goals) var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    _ = try session.goals(names)
    let (steps, stations) = (session.graph.steps.count, session.graph.fleet.stations.count)
    if output.json {
      return Terminal.print(
        (["check": 1, "workflow": .string(session.manifest.workflow), "steps": .integer(steps), "stations": .integer(stations)] as JSON).pretty)
    }
    Terminal.print("\(session.manifest.workflow): \(steps) steps, \(stations) stations")
  }
}
