// Drawing into a picture and resizing it. Coordinates are pixels, x to the right, y downwards, and the centre of the first pixel is (0, 0).

internal import CVision

public struct Colour: Sendable, Hashable {
  public var red, green, blue: UInt8
  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

  public static let white = Colour(255, 255, 255)
  public static let black = Colour(0, 0, 0)

  var c: vision_colour { vision_colour(red: red, green: green, blue: blue) }
}

/// How edges are drawn: on whole pixels, or anti-aliased with coordinates kept to 1/16 of a pixel.
public enum Edges: Sendable { case whole, smooth }

/// How a picture is resized: bilinear samples (cv2.resize's default, which aliases when it shrinks), or the mean over each new pixel.
public enum Resampling: Sendable { case bilinear, area }

extension Image {
  public mutating func fillPolygon(_ points: [(x: Double, y: Double)], _ colour: Colour, edges: Edges = .smooth) {
    let xy = points.flatMap { [$0.x, $0.y] }
    draw { vision_fill_polygon($0, xy, Int32(points.count), colour.c, edges == .smooth, $1) }
  }

  public mutating func fillCircle(x: Double, y: Double, radius: Double, _ colour: Colour, edges: Edges = .smooth) {
    draw { vision_fill_circle($0, x, y, radius, colour.c, edges == .smooth, $1) }
  }

  public mutating func line(
    from: (x: Double, y: Double), to: (x: Double, y: Double), thickness: Int = 1, _ colour: Colour, edges: Edges = .smooth
  ) {
    draw { vision_line($0, [from.x, from.y], [to.x, to.y], Int32(thickness), colour.c, edges == .smooth, $1) }
  }

  /// ASCII text; (x, y) is the left end of its base line and `height` that of a capital letter, in pixels.
  public mutating func text(_ text: String, x: Double, y: Double, height: Double = 10, _ colour: Colour = .black) {
    draw { vision_text($0, text, x, y, height / 22, colour.c, $1) }
  }

  public func resized(width: Int, height: Int, _ resampling: Resampling = .bilinear) -> Image {
    precondition(width > 0 && height > 0, "a picture has at least one pixel")
    var result = Image(width: width, height: height, channels: channels, filledWith: 0)
    result.draw { target, message in withView { vision_resize($0, target, resampling == .bilinear, message) } }
    return result
  }

  /// The square of `side` pixels whose corner is (x, y); it must lie inside.
  public func cropped(x: Int, y: Int, side: Int) -> Image {
    var part = Image(width: side, height: side, channels: channels)
    crop(x: x, y: y, into: &part)
    return part
  }

  /// The part at (x, y) into `part`, which says how large it is.
  public func crop(x: Int, y: Int, into part: inout Image) {
    precondition(x >= 0 && y >= 0 && x + part.width <= width && y + part.height <= height && part.channels == channels)
    let row = part.width * channels
    pixels.withUnsafeBytes { from in
      part.pixels.withUnsafeMutableBytes { to in
        for line in 0..<part.height {
          to[line * row..<(line + 1) * row].copyBytes(from: from[((y + line) * width + x) * channels..<((y + line) * width + x) * channels + row])
        }
      }
    }
  }

  /// Puts `other` at (x, y); it must have as many channels. What does not fit is cut.
  public mutating func paste(_ other: Image, x: Int, y: Int) {
    precondition(other.channels == channels)
    let (left, right) = (max(0, -x), min(other.width, width - x))
    guard left < right else { return }
    for row in max(0, -y)..<max(max(0, -y), min(other.height, height - y)) {
      let from = (row * other.width + left) * channels
      let to = ((y + row) * width + x + left) * channels
      let count = (right - left) * channels
      pixels.replaceSubrange(to..<to + count, with: other.pixels[from..<from + count])
    }
  }

  /// Drawing on a valid picture fails only when memory is exhausted.
  private mutating func draw(_ call: (vision_image, UnsafeMutablePointer<CChar>) -> Bool) {
    do throws(VisionError) { try checked { message in withMutableView { call($0, message) } } } catch { fatalError(error.description) }
  }
}
