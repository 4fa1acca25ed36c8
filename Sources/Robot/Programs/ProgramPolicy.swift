// A policy that is a program: confined, and asked step by step. What it asks for passes the limits like any policy's action.

public import Confinement

public final class ProgramPolicy: Policy {
  private var episodes: ProgramEpisodes

  /// - Parameter directory: of the program's files, already read as `program`.
  public init(_ program: Program, in directory: String, limits: Confinement.Limits = Confinement.Limits()) throws(ProgramError) {
    episodes = try ProgramEpisodes(program, as: .policy, in: directory, limits: limits)
  }

  public func reset() { episodes.reset() }

  public func act(_ observation: Observation) throws -> Action {
    try episodes.ask(observation, wanted: "'act' and two numbers") { words in
      guard words.count == 3, words[0] == "act", let x = Double(words[1]), let y = Double(words[2]) else { return nil }
      return [x, y]
    }
  }
}
