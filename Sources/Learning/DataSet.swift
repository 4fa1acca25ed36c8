// Demonstrations as arrays: observations, actions and where the episodes end. It knows no task; a column means what the task says.

import Foundation
import NumPy

/// Why learning cannot start: one sentence and what to do.
public struct LearningError: Error, CustomStringConvertible, Equatable {
  public let sentence: String
  public let hint: String?
  public init(_ sentence: String, hint: String? = nil) { (self.sentence, self.hint) = (sentence, hint) }
  public var description: String { sentence + (hint.map { "\n  hint: \($0)" } ?? "") }
}

public struct DataSet: Sendable {
  /// One row a frame, `observationSize` numbers a row.
  public private(set) var observations: [[Double]] = []
  public private(set) var actions: [[Double]] = []
  /// The frames of each episode, in order, without gaps.
  public private(set) var episodes: [Range<Int>] = []

  public init() {}

  public mutating func append(observations: [[Double]], actions: [[Double]]) {
    precondition(observations.count == actions.count)
    guard !observations.isEmpty else { return }
    episodes.append(self.observations.count..<self.observations.count + observations.count)
    self.observations += observations
    self.actions += actions
  }

  mutating func append(_ other: DataSet) {
    let shift = observations.count
    observations += other.observations
    actions += other.actions
    episodes += other.episodes.map { $0.lowerBound + shift..<$0.upperBound + shift }
  }

  public var frames: Int { observations.count }
  public var observationSize: Int { observations.first?.count ?? 0 }
  public var actionSize: Int { actions.first?.count ?? 0 }

  /// Reads a dataset artifact (docs/artifacts.md): `observation.npy`, `action.npy`, `episode_ends.npy`.
  public init(directory: String) throws {
    let observation = try NumPyArray(contentsOf: directory + "/observation.npy")
    let action = try NumPyArray(contentsOf: directory + "/action.npy")
    let ends = try NumPyArray(contentsOf: directory + "/episode_ends.npy").wholes ?? []
    guard observation.shape.count == 2, action.shape.count == 2, observation.shape[0] == action.shape[0] else {
      throw LearningError("data set \(directory): observations \(observation.shape) and actions \(action.shape) do not belong together")
    }
    guard ends.last == observation.shape[0], zip([0] + ends, ends).allSatisfy({ $0 < $1 }) else {
      throw LearningError("data set \(directory): its episode ends do not rise from 1 to the \(observation.shape[0]) frames there are")
    }
    // As single precision too, in which they are learnt from.
    guard (observation.values + action.values).allSatisfy({ Float($0).isFinite }) else {
      throw LearningError("data set \(directory): a value is not a finite number", hint: "leave out frames that could not be read")
    }
    observations = (0..<observation.shape[0]).map { Array(observation[row: $0]) }
    actions = (0..<action.shape[0]).map { Array(action[row: $0]) }
    episodes = zip([0] + ends, ends).map { $0..<$1 }
  }

  public func write(directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try NumPyArray(shape: [frames, observationSize], values: observations.flatMap { $0 }).write(to: directory + "/observation.npy")
    try NumPyArray(shape: [frames, actionSize], values: actions.flatMap { $0 }).write(to: directory + "/action.npy")
    try NumPyArray(shape: [episodes.count], element: .int64, values: episodes.map { Double($0.upperBound) }).write(
      to: directory + "/episode_ends.npy")
  }
}
