// Runs the missing trials of one evaluation on one station. A station that fails makes its trial unknown and is started anew; one that
// fails three times running fails the step, and those trials are as if they had not been tried.

import JSON
import Robot

final class TrialSession {
  private let entry: JSON
  private let policies: [any Policy]
  private let limits: SafetyLimits
  private let referee: Referee?
  private let environment: FrozenEnvironment?
  private let plan: EvaluationPlan
  private let samples: SamplesFile
  private var station: any Station

  init(station entry: JSON, policies: [any Policy], environment: FrozenEnvironment?, plan: EvaluationPlan, samples: SamplesFile, step: StepContext)
    throws
  {
    (self.entry, self.policies, self.plan, self.samples, self.environment) = (entry, policies, plan, samples, environment)
    limits = environment?.limits ?? .pushT
    referee = try environment.map { try Referee($0) }
    station = try Self.start(entry, step)
  }

  /// `isEnough` is asked after each trial whose outcome is written.
  func run(_ missing: [Int], of total: Int, _ step: StepContext, until isEnough: () -> Bool) throws {
    var unsure: [Sample] = []
    var (seconds, solved, run) = (0.0, 0, 0)
    for (done, index) in missing.enumerated() {
      step.progress(total - missing.count + done, of: total, "\(solved) of \(done) solved")
      try samples.begin(index, on: entry, in: environment)
      let policy = plan.policy(ofTrial: index)
      let trial = runTrial(
        index: index, policy: policies[policy], station: station, seed: plan.seed(ofTrial: index), referee: referee, limits: limits,
        attempts: plan.attempts)
      seconds += trial.robotSeconds
      run += 1
      unsure.append(Sample(trial: trial, policy: policy))
      if case .unknown(let reason) = trial.outcome {
        step.log("trial \(index): \(reason)")
        guard unsure.count < 3 else { throw StepFailure("\(reason)", hint: "three trials running were lost; see to the station and run again") }
        station = try Self.start(entry, step)
        continue
      }
      if trial.outcome == .success { solved += 1 }
      try flush(&unsure)
      if isEnough() { break }
    }
    try flush(&unsure)
    if let problem = referee?.problem { step.log("trials without a verdict, for the verifier failed: \(problem)") }
    step.progress(total - missing.count + run, of: total, "\(solved) of \(run) solved")
    step.telemetry("robot_seconds", .number(seconds))
    step.telemetry("trials_run", .integer(run))
  }

  private func flush(_ unsure: inout [Sample]) throws {
    for sample in unsure { try samples.append(sample, withSeed: !plan.purpose.isSecret) }
    unsure = []
  }

  static func start(_ entry: JSON, _ step: StepContext) throws -> any Station {
    do {
      let station = try makeStation(entry)
      if station.versions != [:] { step.telemetry("station_versions", station.versions) }
      return station
    } catch { throw StepFailure("station \(error.station): \(error.sentence)", hint: error.hint) }
  }
}
