// PNG files, both ways. Lossless: what is read is what was written.

public import Foundation
internal import CVision

extension Image {
  public func pngData() throws(VisionError) -> Data {
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    try checked { message in withView { vision_png_encode($0, &bytes, &count, message) } }
    return Data(bytesNoCopy: bytes!, count: count, deallocator: .free)
  }

  public func writePNG(to path: String) throws(VisionError) {
    let data = try pngData()
    do { try data.write(to: URL(filePath: path)) } catch { throw VisionError(path: path, "cannot be written") }
  }

  /// From PNG (or any other format that OpenCV reads), as RGB or grey.
  public init(pngData data: Data, path: String? = nil) throws(VisionError) {
    var image = vision_image()
    try checked(path: path) { message in
      data.withUnsafeBytes { vision_png_decode($0.bindMemory(to: UInt8.self).baseAddress, $0.count, &image, message) }
    }
    defer { free(image.pixels) }
    let (width, height, channels) = (Int(image.width), Int(image.height), Int(image.channels))
    let pixels = Array(UnsafeBufferPointer(start: image.pixels, count: width * height * channels))
    self.init(width: width, height: height, channels: channels, pixels: pixels)
  }

  public init(contentsOfPNG path: String) throws(VisionError) {
    guard let data = FileManager.default.contents(atPath: path) else { throw VisionError(path: path, "cannot be read") }
    try self.init(pngData: data, path: path)
  }
}
