// The evolution's shared memory: one bare Git repository, a protected trunk with the baseline, one branch and one worktree an agent, one record file
// an experiment. It knows nothing of steps, robots or how agents think. Every write is idempotent and made under one file lock, so that several
// processes may work on it at once and one that was killed can begin again; reading needs no lock, since a branch moves in one step.

internal import Foundation
internal import Git
internal import JSON

public struct HubError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

public struct Hub: Sendable {
  /// The protected branch: holds `recipe.json` and the baseline's records. No agent commits to it.
  public static let trunk = "main"
  public static let recipeFile = "recipe.json"
  static let recordFolder = "experiments"

  /// The bare repository.
  public let path: String

  /// Opens the hub at `path`, or makes it.
  public init(at path: String) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try exclusively { _ in }
  }

  /// Opens a hub for reading alone; throws if there is none.
  public init(readingAt path: String) throws {
    self.path = path
    _ = try Repository(at: path)
  }

  public static func branch(of agent: String) -> String { "agent/" + agent }

  /// Where an agent's worktree lies: in `worktrees/` beside the hub.
  public func worktree(of agent: String) -> String {
    URL(filePath: path).deletingLastPathComponent().appending(path: "worktrees/" + agent).path(percentEncoded: false)
  }

  // MARK: Reading

  /// Every record: the trunk's, and from each agent's branch its own; by round, agent and id.
  public func records() throws -> [ExperimentRecord] {
    let repository = try Repository(at: path)
    var records: [ExperimentRecord] = []
    for branch in try repository.branches() {
      guard let tip = try repository.tip(of: branch) else { continue }
      records += try Self.records(in: repository, at: tip).filter { $0.branch == branch }
    }
    return records.sorted { ($0.round, $0.agent, $0.id) < ($1.round, $1.agent, $1.id) }
  }

  /// The record of an experiment on a branch; nil if it is not there.
  public func record(_ id: String, on branch: String) throws -> ExperimentRecord? {
    let repository = try Repository(at: path)
    guard let tip = try repository.tip(of: branch) else { return nil }
    return try Self.record(id, in: repository, at: tip)
  }

  static func records(in repository: Repository, at tip: ObjectID) throws -> [ExperimentRecord] {
    try repository.names(in: recordFolder, at: tip).filter { $0.hasSuffix(".json") }.compactMap {
      try record(String($0.dropLast(5)), in: repository, at: tip)
    }
  }

  static func record(_ id: String, in repository: Repository, at tip: ObjectID) throws -> ExperimentRecord? {
    guard let text = try repository.file(file(of: id), at: tip) else { return nil }
    do { return try ExperimentRecord(json: JSON(parsing: text)) } catch let error as JSONSyntaxError {
      throw HubError(description: "\(file(of: id)) at \(tip.short): line \(error.line): \(error.message)")
    }
  }

  static func file(of id: String) -> String { "\(recordFolder)/\(id).json" }

  // MARK: Writing

  /// Who commits what the machinery, and not an agent, writes.
  static let keeper = Person("enpire", email: "enpire@localhost")
  static func person(of agent: String) -> Person { Person("agent \(agent)", email: "\(agent)@localhost") }

  /// Runs `body` while no other process or thread writes. The lock falls with its process, so a lock file of Git's own that is found here was left by
  /// one that was killed.
  func exclusively<R>(_ body: (Repository) throws -> R) throws -> R {
    let descriptor = open(path + "/enpire.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw HubError(description: "cannot open \(path)/enpire.lock: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else { throw HubError(description: "cannot lock \(path)/enpire.lock: \(String(cString: strerror(errno)))") }
    }
    for file in try Self.leftLocks(in: path) { try FileManager.default.removeItem(atPath: path + "/" + file) }
    return try body((try? Repository(at: path)) ?? Repository.create(at: path, bare: true, head: Self.trunk))
  }

  /// Git's own lock files: of branches, of the worktrees' indexes, of the repository's files. There are none below `objects/`, the only large folder.
  private static func leftLocks(in path: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    let below = ["refs", "worktrees"].flatMap { folder in
      (FileManager.default.enumerator(atPath: path + "/" + folder)?.compactMap { $0 as? String } ?? []).map { folder + "/" + $0 }
    }
    return (names + below).filter { $0.hasSuffix(".lock") && $0 != "enpire.lock" }
  }
}
