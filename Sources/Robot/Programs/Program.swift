// A program that an agent or a search wrote: a directory with `program.json`, the source and what is run. Its digest is checked before each
// start, so a changed byte never runs. It does not know how programs are confined or what they say.

internal import Foundation
public import Hashing
public import JSON

public struct Program: Sendable {
  public enum Role: String, Sendable, CaseIterable { case verifier, policy }
  /// What its source is; `executable` is run as it is.
  public enum Language: String, Sendable, CaseIterable { case swift, python, executable }

  public var role: Role
  public var task: String
  /// What a verifier wants to be told after the observation's own numbers, in that order.
  public var senses: [Sense] = []
  public var language: Language
  /// File names in the directory: what a person reads, and what is run. The same for a script.
  public var source: String
  public var run: String
  /// SHA-256 of what is run, and of the source.
  public var digest: Digest
  public var sourceDigest: Digest

  /// Version of the protocol that docs/programs.md describes.
  public static let version = 1

  public init(
    role: Role, task: String, senses: [Sense] = [], language: Language, source: String, run: String, in directory: String
  ) throws(ProgramError) {
    (self.role, self.task, self.senses, self.language, self.source, self.run) = (role, task, senses, language, source, run)
    digest = try Self.digest(of: directory + "/" + run)
    sourceDigest = try Self.digest(of: directory + "/" + source)
  }

  public var json: JSON {
    var json: JSON = [
      "program": 1, "protocol": .integer(Self.version), "role": .string(role.rawValue), "task": .string(task), "language": .string(language.rawValue),
      "source": .string(source), "run": .string(run), "digest": .string(digest.hex), "source_digest": .string(sourceDigest.hex),
    ]
    if !senses.isEmpty { json["senses"] = .array(senses.map { .string($0.rawValue) }) }
    return json
  }

  public init(json: JSON) throws(ProgramError) {
    guard json["program"]?.int == 1 else { throw ProgramError("is not a program of version 1") }
    guard json["protocol"]?.int == Self.version else { throw ProgramError("speaks protocol \(json["protocol"]?.compact ?? "none"), not 1") }
    guard let role = json["role"]?.string.flatMap(Role.init) else { throw ProgramError("has no role: verifier or policy") }
    guard let language = json["language"]?.string.flatMap(Language.init) else { throw ProgramError("has no language: swift, python or executable") }
    guard let source = json["source"]?.string, let run = json["run"]?.string, Self.isPlain(source), Self.isPlain(run),
      let digest = Digest(hex: json["digest"]?.string ?? ""), let sourceDigest = Digest(hex: json["source_digest"]?.string ?? "")
    else { throw ProgramError("does not name its files and their digests") }
    (self.role, self.task, self.language, self.source, self.run) = (role, json["task"]?.string ?? "", language, source, run)
    (self.digest, self.sourceDigest) = (digest, sourceDigest)
    do { senses = try Sense.list(json["senses"]?.array?.map { $0.string ?? $0.compact } ?? []) } catch { throw ProgramError(error.problem) }
    guard role == .verifier || senses.isEmpty else { throw ProgramError("is a policy, which is told nothing beside the observation") }
  }

  /// Reads `program.json` and checks both files against it.
  public init(directory: String) throws(ProgramError) {
    guard let data = FileManager.default.contents(atPath: directory + "/program.json"), let json = try? JSON(parsing: data) else {
      throw ProgramError("has no program.json that can be read")
    }
    try self.init(json: json)
    try check(in: directory)
  }

  /// Whether the files are those that were compiled or accepted.
  public func check(in directory: String) throws(ProgramError) {
    for (file, digest) in [(run, digest), (source, sourceDigest)] where try Self.digest(of: directory + "/" + file) != digest {
      throw ProgramError("was changed: \(file) is not what program.json says")
    }
  }

  /// A file name and nothing that leads elsewhere.
  private static func isPlain(_ name: String) -> Bool { !name.isEmpty && !name.contains("/") && !name.hasPrefix(".") }

  private static func digest(of path: String) throws(ProgramError) -> Digest {
    guard let data = FileManager.default.contents(atPath: path) else { throw ProgramError("lacks its file \(path.split(separator: "/").last ?? "")") }
    return Digest(of: data)
  }
}

/// Why a program cannot be used or was of no use; the sentence goes on from "the program".
public struct ProgramError: Error, CustomStringConvertible {
  public let problem: String
  public let hint: String?
  init(_ problem: String, hint: String? = nil) { (self.problem, self.hint) = (problem, hint) }
  public var description: String { "the program " + problem + (hint.map { "\n  hint: \($0)" } ?? "") }
}
