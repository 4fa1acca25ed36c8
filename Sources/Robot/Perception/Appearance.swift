// From colours to evidence: how much each pixel shows of the block and of the agent, given what the empty table looks like there.
// It knows the scene's colours and the frame's scale, and nothing of poses.

internal import Vision

/// A part of a frame taken apart: for each of its pixels the share that is block and the share that is agent, 0…1, worked out when it is asked for.
struct Evidence {
  /// Side of the whole frame, pixels.
  var size: Int { appearance.size }
  /// The part.
  let columns: Range<Int>
  let rows: Range<Int>
  fileprivate let frame: Image
  fileprivate let appearance: Appearance

  var isWhole: Bool { columns.count == size && rows.count == size }
  @inline(__always) func block(_ row: Int, _ column: Int) -> Double { appearance.block(frame, row * size + column) }
  /// How much of that a pixel shows that the T's rim fills.
  @inline(__always) func rim(_ row: Int, _ column: Int) -> Double { Double(appearance.rim[row * size + column]) }
  /// The share that an even rim of the T covers, for pixels of which it covers the rest inwards.
  @inline(__always) func rimmed(_ row: Int, _ column: Int) -> Double { appearance.rimmed(frame, row * size + column) }
  @inline(__always) func agent(_ row: Int, _ column: Int) -> Double { appearance.agent(frame, row * size + column) }

  /// Workspace units a pixel.
  var pitch: Double { 512 / Double(size) }
  /// Workspace coordinate of a pixel's centre along either axis: as cv2.resize places its samples of the 512×512 drawing.
  @inline(__always) func coordinate(_ pixel: Int) -> Double { (Double(pixel) + 0.5) * 512 / Double(size) - 0.5 }
  /// The pixel that holds a workspace coordinate; may lie outside.
  func pixel(_ coordinate: Double) -> Int { Int(((coordinate + 0.5) * Double(size) / 512).rounded(.down)) }
}

/// Unmixes frames of one size.
struct Appearance {
  let size: Int
  /// The empty table in this size, RGB.
  private let empty: [UInt8]
  /// For each pixel, the colour direction from the empty table to the block, divided by its squared length.
  private let direction: [(Float, Float, Float)]
  /// For each pixel, how far along that the colour of the block's rim lies, which is darker than the block.
  fileprivate let rim: [Float]

  init(_ form: PictureForm) {
    let size = form.size
    self.size = size
    let image = PushTRenderer.empty(form)
    empty = image.pixels
    let block = PushTRenderer.Colours.block
    let margin = 512 / Double(size)
    direction = (0..<size * size).map { index in
      // The wall hides the block and is no evidence either way.
      let (x, y) = ((Double(index % size) + 0.5) * margin, (Double(index / size) + 0.5) * margin)
      guard min(x, y) > 8 + margin / 2, max(x, y) < 504 - margin / 2 else { return (0, 0, 0) }
      let red = Float(block.red) - Float(image.pixels[index * 3])
      let green = Float(block.green) - Float(image.pixels[index * 3 + 1])
      let blue = Float(block.blue) - Float(image.pixels[index * 3 + 2])
      let scale = 1 / (red * red + green * green + blue * blue)
      return (red * scale, green * scale, blue * scale)
    }
    let edge = PushTRenderer.Colours.blockEdge
    let way = direction
    rim = way.indices.map { index in
      let red = Float(edge.red) - Float(image.pixels[index * 3])
      let green = Float(edge.green) - Float(image.pixels[index * 3 + 1])
      let blue = Float(edge.blue) - Float(image.pixels[index * 3 + 2])
      return red * way[index].0 + green * way[index].1 + blue * way[index].2
    }
  }

  /// The pixels within `radius` workspace units of a point, or all.
  /// - Parameter frame: RGB, `size` pixels square.
  func evidence(in frame: Image, around place: (x: Double, y: Double, radius: Double)? = nil) -> Evidence {
    precondition(frame.width == size && frame.height == size && frame.channels == 3)
    func part(_ centre: Double, _ radius: Double) -> Range<Int> {
      func pixel(_ coordinate: Double) -> Int { Int(((coordinate + 0.5) * Double(size) / 512).rounded(.down)) }
      return min(size - 1, max(0, pixel(centre - radius)))..<max(1, min(size, pixel(centre + radius) + 1))
    }
    return Evidence(
      columns: place.map { part($0.x, $0.radius) } ?? 0..<size, rows: place.map { part($0.y, $0.radius) } ?? 0..<size, frame: frame, appearance: self)
  }

  private typealias Change = (red: Int, green: Int, blue: Int)

  /// How red, green and blue of a pixel differ from the empty table.
  @inline(__always) private func change(_ frame: Image, _ index: Int) -> Change {
    let at = index * 3
    return (
      Int(frame.pixels[at]) - Int(empty[at]), Int(frame.pixels[at + 1]) - Int(empty[at + 1]), Int(frame.pixels[at + 2]) - Int(empty[at + 2])
    )
  }

  /// The same; nil by less than a coder's noise.
  @inline(__always) private func difference(_ frame: Image, _ index: Int) -> Change? {
    let change = change(frame, index)
    return abs(change.red) + abs(change.green) + abs(change.blue) > 24 ? change : nil
  }

  /// How far a change goes towards the block's colour: 1 is all the way.
  @inline(__always) private func along(_ change: Change, _ index: Int) -> Float {
    let way = direction[index]
    return Float(change.red) * way.0 + Float(change.green) * way.1 + Float(change.blue) * way.2
  }

  /// Near the outline of a T with an even rim: the share of a pixel that the rim covers.
  @inline(__always) fileprivate func rimmed(_ frame: Image, _ index: Int) -> Double {
    Double(min(1, max(0, along(change(frame, index), index) / max(1, rim[index]))))
  }

  @inline(__always) fileprivate func block(_ frame: Image, _ index: Int) -> Double {
    guard let change = difference(frame, index) else { return 0 }
    return Double(min(1, max(0, along(change, index))))
  }

  /// The agent is the one saturated blue: blue exceeds red by 177, on the block by 41, elsewhere not at all.
  @inline(__always) fileprivate func agent(_ frame: Image, _ index: Int) -> Double {
    let excess = Int(frame.pixels[index * 3 + 2]) - Int(frame.pixels[index * 3])
    guard excess > 45, difference(frame, index) != nil else { return 0 }
    return Double(min(1, Float(excess - 45) / 115))
  }
}
