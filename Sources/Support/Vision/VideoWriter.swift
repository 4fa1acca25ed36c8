// Writes an H.264 film in MP4, which every browser plays.

internal import CVision

public final class VideoWriter {
  public let path: String
  public let width: Int
  public let height: Int
  private var writer: OpaquePointer?

  /// Width and height must be even (H.264 halves the colour planes).
  public init(path: String, fps: Double, width: Int, height: Int) throws(VisionError) {
    guard width > 0, height > 0, width % 2 == 0, height % 2 == 0 else {
      throw VisionError(path: path, "cannot be \(width)×\(height) pixels", hint: "H.264 wants an even width and height")
    }
    var opened: OpaquePointer?
    try checked(path: path, hint: "check that the folder exists and that FFmpeg has libx264") {
      vision_writer_open(path, fps, Int32(width), Int32(height), &opened, $0)
    }
    (self.path, self.width, self.height, writer) = (path, width, height, opened)
  }

  deinit { close() }

  public func add(_ image: Image) throws(VisionError) {
    guard let writer else { throw VisionError(path: path, "is closed already") }
    guard image.width == width, image.height == height, image.channels == 3 else {
      throw VisionError(path: path, "takes RGB frames of \(width)×\(height) pixels, not \(image.width)×\(image.height)×\(image.channels)")
    }
    try checked(path: path) { message in image.withView { vision_writer_add(writer, $0, message) } }
  }

  /// Finishes the file. A film is not playable before.
  public func close() {
    if let writer { vision_writer_close(writer) }
    writer = nil
  }
}
