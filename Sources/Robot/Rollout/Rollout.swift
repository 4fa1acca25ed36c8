// One trial: a policy acts on a station from a seed's start until the benchmark is met, a limit is broken or time is over.
// The policy gets observations, nothing else; the supervisor stands between it and the station; the referee watches.

/// Runs trial `index`. Never throws: whatever goes wrong is in the record.
/// - Parameter attempts: when the time is up, the policy may begin anew from where things are, up to this many times in all and as long each time.
///   What comes of that stands apart: the outcome is the first attempt's.
public func runTrial(
  index: Int, policy: any Policy, station: any Station, seed: UInt32, referee: Referee? = nil, limits: SafetyLimits = .pushT, attempts: Int = 1,
  controlPeriod: Double = PushTSimulation.controlPeriod
) -> TrialRecord {
  var trial = Trial(index: index, station: station.name, seed: seed, referee: referee)
  referee?.reset()
  trial.run(policy, station, limits)
  if attempts > 1 { trial.retry(policy, station, limits, attempts) }
  return trial.record(controlPeriod: controlPeriod)
}

private struct Trial {
  let index: Int
  let station: String
  let seed: UInt32
  let referee: Referee?
  var outcome = TrialRecord.Outcome.unknown("it did not start")
  var best = 0.0
  var last = 0.0
  /// Control steps up to the outcome, and after it.
  var steps = 0
  var settling = 0
  var states: [[Double]] = []
  /// The last reading of an attempt whose time was up.
  var end: Reading?
  var retry: TrialRecord.Retry?

  mutating func run(_ policy: any Policy, _ station: any Station, _ limits: SafetyLimits) {
    do {
      var reading = try station.reset(seed: seed)
      policy.reset()
      note(reading, station)
      while true {
        guard !isOver(reading, limits) else {
          outcome = .failure("not done after \(steps) steps")
          end = try settle(reading, station, limits)
          return
        }
        let action: Action
        do { action = try policy.act(reading.observation) } catch {
          outcome = .failure("the policy failed: \(error)")
          return
        }
        if let violation = limits.violation(of: action, at: reading.observation) {
          outcome = .failure("safety: \(violation)")
          return
        }
        reading = try station.step(action)
        steps += 1
        note(reading, station, isLast: reading.terminated || isOver(reading, limits))
        guard reading.truth != nil else {
          outcome = .unknown("the station knows no truth to score by")
          return
        }
        if reading.terminated {
          outcome = .success
          _ = try settle(reading, station, limits)
          return
        }
      }
    } catch {
      // A success before the failure stays one: the criterion was met.
      if outcome != .success { outcome = .unknown("\(error)") }
    }
  }

  private func isOver(_ reading: Reading, _ limits: SafetyLimits) -> Bool { steps >= limits.steps || reading.truncated && steps > 0 }

  /// Holds the agent where it is, so that a verifier with a memory can make up its mind: after a failure as after a success, for a verifier
  /// that is shown more of one than of the other is told which it was.
  private mutating func settle(_ end: Reading, _ station: any Station, _ limits: SafetyLimits) throws(StationFailure) -> Reading {
    var reading = end
    guard limits.settleSteps > 0 else { return reading }
    let hold = zip(end.observation, zip(limits.low, limits.high)).map { min(max($0, $1.0), $1.1) }
    for _ in 0..<limits.settleSteps where referee?.verdict == false {
      reading = try station.step(hold)
      settling += 1
      referee?.look(reading, station, step: nil)
    }
    return reading
  }

  /// Nobody judges these attempts but the benchmark.
  mutating func retry(_ policy: any Policy, _ station: any Station, _ limits: SafetyLimits, _ attempts: Int) {
    guard var reading = end else { return }
    var retry = TrialRecord.Retry(attempts: 1, steps: 0, success: false)
    defer { self.retry = retry }
    for attempt in 2...attempts {
      retry.attempts = attempt
      policy.reset()
      for _ in 0..<steps {
        guard let action = try? policy.act(reading.observation), limits.violation(of: action, at: reading.observation) == nil else { return }
        do { reading = try station.step(action) } catch {
          retry.success = nil
          return
        }
        retry.steps += 1
        retry.success = reading.terminated
        if reading.terminated { return }
      }
    }
  }

  private mutating func note(_ reading: Reading, _ station: any Station, isLast: Bool = false) {
    if let truth = reading.truth {
      best = max(best, truth.score)
      last = truth.score
      states.append(truth.state)
    }
    referee?.look(reading, station, step: isLast ? nil : steps)
  }

  func record(controlPeriod: Double) -> TrialRecord {
    let count = min(states.count, TrialRecord.poseCount)
    let poses = (0..<count).map { states[count == 1 ? 0 : $0 * (states.count - 1) / (count - 1)].map { ($0 * 100).rounded() / 100 } }
    return TrialRecord(
      index: index, station: station, seed: seed, outcome: outcome, bestScore: best, finalScore: last, steps: steps, verdict: referee?.verdict,
      robotSeconds: (Double(steps + settling + (retry?.steps ?? 0)) * controlPeriod * 1000).rounded() / 1000, poses: poses, retry: retry)
  }
}
