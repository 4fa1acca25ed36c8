// enpire graph: the picture, for Graphviz, Mermaid or a program.

import ArgumentParser
import Workflow

struct GraphCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case dot, mermaid, json }

  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Prints the graph, appended steps included.",
    discussion: """
      Edges that are order alone are dashed, and have "order": true in JSON.

      Example:
        enpire graph -f workflows/push-t.json | dot -Tsvg > graph.svg
      """)

  @OptionGroup var manifest: ManifestOptions
  @Option(help: "dot, mermaid or json.") var format = Format.dot
  @OptionGroup(title: "What is said") var limit: LimitOption
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "NAME=value sets a variable.", completion: .goals) var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    _ = try session.goals(names)
    _ = try session.plan(session.graph.steps)
    let picture = Picture(of: session.graph, limit: limit.count(.max))
    switch output.json ? .json : format {
    case .dot: Terminal.print(picture.dot)
    case .mermaid: Terminal.print(picture.mermaid)
    case .json: Terminal.print(picture.json.pretty)
    }
  }
}
