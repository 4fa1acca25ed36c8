// Where trials happen: a robot, or a simulation in its place. Unlike a simulation, a station can fail, and its failure is not the policy's:
// the trial is then unknown, neither won nor lost. Calls block; give a station a thread of its own.

public import JSON
public import Vision

public protocol Station: AnyObject {
  var name: String { get }
  /// What software of others it runs, by name; none where it is all this program's own.
  var versions: JSON { get }
  /// Brings the scene to a start; the same seed gives the same start where the station can do that.
  func reset(seed: UInt32) throws(StationFailure) -> Reading
  func step(_ action: Action) throws(StationFailure) -> Reading
  /// What the camera above the scene sees now, RGB.
  func picture(_ form: PictureForm) throws(StationFailure) -> Image
}

extension Station {
  public var versions: JSON { [:] }
}

/// What a station tells after a reset or a control step.
public struct Reading: Sendable {
  public var observation: Observation
  /// What else the station tells, for a verifier that asks for it.
  public var sensors: [Sense: Double]
  /// Simulator truth; nil where nobody knows it.
  public var truth: Truth?
  /// The benchmark's own criterion was met.
  public var terminated: Bool
  /// The station's own time limit was reached.
  public var truncated: Bool

  public init(
    observation: Observation, sensors: [Sense: Double] = [:], truth: Truth?, terminated: Bool = false, truncated: Bool = false
  ) {
    self.observation = observation
    self.sensors = sensors
    self.truth = truth
    self.terminated = terminated
    self.truncated = truncated
  }
}

/// What is really so, for the scorer and the audit; never for a policy, a verifier or an agent.
public struct Truth: Sendable, Equatable {
  /// The scene's state, as the task defines it. Push-T: agent x, y, block x, y (units), block angle (rad, not wrapped).
  public var state: [Double]
  /// The benchmark's measure. Push-T: coverage, 0...1.
  public var score: Double

  public init(state: [Double], score: Double) {
    self.state = state
    self.score = score
  }
}

/// A station that cannot do what it was asked: a dead process, a wrong reply, a missing library.
public struct StationFailure: Error, CustomStringConvertible, Equatable {
  public let station: String
  public let sentence: String
  public let hint: String?

  public init(_ station: String, _ sentence: String, hint: String? = nil) {
    self.station = station
    self.sentence = sentence
    self.hint = hint
  }

  public var description: String { "station \(station): \(sentence)" + (hint.map { "\n  hint: \($0)" } ?? "") }
}

/// The station that a fleet entry describes: `name`, `driver`, and what the driver wants.
public func makeStation(_ entry: JSON) throws(StationFailure) -> any Station {
  let name = entry["name"]?.string ?? "?"
  switch entry["driver"]?.string {
  case "push-t-sim": return try SimulatedStation(name: name, entry: entry)
  case "gym": return try GymStation(name: name, entry: entry)
  case let driver:
    throw StationFailure(name, "has \(driver.map { "an unknown driver '\($0)'" } ?? "no driver")", hint: "drivers are 'push-t-sim' and 'gym'")
  }
}
