// Push-T as a camera above the table sees it: the picture that gym-pusht (0.1.6) makes of the same state.
// The scene is drawn at 512×512 on whole pixels, coordinates rounded, and then resized with bilinear samples, as there;
// the aliasing that this brings is part of what a policy or a pose estimate has to live with. It knows no physics, so the thin red marks
// that pymunk draws at points of contact are not there.

internal import Foundation
public import Vision

public enum PushTRenderer {
  /// Colours as gym-pusht draws them: CSS names, and 1.2 times lighter inside a shape (pymunk's pygame drawing).
  enum Colours {
    static let background = Colour.white
    static let goal = Colour(144, 238, 144)
    static let wall = Colour(211, 211, 211)
    static let blockEdge = Colour(119, 136, 153)
    static let block = Colour(142, 163, 183)
    static let agentEdge = Colour(65, 105, 225)
    static let agent = Colour(78, 126, 255)
  }

  /// The two boxes of the T in the body's frame (workspace units): bar and stem, as corners in order.
  static let boxes: [[(x: Double, y: Double)]] = [
    [(-60, 30), (60, 30), (60, 0), (-60, 0)],
    [(-15, 30), (-15, 120), (15, 120), (15, 30)],
  ]

  /// The scene in `size`×`size` RGB pixels.
  /// - Parameters:
  ///   - agent: centre of the agent's disc, workspace units (0…512, y down).
  ///   - block: origin of the block's body (middle of the bar's upper edge), workspace units.
  ///   - angle: of the block, radians, clockwise as seen.
  ///   - scale: the T's unit, workspace units; the goal keeps the nominal one.
  ///   - radius: of the agent's disc, workspace units.
  ///   - drawing: how edges show.
  /// - Throws: `VisionError` for a coordinate that is not finite or a size below 1.
  public static func image(
    agent: (Double, Double), block: (Double, Double), angle: Double, size: Int, scale: Double = 30, radius: Double = 15,
    drawing: PictureForm.Drawing = .gym
  ) throws -> Image {
    guard size > 0 else { throw VisionError("a picture of \(size) pixels cannot be drawn") }
    guard [agent.0, agent.1, block.0, block.1, angle].allSatisfy({ $0.isFinite && abs($0) < 1e6 }) else {
      throw VisionError("the state (agent \(agent), block \(block), angle \(angle)) cannot be drawn")
    }
    if drawing == .smooth { return smooth(agent: agent, block: block, angle: angle, size: size, scale: scale, radius: radius) }
    var image = empty
    for box in tee(x: block.0, y: block.1, angle: angle, scale: scale) {
      image.fillPolygon(box, Colours.block, edges: .whole)
      for (index, corner) in box.enumerated() { image.fatLine(from: corner, to: box[(index + 1) % box.count], Colours.blockEdge) }
    }
    let centre = (x: agent.0.rounded(.toNearestOrEven), y: agent.1.rounded(.toNearestOrEven))
    let whole = Int(radius.rounded(.toNearestOrEven))
    image.disc(at: centre, radius: whole, Colours.agentEdge)
    image.disc(at: centre, radius: max(0, whole - 4), Colours.agent)
    image.drawWalls()
    return size == 512 ? image : image.resized(width: size, height: size)
  }

  /// The scene of a state: agent x, y, block x, y, angle.
  public static func image(
    of state: [Double], size: Int, scale: Double = 30, radius: Double = 15, drawing: PictureForm.Drawing = .gym
  ) throws -> Image {
    try image(
      agent: (state[0], state[1]), block: (state[2], state[3]), angle: state[4], size: size, scale: scale, radius: radius, drawing: drawing)
  }

  /// The corners of the T's boxes, on whole units.
  static func tee(x: Double, y: Double, angle: Double, scale: Double) -> [[(x: Double, y: Double)]] {
    corners(x: x, y: y, angle: angle, scale: scale).map { box in
      box.map { ($0.x.rounded(.toNearestOrEven), $0.y.rounded(.toNearestOrEven)) }
    }
  }

  /// Where they are before they are rounded.
  static func corners(x: Double, y: Double, angle: Double, scale: Double) -> [[(x: Double, y: Double)]] {
    let (sine, cosine) = (sin(angle), cos(angle))
    return boxes.map { box in
      box.map { corner in
        let (u, v) = (corner.x * scale / 30, corner.y * scale / 30)
        return (x + cosine * u - sine * v, y + sine * u + cosine * v)
      }
    }
  }

  /// What is there without agent and block, in `form`.
  static func empty(_ form: PictureForm) -> Image {
    if form.drawing == .smooth { return emptySmooth(size: form.size) }
    return form.size == 512 ? empty : empty.resized(width: form.size, height: form.size)
  }

  /// The same, 512×512.
  static let empty: Image = {
    var image = Image(width: 512, height: 512, filledWith: 255)
    let goal = PushTGeometry.goal
    for box in tee(x: goal.x, y: goal.y, angle: goal.angle, scale: 30) { image.fillPolygon(box, Colours.goal, edges: .whole) }
    image.drawWalls()
    return image
  }()
}

// How pygame (2.x) draws on whole pixels, which OpenCV does a little differently.
extension Image {
  fileprivate mutating func drawWalls() {
    let corners = [(x: 5.0, y: 506.0), (5, 5), (506, 5), (506, 506)]
    for (index, corner) in corners.enumerated() { fatLine(from: corner, to: corners[(index + 1) % 4], PushTRenderer.Colours.wall) }
  }

  /// A disc of even diameter: its centre lies half a pixel left of and above `centre`.
  fileprivate mutating func disc(at centre: (x: Double, y: Double), radius: Int, _ colour: Colour) {
    let (column, row) = (Int(centre.x), Int(centre.y))
    for dy in -radius..<radius where (0..<height).contains(row + dy) {
      let half = Int((Double(radius * radius) - (Double(dy) + 0.5) * (Double(dy) + 0.5)).squareRoot().rounded())
      for x in max(0, column - half)..<max(max(0, column - half), min(width, column + half)) {
        let at = ((row + dy) * width + x) * channels
        (pixels[at], pixels[at + 1], pixels[at + 2]) = (colour.red, colour.green, colour.blue)
      }
    }
  }

  /// A line four pixels wide along its minor axis, with round ends; what pymunk's drawing adds across it is a further band.
  fileprivate mutating func fatLine(from: (x: Double, y: Double), to: (x: Double, y: Double), _ colour: Colour) {
    let (dx, dy) = (abs(to.x - from.x), abs(to.y - from.y))
    let minor: (x: Double, y: Double) = dx <= dy ? (1, 0) : (0, 1)
    fillPolygon([from - minor, from + 2 * minor, to + 2 * minor, to - minor], colour, edges: .whole)
    let length = (dx * dx + dy * dy).squareRoot()
    guard length > 0 else { return }
    let across = (x: (2 * dy / length).rounded(.toNearestOrEven), y: (2 * dx / length).rounded(.toNearestOrEven))
    fillPolygon([from - across, from + across, to + across, to - across], colour, edges: .whole)
    disc(at: from, radius: 2, colour)
    disc(at: to, radius: 2, colour)
  }
}

private func + (a: (x: Double, y: Double), b: (x: Double, y: Double)) -> (x: Double, y: Double) { (a.x + b.x, a.y + b.y) }
private func - (a: (x: Double, y: Double), b: (x: Double, y: Double)) -> (x: Double, y: Double) { (a.x - b.x, a.y - b.y) }
private func * (a: Double, b: (x: Double, y: Double)) -> (x: Double, y: Double) { (a * b.x, a * b.y) }
