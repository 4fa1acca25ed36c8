import Foundation
import Testing
import Vision

private func temporaryPath(_ name: String) -> String {
  let directory = FileManager.default.temporaryDirectory.appending(path: "vision-\(UUID().uuidString)")
  try? FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  return directory.appending(path: name).path
}

/// A picture whose every frame differs: a disc that moves.
private func frame(_ index: Int, size: Int = 64) -> Image {
  var image = Image(width: size, height: size)
  image.fillCircle(x: 10 + 2 * Double(index), y: 30, radius: 8, Colour(200, 30, 40))
  return image
}

@Suite("Pictures")
struct PictureTests {
  @Test("a picture written as PNG is read back bit for bit, in colour and in grey")
  func png() throws {
    let colour = Image(width: 3, height: 2, pixels: (0..<18).map { UInt8($0 * 14) })
    let grey = Image(width: 5, height: 1, channels: 1, pixels: [0, 1, 128, 254, 255])
    for image in [colour, grey] { #expect(try Image(pngData: image.pngData()) == image) }
  }

  @Test("bytes that are no picture are an error that names the file")
  func noPicture() {
    #expect(throws: VisionError(path: "a.png", "is not a picture that can be read")) { try Image(pngData: Data("GIF?".utf8), path: "a.png") }
    #expect(throws: VisionError.self) { try Image(pngData: Data()) }
  }

  @Test("a smooth disc covers its area and keeps its centre, wherever its centre lies between pixels", arguments: [0.0, 0.25, 0.5])
  func area(offset: Double) {
    var image = Image(width: 64, height: 64, channels: 3, filledWith: 0)
    image.fillCircle(x: 32 + offset, y: 32, radius: 20, Colour(255, 255, 255))
    var (covered, moment) = (0.0, 0.0)
    for pixel in 0..<64 * 64 {
      let share = Double(image.pixels[pixel * 3]) / 255
      covered += share
      moment += share * Double(pixel % 64)
    }
    // OpenCV's circle reaches about half a pixel over its radius.
    let expected = Double.pi * 20.4 * 20.4
    #expect(abs(covered / expected - 1) < 0.03)
    let centre = moment / covered
    #expect(abs(centre - 32 - offset) < 0.05)
  }

  @Test("pasting over the edge cuts what does not fit")
  func paste() {
    var image = Image(width: 4, height: 4, filledWith: 0)
    image.paste(Image(width: 3, height: 3, filledWith: 9), x: 2, y: -1)
    #expect(image.pixels.count { $0 == 9 } == 2 * 2 * 3)
    image.paste(Image(width: 3, height: 3, filledWith: 7), x: 9, y: 9)
    #expect(!image.pixels.contains(7))
  }

  @Test("a contact sheet holds every picture at its place")
  func contactSheet() {
    let red = Image(width: 8, height: 8, colour: Colour(255, 0, 0))
    let sheet = ContactSheet(title: "two rows", cell: 32, rows: [[.init(red, caption: "a")], [.init(red), .init(red, mark: .black)]]).image()
    let count = stride(from: 0, to: sheet.pixels.count, by: 3).count { sheet.pixels[$0] == 255 && sheet.pixels[$0 + 1] == 0 }
    #expect(count == 3 * 32 * 32)
  }
}

@Suite("Video")
struct VideoTests {
  private func film(frames: Int = 12) throws -> String {
    let path = temporaryPath("film.mp4")
    let writer = try VideoWriter(path: path, fps: 10, width: 64, height: 64)
    for index in 0..<frames { try writer.add(frame(index)) }
    writer.close()
    return path
  }

  @Test("a film is read back frame by frame, in order, close to what was written")
  func roundTrip() throws {
    let reader = try VideoReader(path: try film())
    #expect(reader.width == 64 && reader.height == 64 && reader.fps == 10 && reader.frameCount == 12)
    var index = 0
    while let image = try reader.next() {
      let error = zip(image.pixels, frame(index).pixels).reduce(0.0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(image.pixels.count)
      // The coder turns white into about 251; swapped colours would give 9.
      #expect(error < 5, "frame \(index)")
      index += 1
    }
    #expect(index == 12)
  }

  @Test("decoded ahead, a film's frames, times and end are the same, and nobody need take them all")
  func ahead() throws {
    let path = try film()
    let (straight, ahead) = (try VideoReader(path: path), FramesAhead(try VideoReader(path: path), count: 2))
    var (one, other) = (Image(width: 64, height: 64), Image(width: 64, height: 64))
    while try straight.next(into: &one) {
      #expect(try ahead.next(into: &other))
      #expect(one == other && ahead.time == straight.time && ahead.framesRead == straight.framesRead)
    }
    #expect(try !ahead.next(into: &other) && !ahead.next(into: &other) && !ahead.isCutShort)
    let left = FramesAhead(try VideoReader(path: path))
    #expect(try left.next(into: &other))
  }

  @Test("a film is turned as its track's matrix asks, by any quarter; what asks for less is refused")
  func rotations() throws {
    let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Films/lying.mp4")
    /// The first frame under the matrix (a, b; c, d) in the track's header.
    func first(_ matrix: [Int32]) throws -> Image {
      var data = try Data(contentsOf: source)
      let header = try #require(data.range(of: Data("tkhd".utf8))).lowerBound
      for (place, value) in zip([0, 1, 3, 4], matrix) {
        let at = header + 44 + 4 * place
        data.replaceSubrange(at..<at + 4, with: withUnsafeBytes(of: (value << 16).bigEndian) { Data($0) })
      }
      let path = temporaryPath("turned.mp4")
      try data.write(to: URL(filePath: path))
      return try #require(try VideoReader(path: path).next())
    }
    func turned(_ image: Image) -> Image {
      var result = image
      let side = image.width
      for row in 0..<side {
        for column in 0..<side {
          for channel in 0..<3 { result.pixels[(row * side + column) * 3 + channel] = image.pixels[((side - 1 - column) * side + row) * 3 + channel] }
        }
      }
      return result
    }
    let straight = try first([1, 0, 0, 1])
    let (right, over, left) = (try first([0, 1, -1, 0]), try first([-1, 0, 0, -1]), try first([0, -1, 1, 0]))
    #expect(right == turned(straight) && over == turned(right) && left == turned(over) && turned(left) == straight && right != straight)
    #expect { try first([1, 1, -1, 1]) } throws: { "\($0)".contains("turned.mp4: asks to be rotated, which is not understood here") }
  }

  @Test("the same frames give the same bytes")
  func deterministic() throws { #expect(try Data(contentsOf: URL(filePath: film())) == Data(contentsOf: URL(filePath: film()))) }

  @Test("missing, empty and foreign files, and one whose end is missing, are errors that name the file and say what to do")
  func damaged() throws {
    func problem(_ path: String) -> VisionError? {
      do {
        let reader = try VideoReader(path: path)
        while try reader.next() != nil {}
        return nil
      } catch { return error }
    }
    let whole = try Data(contentsOf: URL(filePath: film()))
    let cases: [(String, Data?, String)] = [
      ("missing.mp4", nil, "does not exist"), ("empty.mp4", Data(), "is empty"),
      ("text.mp4", Data("not a film".utf8), "is not a video that can be read"),
      ("cut.mp4", whole.prefix(whole.count / 2), "is not a video that can be read"),
    ]
    for (name, data, expected) in cases {
      let path = temporaryPath(name)
      try data?.write(to: URL(filePath: path))
      let error = try #require(problem(path))
      #expect(error.path == path && error.problem.hasPrefix(expected) && error.hint != nil, "\(name): \(error)")
    }
  }

  @Test("an odd size and a frame of another size are refused")
  func sizes() throws {
    #expect(throws: VisionError.self) { try VideoWriter(path: temporaryPath("odd.mp4"), fps: 10, width: 63, height: 64) }
    let writer = try VideoWriter(path: temporaryPath("even.mp4"), fps: 10, width: 64, height: 64)
    #expect(throws: VisionError.self) { try writer.add(frame(0, size: 32)) }
  }
}
