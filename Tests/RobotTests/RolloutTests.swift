import JSON
import Testing
import Vision

import Robot

@Suite struct RolloutTests {
  private final class Script: Policy {
    private let choose: (Observation) throws -> Action
    init(_ choose: @escaping (Observation) throws -> Action) { self.choose = choose }
    func reset() {}
    func act(_ observation: Observation) throws -> Action { try choose(observation) }
  }

  private struct Broken: Error, CustomStringConvertible { let description = "out of ideas" }

  /// A verifier that says what it is told to.
  private final class Judge: Verifier {
    let say: (Int) throws -> Bool
    var seen = 0
    init(_ say: @escaping (Int) throws -> Bool) { self.say = say }
    func reset() { seen = 0 }
    func verify(_ observation: Observation) throws -> Bool {
      seen += 1
      return try say(seen)
    }
  }

  /// A station that fails at one step.
  private final class Faulty: Station {
    let name = "faulty"
    let inner = SimulatedStation(name: "faulty", physics: .nominal)
    var stepsLeft: Int
    init(after steps: Int) { stepsLeft = steps }
    func reset(seed: UInt32) throws(StationFailure) -> Reading { inner.reset(seed: seed) }
    func step(_ action: Action) throws(StationFailure) -> Reading {
      stepsLeft -= 1
      guard stepsLeft >= 0 else { throw StationFailure(name, "lost power") }
      return inner.step(action)
    }
    func picture(_ form: PictureForm) throws(StationFailure) -> Image { try inner.picture(form) }
  }

  /// A station whose scene is solved at the third step.
  private final class Easy: Station {
    let name = "easy"
    var steps = 0
    func reset(seed: UInt32) -> Reading {
      steps = 0
      return Reading(observation: [1, 2, 3, 4, 5], truth: Truth(state: [1, 2, 3, 4, 5], score: 0))
    }
    func step(_ action: Action) -> Reading {
      steps += 1
      return Reading(observation: action + [3, 4, 5], truth: Truth(state: action + [3, 4, 5], score: Double(steps) / 3), terminated: steps >= 3)
    }
    func picture(_ form: PictureForm) throws(StationFailure) -> Image { throw StationFailure(name, "has no camera") }
  }

  /// Tells how high its arm is: a step higher each time.
  private final class Rising: Station {
    let name = "rising"
    var steps = 0.0
    private var reading: Reading {
      Reading(observation: [1, 2, 3, 4, 5], sensors: [.height: steps], truth: Truth(state: [1, 2, 3, 4, 5], score: 0))
    }
    func reset(seed: UInt32) -> Reading {
      steps = 0
      return reading
    }
    func step(_ action: Action) -> Reading {
      steps += 1
      return reading
    }
    func picture(_ form: PictureForm) throws(StationFailure) -> Image { throw StationFailure(name, "has no camera") }
  }

  @Test func `a verifier is told what its station tells, and has no verdict where the station does not tell it`() {
    func verdict(_ predicate: Predicate, _ threshold: Double, _ senses: [Sense]) -> (Bool?, String?) {
      let description = VerifierDescription(task: "push-t", criterion: "human", conditions: [.init(predicate, threshold)], senses: senses)
      let referee = Referee(verifier: VerifierProgram(description))
      var limits = SafetyLimits.pushT
      limits.steps = 5
      _ = runTrial(index: 0, policy: Script { [$0[0], $0[1]] }, station: Rising(), seed: 1, referee: referee, limits: limits)
      return (referee.verdict, referee.problem)
    }
    #expect(verdict(.height, 4, [.height]) == (true, nil) && verdict(.height, 100, [.height]) == (false, nil))
    let untold = verdict(.force, 1, [.force])
    #expect(untold == (nil, "the verifier wants to be told 'force', which station rising does not tell"))
  }

  private var station: SimulatedStation { SimulatedStation(name: "s", physics: .nominal) }

  @Test(arguments: [
    ([Double.nan, 1], "safety: the action [nan, 1.0] is not finite"),
    ([Double.infinity, 1], "safety: the action [inf, 1.0] is not finite"),
    ([-1, 5], "safety: the action [-1.0, 5.0] leaves the workspace [0.0, 0.0]...[512.0, 512.0]"),
    ([5], "safety: the action has 1 numbers, not 2"),
  ]) func `an action that breaks a limit never reaches the station`(action: [Double], reason: String) {
    var count = 0
    let trial = runTrial(
      index: 0,
      policy: Script { seen in
        count += 1; return count < 4 ? [seen[0], seen[1]] : action
      }, station: station, seed: 1)
    #expect(trial.outcome == .failure(reason))
    #expect(trial.steps == 3)
  }

  @Test func `a jump beyond the limit ends the trial as a failure`() {
    var limits = SafetyLimits.pushT
    limits.maxJump = 50
    let trial = runTrial(index: 0, policy: Script { [min($0[0] + 51, 512), $0[1]] }, station: station, seed: 5, limits: limits)
    guard case .failure(let reason) = trial.outcome else { return #expect(Bool(false), "\(trial)") }
    #expect(reason.hasSuffix("from the agent, more than 50.0"))
    #expect(trial.steps == 0)
  }

  @Test func `an exception in the policy is a failure, in the station unknown`() {
    let thrown = runTrial(index: 0, policy: Script { _ in throw Broken() }, station: station, seed: 1)
    #expect(thrown.outcome == .failure("the policy failed: out of ideas"))
    let lost = runTrial(index: 0, policy: Script { [$0[0], $0[1]] }, station: Faulty(after: 5), seed: 1)
    #expect(lost.outcome == .unknown("station faulty: lost power"))
    #expect(lost.steps == 5)
  }

  /// Does nothing in its first attempts, then what a planner does.
  private final class LateStarter: Policy {
    private let planner = PushTPlanner(.low), idle: Int
    private var begun = 0
    init(idle: Int) { self.idle = idle }
    func reset() {
      planner.reset()
      begun += 1
    }
    func act(_ observation: Observation) throws -> Action { begun <= idle ? [observation[0], observation[1]] : try planner.act(observation) }
  }

  @Test func `further attempts go on where things are, and the outcome stays the first one's`() throws {
    let trial = runTrial(index: 0, policy: LateStarter(idle: 2), station: station, seed: 1, attempts: 8)
    #expect(trial.outcome == .failure("not done after 300 steps") && trial.steps == 300)
    let retry = try #require(trial.retry)
    #expect(retry.success == true && retry.attempts == 3 && (301..<600).contains(retry.steps))
    #expect(abs(trial.robotSeconds - Double(300 + retry.steps) / 10) < 1e-9)
    #expect(try #require(TrialRecord(json: trial.json(withSeed: true, withPoses: true))) == trial)
    let never = try #require(runTrial(index: 0, policy: LateStarter(idle: 9), station: station, seed: 1, attempts: 2).retry)
    #expect(never.attempts == 2 && never.steps == 300 && never.success == false)
    #expect(runTrial(index: 0, policy: LateStarter(idle: 0), station: station, seed: 1, attempts: 2).retry == nil, "nothing to be tried again")
    #expect(runTrial(index: 0, policy: LateStarter(idle: 1), station: station, seed: 1).retry == nil)
  }

  @Test func `a policy that does nothing fails at the step limit`() {
    let trial = runTrial(index: 0, policy: Script { [$0[0], $0[1]] }, station: station, seed: 1)
    #expect(trial.outcome == .failure("not done after 300 steps"))
    #expect(trial.steps == 300 && abs(trial.robotSeconds - 30) < 1e-9)
    #expect(trial.poses.count == 12 && trial.poses[0][..<2] == trial.poses[11][..<2])
  }

  @Test func `success is the benchmark's, whatever the verifier says`() {
    for (judge, verdict) in [(Judge { _ in true }, true), (Judge { _ in false }, false), (Judge { _ in throw Broken() }, nil)] as [(Judge, Bool?)] {
      let trial = runTrial(index: 4, policy: Script { [$0[0], $0[1]] }, station: Easy(), seed: 9, referee: Referee(verifier: judge))
      #expect(trial.outcome == .success)
      #expect(trial.steps == 3 && trial.verdict == verdict && trial.index == 4)
    }
  }

  @Test func `a verifier with a memory gets its settling steps, which count as robot time but not as steps`() {
    var limits = SafetyLimits.pushT
    limits.settleSteps = 5
    let judge = Judge { $0 >= 6 }  // the start, three steps, two more
    let trial = runTrial(index: 0, policy: Script { [$0[0], $0[1]] }, station: Easy(), seed: 9, referee: Referee(verifier: judge), limits: limits)
    #expect(trial.verdict == true && trial.steps == 3 && abs(trial.robotSeconds - 0.5) < 1e-12)
  }

  @Test func `a failed trial settles as a successful one does, so that the looks do not tell which it was`() {
    var limits = SafetyLimits.pushT
    (limits.steps, limits.settleSteps) = (4, 5)
    let judge = Judge { $0 >= 10 }  // the start, four steps, five more
    let trial = runTrial(index: 0, policy: Script { [$0[0], $0[1]] }, station: station, seed: 1, referee: Referee(verifier: judge), limits: limits)
    #expect(trial.outcome == .failure("not done after 4 steps"))
    #expect(trial.verdict == true && trial.steps == 4 && abs(trial.robotSeconds - 0.9) < 1e-12)
  }

  @Test func `the audit counts false verdicts apart and leaves unknown ones out`() {
    func trial(_ outcome: TrialRecord.Outcome, _ verdict: Bool?) -> TrialRecord {
      TrialRecord(
        index: 0, station: "", seed: 0, outcome: outcome, bestScore: 0, finalScore: 0, steps: 1, verdict: verdict, robotSeconds: 0, poses: [])
    }
    let audit = VerifierAudit([
      trial(.success, true), trial(.success, true), trial(.success, false), trial(.success, nil), trial(.failure(""), true),
      trial(.failure(""), false),
      trial(.failure(""), false), trial(.failure(""), false), trial(.unknown(""), true),
    ])
    #expect(audit.falsePositives == Rate(successes: 1, trials: 4))
    #expect(audit.falseNegatives == Rate(successes: 1, trials: 3))
    #expect(audit.unknown == 2)
  }

  @Test func `a record survives JSON, and a torn one is no record`() {
    let trial = runTrial(index: 3, policy: Script { [$0[0], $0[1]] }, station: Easy(), seed: 77, referee: Referee(verifier: Judge { _ in true }))
    #expect(TrialRecord(json: trial.json(withSeed: true, withPoses: true)) == trial)
    let hidden = trial.json(withSeed: false, withPoses: false)
    #expect(hidden["seed"] == nil && hidden["poses"] == nil && hidden["success"] == true)
    var torn = hidden
    torn["verdict"] = nil
    #expect(TrialRecord(json: torn) == nil)
  }

  @Test func `limits survive JSON, and unreadable ones are refused rather than dropped`() throws {
    var limits = SafetyLimits.pushT
    limits.maxJump = 300
    #expect(try SafetyLimits(json: limits.json) == limits)
    for (name, value) in [("max_jump", "fast"), ("max_jmp", 3), ("steps", 0), ("low", [600, 0])] as [(String, JSON)] {
      var json = limits.json
      json[name] = value
      #expect(throws: LimitsError.self) { try SafetyLimits(json: json) }
    }
  }
}
