// The same scene as a camera shows it, which rounds no corner and takes the mean over each pixel: drawn four times finer and averaged down.
// The rims are two units wide to either side of an edge, all round, where pymunk's drawing has them more on one side than on the other.

internal import Synchronization
internal import Vision

extension PushTRenderer {
  /// Pixels of the fine drawing for one workspace unit.
  fileprivate static let fine = 4
  /// Half the width of a rim, units.
  static let rim = 2.0

  static func smooth(agent: (Double, Double), block: (Double, Double), angle: Double, size: Int, scale: Double, radius: Double) -> Image {
    let tee = corners(x: block.0, y: block.1, angle: angle, scale: scale)
    func paint(_ image: inout Image, _ left: Int, _ top: Int) {
      func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
        let fine = inFine(point)
        return (fine.x - Double(left), fine.y - Double(top))
      }
      for box in tee {
        let corners = box.map(place)
        image.fill(corners, Colours.block)
        for (index, corner) in corners.enumerated() { image.band(from: corner, to: corners[(index + 1) % corners.count], Colours.blockEdge) }
      }
      let centre = place(agent)
      image.fill(centre, radius: radius * Double(fine), Colours.agentEdge)
      image.fill(centre, radius: max(0, radius - 4) * Double(fine), Colours.agent)
      image.walls(place)
    }
    // Only what lies around the T and the agent differs from the empty table. No part cuts through either.
    var image = emptySmooth(size: size)
    let (edges, disc) = (tee.joined().map { ($0.x, $0.y, rim + 1) }, [(agent.0, agent.1, radius + 1)])
    let (around, beside) = (Part(holding: edges, size: size), Part(holding: disc, size: size))
    for part in around.overlaps(beside) ? [Part(holding: edges + disc, size: size)] : [around, beside] where !part.isEmpty {
      var canvas = Image(width: part.fine.columns.count, height: part.fine.rows.count)
      table.crop(x: part.fine.columns.lowerBound, y: part.fine.rows.lowerBound, into: &canvas)
      paint(&canvas, part.fine.columns.lowerBound, part.fine.rows.lowerBound)
      let seen = canvas.resized(width: part.columns.count, height: part.rows.count, .area)
      image.paste(seen, x: part.columns.lowerBound, y: part.rows.lowerBound)
    }
    return image
  }

  /// A part of a picture whose edges lie between pixels of the fine drawing too.
  private struct Part {
    var columns: Range<Int>, rows: Range<Int>
    var fine: (columns: Range<Int>, rows: Range<Int>)
    var isEmpty: Bool { columns.isEmpty || rows.isEmpty }
    func overlaps(_ other: Part) -> Bool { columns.overlaps(other.columns) && rows.overlaps(other.rows) }

    /// - Parameter points: x, y and how far what is drawn there reaches, units.
    init(holding points: [(Double, Double, Double)], size: Int) {
      let whole = 512 * PushTRenderer.fine
      var (pixels, divisor) = (size, whole)
      while divisor != 0 { (pixels, divisor) = (divisor, pixels % divisor) }
      // So many pixels are a whole number of fine ones.
      let (step, fineStep) = (size / pixels, whole / pixels)
      func range(_ low: Double, _ high: Double) -> Range<Int> {
        let unit = Double(fineStep) / Double(PushTRenderer.fine)
        let first = max(0, Int(((low + 0.5) / unit).rounded(.down))), last = min(pixels, Int(((high + 0.5) / unit).rounded(.up)))
        return first..<max(first, last)
      }
      let across = range(points.map { $0.0 - $0.2 }.min() ?? 0, points.map { $0.0 + $0.2 }.max() ?? 0)
      let down = range(points.map { $0.1 - $0.2 }.min() ?? 0, points.map { $0.1 + $0.2 }.max() ?? 0)
      func times(_ range: Range<Int>, _ factor: Int) -> Range<Int> { range.lowerBound * factor..<range.upperBound * factor }
      (columns, rows, fine) = (times(across, step), times(down, step), (times(across, fineStep), times(down, fineStep)))
    }
  }

  /// What is there without agent and block.
  static func emptySmooth(size: Int) -> Image {
    empties.withLock { known in
      if let image = known[size] { return image }
      let image = table.resized(width: size, height: size, .area)
      known[size] = image
      return image
    }
  }

  private static let empties = Mutex<[Int: Image]>([:])

  private static let table: Image = {
    var image = Image(width: 512 * fine, height: 512 * fine, filledWith: 255)
    let goal = PushTGeometry.goal
    for box in corners(x: goal.x, y: goal.y, angle: goal.angle, scale: 30) { image.fill(box.map(inFine), Colours.goal) }
    image.walls(inFine)
    return image
  }()

  /// A place in the fine drawing: a unit's pixel of gym-pusht's drawing is the middle of its finer ones.
  fileprivate static func inFine(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
    let offset = Double(fine - 1) / 2
    return (point.x * Double(fine) + offset, point.y * Double(fine) + offset)
  }
}

extension Image {
  /// Halves are rounded up, so that a part of a picture is drawn as in the whole.
  private func whole(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) { ((point.x + 0.5).rounded(.down), (point.y + 0.5).rounded(.down)) }

  fileprivate mutating func fill(_ corners: [(x: Double, y: Double)], _ colour: Colour) { fillPolygon(corners.map(whole), colour, edges: .whole) }

  fileprivate mutating func fill(_ centre: (x: Double, y: Double), radius: Double, _ colour: Colour) {
    let centre = whole(centre)
    fillCircle(x: centre.x, y: centre.y, radius: radius, colour, edges: .whole)
  }

  /// A line as wide as a rim, with round ends.
  fileprivate mutating func band(from: (x: Double, y: Double), to: (x: Double, y: Double), _ colour: Colour) {
    let reach = PushTRenderer.rim * Double(PushTRenderer.fine)
    let (dx, dy) = (to.x - from.x, to.y - from.y)
    let length = (dx * dx + dy * dy).squareRoot()
    guard length > 0 else { return }
    let (x, y) = (-dy / length * reach, dx / length * reach)
    fill([(from.x + x, from.y + y), (to.x + x, to.y + y), (to.x - x, to.y - y), (from.x - x, from.y - y)], colour)
    for end in [from, to] { fill(end, radius: reach, colour) }
  }

  fileprivate mutating func walls(_ place: ((x: Double, y: Double)) -> (x: Double, y: Double)) {
    let corners = [(x: 5.0, y: 506.0), (5, 5), (506, 5), (506, 506)].map(place)
    for (index, corner) in corners.enumerated() { band(from: corner, to: corners[(index + 1) % 4], PushTRenderer.Colours.wall) }
  }
}
