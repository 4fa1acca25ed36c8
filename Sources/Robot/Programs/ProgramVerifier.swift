// A verifier that is a program: confined, and asked frame by frame. It sees observations only: no simulator, no policy, no seed, no outcome.

public import Confinement

public final class ProgramVerifier: Verifier {
  private var episodes: ProgramEpisodes

  /// - Parameter directory: of the program's files, already read as `program`.
  public init(_ program: Program, in directory: String, limits: Confinement.Limits = Confinement.Limits()) throws(ProgramError) {
    episodes = try ProgramEpisodes(program, as: .verifier, in: directory, limits: limits)
  }

  public var senses: [Sense] { episodes.senses }

  public func reset() { episodes.reset() }

  public func verify(_ observation: Observation) throws -> Bool {
    try episodes.ask(observation, wanted: "'done' or 'not-done'") { words in
      switch words {
      case ["done"]: true
      case ["not-done"]: false
      default: nil
      }
    }
  }
}
