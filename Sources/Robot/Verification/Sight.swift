// One frame as a verifier is told it: the scene by the camera, and what else it may be told, if its station or its recording tells that.

internal import Foundation

/// A number that a verifier may ask for beside the five of an observation of Push-T.
public enum Sense: String, Sendable, CaseIterable {
  /// The T's unit as the camera sees it, workspace units; 30 is nominal.
  case size
  /// How high the arm's tip is above the table, in the unit it is recorded in.
  case height
  /// How strong a force the arm feels, without its direction, in the unit it is recorded in.
  case force

  /// Those of that names, in that order.
  /// - Throws: a sentence about a name that is none, or is there twice.
  public static func list(_ names: [String]) throws(VerifierError) -> [Sense] {
    var senses: [Sense] = []
    for name in names {
      guard let sense = Sense(rawValue: name) else {
        throw VerifierError("wants to be told '\(name)', which is none of \(allCases.map(\.rawValue).joined(separator: ", "))")
      }
      guard !senses.contains(sense) else { throw VerifierError("wants to be told '\(name)' twice") }
      senses.append(sense)
    }
    return senses
  }
}

/// An observation taken apart.
struct Sight {
  let agent: (x: Double, y: Double)
  let tee: TeePose
  private let told: [Sense: Double]

  /// - Parameter observation: agent x, y, block x, y, angle, then the senses. Nil if a number of these was not seen.
  init?(_ observation: Observation, _ senses: [Sense]) {
    guard observation.count == 5 + senses.count, observation.allSatisfy(\.isFinite) else { return nil }
    agent = (observation[0], observation[1])
    told = Dictionary(uniqueKeysWithValues: zip(senses, observation[5...]))
    tee = TeePose(x: observation[2], y: observation[3], angle: observation[4], size: told[.size] ?? Tee.size)
  }

  subscript(sense: Sense) -> Double? { told[sense] }
}
