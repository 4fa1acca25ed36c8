// The environment that results are measured in, frozen: task, limits, reset, verifier and scorer, and the hash over all of them.
// Whoever runs a trial loads it through here, so a changed byte stops the trial before it starts.

internal import Foundation
internal import Hashing
public import JSON

public struct FrozenEnvironment: Sendable {
  public let task: String
  public let limits: SafetyLimits
  /// By which conditions it judges; nil for a verifier that is a program and nothing else.
  public let verifier: VerifierDescription?
  /// The verifier's program, whose files lie in `verifier/` beside `environment.json`; without one the description is interpreted.
  public let program: Program?
  /// Where it was loaded from; nil for one that was not.
  private let directory: String?
  /// The pictures that the verifier was made for; nil if it judges by what the station tells.
  public let pictures: PictureForm?
  /// Control steps from one picture to the next; once a trial settles, every step has one.
  public let cameraPeriod: Int
  /// SHA-256 over everything else, hexadecimal: what records name the environment by.
  public let hash: String
  /// The whole, as `environment.json` holds it.
  public let json: JSON

  /// Freezes.
  /// - Throws: `FrozenEnvironmentError` or what the parts throw if they make no sense.
  public static func freeze(
    task: String, limits: SafetyLimits, verifier: VerifierDescription?, program: Program? = nil, pictures: PictureForm?, cameraPeriod: Int = 1
  ) throws -> FrozenEnvironment {
    var camera = pictures?.json ?? ["size": 0]
    camera["period"] = .integer(cameraPeriod)
    var json: JSON = [
      "environment": 1, "task": .string(task), "limits": limits.json, "reset": reset, "verifier": verifier?.json ?? .null, "scorer": scorer,
      "camera": camera,
    ]
    if let program { json["program"] = program.json }
    json["hash"] = .string(hash(of: json))
    return try FrozenEnvironment(json: json)
  }

  /// Loads `environment.json` and checks its hash.
  /// - Throws: `FrozenEnvironmentError` if it is missing, not an environment, or not as it was frozen.
  public init(directory: String) throws {
    let path = directory + "/environment.json"
    guard let data = FileManager.default.contents(atPath: path) else { throw FrozenEnvironmentError("\(path) cannot be read") }
    let json: JSON
    do { json = try JSON(parsing: data) } catch { throw FrozenEnvironmentError("\(path):\(error.line):\(error.column): \(error.message)") }
    do {
      try self.init(json: json, directory: directory)
      try program?.check(in: directory + "/verifier")
    } catch { throw FrozenEnvironmentError("\(path): \(error)") }
  }

  /// Whether everything is still as it was loaded: asked before every trial.
  /// - Throws: `FrozenEnvironmentError` if a byte of it was changed since.
  public func check() throws {
    guard let directory else { return }
    let now = try FrozenEnvironment(directory: directory)
    guard now.hash == hash else { throw FrozenEnvironmentError("the environment was changed while it was in use: \(hash) became \(now.hash)") }
  }

  public init(json: JSON) throws { try self.init(json: json, directory: nil) }

  private init(json: JSON, directory: String?) throws {
    guard json["environment"]?.int == 1 else { throw FrozenEnvironmentError("this is not an environment of version 1") }
    let now = Self.hash(of: json)
    guard let hash = json["hash"]?.string, hash == now else {
      throw FrozenEnvironmentError(
        "the environment was changed after it was frozen: its hash is \(now), it says \(json["hash"]?.string ?? "nothing")")
    }
    guard json["reset"] == Self.reset, json["scorer"] == Self.scorer else {
      throw FrozenEnvironmentError("the environment's reset or scorer is not the one this program has; freeze it again")
    }
    task = json["task"]?.string ?? ""
    limits = try SafetyLimits(json: json["limits"] ?? .null)
    program = try json["program"].map { try Program(json: $0) }
    verifier = json["verifier"] == .null && program != nil ? nil : try VerifierDescription(json: json["verifier"] ?? .null)
    for other in [verifier?.task, program?.task] where other ?? task != task {
      throw FrozenEnvironmentError("the verifier is for task '\(other ?? "")', the environment for '\(task)'")
    }
    pictures = PictureForm(json: json["camera"])
    cameraPeriod = max(1, json["camera"]?["period"]?.int ?? 1)
    (self.hash, self.json, self.directory) = (hash, json, directory)
  }

  /// A verifier that has seen nothing yet: the program, confined, where there is one.
  public func makeVerifier() throws -> any Verifier {
    if let program, let directory { return try ProgramVerifier(program, in: directory + "/verifier") }
    guard let verifier else { throw FrozenEnvironmentError("the environment's verifier is a program, whose files are not here") }
    return VerifierProgram(verifier)
  }

  public func write(to directory: String) throws { try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/environment.json")) }

  /// How an episode starts and how the benchmark scores it; the meaning is in PushTSimulation.
  private static let reset: JSON = ["kind": "gym-pusht", "version": "0.1.6", "by": "seed"]
  private static let scorer: JSON = ["kind": "coverage", "above": .number(PushTGeometry.solvedCoverage)]

  private static func hash(of json: JSON) -> String {
    var json = json
    json["hash"] = nil
    return Digest(of: json.canonical).hex
  }
}

/// An environment that must not be used.
public struct FrozenEnvironmentError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
