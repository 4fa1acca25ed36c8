// The graph as Graphviz's dot, as Mermaid or as JSON, for documents and programs.

public import JSON

extension Graph {
  private var edges: [(from: Step, to: Step, dashed: Bool)] {
    steps.flatMap { step in
      let read = Set(step.inputs.values.joined().flatMap { $0.outputs.map(\.step) } + step.shards)
      let needs = step.needs.map { (steps[$0.step], step, !read.contains($0.step)) }
      let families = step.families.flatMap { family in steps.filter { $0.family == family }.map { ($0, step, true) } }
      return needs + families
    }
  }

  /// Dashed edges are order alone. Steps of an evolution are boxed together.
  public func dot() -> String {
    var text = "digraph \"\(manifest.workflow)\" {\n  rankdir=LR\n  node [shape=box, style=rounded, fontname=\"sans-serif\"]\n"
    for step in steps { text += "  \"\(step.name)\" [label=\"\(step.name)\\n\(step.kind?.name ?? "run")\"]\n" }
    for edge in edges { text += "  \"\(edge.from.name)\" -> \"\(edge.to.name)\"\(edge.dashed ? " [style=dashed]" : "")\n" }
    return text + "}\n"
  }

  public func mermaid() -> String {
    var text = "flowchart LR\n"
    for step in steps { text += "  s\(step.id)[\"\(step.name)<br/>\(step.kind?.name ?? "run")\"]\n" }
    for edge in edges { text += "  s\(edge.from.id) \(edge.dashed ? "-.->" : "-->") s\(edge.to.id)\n" }
    return text
  }

  /// `{"graph": 1, "steps": […], "edges": [{"from", "to", "order"?}]}`.
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
    return ["graph": 1, "workflow": .string(manifest.workflow), "steps": .array(nodes), "edges": .array(arrows)]
  }
}
