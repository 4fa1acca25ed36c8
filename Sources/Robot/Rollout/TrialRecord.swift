// What one trial brought. Success is the benchmark's criterion alone; the verifier's verdict stands beside it, to be audited.
// The record holds no wall-clock time: two runs of one trial on simulated stations give equal records.

public import JSON

public struct TrialRecord: Sendable, Equatable {
  public enum Outcome: Sendable, Equatable {
    case success
    /// The policy did not do it, broke a limit, or threw: why.
    case failure(String)
    /// The station failed, so nobody knows: why. Neither a success nor a failure.
    case unknown(String)
  }

  public var index: Int
  public var station: String
  public var seed: UInt32
  public var outcome: Outcome
  /// The greatest and the last value of the benchmark's measure; Push-T: coverage, 0...1.
  public var bestScore: Double
  public var finalScore: Double
  /// Control steps until success or the end.
  public var steps: Int
  /// Whether the verifier called it done at some time; nil if it could not judge, or there was none.
  public var verdict: Bool?
  /// Seconds the station was in use by the count of control steps, to the millisecond.
  public var robotSeconds: Double
  /// At most `TrialRecord.poseCount` states, evenly spread from first to last, rounded to 0.01: enough for a film strip.
  public var poses: [[Double]]
  /// What came of going on after the first attempt's time was up; nil if nobody went on.
  public var retry: Retry?

  public struct Retry: Sendable, Equatable {
    /// The attempt that ended it, the first one counted.
    public var attempts: Int
    /// Control steps after the first attempt.
    public var steps: Int
    /// Nil if the station failed.
    public var success: Bool?
  }

  public static let poseCount = 12

  /// A trial that began and of which nobody knows how it ended.
  public static func lost(index: Int, station: String, seed: UInt32) -> TrialRecord {
    TrialRecord(
      index: index, station: station, seed: seed, outcome: .unknown("it was cut off"), bestScore: 0, finalScore: 0, steps: 0, verdict: nil,
      robotSeconds: 0, poses: [])
  }

  public init(
    index: Int, station: String, seed: UInt32, outcome: Outcome, bestScore: Double, finalScore: Double, steps: Int, verdict: Bool?,
    robotSeconds: Double, poses: [[Double]], retry: Retry? = nil
  ) {
    (self.index, self.station, self.seed, self.outcome) = (index, station, seed, outcome)
    (self.bestScore, self.finalScore, self.steps, self.verdict) = (bestScore, finalScore, steps, verdict)
    (self.robotSeconds, self.poses, self.retry) = (robotSeconds, poses, retry)
  }
}

extension TrialRecord {
  /// With `withSeed` false the seed stays out, for held-out seeds in use.
  public func json(withSeed: Bool, withPoses: Bool) -> JSON {
    var json: JSON = ["index": .integer(index), "station": .string(station)]
    if withSeed { json["seed"] = .integer(Int(seed)) }
    switch outcome {
    case .success: json["success"] = true
    case .failure(let reason): (json["success"], json["reason"]) = (false, .string(reason))
    case .unknown(let reason): (json["success"], json["reason"]) = (.null, .string(reason))
    }
    json["coverage"] = .number(bestScore)
    json["final_coverage"] = .number(finalScore)
    json["steps"] = .integer(steps)
    json["verdict"] = verdict.map(JSON.bool) ?? .null
    json["seconds"] = .number(robotSeconds)
    if let retry {
      json["retry"] = [
        "attempts": .integer(retry.attempts), "steps": .integer(retry.steps), "success": retry.success.map(JSON.bool) ?? .null,
      ]
    }
    if withPoses { json["poses"] = .array(poses.map { .array($0.map(JSON.number)) }) }
    return json
  }

  /// Nil for what is not a whole record, as a line torn by a crash. A seed left out is read as 0.
  public init?(json: JSON) {
    guard let index = json["index"]?.int, let station = json["station"]?.string, let success = json["success"],
      let best = json["coverage"]?.double, let final = json["final_coverage"]?.double, let steps = json["steps"]?.int,
      let verdict = json["verdict"], let seconds = json["seconds"]?.double
    else { return nil }
    let reason = json["reason"]?.string ?? ""
    let outcome: Outcome
    switch success {
    case .bool(true): outcome = .success
    case .bool(false): outcome = .failure(reason)
    case .null: outcome = .unknown(reason)
    default: return nil
    }
    self.init(
      index: index, station: station, seed: UInt32(exactly: json["seed"]?.int ?? 0) ?? 0, outcome: outcome, bestScore: best, finalScore: final,
      steps: steps, verdict: verdict.bool, robotSeconds: seconds,
      poses: (json["poses"]?.array ?? []).map { ($0.array ?? []).compactMap(\.double) }, retry: Retry(json: json["retry"]))
  }
}

extension TrialRecord.Retry {
  fileprivate init?(json: JSON?) {
    guard let attempts = json?["attempts"]?.int, let steps = json?["steps"]?.int, let success = json?["success"] else { return nil }
    self.init(attempts: attempts, steps: steps, success: success.bool)
  }
}
