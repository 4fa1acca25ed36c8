// A film's frames, decoded on a thread of its own a few frames ahead of whoever looks at them, so that decoding and looking share the time.
// Pictures go round: as many as stand in the queue are all there ever are.

internal import Foundation

/// For one thread at a time. The reader is its own from then on.
public final class FramesAhead {
  private let queue: Queue
  /// When the last frame given is shown, seconds from the film's beginning, as the file says.
  public private(set) var time = 0.0
  /// Frames given so far.
  public private(set) var framesRead = 0
  /// Whether the film ended before the count of frames it promises.
  public private(set) var isCutShort = false

  /// - Parameter count: how many frames it may be ahead.
  public init(_ reader: VideoReader, count: Int = 3) {
    queue = Queue(reader, count)
    let queue = queue
    Thread { queue.fill() }.start()
  }

  deinit { queue.stop() }

  /// As `VideoReader.next(into:)`.
  public func next(into image: inout Image) throws(VisionError) -> Bool {
    guard let frame = try queue.take(giving: &image) else {
      isCutShort = queue.isCutShort
      return false
    }
    (time, framesRead) = (frame, framesRead + 1)
    return true
  }
}

/// Sendable because what both threads touch is guarded by the condition, and the reader is the filling thread's alone until it has ended.
private final class Queue: @unchecked Sendable {
  private let condition = NSCondition()
  private let reader: VideoReader
  private var ready: [(image: Image, time: Double)] = []
  private var spare: [Image]
  private var end: Result<Void, VisionError>?
  private var isStopped = false

  init(_ reader: VideoReader, _ count: Int) {
    self.reader = reader
    spare = (0..<count).map { _ in Image(width: reader.width, height: reader.height) }
  }

  /// To be asked after the end.
  var isCutShort: Bool { reader.isCutShort }

  func fill() {
    while var image = blank() {
      let outcome: Result<Bool, VisionError>
      do throws(VisionError) { outcome = .success(try reader.next(into: &image)) } catch { outcome = .failure(error) }
      condition.lock()
      switch outcome {
      case .success(true): ready.append((image, reader.time))
      case .success(false): end = .success(())
      case .failure(let error): end = .failure(error)
      }
      let isOver = end != nil
      condition.signal()
      condition.unlock()
      if isOver { return }
    }
  }

  /// A picture that may be written to; nil once nobody wants one.
  private func blank() -> Image? {
    condition.lock()
    defer { condition.unlock() }
    while spare.isEmpty, !isStopped { condition.wait() }
    return isStopped ? nil : spare.removeLast()
  }

  /// Swaps the next frame in and gives its time; nil after the last.
  func take(giving image: inout Image) throws(VisionError) -> Double? {
    condition.lock()
    defer { condition.unlock() }
    while ready.isEmpty, end == nil { condition.wait() }
    guard !ready.isEmpty else {
      try end?.get()
      return nil
    }
    var frame = ready.removeFirst()
    swap(&frame.image, &image)
    spare.append(frame.image)
    condition.signal()
    return frame.time
  }

  func stop() {
    condition.lock()
    isStopped = true
    condition.signal()
    condition.unlock()
  }
}
