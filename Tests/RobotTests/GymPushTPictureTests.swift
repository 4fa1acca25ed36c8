// Pictures against those of gym-pusht itself, pixel by pixel.

import Foundation
import Testing
import Vision

import Robot

private let python = GymStation.pythonPath()

@Suite(.enabled(if: python != nil, "no Python with gym-pusht: set ENPIRE_PYTHON or run 'make test', which installs it in .deps/python"))
struct GymPushTPictureTests {
  private static let sizes = [96, 256, 512]
  private static let script = """
    import os, sys, warnings
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    warnings.simplefilter("ignore")
    import gymnasium, gym_pusht, numpy
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    env = gymnasium.make("gym_pusht/PushT-v0", obs_type="state", render_mode="rgb_array")
    scene, random = env.unwrapped, numpy.random.default_rng(1)
    for seed in range(40):
        env.reset(seed=seed)
        for _ in range(15):
            _, _, _, _, info = env.step(random.uniform(0, 512, 2))
        state = numpy.array([*info["pos_agent"], *info["block_pose"]], dtype="<f8")
        out.write(state.tobytes())
        screen = scene._draw()
        for size in \(sizes):
            out.write(scene._get_img(screen, size, size).astype("u1").tobytes())
    out.flush()
    """

  @Test func `forty scenes look as gym-pusht draws them, but for its marks of contact`() throws {
    let process = Process(), output = Pipe()
    process.executableURL = URL(filePath: python!)
    process.arguments = ["-c", Self.script]
    process.standardOutput = output
    try process.run()
    let bytes = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
    process.waitUntilExit()
    let length = 40 + Self.sizes.reduce(0) { $0 + 3 * $1 * $1 }
    try #require(bytes.count == 40 * length)
    var figures: [Int: (same: Double, difference: Double, mean: Double)] = [:]
    for scene in 0..<40 {
      let state = (0..<5).map { index in
        bytes.withUnsafeBytes {
          Double(bitPattern: UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: scene * length + 8 * index, as: UInt64.self)))
        }
      }
      var at = scene * length + 40
      for size in Self.sizes {
        let theirs = bytes[at..<at + 3 * size * size]
        at += 3 * size * size
        let ours = try PushTRenderer.image(agent: (state[0], state[1]), block: (state[2], state[3]), angle: state[4], size: size).pixels
        try #require(ours.count == theirs.count)
        var same = 0, difference = 0, sums = (0, 0)
        for (a, b) in zip(ours, theirs) {
          difference += abs(Int(a) - Int(b))
          same += abs(Int(a) - Int(b)) <= 2 ? 1 : 0
          sums = (sums.0 + Int(a), sums.1 + Int(b))
        }
        let count = Double(ours.count)
        let old = figures[size] ?? (1, 0, 0)
        figures[size] = (
          min(old.same, Double(same) / count), max(old.difference, Double(difference) / count), max(old.mean, abs(Double(sums.0 - sums.1)) / count)
        )
      }
    }
    for (size, worst) in figures.sorted(by: { $0.key < $1.key }) {
      print(
        "pictures of \(size) pixels: worst of 40 scenes: \(worst.same) of the values within 2 of 255, mean difference \(worst.difference), of the means \(worst.mean)"
      )
      #expect(worst.same > 0.98 && worst.difference < 1 && worst.mean < 0.5, "\(size): \(worst)")
    }
  }

  @Test func `a bigger T and a smaller disc are drawn as big and as small as they are`() throws {
    func count(_ scale: Double, _ radius: Double, _ isColour: (UInt8, UInt8, UInt8) -> Bool) throws -> Int {
      let image = try PushTRenderer.image(agent: (100, 100), block: (300, 150), angle: 0.3, size: 512, scale: scale, radius: radius)
      return (0..<512 * 512).count { isColour(image.pixels[3 * $0], image.pixels[3 * $0 + 1], image.pixels[3 * $0 + 2]) }
    }
    let block = { (r: UInt8, g: UInt8, b: UInt8) in (r, g, b) == (142, 163, 183) || (r, g, b) == (119, 136, 153) }
    let agent = { (r: UInt8, g: UInt8, b: UInt8) in (r, g, b) == (65, 105, 225) || (r, g, b) == (78, 126, 255) }
    let (small, big) = (try count(30, 15, block), try count(36, 15, block))
    // Area grows with the square; the drawn edge is as wide as ever.
    #expect(abs(Double(big) / Double(small) - 1.44) < 0.05)
    let (disc, smaller) = (try count(30, 15, agent), try count(30, 10.5, agent))
    #expect(abs(Double(smaller) / Double(disc) - 0.44) < 0.05)
  }
}
