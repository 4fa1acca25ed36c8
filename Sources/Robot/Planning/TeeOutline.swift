// The T as an obstacle and as something to push on: its outline, and the shortest way of the disc round it.
// Everything is in the frame of the block's centre of gravity; it knows no dynamics.

struct TeeOutline {
  let scale: Double
  let radius: Double
  /// The rectangles grown by the disc's radius and a little more: the disc's centre stays out of them on its way.
  private let grown: (low: (PlaneVector, PlaneVector), high: (PlaneVector, PlaneVector))
  /// Turning points of ways round the T.
  private let nodes: [PlaneVector]
  /// Corners of the outline in order, starting at the bar's outer left; inward normals of the edges that follow them.
  private let corners: [PlaneVector]
  private let normals: [PlaneVector]
  private let starts: [Double]
  private let perimeter: Double

  /// Gap that a disc on its way keeps to the T, px.
  private static let clearance = 2.0
  /// Gap at the turning points, px.
  private static let margin = 5.0

  init(_ parameters: PushTModel.Parameters) {
    scale = parameters.blockScale
    radius = parameters.radius
    let s = parameters.blockScale
    let g = parameters.radius + Self.clearance
    let m = parameters.radius + Self.margin
    grown = (
      (PlaneVector(-60 * s - g, -45 * s - g), PlaneVector(60 * s + g, -15 * s + g)),
      (PlaneVector(-15 * s - g, -15 * s - g), PlaneVector(15 * s + g, 75 * s + g))
    )
    nodes = [
      PlaneVector(-60 * s - m, -45 * s - m), PlaneVector(60 * s + m, -45 * s - m), PlaneVector(60 * s + m, -15 * s + m),
      PlaneVector(15 * s + m, 75 * s + m), PlaneVector(-15 * s - m, 75 * s + m), PlaneVector(-60 * s - m, -15 * s + m),
    ]
    corners = [
      PlaneVector(-60, -45), PlaneVector(60, -45), PlaneVector(60, -15), PlaneVector(15, -15), PlaneVector(15, 75), PlaneVector(-15, 75),
      PlaneVector(-15, -15), PlaneVector(-60, -15),
    ].map { $0 * s }
    var total = 0.0
    var starts: [Double] = []
    var normals: [PlaneVector] = []
    for (i, corner) in corners.enumerated() {
      let edge = corners[(i + 1) % corners.count] - corner
      starts.append(total)
      total += edge.length
      normals.append((edge / edge.length).turned)
    }
    perimeter = total
    self.starts = starts
    self.normals = normals
  }

  /// The point at share `along` (0..<1) of the perimeter, and the normal into the T.
  func point(_ along: Double) -> (point: PlaneVector, inward: PlaneVector) {
    let s = (along - along.rounded(.down)) * perimeter
    var edge = corners.count - 1
    while edge > 0 && starts[edge] > s { edge -= 1 }
    return (corners[edge] - normals[edge].turned * (s - starts[edge]), normals[edge])
  }

  /// Moves a point that is too near to the T straight out of it.
  func cleared(_ point: PlaneVector) -> PlaneVector {
    var p = point
    for _ in 0..<3 {
      if let out = Self.exit(p, grown.low) { p = out }
      if let out = Self.exit(p, grown.high) { p = out }
    }
    return p
  }

  private static func exit(_ p: PlaneVector, _ box: (PlaneVector, PlaneVector)) -> PlaneVector? {
    let room = [p.x - box.0.x, box.1.x - p.x, p.y - box.0.y, box.1.y - p.y]
    guard let least = room.min(), least > 0 else { return nil }
    switch room.firstIndex(of: least)! {
    case 0: return PlaneVector(box.0.x - 1e-6, p.y)
    case 1: return PlaneVector(box.1.x + 1e-6, p.y)
    case 2: return PlaneVector(p.x, box.0.y - 1e-6)
    default: return PlaneVector(p.x, box.1.y + 1e-6)
    }
  }

  private func sees(_ a: PlaneVector, _ b: PlaneVector) -> Bool { !Self.crosses(a, b, grown.low) && !Self.crosses(a, b, grown.high) }

  /// The segment goes through the inside of the box (slab test).
  @inline(__always) private static func crosses(_ a: PlaneVector, _ b: PlaneVector, _ box: (PlaneVector, PlaneVector)) -> Bool {
    let d = b - a
    var enter = 0.0
    var leave = 1.0
    for axis in 0..<2 {
      if d[axis] == 0 {
        if a[axis] <= box.0[axis] || a[axis] >= box.1[axis] { return false }
      } else {
        let t0 = (box.0[axis] - a[axis]) / d[axis]
        let t1 = (box.1[axis] - a[axis]) / d[axis]
        enter = max(enter, min(t0, t1))
        leave = min(leave, max(t0, t1))
      }
    }
    return enter < leave - 1e-9
  }

  /// Turning points of the shortest way from `start` to `end`, both clear of the T, written to `way` (room for 8), `end` last.
  /// Only turning points that `isAllowed` accepts are used. Returns how many; without any way, the straight line.
  func way(from start: PlaneVector, to end: PlaneVector, into way: UnsafeMutablePointer<PlaneVector>, isAllowed: (PlaneVector) -> Bool) -> Int {
    if sees(start, end) {
      way[0] = end
      return 1
    }
    // Dijkstra over 6 turning points, backwards from the end.
    var length = SIMD8<Double>(repeating: .infinity)
    var next = SIMD8<Int>(repeating: -1)
    var open = SIMD8<Int>(repeating: 0)
    for i in 0..<6 where isAllowed(nodes[i]) {
      open[i] = 1
      if sees(nodes[i], end) { length[i] = (end - nodes[i]).length }
    }
    while true {
      var best = -1
      for i in 0..<6 where open[i] == 1 && length[i] < (best < 0 ? .infinity : length[best]) { best = i }
      if best < 0 { break }
      open[best] = 0
      for i in 0..<6 where open[i] == 1 {
        let through = length[best] + (nodes[i] - nodes[best]).length
        if through < length[i] && sees(nodes[i], nodes[best]) {
          length[i] = through
          next[i] = best
        }
      }
    }
    var first = -1
    var shortest = Double.infinity
    for i in 0..<6 where length[i] < .infinity {
      let through = length[i] + (nodes[i] - start).length
      if through < shortest && sees(start, nodes[i]) {
        shortest = through
        first = i
      }
    }
    var count = 0
    while first >= 0 {
      way[count] = nodes[first]
      count += 1
      first = next[first]
    }
    way[count] = end
    return count + 1
  }
}
