// enpire check: whether a manifest, its fleet and its appended steps are right.

import ArgumentParser
import JSON
import Workflow

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks a manifest, its fleet and its appended steps; runs nothing.")

  @OptionGroup var manifest: ManifestOptions
  @Argument(help: "NAME=value sets a variable.") var arguments: [String] = []

  func run() throws {
    let (session, _) = try manifest.session(arguments)
    Terminal.print("\(session.manifest.workflow): \(session.graph.steps.count) steps, \(session.graph.fleet.stations.count) stations")
  }
}
