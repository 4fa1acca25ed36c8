// How a simulated station's camera differs from the ideal one above the table: light, tint, a shift, noise. The fleet entry says it under
// `camera`; without that the picture is as it was drawn. It knows no scene.

internal import Hashing
public import JSON
public import Vision

public struct CameraModel: Sendable, Equatable {
  /// Factor on all values, and on red, green and blue.
  public var light = 1.0
  public var tint = [1.0, 1.0, 1.0]
  /// Where the picture lies, workspace units to the right and down.
  public var shift = [0.0, 0.0]
  /// Standard deviation of each value, 0…255. The same picture always has the same noise.
  public var noise = 0.0

  public init() {}

  /// - Throws: a sentence about the member that makes no sense.
  public init(json: JSON?) throws(CameraError) {
    guard let json else { return }
    guard let members = json.object else { throw CameraError("camera is \(json.typeName), not an object such as {\"light\": 0.8}") }
    for (name, value) in members {
      switch name {
      case "light": light = try Self.number(value, name, 0...4)
      case "tint": tint = try Self.list(value, name, 3, 0...4)
      case "shift": shift = try Self.list(value, name, 2, -100...100)
      case "noise": noise = try Self.number(value, name, 0...100)
      default: throw CameraError("camera has no '\(name)', only light, tint, shift and noise")
      }
    }
  }

  /// The picture as this camera gives it.
  public func seen(_ image: Image) -> Image {
    guard self != CameraModel() else { return image }
    var seen = image
    let pixels = Double(image.width) / 512
    let (dx, dy) = (Int((shift[0] * pixels).rounded()), Int((shift[1] * pixels).rounded()))
    if dx != 0 || dy != 0 {
      seen = Image(width: image.width, height: image.height, channels: image.channels)
      seen.paste(image, x: dx, y: dy)
    }
    var random = RandomStream("camera noise", String(seen.pixels.reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) }))
    for index in seen.pixels.indices {
      let value = Double(seen.pixels[index]) * light * tint[index % image.channels] + (noise > 0 ? noise * random.normal() : 0)
      seen.pixels[index] = UInt8(min(255, max(0, value.rounded())))
    }
    return seen
  }

  private static func number(_ json: JSON, _ name: String, _ range: ClosedRange<Double>) throws(CameraError) -> Double {
    guard let value = json.double, range.contains(value) else { throw CameraError("camera: '\(name)' is a number in \(range), not \(json.compact)") }
    return value
  }

  private static func list(_ json: JSON, _ name: String, _ count: Int, _ range: ClosedRange<Double>) throws(CameraError) -> [Double] {
    guard let values = json.array, values.count == count else { throw CameraError("camera: '\(name)' is \(count) numbers, not \(json.compact)") }
    var numbers: [Double] = []
    for value in values { numbers.append(try number(value, name, range)) }
    return numbers
  }
}

/// A camera that cannot be made sense of.
public struct CameraError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
