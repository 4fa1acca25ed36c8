// From what a robot sees to what a network is given: angles as cosine and sine, points in the frame of a moving body,
// a short history, the last action; and from what a network says to an action. It learns nothing; scales are given to it.

public import JSON

/// How a task's numbers are shown to a network. Columns are indices into the observation.
public struct Features: Sendable, Hashable {
  /// A body whose pose is in the observation, and a point (two columns) that is also wanted in that body's frame.
  public struct Frame: Sendable, Hashable {
    /// Columns x, y of the origin; column of the angle; columns x, y of the point.
    public var origin: [Int], angle: Int, point: [Int]
    public init(origin: [Int], angle: Int, point: [Int]) { (self.origin, self.angle, self.point) = (origin, angle, point) }
  }

  /// Columns that are angles (rad): they become a cosine and a sine.
  public var angles: [Int]
  public var frames: [Frame]
  /// Columns that actions are relative to, one for each number of an action; empty for absolute actions.
  public var anchor: [Int]
  /// Observations shown, newest first, at least 1.
  public var history: Int
  /// Whether older observations are shown as what they differ by from the newest: how things move, in its own scale.
  public var differences: Bool
  /// Whether the last action (relative to the anchor now) is shown too.
  public var showsAction: Bool
  /// Bounds of each number of an action.
  public var actionBounds: [ClosedRange<Double>]

  public init(
    angles: [Int] = [], frames: [Frame] = [], anchor: [Int] = [], history: Int = 1, differences: Bool = false, showsAction: Bool = false,
    actionBounds: [ClosedRange<Double>]
  ) {
    self.angles = angles
    self.frames = frames
    self.anchor = anchor
    self.history = history
    self.differences = differences
    self.showsAction = showsAction
    self.actionBounds = actionBounds
  }

  public var actionSize: Int { actionBounds.count }

  public func size(observation: Int) -> Int {
    (observation + angles.count + 2 * frames.count) * history + (showsAction ? actionSize : 0)
  }

  /// Numbers of the observation of which `shown` are made; nil if none is.
  public func observationSize(shown: Int) -> Int? {
    let views = shown - (showsAction ? actionSize : 0)
    guard views > 0, views.isMultiple(of: history) else { return nil }
    let size = views / history - angles.count - 2 * frames.count
    return size > 0 ? size : nil
  }

  /// Whether an observation of so many numbers has every column that is named here, and there are as many as are needed.
  func fits(observation size: Int) -> Bool {
    guard Set(angles).count == angles.count, anchor.isEmpty || anchor.count == actionSize else { return false }
    guard frames.allSatisfy({ $0.origin.count == 2 && $0.point.count == 2 }) else { return false }
    let named = angles + anchor + frames.flatMap { $0.origin + $0.point + [$0.angle] }
    return named.allSatisfy { 0..<size ~= $0 }
  }

  /// - Parameters:
  ///   - window: the newest observation first; the oldest stands in for those there were none of.
  ///   - lastAction: nil at the start of an episode.
  public func values(window: some Collection<[Double]>, lastAction: [Double]?) -> [Float] {
    var out: [Float] = []
    var index = window.startIndex
    for age in 0..<history {
      let observation = window[index]
      append(observation, age: age, to: &out)
      if age + 1 < history, window.index(after: index) != window.endIndex { index = window.index(after: index) }
    }
    if showsAction {
      let now = window.first!
      for column in 0..<actionSize { out.append(lastAction.map { Float($0[column] - base(now, column)) } ?? 0) }
    }
    return out
  }

  /// What the network shall say for `action` when it sees `observation`, before scaling.
  public func label(_ action: [Double], at observation: [Double]) -> [Double] { action.indices.map { action[$0] - base(observation, $0) } }

  /// The action that a label stands for, within its bounds.
  public func action(_ label: [Double], at observation: [Double]) -> [Double] {
    bounded(label.indices.map { label[$0] + base(observation, $0) })
  }

  func bounded(_ action: [Double]) -> [Double] {
    action.indices.map { min(max(action[$0], actionBounds[$0].lowerBound), actionBounds[$0].upperBound) }
  }

  /// What column `column` of an action is relative to.
  @inline(__always) func base(_ observation: some IntIndexed<Double>, _ column: Int) -> Double {
    anchor.isEmpty ? 0 : observation[anchor[column]]
  }

  /// One observation as it is shown, `age` steps after the newest, which was appended first.
  func append(_ observation: some IntIndexed<Double>, age: Int, to out: inout [Float]) {
    let start = out.count
    for column in 0..<observation.count {
      let value = observation[column]
      if angles.contains(column) {
        out.append(Float(cosine(value)))
        out.append(Float(sine(value)))
      } else {
        out.append(Float(value))
      }
    }
    for frame in frames {
      let (c, s) = (cosine(observation[frame.angle]), sine(observation[frame.angle]))
      let (x, y) = (observation[frame.point[0]] - observation[frame.origin[0]], observation[frame.point[1]] - observation[frame.origin[1]])
      out.append(Float(c * x + s * y))
      out.append(Float(c * y - s * x))
    }
    guard differences, age > 0 else { return }
    let newest = start - age * (out.count - start)
    for column in 0..<out.count - start { out[start + column] -= out[newest + column] }
  }
}

extension Features {
  public var json: JSON {
    [
      "angles": .array(angles.map { .integer($0) }),
      "frames": .array(
        frames.map {
          ["origin": .array($0.origin.map { .integer($0) }), "angle": .integer($0.angle), "point": .array($0.point.map { .integer($0) })]
        }),
      "anchor": .array(anchor.map { .integer($0) }),
      "history": .integer(history), "differences": .bool(differences), "shows_action": .bool(showsAction),
      "action_bounds": .array(actionBounds.map { [.number($0.lowerBound), .number($0.upperBound)] }),
    ]
  }

  public init?(_ json: JSON?) {
    func columns(_ value: JSON?) -> [Int] { (value?.array ?? []).compactMap(\.int) }
    guard let json, let history = json["history"]?.int, history >= 1, let shows = json["shows_action"]?.bool,
      let bounds = json["action_bounds"]?.array
    else { return nil }
    var actionBounds: [ClosedRange<Double>] = []
    for pair in bounds {
      guard let low = pair[0]?.double, let high = pair[1]?.double, low <= high else { return nil }
      actionBounds.append(low...high)
    }
    var frames: [Frame] = []
    for frame in json["frames"]?.array ?? [] {
      guard let angle = frame["angle"]?.int else { return nil }
      frames.append(Frame(origin: columns(frame["origin"]), angle: angle, point: columns(frame["point"])))
    }
    self.init(
      angles: columns(json["angles"]), frames: frames, anchor: columns(json["anchor"]), history: history,
      differences: json["differences"]?.bool ?? false, showsAction: shows, actionBounds: actionBounds)
  }
}

/// Collections that start at 0: arrays and buffers, for which the code above is made twice.
protocol IntIndexed<Element>: RandomAccessCollection where Index == Int {}
extension Array: IntIndexed {}
extension UnsafeMutableBufferPointer: IntIndexed {}
