// Why a picture or a video could not be read or written; and the one way a C call's failure becomes it.

internal import CVision

public struct VisionError: Error, Equatable, CustomStringConvertible {
  /// The file; nil for a picture in memory.
  public var path: String?
  /// The end of a sentence whose subject is the file.
  public var problem: String
  public var hint: String?

  public init(path: String? = nil, _ problem: String, hint: String? = nil) {
    self.path = path
    self.problem = problem
    self.hint = hint
  }

  public var description: String { (path.map { "\($0): " } ?? "") + problem + (hint.map { "\n  hint: \($0)" } ?? "") }
}

/// Runs a C call that writes a sentence when it returns false.
func checked(path: String? = nil, hint: String? = nil, _ call: (UnsafeMutablePointer<CChar>) -> Bool) throws(VisionError) {
  var message = [CChar](repeating: 0, count: Int(vision_message_size))
  guard !call(&message) else { return }
  let text = String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  throw VisionError(path: path, text, hint: hint)
}

extension Image {
  /// The pixels for a C call that may write to them.
  mutating func withMutableView<Result>(_ body: (vision_image) -> Result) -> Result {
    let (width, height, channels) = (Int32(width), Int32(height), Int32(channels))
    return pixels.withUnsafeMutableBufferPointer {
      body(vision_image(pixels: $0.baseAddress, width: width, height: height, channels: channels))
    }
  }

  /// The pixels for a C call that only reads them.
  func withView<Result>(_ body: (vision_image) -> Result) -> Result {
    pixels.withUnsafeBufferPointer {
      body(
        vision_image(pixels: UnsafeMutablePointer(mutating: $0.baseAddress), width: Int32(width), height: Int32(height), channels: Int32(channels)))
    }
  }
}
