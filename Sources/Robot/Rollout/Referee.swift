// The verifier at work in a trial, with the eyes it was made for: it judges by pictures where the environment says so, by the station's
// observations otherwise. It looks every few control steps, at the step with which the trial ends, and at each step after it while the agent
// is held. What it said once stays said; once it failed, the trial has no verdict. It sees no truth and no policy.

internal import Vision

public final class Referee {
  private let verifier: any Verifier
  private let tracker: PushTTracker?
  private let period: Int
  /// Whether the task was called done; nil after a failure of the verifier or of its eyes.
  public private(set) var verdict: Bool? = false
  /// Why a trial had no verdict, the first time.
  public private(set) var problem: String?

  /// Judges by the station's observations.
  public init(verifier: any Verifier) {
    self.verifier = verifier
    tracker = nil
    period = 1
  }

  /// The environment's verifier, which looks through the camera it was made for.
  public init(_ environment: FrozenEnvironment) throws {
    verifier = try environment.makeVerifier()
    tracker = try environment.pictures.map(PushTTracker.init)
    period = environment.cameraPeriod
  }

  public func reset() {
    verifier.reset()
    tracker?.reset()
    verdict = false
  }

  /// Judges what the station shows after `step` control steps, if there is a picture of that step; nil for the last one and those after it,
  /// which all have one.
  func look(_ reading: Reading, _ station: any Station, step: Int?) {
    guard verdict == false, step.map({ $0 % period == 0 }) ?? true else { return }
    do {
      let estimate = try tracker.map { try $0.estimate(station.picture($0.form)) }
      let told = try verifier.senses.map { sense in
        if sense == .size, let estimate { return estimate.seenSize }
        guard let value = reading.sensors[sense] else {
          throw VerifierError("wants to be told '\(sense.rawValue)', which station \(station.name) does not tell")
        }
        return value
      }
      verdict = try verifier.verify((estimate?.seen ?? reading.observation) + told)
    } catch {
      verdict = nil
      problem = problem ?? "\(error)"
    }
  }
}
