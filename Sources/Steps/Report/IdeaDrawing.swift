// The idea tree: the baseline at the left, a lane an agent, a column a round.

import LLM

struct IdeaDrawing {
  private let tree: IdeaTree
  private let agents: [String]
  private let rounds: Int
  private let column: Double

  init(_ tree: IdeaTree) {
    self.tree = tree
    agents = tree.agents
    rounds = tree.records.map(\.round).max() ?? 0
    column = max(54, min(150, 900 / Double(max(1, rounds))))
  }

  private func place(_ record: ExperimentRecord) -> (x: Double, y: Double) {
    guard !record.isBaseline else { return (96, 34 + 64 * Double(agents.count - 1) / 2) }
    return (96 + column * Double(record.round), 34 + 64 * Double(agents.firstIndex(of: record.agent) ?? 0))
  }

  var svg: HTML {
    let width = 96 + column * Double(rounds) + 60, height = 64 * Double(agents.count) + 26
    let places = Dictionary(tree.records.map { ($0.id, place($0)) }, uniquingKeysWith: { first, _ in first })
    let lanes: [HTML] = agents.enumerated().map { index, agent in
      let y = 34 + 64 * Double(index)
      return
        "<line class=\"grid\" x1=\"\(96 + column * 0.6)\" x2=\"\(width - 10)\" y1=\"\(y)\" y2=\"\(y)\"/><text x=\"4\" y=\"\(y + 4)\">\(agent)</text>"
    }
    // Borrowed edges above the others, so that they are seen.
    let edges: [HTML] = (tree.edges.filter { $0.kind == .parent } + tree.edges.filter { $0.kind == .borrowed }).compactMap { edge in
      guard let from = places[edge.from], let to = places[edge.to] else { return nil }
      let half = (to.x - from.x) / 2
      // An edge along a lane bows, past the nodes between.
      let bow = from.y == to.y && to.x - from.x > column * 1.5 ? -22.0 : 0
      return """
        <path class="edge \(edge.kind == .borrowed ? "borrowed" : "")" d="M\(from.x),\(from.y) C\(from.x + half),\(from.y + bow) \(to.x - half),\(to.y + bow) \(to.x),\(to.y)">\
        <title>\(edge.to) \(edge.kind == .borrowed ? "borrows from" : "changes") \(edge.from)</title></path>
        """
    }
    let nodes: [HTML] = tree.records.map { record in
      let (x, y) = place(record)
      let rate: HTML = "\(record.outcome?.estimate.map(Number.percent) ?? "")"
      return """
        \(record.mark(x, y, size: 7))<text class="soft" x="\(x)" y="\(y + 22)" text-anchor="middle">\(rate)</text>\
        <text class="soft" x="\(x)" y="\(y - 12)" text-anchor="middle">\(record.id)</text>
        """
    }
    let numbers: [HTML] =
      rounds > 0
      ? (1...rounds).map { "<text class=\"soft\" x=\"\(96 + column * Double($0))\" y=\"\(height - 4)\" text-anchor=\"middle\">round \($0)</text>" }
      : []
    return """
      <svg viewBox="0 0 \(width) \(height)" width="\(width)" style="min-width:\(min(width, 640))px" role="img"><title>Idea tree: \(tree.records.count) experiments of \(agents.count) agents</title>\
      \(lanes)\(edges)\(nodes)\(numbers)</svg>
      """
  }
}

/// The best so far over the experiments in order.
struct HillDrawing {
  private let points: [IdeaTree.Point]
  private let records: [String: ExperimentRecord]

  init(_ tree: IdeaTree) {
    points = tree.curve()
    records = Dictionary(tree.records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  var svg: HTML {
    guard !points.isEmpty else { return .none }
    let step = max(16, min(70, 900 / Double(points.count))), width = 80 + step * Double(points.count), bottom = 190.0
    func x(_ index: Int) -> Double { 64 + step * Double(index) }
    func y(_ rate: Double) -> Double { bottom - 170 * rate }
    let grid: [HTML] = [0, 0.25, 0.5, 0.75, 1].map {
      """
      <line class="grid" x1="48" x2="\(width - 10)" y1="\(y($0))" y2="\(y($0))"/>\
      <text class="soft" x="42" y="\(y($0) + 4)" text-anchor="end">\(Number.percent($0))</text>
      """
    }
    var path = "", last: Double?
    for point in points {
      guard let best = point.best else { continue }
      let (px, py) = (Number.plain(x(point.index), places: 2), Number.plain(y(best), places: 2))
      path += last == nil ? "M\(px),\(py)" : "H\(px)V\(py)"
      last = best
    }
    let marks: [HTML] = points.compactMap { point in
      guard let record = records[point.id] else { return nil }
      let whisker: HTML =
        RateWords(record.outcome?.rate).map {
          "<line class=\"whisker\" x1=\"\(x(point.index))\" x2=\"\(x(point.index))\" y1=\"\(y($0.rate.lower))\" y2=\"\(y($0.rate.upper))\"/>"
        } ?? .none
      let name: HTML =
        step >= 34 || point.index % 4 == 0
        ? "<text class=\"soft\" x=\"\(x(point.index))\" y=\"\(bottom + 18)\" text-anchor=\"middle\">\(point.id)</text>" : .none
      return "\(whisker)\(record.mark(x(point.index), y(point.rate ?? 0), size: 5))\(name)"
    }
    return """
      <svg viewBox="0 0 \(width) \(bottom + 26)" width="\(width)" style="min-width:\(min(width, 640))px" role="img"><title>Success rate of each experiment, and the best kept so far</title>\
      \(grid)<path class="curve" d="\(path)"/>\(marks)</svg>
      """
  }
}
