// What appended steps will take, as far as records of their kinds tell.

public import JSON

public struct AppendCost: Sendable {
  /// Steps that come of the new declarations, shards counted.
  public var steps = 0
  /// Expected seconds of all of them, one after the other, and those while they hold a station.
  public var seconds = 0.0
  public var stationSeconds = 0.0
  /// Steps of kinds that never ran here; they count nothing above.
  public var unknown = 0
  /// Seconds for which all appended steps, these among them, have held stations or will.
  var allStationSeconds = 0.0

  public var json: JSON {
    [
      "steps": .integer(steps), "seconds": .number(seconds), "station_minutes": .number(stationSeconds / 60),
      "unknown": .integer(unknown),
    ]
  }

  /// By the mean of what each kind took in this workflow, of samples by the trial.
  init(of new: [Step], in graph: Graph, state: State) throws {
    let recorded = try state.durations(graph.manifest.workflow)
    var sums: [String: (seconds: Double, units: Double)] = [:]
    // A unit's seconds by the step's own record, which may have been of other parameters.
    var pace: [String: Double] = [:]
    for step in graph.steps {
      guard let seconds = recorded[step.name] else { continue }
      let units = try Self.recordedUnits(of: step, graph.manifest.workflow, state) ?? Self.units(of: step)
      pace[step.name] = seconds / units
      let sum = sums[Self.class(of: step)] ?? (0, 0)
      sums[Self.class(of: step)] = (sum.seconds + seconds, sum.units + units)
    }
    func expected(_ step: Step) -> Double? {
      (pace[step.name] ?? sums[Self.class(of: step)].map { $0.seconds / $0.units }).map { $0 * Self.units(of: step) }
    }
    for step in new where !step.isNominal {
      steps += 1
      guard let expected = expected(step) else {
        unknown += 1
        continue
      }
      seconds += expected
      stationSeconds += expected * Double(step.stations.count)
    }
    for step in graph.steps where step.isAppended { allStationSeconds += (expected(step) ?? 0) * Double(step.stations.count) }
  }

  /// Steps of the same kind take about as long; a gather is not a shard, and a shard of a sample is a smaller sample.
  private static func `class`(of step: Step) -> String {
    let part = !step.shards.isEmpty ? " gather" : step.isShard && step.effect != .sample ? " shard" : ""
    return (step.kind?.name ?? step.argv.first ?? "") + part
  }

  private static func units(of step: Step) -> Double { units(of: step, with: step.with) ?? 1 }

  private static func units(of step: Step, with parameters: JSON?) -> Double? {
    guard step.effect == .sample, step.shards.isEmpty, let trials = parameters?["trials"]?.double else { return nil }
    return max(1, trials / Double(step.shard?.count ?? 1))
  }

  private static func recordedUnits(of step: Step, _ workflow: String, _ state: State) throws -> Double? {
    guard step.effect == .sample, step.shards.isEmpty, let key = try state.latest(workflow, step.name) else { return nil }
    return units(of: step, with: try state.details(key)?.fingerprint["with"])
  }
}
