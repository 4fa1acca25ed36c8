// Draws an estimate over its frame, for people who check by eye.

public import Vision

extension PoseEstimate {
  /// The frame enlarged to `size` pixels square, with the outlines of agent and T as estimated (red where found, grey where only remembered).
  public func drawn(over frame: Image, size: Int) -> Image {
    var image = frame.resized(width: size, height: size)
    let scale = Double(size) / 512
    func pixel(_ p: (x: Double, y: Double)) -> (x: Double, y: Double) { ((p.x + 0.5) * scale - 0.5, (p.y + 0.5) * scale - 0.5) }
    func loop(_ points: [(x: Double, y: Double)], found: Bool) {
      for (index, point) in points.enumerated() {
        image.line(from: pixel(point), to: pixel(points[(index + 1) % points.count]), found ? Colour(220, 20, 20) : Colour(128, 128, 128))
      }
    }
    let tee = [(-60.0, 0.0), (60, 0), (60, 30), (15, 30), (15, 120), (-15, 120), (-15, 30), (-60, 30)]
    loop(tee.map { block.point($0.0 * block.size / Tee.size, $0.1 * block.size / Tee.size) }, found: blockFound)
    // A square around the agent: its sides touch the disc.
    loop([(-1, -1), (1, -1), (1, 1), (-1, 1)].map { (agentX + $0.0 * agentRadius, agentY + $0.1 * agentRadius) }, found: agentFound)
    return image
  }
}
