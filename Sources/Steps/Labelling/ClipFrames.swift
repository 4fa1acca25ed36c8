// A clip by its frames' numbers: decoded forwards, begun anew when an earlier one is wanted, with the last few kept.

import Foundation
import Vision

final class ClipFrames {
  let path: String
  let count: Int
  let fps: Double
  private var reader: VideoReader
  private var kept: [Int: Image] = [:]

  /// Bytes of frames that are kept.
  private static let budget = 64 << 20

  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// Reads the film through once, for its count of frames.
  init(path: String) throws {
    self.path = path
    let reader = try VideoReader(path: path)
    reader.acceptsBrokenTail = true
    var frame = Image(width: reader.width, height: reader.height)
    while try reader.next(into: &frame) {}
    (count, fps) = (reader.framesRead, reader.fps > 0 ? reader.fps : 10)
    self.reader = try VideoReader(path: path)
  }

  func image(of number: Int) throws -> Image {
    if let image = kept[number] { return image }
    guard (0..<count).contains(number) else { throw VisionError(path: path, "has no frame \(number)") }
    if reader.framesRead > number { reader = try VideoReader(path: path) }
    while let image = try reader.next() {
      if (kept.count + 1) * image.pixels.count > Self.budget { kept = [:] }
      kept[reader.framesRead - 1] = image
      if reader.framesRead > number { return image }
    }
    throw VisionError(path: path, "has no frame \(number)")
  }

  /// Small pictures are enlarged, so that a person sees something.
  func png(of number: Int) throws -> Data {
    let image = try image(of: number)
    let scale = max(1, 480 / max(image.width, image.height))
    return try (scale > 1 ? image.resized(width: image.width * scale, height: image.height * scale) : image).pngData()
  }
}
