// enpire graph: the picture, for Graphviz, Mermaid or a program.

import ArgumentParser
import JSON
import Workflow

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
