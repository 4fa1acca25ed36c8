// Writes the `dataset` directory of docs/artifacts.md frame by frame, so that memory does not grow with the films.
// `DemonstrationSet` reads it back.

internal import Foundation
internal import JSON
internal import NumPy

public final class DemonstrationWriter {
  /// What is known of an episode when it has ended.
  public struct Episode: Sendable {
    /// The video's file name, and the SHA-256 of the file.
    public var name: String
    public var source: String
    /// Width and height of the frames that were looked at, pixels.
    public var size: Int
    public var spans: [ClipLabels.Span]
    /// What was unusual about the film, for people.
    public var notes: [String]

    public init(name: String, source: String, size: Int, spans: [ClipLabels.Span], notes: [String] = []) {
      (self.name, self.source, self.size, self.spans, self.notes) = (name, source, size, spans, notes)
    }
  }

  private let directory: String
  private let observations: NumPyWriter
  private let actions: NumPyWriter
  private let uncertainty: NumPyWriter
  private let times: NumPyWriter
  private let senses: [Sense]
  private let told: NumPyWriter?
  private var ends: [Double] = []
  private var episodes: [JSON] = []
  /// The last frame's place, while its action is not known.
  private var waiting: [Double]?
  private var begun = 0

  /// - Parameter senses: what else is told of each frame.
  public init(directory: String, senses: [Sense] = []) throws {
    self.directory = directory
    self.senses = senses
    told = try senses.isEmpty ? nil : NumPyWriter(path: directory + "/senses.npy", columns: senses.count)
    observations = try NumPyWriter(path: directory + "/observation.npy", columns: 5)
    actions = try NumPyWriter(path: directory + "/action.npy", columns: 2)
    uncertainty = try NumPyWriter(path: directory + "/uncertainty.npy", columns: 2)
    times = try NumPyWriter(path: directory + "/timestamp.npy", columns: nil)
  }

  /// - Parameters:
  ///   - time: seconds since the episode's first frame.
  ///   - action: as recorded; nil if none was: then the demonstrator wanted the agent where it is seen next.
  ///   - told: a number for each of the senses.
  public func add(_ estimate: PoseEstimate, at time: Double, action: Action?, told numbers: [Double] = []) throws {
    let seen = estimate.observation
    try observations.append(seen)
    try uncertainty.append([estimate.agentDeviation, estimate.blockDeviation])
    try times.append([time])
    try told?.append(numbers)
    if let action {
      try actions.append(action)
    } else {
      if waiting != nil { try actions.append(Array(seen[0..<2])) }
      waiting = Array(seen[0..<2])
    }
  }

  public func end(_ episode: Episode) throws {
    if let waiting { try actions.append(waiting) }
    waiting = nil
    let label = episode.spans.max { $0.frames.upperBound < $1.frames.upperBound }?.label
    var json: JSON = [
      "name": .string(episode.name), "frames": .integer(observations.rows - begun), "label": label.map { .string($0.rawValue) } ?? .null,
      "source": .string(episode.source), "size": .integer(episode.size), "spans": .array(episode.spans.map(\.json)),
    ]
    if !episode.notes.isEmpty { json["notes"] = .array(episode.notes.map(JSON.string)) }
    episodes.append(json)
    begun = observations.rows
    ends.append(Double(begun))
  }

  /// - Parameters:
  ///   - fps: frames a second of all episodes.
  ///   - criterion: by which the labels were given; nil without labels.
  ///   - actionSource: `recorded` or `seen`.
  public func finish(task: String, fps: Double, criterion: String?, actionSource: String) throws {
    for array in [observations, actions, uncertainty, times, told] { try array?.finish() }
    try NumPyArray(shape: [ends.count], element: .int64, values: ends).write(to: directory + "/episode_ends.npy")
    var json: JSON = ["dataset": 1, "task": .string(task), "fps": .number(fps), "actions": .string(actionSource)]
    if let criterion { json["criterion"] = .string(criterion) }
    if !senses.isEmpty { json["senses"] = .array(senses.map { .string($0.rawValue) }) }
    json["episodes"] = .array(episodes)
    try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/dataset.json"))
  }
}
