// From colours to evidence: how much each pixel shows of the block and of the agent, given what the empty table looks like there.
// It knows the scene's colours and the frame's scale, and nothing of poses.

internal import Vision

/// A frame taken apart: for each pixel the share that is block and the share that is agent, 0…1, row by row.
struct Evidence {
  let size: Int
  var block: [Float]
  var agent: [Float]

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

  init(size: Int) {
    self.size = size
    let image = size == 512 ? PushTRenderer.empty : PushTRenderer.empty.resized(width: size, height: size)
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
  }

  /// - Parameter frame: RGB, `size` pixels square.
  func evidence(in frame: Image) -> Evidence {
    precondition(frame.width == size && frame.height == size && frame.channels == 3)
    let count = size * size
    var evidence = Evidence(size: size, block: Array(repeating: 0, count: count), agent: Array(repeating: 0, count: count))
    frame.pixels.withUnsafeBufferPointer { pixels in
      empty.withUnsafeBufferPointer { empty in
        for index in 0..<count {
          let at = index * 3
          let (red, green, blue) = (Int(pixels[at]), Int(pixels[at + 1]), Int(pixels[at + 2]))
          let (dr, dg, db) = (red - Int(empty[at]), green - Int(empty[at + 1]), blue - Int(empty[at + 2]))
          // What differs by less than a coder's noise is the table.
          guard abs(dr) + abs(dg) + abs(db) > 24 else { continue }
          // The agent is the one saturated blue: blue exceeds red by 177, on the block by 41, elsewhere not at all.
          let agent = min(1, max(0, Float(blue - red - 45) / 115))
          let way = direction[index]
          evidence.agent[index] = agent
          evidence.block[index] = min(1, max(0, Float(dr) * way.0 + Float(dg) * way.1 + Float(db) * way.2))
        }
      }
    }
    return evidence
  }
}
