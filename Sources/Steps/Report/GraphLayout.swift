// Places the nodes of a directed graph in columns from left to right, by the method of Sugiyama, Tagawa and Toda (1981): columns by the longest way,
// order within a column by barycentres, long edges through empty places. Knows boxes and numbers only; the same graph gets the same drawing.

struct GraphLayout {
  struct Size {
    var columnWidth: Double
    var columnGap: Double
    var rowGap = 16.0
  }

  /// Centre of each node's left side.
  private(set) var places: [(x: Double, y: Double)] = []
  /// Points that each edge passes, from one node's right side to the other's left.
  private(set) var routes: [[(x: Double, y: Double)]] = []
  private(set) var width = 0.0
  private(set) var height = 0.0

  private var columns: [[Int]] = []
  private var heights: [Double]
  private var neighbours: [[Int]] = []
  private var y: [Double]

  init(heights: [Double], edges: [(from: Int, to: Int)], size: Size) {
    self.heights = heights
    y = []
    let column = Self.columns(heights.count, edges)
    var columnOf = column
    // An edge over several columns goes through a node of its own in each between.
    var chains: [[Int]] = []
    for edge in edges {
      var chain = [edge.from]
      for between in stride(from: column[edge.from] + 1, to: column[edge.to], by: 1) {
        chain.append(self.heights.count)
        self.heights.append(4)
        columnOf.append(between)
      }
      chains.append(chain + [edge.to])
    }
    columns = (0...(columnOf.max() ?? 0)).map { index in columnOf.indices.filter { columnOf[$0] == index } }
    neighbours = self.heights.map { _ in [] }
    for chain in chains {
      for (a, b) in zip(chain, chain.dropFirst()) {
        neighbours[a].append(b)
        neighbours[b].append(a)
      }
    }
    order(columnOf)
    place(columnOf, gap: size.rowGap)
    let x = { (node: Int) in Double(columnOf[node]) * (size.columnWidth + size.columnGap) }
    places = heights.indices.map { (x($0), y[$0]) }
    routes = chains.map { chain in
      chain.enumerated().flatMap { index, node -> [(x: Double, y: Double)] in
        if index == 0 { return [(x(node) + size.columnWidth, y[node])] }
        if index == chain.count - 1 { return [(x(node), y[node])] }
        return [(x(node), y[node]), (x(node) + size.columnWidth, y[node])]
      }
    }
    width = Double(columns.count) * (size.columnWidth + size.columnGap) - size.columnGap
    height = self.heights.indices.map { y[$0] + self.heights[$0] / 2 }.max() ?? 0
  }

  /// The longest way to each node; a cycle, which there should not be, ends after as many rounds as there are nodes.
  private static func columns(_ count: Int, _ edges: [(from: Int, to: Int)]) -> [Int] {
    var column = Array(repeating: 0, count: count)
    for _ in 0..<count {
      var changed = false
      for edge in edges where column[edge.to] <= column[edge.from] {
        column[edge.to] = column[edge.from] + 1
        changed = true
      }
      if !changed { break }
    }
    return column
  }

  /// Orders each column by the mean place of its neighbours, forth and back.
  private mutating func order(_ column: [Int]) {
    var rank = Array(repeating: 0.0, count: heights.count)
    func number() { for nodes in columns { for (index, node) in nodes.enumerated() { rank[node] = Double(index) - Double(nodes.count - 1) / 2 } } }
    number()
    for sweep in 0..<8 {
      let forth = sweep % 2 == 0
      for index in forth ? Array(columns.indices) : columns.indices.reversed() {
        let wanted = Dictionary(
          uniqueKeysWithValues: columns[index].map { node in
            let near = neighbours[node].filter { (column[$0] < column[node]) == forth }
            return (node, near.isEmpty ? rank[node] : near.reduce(0) { $0 + rank[$1] } / Double(near.count))
          })
        columns[index].sort { (wanted[$0]!, rank[$0], $0) < (wanted[$1]!, rank[$1], $1) }
        number()
      }
    }
  }

  /// Heights: near the neighbours' mean, in order, none over another.
  private mutating func place(_ column: [Int], gap: Double) {
    y = Array(repeating: 0, count: heights.count)
    for nodes in columns { stack(nodes, wanted: nodes.map { _ in 0 }, gap) }
    for sweep in 0..<10 {
      for nodes in sweep % 2 == 0 ? columns : columns.reversed() {
        stack(
          nodes,
          wanted: nodes.map { node in neighbours[node].isEmpty ? y[node] : neighbours[node].reduce(0) { $0 + y[$1] } / Double(neighbours[node].count)
          }, gap)
      }
    }
    let top = heights.indices.map { y[$0] - heights[$0] / 2 }.min() ?? 0
    for node in y.indices { y[node] -= top }
  }

  private mutating func stack(_ nodes: [Int], wanted: [Double], _ gap: Double) {
    var low = -Double.infinity
    for (node, wish) in zip(nodes, wanted) {
      y[node] = max(wish, low + heights[node] / 2)
      low = y[node] + heights[node] / 2 + gap
    }
    let shift = zip(nodes, wanted).reduce(0) { $0 + $1.1 - y[$1.0] } / Double(max(1, nodes.count))
    for node in nodes { y[node] += shift }
  }
}
