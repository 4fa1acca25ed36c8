// A video file, read frame by frame: memory stays that of one frame, however long the film. A rotation that the file asks for is carried out.
// What is missing, empty, not a video, or cut short is an error that names the file; nothing is ever skipped silently.

internal import Foundation
internal import CVision

public final class VideoReader {
  public let path: String
  public let width: Int
  public let height: Int
  /// Frames per second, as the file says.
  public let fps: Double
  /// Frames, as the file says; nil if it does not.
  public let frameCount: Int?
  /// Whether it is coded as H.264, which every browser plays.
  public let isH264: Bool
  /// When the last frame read is shown, seconds from the film's beginning, as the file says.
  public private(set) var time = 0.0
  /// Whether a film that ends before its count of frames simply ends; else that is an error.
  public var acceptsBrokenTail = false
  /// Whether it did so.
  public private(set) var isCutShort = false
  /// Frames read so far.
  public private(set) var framesRead = 0

  private let reader: OpaquePointer

  public init(path: String) throws(VisionError) {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard let attributes else { throw VisionError(path: path, "does not exist", hint: "check the pattern that names the videos") }
    guard (attributes[.size] as? Int ?? 0) > 0 else { throw VisionError(path: path, "is empty", hint: "copy or record the video again") }
    var info = vision_video_info()
    var opened: OpaquePointer?
    try checked(path: path, hint: "a video is what OpenCV reads, as MP4, MKV or AVI; try to play the file, or record it again") {
      vision_reader_open(path, &opened, &info, $0)
    }
    self.path = path
    (width, height, fps) = (Int(info.width), Int(info.height), info.fps)
    frameCount = info.frames > 0 ? info.frames : nil
    isH264 = info.h264
    reader = opened!
  }

  deinit { vision_reader_close(reader) }

  /// The next frame, RGB; nil after the last. Throws if the file ends before the count of frames it promises.
  public func next() throws(VisionError) -> Image? {
    var image = Image(width: width, height: height, filledWith: 0)
    return try next(into: &image) ? image : nil
  }

  /// The next frame into `image`, which must have this video's size; false after the last.
  public func next(into image: inout Image) throws(VisionError) -> Bool {
    precondition(image.width == width && image.height == height && image.channels == 3)
    var ended = false
    try checked(path: path) { message in image.withMutableView { vision_reader_next(reader, $0, &time, &ended, message) } }
    if !ended {
      framesRead += 1
      return true
    }
    if let promised = frameCount, framesRead < promised {
      isCutShort = true
      if acceptsBrokenTail, framesRead > 0 { return false }
      throw VisionError(
        path: path, "ends after frame \(framesRead) of \(promised)", hint: "the file is cut short or damaged; copy or record it again")
    }
    if framesRead == 0 { throw VisionError(path: path, "holds no frame", hint: "record the video again") }
    return false
  }
}
