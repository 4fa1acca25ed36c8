// Demonstrations as steps hand them on: the `dataset` directory of docs/artifacts.md, both ways. It knows nothing of how poses were estimated.

internal import Foundation
internal import JSON
internal import NumPy

public struct DemonstrationSet: Sendable {
  public struct Episode: Sendable {
    /// The video's file name.
    public var name: String
    /// SHA-256 of the video.
    public var source: String
    /// Width and height of its frames, pixels.
    public var size: Int
    public var spans: [ClipLabels.Span]
    /// For each frame: what was seen, what was asked for, and how sure the sight was (agent, block; workspace units, 512 where not found).
    public var observations: [Observation]
    public var actions: [Action]
    public var uncertainty: [[Double]]
    /// For each frame what the set's `senses` told; empty without senses.
    public var told: [[Double]]

    public init(
      name: String, source: String, size: Int, spans: [ClipLabels.Span], observations: [Observation], actions: [Action], uncertainty: [[Double]],
      told: [[Double]] = []
    ) {
      (self.name, self.source, self.size, self.spans) = (name, source, size, spans)
      (self.observations, self.actions, self.uncertainty, self.told) = (observations, actions, uncertainty, told)
    }

    /// How the episode ends, by its labels; nil if nobody labelled it.
    public var label: ClipLabels.Label? { spans.max { $0.frames.upperBound < $1.frames.upperBound }?.label }
  }

  public var task: String
  /// Control steps a second.
  public var fps: Double
  /// By which criterion the labels were given; nil without labels.
  public var criterion: String?
  /// Where the actions come from: `recorded`, or `seen` (where the agent was seen next).
  public var actionSource: String
  /// What else was recorded of each frame.
  public var senses: [Sense]
  public var episodes: [Episode]

  public init(task: String, fps: Double, criterion: String?, actionSource: String, senses: [Sense] = [], episodes: [Episode]) {
    (self.task, self.fps, self.criterion, self.actionSource, self.episodes) = (task, fps, criterion, actionSource, episodes)
    self.senses = senses
  }

  public func write(to directory: String) throws {
    let writer = try DemonstrationWriter(directory: directory, senses: senses)
    for episode in episodes {
      for (index, observation) in episode.observations.enumerated() {
        let sure = episode.uncertainty[index]
        try writer.add(
          PoseEstimate(
            agentX: observation[0], agentY: observation[1], block: TeePose(observation), agentDeviation: sure[0], blockDeviation: sure[1],
            angleDeviation: 0, agentFound: sure[0] < 512, blockFound: sure[1] < 512),
          at: Double(index) / fps, action: episode.actions[index], told: senses.isEmpty ? [] : episode.told[index])
      }
      try writer.end(.init(name: episode.name, source: episode.source, size: episode.size, spans: episode.spans))
    }
    try writer.finish(task: task, fps: fps, criterion: criterion, actionSource: actionSource)
  }

  /// - Throws: `ClipLabels.Problem` or `NumPyError` naming the file that is not as it should be.
  public init(directory: String) throws {
    let path = directory + "/dataset.json"
    guard let data = FileManager.default.contents(atPath: path) else { throw ClipLabels.Problem("\(path) cannot be read") }
    let json = try JSON(parsing: data)
    guard json["dataset"]?.int == 1, let episodes = json["episodes"]?.array else {
      throw ClipLabels.Problem("\(path) is not a data set of version 1")
    }
    let arrays = try ["observation", "action", "uncertainty"].map { try NumPyArray(contentsOf: "\(directory)/\($0).npy") }
    let ends = try NumPyArray(contentsOf: directory + "/episode_ends.npy").wholes ?? []
    guard ends.count == episodes.count, arrays.allSatisfy({ $0.shape.count == 2 && $0.shape[0] == ends.last ?? 0 }), arrays[0].shape[1] == 5,
      zip([0] + ends, ends).allSatisfy({ $0.0 <= $0.1 })
    else { throw ClipLabels.Problem("\(directory): the arrays do not have the lengths that dataset.json and episode_ends.npy say") }
    let senses = try Sense.list((json["senses"]?.array ?? []).map { $0.string ?? $0.compact })
    let told = try senses.isEmpty ? nil : NumPyArray(contentsOf: directory + "/senses.npy")
    guard told.map({ $0.shape == [ends.last ?? 0, senses.count] }) ?? true else {
      throw ClipLabels.Problem("\(directory): senses.npy does not have the shape that dataset.json and episode_ends.npy say")
    }
    self.senses = senses
    (task, fps, criterion) = (json["task"]?.string ?? "", json["fps"]?.double ?? 10, json["criterion"]?.string)
    actionSource = json["actions"]?.string ?? "recorded"
    self.episodes = try episodes.enumerated().map { index, episode in
      let rows = (index == 0 ? 0 : ends[index - 1])..<ends[index]
      let name = episode["name"]?.string ?? "episode \(index)"
      let labels = try ClipLabels(json: ["labels": 1, "clips": [["clip": .string(name), "spans": episode["spans"] ?? []]]])
      return Episode(
        name: name, source: episode["source"]?.string ?? "", size: episode["size"]?.int ?? 96, spans: labels.clips[name] ?? [],
        observations: rows.map { Array(arrays[0][row: $0]) }, actions: rows.map { Array(arrays[1][row: $0]) },
        uncertainty: rows.map { Array(arrays[2][row: $0]) }, told: told.map { told in rows.map { Array(told[row: $0]) } } ?? [])
    }
  }
}
