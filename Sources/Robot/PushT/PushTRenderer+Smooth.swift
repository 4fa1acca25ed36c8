// The same scene as a camera shows it, which rounds no corner and takes the mean over each pixel: drawn four times finer and averaged down.
// The rims are two units wide to either side of an edge, all round, where pymunk's drawing has them more on one side than on the other.

internal import Foundation
internal import Vision

extension PushTRenderer {
  /// Pixels of the fine drawing for one workspace unit.
  fileprivate static let fine = 4
  /// Half the width of a rim, units.
  static let rim = 2.0

  static func smooth(agent: (Double, Double), block: (Double, Double), angle: Double, size: Int, scale: Double, radius: Double) -> Image {
    var image = table
    for box in boxes {
      let corners = placed(box.map { ($0.x * scale / 30, $0.y * scale / 30) }, x: block.0, y: block.1, angle: angle).map(inFine)
      image.fillPolygon(corners, Colours.block, edges: .whole)
      for (index, corner) in corners.enumerated() { image.band(from: corner, to: corners[(index + 1) % corners.count], Colours.blockEdge) }
    }
    let centre = inFine(agent)
    image.fillCircle(x: centre.x, y: centre.y, radius: radius * Double(fine), Colours.agentEdge, edges: .whole)
    image.fillCircle(x: centre.x, y: centre.y, radius: max(0, radius - 4) * Double(fine), Colours.agent, edges: .whole)
    image.walls()
    return image.resized(width: size, height: size, .area)
  }

  /// What is there without agent and block.
  static func emptySmooth(size: Int) -> Image { table.resized(width: size, height: size, .area) }

  private static let table: Image = {
    var image = Image(width: 512 * fine, height: 512 * fine, filledWith: 255)
    let goal = PushTGeometry.goal
    for box in boxes { image.fillPolygon(placed(box, x: goal.x, y: goal.y, angle: goal.angle).map(inFine), Colours.goal, edges: .whole) }
    image.walls()
    return image
  }()

  private static func placed(_ box: [(x: Double, y: Double)], x: Double, y: Double, angle: Double) -> [(x: Double, y: Double)] {
    let (sine, cosine) = (sin(angle), cos(angle))
    return box.map { (x + cosine * $0.x - sine * $0.y, y + sine * $0.x + cosine * $0.y) }
  }

  /// A place in the fine drawing: a unit's pixel of gym-pusht's drawing is the middle of its finer ones.
  fileprivate static func inFine(_ point: (Double, Double)) -> (x: Double, y: Double) {
    let offset = Double(fine - 1) / 2
    return (point.0 * Double(fine) + offset, point.1 * Double(fine) + offset)
  }
}

extension Image {
  /// A line as wide as a rim, with round ends.
  fileprivate mutating func band(from: (x: Double, y: Double), to: (x: Double, y: Double), _ colour: Colour) {
    let reach = PushTRenderer.rim * Double(PushTRenderer.fine)
    let (dx, dy) = (to.x - from.x, to.y - from.y)
    let length = (dx * dx + dy * dy).squareRoot()
    guard length > 0 else { return }
    let (x, y) = (-dy / length * reach, dx / length * reach)
    fillPolygon([(from.x + x, from.y + y), (to.x + x, to.y + y), (to.x - x, to.y - y), (from.x - x, from.y - y)], colour, edges: .whole)
    for end in [from, to] { fillCircle(x: end.x, y: end.y, radius: reach, colour, edges: .whole) }
  }

  fileprivate mutating func walls() {
    let corners = [(5.0, 506.0), (5, 5), (506, 5), (506, 506)].map(PushTRenderer.inFine)
    for (index, corner) in corners.enumerated() { band(from: corner, to: corners[(index + 1) % 4], PushTRenderer.Colours.wall) }
  }
}
