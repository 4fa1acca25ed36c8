// How far estimates are from recorded states: the sight's own exam. The recorded states are read here and nowhere else.

internal import Foundation
public import JSON

public struct PoseAudit: Sendable {
  private var agent: [Double] = []
  private var block: [Double] = []
  private var angle: [Double] = []
  /// Frames whose error is at most twice the standard deviation that was told: of agent, of block.
  private var within = (0, 0)
  public private(set) var frames = 0
  public private(set) var lost = 0

  public init() {}

  /// - Parameter state: agent x, y, block x, y, angle as recorded at that frame; nil if nothing was recorded.
  public mutating func add(_ estimate: PoseEstimate, state: [Double]?) {
    frames += 1
    guard estimate.agentFound && estimate.blockFound else {
      lost += 1
      return
    }
    guard let state else { return }
    agent.append(hypot(estimate.agentX - state[0], estimate.agentY - state[1]))
    block.append(hypot(estimate.block.x - state[2], estimate.block.y - state[3]))
    if agent.last! <= 2 * estimate.agentDeviation { within.0 += 1 }
    if block.last! <= 2 * estimate.blockDeviation { within.1 += 1 }
    angle.append(abs((estimate.block.angle - state[4]).remainder(dividingBy: 2 * .pi)))
  }

  /// Median, 95th percentile and largest error; workspace units, radians; how often an error is within what was told. Null where nothing was recorded.
  public var json: JSON {
    func summary(_ errors: [Double]) -> JSON {
      guard !errors.isEmpty else { return .null }
      let sorted = errors.sorted()
      func rounded(_ value: Double) -> JSON { .number((value * 1e5).rounded() / 1e5) }
      return [
        "median": rounded(sorted[sorted.count / 2]), "p95": rounded(sorted[sorted.count * 95 / 100]), "largest": rounded(sorted[sorted.count - 1]),
      ]
    }
    func share(_ count: Int) -> JSON { .number((Double(count) / Double(agent.count) * 1e4).rounded() / 1e4) }
    let shares: JSON = agent.isEmpty ? .null : ["agent": share(within.0), "block": share(within.1)]
    return [
      "audit": 1, "frames": .integer(frames), "lost": .integer(lost), "compared": .integer(agent.count),
      "block": summary(block), "agent": summary(agent), "angle": summary(angle), "within_two_deviations": shares,
    ]
  }
}
