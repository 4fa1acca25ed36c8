// What pictures of the scene are asked for: how large, and how its edges show. A verifier is made for pictures of one form.

public import JSON

public struct PictureForm: Sendable, Hashable {
  public enum Drawing: String, Sendable, CaseIterable {
    /// As gym-pusht draws it: corners on whole workspace units, the drawing sampled at points.
    case gym
    /// As a camera shows it: each pixel is the mean over its place.
    case smooth
  }

  /// Width and height, pixels.
  public var size: Int
  public var drawing: Drawing

  public init(size: Int, drawing: Drawing = .gym) { (self.size, self.drawing) = (size, drawing) }

  /// For messages.
  public var sentence: String { "\(size) pixels, drawn \(drawing.rawValue)" }

  /// As members of a larger object.
  public var json: JSON { ["size": .integer(size), "drawing": .string(drawing.rawValue)] }

  /// Nil if there are no pictures, or none that make sense.
  public init?(json: JSON?) {
    guard let size = json?["size"]?.int, size > 0, let drawing = json?["drawing"]?.string.map(Drawing.init(rawValue:)) ?? .gym else { return nil }
    self.init(size: size, drawing: drawing)
  }
}
