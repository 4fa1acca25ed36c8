// Where agent and block are and how big, from the pixels of one frame after another: colour evidence, then shapes fitted to it below the size
// of a pixel, begun where the last frame left off. Sizes do not change in an episode, so each frame makes them surer. It never sees a recorded state, a simulator or the episode's outcome.

internal import Foundation
public import Vision

/// What one frame tells.
public struct PoseEstimate: Sendable, Equatable {
  public var agentX: Double
  public var agentY: Double
  /// Of its disc, units.
  public var agentRadius = 15.0
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
  /// Of the frames.
  public let form: PictureForm
  private let appearance: Appearance
  private var last: PoseEstimate?
  /// What is known of the T's unit and of the agent's radius.
  private var (tee, disc) = (PushTTracker.tee, PushTTracker.disc)
  /// What exact fits told of the T's unit, and where the T was at the last that told something new.
  private var exact: (size: RoundedFit.Size, pose: TeePose)?

  private static let (tee, disc) = (Prior(index: 3, mean: Tee.size, deviation: 1.5), Prior(index: 2, mean: 15, deviation: 1.5))

  /// - Parameter form: of the frames, 32 pixels wide and high or more; they show the whole workspace.
  public init(_ form: PictureForm) throws {
    guard form.size >= 32 else { throw VisionError("frames of \(form.size) pixels are too small to see the T in", hint: "use 96 pixels or more") }
    (self.form, appearance) = (form, Appearance(form))
  }

  public convenience init(size: Int) throws { try self.init(PictureForm(size: size)) }

  /// Forgets the episode: the next one may be of another station.
  public func reset() {
    last = nil
    (tee, disc) = (Self.tee, Self.disc)
    exact = nil
  }

  public func estimate(_ frame: Image) -> PoseEstimate {
    let looks = Looks(appearance, frame)
    var estimate =
      last
      ?? PoseEstimate(
        agentX: 256, agentY: 256, block: TeePose(x: 256, y: 256, angle: 0), agentDeviation: 512, blockDeviation: 512, angleDeviation: .pi,
        agentFound: false, blockFound: false)
    if let agent = agent(looks) {
      // pygame centres the disc half a pixel left of and above its place.
      let offset = form.drawing == .gym ? 0.5 : 0
      (estimate.agentX, estimate.agentY, estimate.agentRadius) = (agent.parameters[0] + offset, agent.parameters[1] + offset, agent.parameters[2])
      disc = agent.posterior
      let pitch = 512 / Double(frame.width)
      estimate.agentDeviation =
        (agent.deviations[0] * agent.deviations[0] + agent.deviations[1] * agent.deviations[1] + Self.rounding + pitch * pitch / 25).squareRoot()
      estimate.agentFound = true
    } else {
      (estimate.agentFound, estimate.agentDeviation) = (false, 512)
    }
    if let block = block(looks, agent: estimate) {
      let turns = block.parameters[2].truncatingRemainder(dividingBy: 2 * .pi)
      estimate.block = TeePose(x: block.parameters[0], y: block.parameters[1], angle: turns < 0 ? turns + 2 * .pi : turns, size: block.parameters[3])
      tee = block.posterior
      estimate.blockDeviation = (block.deviations[0] * block.deviations[0] + block.deviations[1] * block.deviations[1] + Self.rounding).squareRoot()
      estimate.angleDeviation = block.deviations[2]
      estimate.blockFound = true
    } else {
      (estimate.blockFound, estimate.blockDeviation, estimate.angleDeviation) = (false, 512, .pi)
    }
    last = estimate
    return estimate
  }

  /// Variance that no fit can see, units²: the scene is drawn on whole units (uniform over one). Small pictures sample the drawing at points, which
  /// a disc's few edge pixels notice: a fifth of a pixel, as measured.
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

  /// The disc at the densest blue; nil if less than a seventh of its area is seen.
  private func agent(in evidence: Evidence) -> Fit? {
    let pitch = evidence.pitch
    var (mass, sumX, sumY) = (0.0, 0.0, 0.0)
    let step = max(1, evidence.size / 240)
    for row in stride(from: evidence.rows.lowerBound, to: evidence.rows.upperBound, by: step) {
      for column in stride(from: evidence.columns.lowerBound, to: evidence.columns.upperBound, by: step) {
        let share = evidence.agent(row, column)
        guard share > 0 else { continue }
        mass += share
        sumX += share * evidence.coordinate(column)
        sumY += share * evidence.coordinate(row)
      }
    }
    let unit = pitch * Double(step)
    guard mass * unit * unit > 0.15 * .pi * 225 else { return nil }
    let samples = samples(of: evidence.agent, in: evidence, x: sumX / mass, y: sumY / mass, radius: 30 + pitch, stride: step) { x, y in
      !Self.isWall(x, y, margin: pitch / 2)
    }
    let fit = ShapeFit.fit(
      Disc.self, from: [sumX / mass, sumY / mass, disc.mean], to: samples, width: max(4, 1.5 * pitch), iterations: 8, prior: disc)
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
      let centre = last.block.centroid
      if let part = looks.part(centre.x, centre.y, radius: reach + Self.trusted), let fit = block(in: part, agent: agent),
        DrawnTee(fit.parameters).pose.distance(to: last.block) < Self.trusted
      {
        return fit
      }
    }
    return block(in: looks.whole, agent: agent)
  }

  /// No point of the T is farther from its centroid, units.
  private var reach: Double { Tee.reach * tee.mean / Tee.size }

  /// In a part of the frame only a good fit, begun where the last frame left off, is one; nil for others.
  private func block(in evidence: Evidence, agent: PoseEstimate) -> Fit? {
    let pitch = evidence.pitch
    let hidden = agent.agentRadius + 1.5 * pitch + 1
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
      let start = [last.block.x, last.block.y, last.block.angle, tee.mean]
      // What moved little is found at once.
      found = ShapeFit.fit(DrawnTee.self, from: start, to: near, width: 1.5 * unit, iterations: 6, prior: tee)
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
    if form.drawing == .smooth {
      let rough = RimmedTee(fit.parameters)
      let middle = rough.pose.centroid
      // Of the rim's outer side alone: inside it, a pixel shows of the block what it would show of less rim.
      let rim = samples(
        of: evidence.rimmed, in: evidence, x: middle.x, y: middle.y, radius: reach + 6, stride: max(1, evidence.size / 384),
        away: { max(abs(rough.distance($0, $1)) - 6, -2.5 - rough.distance($0, $1)) }, where: visible)
      fit = ShapeFit.fit(RimmedTee.self, from: fit.parameters, to: rim, width: 1.2 * pitch, iterations: 8, prior: tee)
    } else if coarse > 1 {
      let drawn = DrawnTee(fit.parameters)
      let middle = drawn.pose.centroid
      // Only pixels on the outline say where it is, and there are more of them than are needed.
      let fine = samples(
        of: evidence.block, rim: evidence.rim, in: evidence, x: middle.x, y: middle.y, radius: reach + 6, stride: max(1, evidence.size / 240),
        away: { abs(drawn.distance($0, $1)) - 6 }, where: visible)
      fit = ShapeFit.fit(DrawnTee.self, from: fit.parameters, to: fine, width: max(3, pitch), iterations: 8, prior: tee)
      let refined = DrawnTee(fit.parameters)
      let isElsewhere = exact.map { refined.pose.distance(to: $0.pose) > 1 || refined.pose.rotation(to: $0.pose) > 0.02 } ?? true
      // Where a verdict may hang on it; and elsewhere until the T's size is known well enough for that.
      if fit.cost < Self.bad, refined.pose.coverage > Self.close || isElsewhere && exact?.size.deviation ?? .infinity > Self.sure {
        var rounded = RoundedFit(about: refined, fine)
        let found = rounded.pose(from: refined.pose, size: exact?.size)
        fit.parameters = [found.pose.x, found.pose.y, found.pose.angle, found.pose.size]
        // The same corners tell nothing new.
        if isElsewhere { exact = (found.size, refined.pose) }
      }
    }
    return fit
  }

  /// Mean squared differences below which a fit is trusted at once, and above which it is none.
  private static let good = 0.008
  private static let bad = 0.02
  /// The share of the goal covered from which on poses are worked out as exactly as the drawing allows.
  private static let close = 0.9
  /// Deviation of the T's unit that is small enough for that.
  private static let sure = 0.02

  private func refine(_ start: [Double], _ samples: [Sample], _ pitch: Double) -> Fit {
    let wide = ShapeFit.fit(DrawnTee.self, from: start, to: samples, width: 4 * pitch, iterations: 6, prior: tee)
    return ShapeFit.fit(DrawnTee.self, from: wide.parameters, to: samples, width: pitch, iterations: 8, prior: tee)
  }

  /// Tries all directions about the evidence's centre and refines the best few.
  private func search(_ samples: [Sample], _ centre: (x: Double, y: Double), _ pitch: Double) -> Fit? {
    let starts = (0..<24).map { index -> (cost: Double, pose: [Double]) in
      let angle = Double(index) * .pi / 12
      let offset = TeePose(x: 0, y: 0, angle: angle, size: tee.mean).centroid
      let pose = [centre.x - offset.x, centre.y - offset.y, angle, tee.mean]
      return (ShapeFit.cost(samples, width: 4 * pitch, DrawnTee(pose)), pose)
    }
    return starts.sorted { $0.cost < $1.cost }.prefix(6).map { refine($0.pose, samples, pitch) }.min { $0.cost < $1.cost }
  }

  private static func better(_ a: Fit?, _ b: Fit?) -> Fit? {
    guard let a else { return b }
    guard let b else { return a }
    return b.cost < a.cost ? b : a
  }

  /// - Parameter away: how far a point is from what is wanted, units; so far on, nothing is looked at.
  @inline(__always) private func samples(
    of share: (_ row: Int, _ column: Int) -> Double, rim: (_ row: Int, _ column: Int) -> Double = { _, _ in 1 }, in evidence: Evidence,
    x: Double, y: Double, radius: Double, stride step: Int,
    away: (Double, Double) -> Double = { _, _ in 0 }, where include: (Double, Double) -> Bool
  ) -> [Sample] {
    func part(_ centre: Double, _ whole: Range<Int>) -> Range<Int> {
      // On the whole frame's grid, wherever the part begins.
      let first = max(whole.lowerBound, evidence.pixel(centre - radius))
      return (first + step - 1) / step * step..<max((first + step - 1) / step * step, min(whole.upperBound, evidence.pixel(centre + radius) + 1))
    }
    let (columns, rows) = (part(x, evidence.columns), part(y, evidence.rows))
    var samples: [Sample] = []
    let unit = evidence.pitch * Double(step)
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
      let v = evidence.coordinate(row)
      var column = columns.lowerBound
      while column < columns.upperBound {
        let u = evidence.coordinate(column)
        let far = away(u, v)
        guard far <= 0 else {
          column += max(1, Int(far / unit)) * step
          continue
        }
        if include(u, v) { samples.append(Sample(x: u, y: v, share: share(row, column), gain: rim(row, column))) }
        column += step
      }
    }
    return samples
  }
}

/// The agent as it is drawn.
private struct Disc: Outline {
  let (x, y, radius): (Double, Double, Double)

  /// From x, y and radius.
  init(_ parameters: [Double]) { (x, y, radius) = (parameters[0], parameters[1], parameters[2]) }

  @inline(__always) func distance(_ x: Double, _ y: Double) -> Double {
    let (dx, dy) = (x - self.x, y - self.y)
    return (dx * dx + dy * dy).squareRoot() - radius
  }

  func slope(_ x: Double, _ y: Double) -> SIMD4<Double> {
    let (dx, dy) = (x - self.x, y - self.y)
    let distance = max(1e-9, (dx * dx + dy * dy).squareRoot())
    return SIMD4(-dx / distance, -dy / distance, -1, 0)
  }
}
