// The graph of steps, from left to right, with states and times.

enum GraphSection {
  private static let nodeWidth = 114.0
  private static let square = 11.0

  static func html(_ study: Study) -> Page.Section? {
    guard !study.steps.isEmpty else { return nil }
    let graph = StepClusters(study)
    let layout = GraphLayout(heights: graph.clusters.map(height), edges: graph.edges, size: .init(columnWidth: nodeWidth, columnGap: 22))
    let edges: [HTML] = zip(layout.routes, graph.edges).map { route, edge in
      "<path class=\"edge\" marker-end=\"url(#arrow)\" d=\"\(path(route))\"><title>\(graph.clusters[edge.to].name) needs \(graph.clusters[edge.from].name)</title></path>"
    }
    let nodes: [HTML] = zip(graph.clusters, layout.places).map { node($0, x: $1.x, y: $1.y) }
    let (width, height) = (layout.width + 12, layout.height + 12)
    return Page.Section(
      id: "graph", title: "Graph",
      body: """
        <figure><div class="pan"><svg viewBox="-6 -6 \(width) \(height)" width="\(width)" style="min-width:\(width * 0.72)px" role="img"><title>Graph of \(study.steps.count) steps</title>
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,1 L7,4 L0,7" class="edge"/></marker></defs>
        \(edges)
        \(nodes)</svg></div>
        <figcaption>What needs what; needs that others imply are left out. ×8: shards, under the step that gathers them. An agent's rounds are one box, \
        a row a round, a square a step: agents read each other's records of the round before. <span class="good">■</span> done, \
        <span class="bad">■</span> failed, <span class="wait">■</span> not run. Rest the pointer on a box for more.</figcaption></figure>

        """)
  }

  private static func height(_ cluster: StepClusters.Cluster) -> Double {
    cluster.isFamily ? 44 + 14 * Double(min(cluster.rounds.count, 12)) : 40
  }

  /// Straight through its columns, bent between them.
  private static func path(_ route: [(x: Double, y: Double)]) -> HTML {
    let parts: [HTML] = zip(route, route.dropFirst()).enumerated().map { index, ends in
      let (a, b) = ends, half = (b.x - a.x) / 2
      // Between columns, where the odd legs lie, a curve; through a column, a line.
      return index % 2 == 0 ? " C\(a.x + half),\(a.y) \(b.x - half),\(b.y) \(b.x),\(b.y)" : " L\(b.x),\(b.y)"
    }
    return "M\(route[0].x),\(route[0].y)\(parts)"
  }

  private static func node(_ cluster: StepClusters.Cluster, x: Double, y: Double) -> HTML {
    let height = height(cluster), top = y - height / 2
    let all = cluster.steps + cluster.shards
    let seconds = all.compactMap(\.seconds).reduce(0, +)
    let many = [
      cluster.steps.count > 1 && !cluster.isFamily ? "\(cluster.steps.count)" : nil,
      cluster.shards.isEmpty || cluster.isFamily ? nil : "×\(cluster.shards.count)",
    ]
    let kind = cluster.isFamily ? Number.count(cluster.rounds.count, "round") : cluster.steps.first?.kind ?? "?"
    let tooltip = "\(cluster.name): \(kind), \(cluster.state), \(Number.count(all.count, "step")), \(Number.seconds(seconds)) in all"
    return """
      <g><title>\(tooltip)</title><rect class="box" x="\(x)" y="\(top)" width="\(nodeWidth)" height="\(height)" rx="5"/>\
      <rect class="fill-\(cluster.state)" x="\(x)" y="\(top)" width="4" height="\(height)" rx="2"/>\
      <text x="\(x + 11)" y="\(top + 17)">\(clipped(cluster.name, 16))</text>\
      <text class="soft" x="\(x + 11)" y="\(top + 33)">\(clipped(([kind == cluster.name ? "" : kind] + many.compactMap { $0 }).filter { !$0.isEmpty }.joined(separator: " "), 11))</text>\
      <text class="soft" x="\(x + nodeWidth - 6)" y="\(top + 33)" text-anchor="end">\(Number.seconds(seconds))</text>\
      \(cluster.isFamily ? squares(cluster, x: x + 11, y: top + 40) : .none)</g>

      """
  }

  private static func squares(_ cluster: StepClusters.Cluster, x: Double, y: Double) -> HTML {
    let rows: [HTML] = cluster.rounds.prefix(12).enumerated().map { row, steps in
      let cells: [HTML] = steps.prefix(7).enumerated().map { index, step in
        """
        <rect class="fill-\(step.state)" x="\(x + 14 * Double(index))" y="\(y + 14 * Double(row))" width="\(square)" height="\(square)" rx="2">\
        <title>\(step.name): \(step.kind), \(step.state)\(step.seconds.map { ", " + Number.seconds($0) } ?? "")</title></rect>
        """
      }
      return "\(cells)"
    }
    return "\(rows)"
  }

  private static func clipped(_ text: String, _ length: Int) -> String { text.count > length ? text.prefix(length - 1) + "…" : text }
}
