// An 8-bit picture in memory: RGB or grey, rows from the top, no padding. It knows nothing of files or of OpenCV.

public struct Image: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// 3 for RGB, 1 for grey.
  public let channels: Int
  /// height × width × channels.
  public var pixels: [UInt8]

  public init(width: Int, height: Int, channels: Int = 3, pixels: [UInt8]) {
    precondition(pixels.count == width * height * channels)
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  public init(width: Int, height: Int, channels: Int = 3, filledWith value: UInt8 = 255) {
    self.init(width: width, height: height, channels: channels, pixels: Array(repeating: value, count: width * height * channels))
  }
}
