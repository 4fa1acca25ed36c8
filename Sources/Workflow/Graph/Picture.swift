// The graph as Graphviz's dot, as Mermaid or as JSON, for documents and programs.

public import JSON

public struct Picture {
  private let workflow: String
  private let steps: [Step]
  /// Steps that are left out, each after those that are shown.
  private let omitted: Int
  /// Dashed: order alone.
  private let edges: [(from: Step, to: Step, dashed: Bool)]

  /// The first steps of a graph and the edges between them.
  public init(of graph: Graph, limit: Int = .max) {
    workflow = graph.manifest.workflow
    steps = Array(graph.steps.prefix(limit))
    omitted = graph.steps.count - steps.count
    let shown = steps
    let members = Dictionary(grouping: shown, by: \.family)
    edges = shown.flatMap { step in
      let read = Set(step.inputs.values.joined().flatMap { $0.outputs.map(\.step) } + step.shards)
      let needs = step.needs.compactMap { need in need.step < shown.count ? (graph.steps[need.step], step, !read.contains(need.step)) : nil }
      return needs + step.families.flatMap { (members[$0] ?? []).map { ($0, step, true) } }
    }
  }

  /// As dot takes it between quotes.
  private static func dot(_ name: String) -> String {
    name.unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(scalar)
      }
    }
  }

  /// As Mermaid takes it between quotes: what may mean something there, to it or in HTML, by its number.
  private static func mermaid(_ name: String) -> String {
    name.unicodeScalars.reduce(into: "") { text, scalar in
      if "\"#&<>`\\%\n\r".unicodeScalars.contains(scalar) { text += "#\(scalar.value);" } else { text.unicodeScalars.append(scalar) }
    }
  }

  public var dot: String {
    var text = "digraph \"\(Self.dot(workflow))\" {\n  rankdir=LR\n  node [shape=box, style=rounded, fontname=\"sans-serif\"]\n"
    for step in steps { text += "  \"\(Self.dot(step.name))\" [label=\"\(Self.dot(step.name))\\n\(step.kind?.name ?? "run")\"]\n" }
    for edge in edges { text += "  \"\(Self.dot(edge.from.name))\" -> \"\(Self.dot(edge.to.name))\"\(edge.dashed ? " [style=dashed]" : "")\n" }
    if omitted > 0 { text += "  // and \(omitted) more\n" }
    return text + "}\n"
  }

  public var mermaid: String {
    var text = "flowchart LR\n"
    for step in steps { text += "  s\(step.id)[\"\(Self.mermaid(step.name))<br/>\(step.kind?.name ?? "run")\"]\n" }
    for edge in edges { text += "  s\(edge.from.id) \(edge.dashed ? "-.->" : "-->") s\(edge.to.id)\n" }
    if omitted > 0 { text += "  %% and \(omitted) more\n" }
    return text
  }

  /// `{"graph": 1, "steps": […], "edges": [{"from", "to", "order"?}], "omitted"?}`.
  public var json: JSON {
    let nodes = steps.map { step -> JSON in
      var node: JSON = ["step": .string(step.name), "kind": .string(step.kind?.name ?? "run")]
      node["station"] = step.stationName.map { .string($0) }
      return node
    }
    let arrows = edges.map { edge -> JSON in
      var arrow: JSON = ["from": .string(edge.from.name), "to": .string(edge.to.name)]
      if edge.dashed { arrow["order"] = true }
      return arrow
    }
    var json: JSON = ["graph": 1, "workflow": .string(workflow), "steps": .array(nodes), "edges": .array(arrows)]
    if omitted > 0 { json["omitted"] = .integer(omitted) }
    return json
  }
}
