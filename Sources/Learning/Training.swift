// What every learner gives back and is given: its outcome, its curves, where to keep checkpoints, whom to tell of progress.
// A loss that is not a number is an outcome, recorded with the update at which it came; nothing here throws for it.

internal import Hashing
public import JSON

public enum TrainingOutcome: Sendable, Equatable {
  case finished
  /// The loss or a gradient was not finite at this update; the weights are those before it.
  case diverged(update: Int)

  public var json: JSON {
    switch self {
    case .finished: ["outcome": "finished"]
    case .diverged(let update): ["outcome": "diverged", "update": .integer(update)]
    }
  }
}

/// Figures over the course of a training, by name.
public struct LearningCurves: Sendable, Equatable {
  public struct Series: Sendable, Equatable {
    public var name: String
    /// What `at` counts: updates, or steps in the environment.
    public var axis: String
    public var at: [Int] = []
    public var values: [Double] = []
  }

  public private(set) var series: [Series] = []

  public init() {}

  public mutating func add(_ name: String, at: Int, _ value: Double, axis: String = "update") {
    let index = series.firstIndex { $0.name == name } ?? series.count
    if index == series.count { series.append(Series(name: name, axis: axis)) }
    series[index].at.append(at)
    series[index].values.append(value)
  }

  public subscript(name: String) -> Series? { series.first { $0.name == name } }

  /// As docs/artifacts.md has it; a value that is not finite is null.
  public var json: JSON {
    [
      "curves": 1,
      "series": .array(
        series.map { series in
          let points = zip(series.at, series.values).map { JSON.array([.integer($0), $1.isFinite ? .number($1) : .null]) }
          return ["name": .string(series.name), "x": .string(series.axis), "points": .array(points)]
        }),
    ]
  }

  /// What `json` gives, or another program wrote in its form.
  public init(json: JSON) { self.init(json) }

  init(_ json: JSON?) {
    for series in json?["series"]?.array ?? [] {
      for point in series["points"]?.array ?? [] {
        add(series["name"]?.string ?? "", at: point[0]?.int ?? 0, point[1]?.double ?? .nan, axis: series["x"]?.string ?? "")
      }
    }
  }
}

public struct Trained {
  public var policy: LearnedPolicy
  public var outcome: TrainingOutcome
  public var curves: LearningCurves
  /// Gradient steps taken.
  public var updates: Int
  /// Control steps simulated, for learners that act: those learnt from and those of evaluations.
  public var environmentSteps: Int = 0
}

/// Where a training runs.
public struct TrainingSite {
  /// Where checkpoints are kept; nil keeps none. One that is there is resumed from.
  public var directory: String?
  /// Updates (or environment steps, for a learner that acts) from one checkpoint to the next.
  public var every: Int
  /// Told `done` of `total` now and then, with a word. If it throws, the training stops there and can be resumed.
  public var progress: (_ done: Int, _ total: Int, _ word: String) throws -> Void

  public init(directory: String? = nil, every: Int = 2000, progress: @escaping (Int, Int, String) throws -> Void = { _, _, _ in }) {
    (self.directory, self.every, self.progress) = (directory, every, progress)
  }
}

/// Four digits, for a progress word.
func brief(_ value: Double) -> String {
  guard value.isFinite else { return "\(value)" }
  let scale = value == 0 ? 1 : power(10, 3 - magnitudeOf(value))
  return "\((value * scale).rounded() / scale)"
}
