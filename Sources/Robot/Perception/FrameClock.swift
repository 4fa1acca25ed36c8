// At which times a film's frames are taken. Control steps are even in time, films need not be: a film that is not is refused, unless a rate is
// asked for; then each tick takes the frame that was shown at that time. It knows times alone, no pictures.

public struct FrameClock {
  /// Frames a second that are taken.
  public let rate: Double
  private let isAsked: Bool
  private var first: Double?
  private var last = -Double.infinity
  private var frames = 0
  /// Frames taken so far.
  public private(set) var ticks = 0

  /// - Parameters:
  ///   - fps: what the film says of itself.
  ///   - rate: what is wanted; nil for every frame.
  public init(fps: Double, rate: Double?) { (self.rate, isAsked) = (rate ?? fps, rate != nil) }

  /// What a frame that is shown from `time` on means.
  public enum Meaning: Equatable, Sendable {
    /// Take this frame.
    case take
    /// Take the frame before so many times; what becomes of this one is told by the next.
    case takeBefore(Int)
    /// The film is not even: this frame is shown at the first time, and should be at the second, seconds.
    case uneven(Double, Double)
  }

  /// - Parameter time: seconds; what does not grow is no time, and the frame is taken for the next of an even film.
  public mutating func see(_ time: Double, fps: Double) -> Meaning {
    if first == nil { first = time }
    let even = Double(frames) / fps
    var since = time - first!
    if since <= last { since = even }
    frames += 1
    last = since
    guard isAsked else {
      guard abs(since - even) <= 0.5 / fps else { return .uneven(since, even) }
      ticks += 1
      return .take
    }
    // The frame before was shown until now.
    var due = 0
    while Double(ticks) / rate < since - 1e-6 {
      ticks += 1
      due += 1
    }
    return .takeBefore(due)
  }

  /// How often the last frame is to be taken, when no other follows.
  public mutating func end() -> Int {
    guard isAsked, frames > 0 else { return 0 }
    var due = 0
    while Double(ticks) / rate <= last + 1e-6 {
      ticks += 1
      due += 1
    }
    return due
  }
}
