// What is written to the hub: the baseline, by the machinery, to the trunk; proposals and their outcome, by and for an agent, to its branch.

internal import Foundation
internal import Git
public import JSON

extension Hub {
  /// Puts the baseline on the trunk. With a record of the same basis that is there already it is merged, so that the order of writers does not
  /// matter.
  @discardableResult
  public func publishBaseline(_ record: ExperimentRecord, recipe: JSON?) throws -> ExperimentRecord {
    try exclusively { repository in
      var record = record
      record.branch = Self.trunk
      if let recipe, try repository.tip(of: Self.trunk).flatMap({ try repository.file(Self.recipeFile, at: $0) }) != Array(recipe.pretty.utf8) {
        try repository.commit([Self.recipeFile: Array(recipe.pretty.utf8)], to: Self.trunk, message: "Set the baseline recipe\n", author: Self.keeper)
      }
      if let tip = try repository.tip(of: Self.trunk) {
        let present = try Self.record(record.id, in: repository, at: tip)
        if let present, present.basis == record.basis { record = present.merged(with: record) }
        let tree = try repository.treeID(of: tip, without: [Self.recordFolder]).hex
        if record == present, record.code.tree == tree { return record }
        record.code = ExperimentRecord.Code(commit: tip.hex, tree: tree)
      }
      try write(record, "Record \(record.id)", in: repository)
      return record
    }
  }

  /// Makes the agent's branch (from the trunk) and worktree if need be, and the worktree what the branch holds. Returns its path.
  public func openWorktree(of agent: String) throws -> String {
    guard agent.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]*/) != nil else {
      throw HubError(description: "'\(agent)' cannot name an agent: use letters, digits, '-' and '_'")
    }
    return try exclusively { repository in
      let branch = Self.branch(of: agent)
      if try repository.tip(of: branch) == nil {
        guard let trunk = try repository.tip(of: Self.trunk) else { throw HubError(description: "the hub \(path) has no baseline yet") }
        try repository.createBranch(branch, at: trunk)
      }
      let worktree = worktree(of: agent)
      if synchronise(worktree, with: branch) { return worktree }
      // Missing, half made, moved or on another branch: make it anew.
      for leftover in [worktree, path + "/worktrees/" + agent] where FileManager.default.fileExists(atPath: leftover) {
        try FileManager.default.removeItem(atPath: leftover)
      }
      try FileManager.default.createDirectory(atPath: (worktree as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try repository.addWorktree(agent, at: worktree, branch: branch)
      return worktree
    }
  }

  /// Commits what the agent's worktree holds as the code of a proposal, and then its record, which names that commit. Later rounds of an earlier
  /// course of the study leave the branch's tip; the history keeps them. Refuses changes of `experiments/`: an agent does not write its own results.
  public func commitProposal(_ record: ExperimentRecord) throws -> ExperimentRecord {
    try exclusively { repository in
      let worktree = try Repository(at: worktree(of: record.agent))
      if let forbidden = try worktree.changedPaths().first(where: { $0.hasPrefix(Self.recordFolder + "/") }) {
        throw HubError(description: "agent \(record.agent) changed \(forbidden): records are written by the workflow alone")
      }
      let message = "\(record.id): \(record.hypothesis)\n" + Self.trailers(of: record)
      let commit = try worktree.commitAll(message: message, author: Self.person(of: record.agent)) ?? repository.tip(of: record.branch)
      guard let commit else { throw HubError(description: "there is no branch \(record.branch)") }
      var record = record
      record.code = ExperimentRecord.Code(commit: commit.hex, tree: try repository.treeID(of: commit, without: [Self.recordFolder]).hex)
      let superseded = try Self.records(in: repository, at: commit).filter {
        $0.branch == record.branch && $0.round >= record.round && $0.id != record.id
      }
      try write(record, "\(record.id): propose", removing: superseded.map(\.id), in: repository)
      return record
    }
  }

  /// Puts a record on its agent's branch. One that stands there already is not committed twice.
  @discardableResult
  public func commit(_ record: ExperimentRecord, _ doing: String) throws -> ExperimentRecord {
    guard record.branch != Self.trunk else { throw HubError(description: "\(record.id): the trunk is protected") }
    try exclusively { repository in
      guard let tip = try repository.tip(of: record.branch) else { throw HubError(description: "\(record.id): there is no branch \(record.branch)") }
      if try Self.record(record.id, in: repository, at: tip) != record { try write(record, "\(record.id): \(doing)", in: repository) }
    }
    return record
  }

  private func write(_ record: ExperimentRecord, _ subject: String, removing ids: [String] = [], in repository: Repository) throws {
    var files: [String: [UInt8]?] = [Self.file(of: record.id): Array(record.json.pretty.utf8)]
    for id in ids { files.updateValue(nil, forKey: Self.file(of: id)) }
    let message = subject + "\n" + (record.isBaseline ? "" : Self.trailers(of: record))
    try repository.commit(files, to: record.branch, message: message, author: Self.keeper)
    if !record.isBaseline { _ = synchronise(worktree(of: record.agent), with: record.branch) }
  }

  private static func trailers(of record: ExperimentRecord) -> String {
    var lines = "\nExperiment: \(record.id)\n"
    if let parent = record.parent { lines += "Parent: \(parent)\n" }
    if let source = record.borrowedFrom { lines += "Borrowed-From: \(source)\n" }
    return lines
  }

  /// Makes the worktree's files what its branch holds. False if it is no worktree of this hub on that branch.
  private func synchronise(_ worktree: String, with branch: String) -> Bool {
    do {
      let repository = try Repository(at: worktree)
      let real = { (path: String) in URL(filePath: path).resolvingSymlinksInPath().standardizedFileURL.path(percentEncoded: false) }
      guard real(repository.commonDirectory) == real(path + "/"), try repository.headBranch() == branch else { return false }
      try repository.discardChanges()
      return true
    } catch { return false }
  }
}

extension ExperimentRecord {
  public static let baselineHypothesis = "The baseline, before any agent."

  /// What two writers know of one baseline, joined; the same whoever came first.
  fileprivate func merged(with other: ExperimentRecord) -> ExperimentRecord {
    var merged = self
    if !other.study.isEmpty { (merged.study, merged.config) = (other.study, other.config) }
    if merged.hypothesis == Self.baselineHypothesis { merged.hypothesis = other.hypothesis }
    merged.data.merge(other.data) { $1 }
    merged.outcome?.perTrial = outcome?.perTrial ?? other.outcome?.perTrial
    return merged
  }
}
