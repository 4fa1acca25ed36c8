// Where agent and block are, from the pixels of one frame after another: colour evidence, then shapes fitted to it below the size
// of a pixel, begun where the last frame left off. It never sees a recorded state, a simulator or the episode's outcome.

internal import Foundation
public import Vision

/// What one frame tells.
public struct PoseEstimate: Sendable, Equatable {
  public var agentX: Double
  public var agentY: Double
  public var block: TeePose
  /// Standard deviations, workspace units; `angleDeviation` in radians.
  public var agentDeviation: Double
  public var blockDeviation: Double
  public var angleDeviation: Double
  /// False if the frame does not show them well enough; then the last known values stand, with the size of the workspace as deviation.
  public var agentFound: Bool
  public var blockFound: Bool

  /// As a policy gets it.
  public var observation: Observation { [agentX, agentY, block.x, block.y, block.angle] }
}

/// Follows one episode. For one thread at a time.
public final class PushTTracker {
  private let appearance: Appearance
  private var last: PoseEstimate?

  /// - Parameter size: width and height of the frames in pixels, 32 or more; they show the whole workspace.
  public init(size: Int) throws {
    guard size >= 32 else { throw VisionError("frames of \(size) pixels are too small to see the T in", hint: "use 96 pixels or more") }
    appearance = Appearance(size: size)
  }

  /// Forgets the episode.
  public func reset() { last = nil }

  public func estimate(_ frame: Image) -> PoseEstimate {
    let looks = Looks(appearance, frame)
    var estimate =
      last
      ?? PoseEstimate(
        agentX: 256, agentY: 256, block: TeePose(x: 256, y: 256, angle: 0), agentDeviation: 512, blockDeviation: 512, angleDeviation: .pi,
        agentFound: false, blockFound: false)
    if let agent = agent(looks) {
      (estimate.agentX, estimate.agentY) = (agent.parameters[0], agent.parameters[1])
      estimate.agentDeviation = (agent.deviations[0] * agent.deviations[0] + agent.deviations[1] * agent.deviations[1] + Self.rounding).squareRoot()
      estimate.agentFound = true
    } else {
      (estimate.agentFound, estimate.agentDeviation) = (false, 512)
    }
    if let block = block(looks, agent: estimate) {
      let turns = block.parameters[2].truncatingRemainder(dividingBy: 2 * .pi)
      estimate.block = TeePose(x: block.parameters[0], y: block.parameters[1], angle: turns < 0 ? turns + 2 * .pi : turns)
      estimate.blockDeviation = (block.deviations[0] * block.deviations[0] + block.deviations[1] * block.deviations[1] + Self.rounding).squareRoot()
      estimate.angleDeviation = block.deviations[2]
      estimate.blockFound = true
    } else {
      (estimate.blockFound, estimate.blockDeviation, estimate.angleDeviation) = (false, 512, .pi)
    }
    last = estimate
    return estimate
  }

  /// Variance that no fit can see, units²: the scene is drawn on whole units (uniform over one).
  private static let rounding = 1.0 / 12

  /// A frame's evidence: where something was last, looked at first; the whole, only if that does not do.
  private final class Looks {
    private let appearance: Appearance
    private let frame: Image
    private(set) lazy var whole = appearance.evidence(in: frame)

    init(_ appearance: Appearance, _ frame: Image) { (self.appearance, self.frame) = (appearance, frame) }

    /// Nil where the part would be most of the whole.
    func part(_ x: Double, _ y: Double, radius: Double) -> Evidence? {
      appearance.size < 160 ? nil : appearance.evidence(in: frame, around: (x, y, radius))
    }
  }

  // MARK: Agent

  /// How far from its last place a thing is looked for first, and how far it may have gone there, units.
  private static let (reach, trusted) = (70.0, 45.0)

  private func agent(_ looks: Looks) -> Fit? {
    if let last, last.agentFound, let part = looks.part(last.agentX, last.agentY, radius: Self.reach), let fit = agent(in: part),
      hypot(fit.parameters[0] - last.agentX, fit.parameters[1] - last.agentY) < Self.trusted
    {
      return fit
    }
    return agent(in: looks.whole)
  }

  /// The disc of radius 15 at the densest blue; nil if less than a seventh of its area is seen.
  private func agent(in evidence: Evidence) -> Fit? {
    let pitch = evidence.pitch
    var (mass, sumX, sumY) = (0.0, 0.0, 0.0)
    for row in evidence.rows {
      for column in evidence.columns {
        let share = evidence.agent(row, column)
        guard share > 0 else { continue }
        mass += share
        sumX += share * evidence.coordinate(column)
        sumY += share * evidence.coordinate(row)
      }
    }
    guard mass * pitch * pitch > 0.15 * .pi * 225 else { return nil }
    let samples = samples(of: evidence.agent, in: evidence, x: sumX / mass, y: sumY / mass, radius: 30 + pitch, stride: max(1, evidence.size / 240)) {
      x, y in
      !Self.isWall(x, y, margin: pitch / 2)
    }
    let fit = ShapeFit.fit(Disc.self, from: [sumX / mass, sumY / mass], to: samples, width: max(4, 1.5 * pitch), iterations: 8)
    return fit.cost < 0.1 ? fit : nil
  }

  /// The walls hide what is under them.
  private static func isWall(_ x: Double, _ y: Double, margin: Double) -> Bool {
    func near(_ line: Double) -> Bool { abs(x - line) < 2.5 + margin || abs(y - line) < 2.5 + margin }
    return near(5) || near(506)
  }

  // MARK: Block

  private func block(_ looks: Looks, agent: PoseEstimate) -> Fit? {
    if let last, last.blockFound {
      let centre = last.block.point(0, Tee.centre)
      if let part = looks.part(centre.x, centre.y, radius: Tee.reach + Self.trusted), let fit = block(in: part, agent: agent),
        TeePose(x: fit.parameters[0], y: fit.parameters[1], angle: fit.parameters[2]).distance(to: last.block) < Self.trusted
      {
        return fit
      }
    }
    return block(in: looks.whole, agent: agent)
  }

  /// In a part of the frame only a good fit, begun where the last frame left off, is one; nil for others.
  private func block(in evidence: Evidence, agent: PoseEstimate) -> Fit? {
    let pitch = evidence.pitch
    let hidden = 15 + 1.5 * pitch + 1
    let visible = { (x: Double, y: Double) in
      !agent.agentFound || (x - agent.agentX) * (x - agent.agentX) + (y - agent.agentY) * (y - agent.agentY) > hidden * hidden
    }
    let coarse = max(1, evidence.size / 96)
    let all = samples(of: evidence.block, in: evidence, x: 256, y: 256, radius: 256, stride: coarse, where: visible)
    let mass = all.reduce(0) { $0 + $1.share }
    let unit = pitch * Double(coarse)
    guard mass * unit * unit > 0.4 * Tee.area else { return nil }
    let centre = (x: all.reduce(0) { $0 + $1.share * $1.x } / mass, y: all.reduce(0) { $0 + $1.share * $1.y } / mass)
    let near = all.filter { abs($0.x - centre.x) < 130 && abs($0.y - centre.y) < 130 }

    var found: Fit?
    if let last, last.blockFound {
      let start = [last.block.x, last.block.y, last.block.angle]
      // What moved little is found at once.
      found = ShapeFit.fit(DrawnTee.self, from: start, to: near, width: 1.5 * unit, iterations: 6)
      if found!.cost > Self.good { found = Self.better(found, refine(start, near, unit)) }
    }
    if found == nil || found!.cost > Self.good {
      guard evidence.isWhole else { return nil }
      found = Self.better(found, search(near, centre, unit))
      // An agent that stands on the T hides a part of it, which shifts the centre of what is seen.
      if agent.agentFound, found!.cost > Self.good {
        let (hole, whole) = (Double.pi * 225, mass * unit * unit + Double.pi * 225)
        let filled = (x: centre.x + (agent.agentX - centre.x) * hole / whole, y: centre.y + (agent.agentY - centre.y) * hole / whole)
        found = Self.better(found, search(near, filled, unit))
      }
    }
    guard var fit = found, fit.cost < Self.bad else { return nil }
    if coarse > 1 {
      let drawn = DrawnTee(fit.parameters)
      let middle = drawn.pose.point(0, Tee.centre)
      // Only pixels on the outline say where it is, and there are more of them than are needed.
      let fine = samples(of: evidence.block, in: evidence, x: middle.x, y: middle.y, radius: Tee.reach + 6, stride: max(1, evidence.size / 240)) {
        x, y in
        abs(drawn.distance(x, y).distance) < 6 && visible(x, y)
      }
      fit = ShapeFit.fit(DrawnTee.self, from: fit.parameters, to: fine, width: max(3, pitch), iterations: 8)
    }
    return fit
  }

  /// Mean squared differences below which a fit is trusted at once, and above which it is none.
  private static let good = 0.008
  private static let bad = 0.02

  private func refine(_ start: [Double], _ samples: [Sample], _ pitch: Double) -> Fit {
    let wide = ShapeFit.fit(DrawnTee.self, from: start, to: samples, width: 4 * pitch, iterations: 6)
    return ShapeFit.fit(DrawnTee.self, from: wide.parameters, to: samples, width: pitch, iterations: 8)
  }

  /// Tries all directions about the evidence's centre and refines the best few.
  private func search(_ samples: [Sample], _ centre: (x: Double, y: Double), _ pitch: Double) -> Fit? {
    let starts = (0..<24).map { index -> (cost: Double, pose: [Double]) in
      let angle = Double(index) * .pi / 12
      let offset = TeePose(x: 0, y: 0, angle: angle).point(0, Tee.centre)
      let pose = [centre.x - offset.x, centre.y - offset.y, angle]
      return (ShapeFit.cost(samples, width: 4 * pitch, DrawnTee(pose)), pose)
    }
    return starts.sorted { $0.cost < $1.cost }.prefix(6).map { refine($0.pose, samples, pitch) }.min { $0.cost < $1.cost }
  }

  private static func better(_ a: Fit?, _ b: Fit?) -> Fit? {
    guard let a else { return b }
    guard let b else { return a }
    return b.cost < a.cost ? b : a
  }

  private func samples(
    of share: (_ row: Int, _ column: Int) -> Double, in evidence: Evidence, x: Double, y: Double, radius: Double, stride step: Int,
    where include: (Double, Double) -> Bool
  ) -> [Sample] {
    func part(_ centre: Double, _ whole: Range<Int>) -> Range<Int> {
      // On the whole frame's grid, wherever the part begins.
      let first = max(whole.lowerBound, evidence.pixel(centre - radius))
      return (first + step - 1) / step * step..<max((first + step - 1) / step * step, min(whole.upperBound, evidence.pixel(centre + radius) + 1))
    }
    let (columns, rows) = (part(x, evidence.columns), part(y, evidence.rows))
    var samples: [Sample] = []
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
      let v = evidence.coordinate(row)
      for column in stride(from: columns.lowerBound, to: columns.upperBound, by: step) {
        let u = evidence.coordinate(column)
        if include(u, v) { samples.append(Sample(x: u, y: v, share: share(row, column))) }
      }
    }
    return samples
  }
}

/// The agent as it is drawn: radius 15, centred half a pixel of the 512×512 drawing left of and above its place.
private struct Disc: Outline {
  let x: Double
  let y: Double

  init(_ parameters: [Double]) { (x, y) = (parameters[0] - 0.5, parameters[1] - 0.5) }

  @inline(__always) func distance(_ x: Double, _ y: Double) -> (distance: Double, slope: SIMD4<Double>) {
    let (dx, dy) = (x - self.x, y - self.y)
    let distance = max(1e-9, (dx * dx + dy * dy).squareRoot())
    return (distance - 15, SIMD4(-dx / distance, -dy / distance, 0, 0))
  }
}
