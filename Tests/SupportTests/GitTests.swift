// Git against real repositories in temporary directories, cross-checked with the `git` command line.

import Foundation
import Git
import Testing

@Suite struct GitTests {
  private let ada = Person("Ada", email: "ada@example.org")

  @Test func commitsFilesToABranchOfABareRepositoryAndReadsThemBack() throws {
    try withDirectory { directory in
      let repository = try Repository.create(at: directory + "/hub.git", bare: true)
      let first = try repository.commit(
        ["recipe.json": Array("{}".utf8), "a/b/c.txt": [0, 255], "a/e": [1]], to: "main", message: "Begin\n", author: ada)
      let second = try repository.commit(["a/b/c.txt": nil, "a/d": []], to: "main", message: "Go on\n\nKey: value\n", author: ada)
      #expect(try repository.file("a/b/c.txt", at: first) == [0, 255])
      #expect(try repository.file("a/b/c.txt", at: second) == nil)
      #expect(try repository.file("recipe.json", at: second) == Array("{}".utf8))
      #expect(try repository.names(in: "a", at: second).contains("d"))
      #expect(try repository.tip(of: "main") == second)
      #expect(try repository.tip(of: "none") == nil)
      let commit = try repository.commit(second)
      #expect(commit.parents == [first] && commit.author == ada && commit.subject == "Go on" && commit.trailer("Key") == "value")
      #expect(try git(directory, "--git-dir", "hub.git", "log", "--format=%H %an %s", "main") == "\(second) Ada Go on\n\(first) Ada Begin\n")
      #expect(try git(directory, "--git-dir", "hub.git", "show", "main:recipe.json") == "{}")
      #expect(try git(directory, "--git-dir", "hub.git", "rev-parse", "main^{tree}") == "\(commit.tree)\n")
      #expect(try git(directory, "--git-dir", "hub.git", "fsck", "--strict") == "")
    }
  }

  @Test func branchesCompareAndWalk() throws {
    try withDirectory { directory in
      let repository = try Repository.create(at: directory + "/hub.git", bare: true)
      let base = try repository.commit(["f": Array("one\ntwo\n".utf8)], to: "main", message: "base", author: ada)
      try repository.createBranch("agent/a", at: base)
      try repository.createBranch("agent/b", at: base)
      let a = try repository.commit(["f": Array("one\nTWO\nthree\n".utf8), "new": Array("x\n".utf8)], to: "agent/a", message: "a", author: ada)
      let b = try repository.commit(["g": Array("g\n".utf8)], to: "agent/b", message: "b", author: ada)
      #expect(try repository.branches() == ["agent/a", "agent/b", "main"])
      #expect(try repository.mergeBase(a, b) == base)
      #expect(try repository.isAncestor(base, of: a) && repository.isAncestor(a, of: a))
      #expect(try !repository.isAncestor(a, of: b))
      #expect(try repository.log(from: a).map(\.id) == [a, base])
      #expect(try repository.log(from: a, limit: 1).map(\.id) == [a])
      #expect(
        try repository.changes(from: base, to: a) == [
          FileChange(path: "f", status: .modified, added: 2, removed: 1), FileChange(path: "new", status: .added, added: 1, removed: 0),
        ])
      #expect(try repository.patch(from: base, to: a) == git(directory, "--git-dir", "hub.git", "diff", "--no-color", "\(base)", "\(a)"))
      #expect(throws: GitError.self) { try repository.createBranch("agent/a", at: base) }
    }
  }

  @Test func theIdOfATreeWithoutAFolderDependsOnTheRestAlone() throws {
    try withDirectory { directory in
      let repository = try Repository.create(at: directory + "/hub.git", bare: true)
      let one = try repository.commit(["code": [1], "experiments/x": [2]], to: "main", message: "1", author: ada)
      let two = try repository.commit(["experiments/y": [3]], to: "main", message: "2", author: ada)
      let three = try repository.commit(["code": [9]], to: "main", message: "3", author: ada)
      #expect(try repository.treeID(of: one) != repository.treeID(of: two))
      #expect(try repository.treeID(of: one, without: ["experiments"]) == repository.treeID(of: two, without: ["experiments"]))
      #expect(try repository.treeID(of: two, without: ["experiments"]) != repository.treeID(of: three, without: ["experiments"]))
      #expect(try git(directory, "--git-dir", "hub.git", "rev-parse", "\(two)^{tree}") == "\(repository.treeID(of: two))\n")
    }
  }

  @Test func aWorktreeIsEditedCommittedAndPutBack() throws {
    try withDirectory { directory in
      let hub = try Repository.create(at: directory + "/hub.git", bare: true)
      let base = try hub.commit(["keep": [1], "drop": [2]], to: "main", message: "base", author: ada)
      try hub.createBranch("agent/a", at: base)
      try hub.addWorktree("a", at: directory + "/a", branch: "agent/a")
      #expect(try hub.worktrees() == ["a"])
      let worktree = try Repository(at: directory + "/a")
      #expect(try worktree.headBranch() == "agent/a")
      #expect(try worktree.commitAll(message: "nothing", author: ada) == nil)

      try FileManager.default.createDirectory(atPath: directory + "/a/sub", withIntermediateDirectories: true)
      try Data("new".utf8).write(to: URL(filePath: directory + "/a/sub/new"))
      try FileManager.default.removeItem(atPath: directory + "/a/drop")
      #expect(try worktree.changedPaths() == ["drop", "sub/new"])
      let commit = try #require(try worktree.commitAll(message: "change\n", author: ada))
      #expect(try hub.tip(of: "agent/a") == commit && hub.tip(of: "main") == base)
      #expect(try hub.names(at: commit) == ["keep", "sub"])
      #expect(try git(directory + "/a", "status", "--porcelain") == "")

      // The branch moves without the worktree, which then follows; stray files go.
      try hub.commit(["keep": [7]], to: "agent/a", message: "elsewhere", author: ada)
      try Data("stray".utf8).write(to: URL(filePath: directory + "/a/stray"))
      try worktree.discardChanges()
      #expect(FileManager.default.contents(atPath: directory + "/a/keep") == Data([7]))
      #expect(!FileManager.default.fileExists(atPath: directory + "/a/stray"))
      #expect(try worktree.changedPaths() == [])
    }
  }

  @Test func clonesFetchesAndPushesOverTheFileSystem() throws {
    try withDirectory { directory in
      let hub = try Repository.create(at: directory + "/hub.git", bare: true)
      let base = try hub.commit(["f": [1]], to: "main", message: "base", author: ada)
      let clone = try Repository.clone(directory + "/hub.git", to: directory + "/clone")
      #expect(FileManager.default.contents(atPath: directory + "/clone/f") == Data([1]))
      let ahead = try hub.commit(["f": [2]], to: "main", message: "ahead", author: ada)
      try clone.fetch(from: directory + "/hub.git", ["refs/heads/main:refs/heads/upstream"])
      #expect(try clone.tip(of: "upstream") == ahead)
      #expect(try clone.tip(of: "main") == base)
      let mine = try clone.commit(["g": [3]], to: "mine", message: "mine", author: ada)
      try clone.push(to: directory + "/hub.git", ["refs/heads/mine:refs/heads/mine"])
      #expect(try hub.tip(of: "mine") == mine)
      // The clone's main is behind: not a fast-forward.
      let error = #expect(throws: GitError.self) { try clone.push(to: directory + "/hub.git", ["refs/heads/main:refs/heads/main"]) }
      #expect(error?.code == .moved)
      #expect(try hub.tip(of: "main") == ahead)
    }
  }

  @Test func cherryPicksWhatFitsAndRefusesWhatDoesNot() throws {
    try withDirectory { directory in
      let hub = try Repository.create(at: directory + "/hub.git", bare: true)
      let base = try hub.commit(["f": Array("a\n".utf8)], to: "main", message: "base", author: ada)
      try hub.createBranch("x", at: base)
      try hub.createBranch("y", at: base)
      let grace = Person("Grace", email: "grace@example.org")
      let idea = try hub.commit(["g": Array("idea\n".utf8)], to: "x", message: "idea", author: grace)
      let clash = try hub.commit(["f": Array("x\n".utf8)], to: "x", message: "clash", author: grace)
      let own = try hub.commit(["f": Array("y\n".utf8)], to: "y", message: "own", author: ada)
      let picked = try hub.cherryPick(idea, onto: "y")
      #expect(try hub.commit(picked).parents == [own] && hub.commit(picked).author == grace)
      #expect(try hub.file("g", at: picked) == Array("idea\n".utf8))
      let error = #expect(throws: GitError.self) { try hub.cherryPick(clash, onto: "y") }
      #expect(error?.code == .conflict)
      #expect(try hub.tip(of: "y") == picked)
    }
  }

  @Test func anErrorSaysWhatWasBeingDoneAndWhatGitSays() throws {
    try withDirectory { directory in
      let error = #expect(throws: GitError.self) { try Repository(at: directory + "/none") }
      #expect(error?.code == .notFound)
      #expect(error?.description.hasPrefix("cannot open the repository \(directory)/none: ") == true)
      #expect(error?.description.contains("libgit2 error") == false)
    }
  }

  // MARK: -

  private func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = NSTemporaryDirectory() + "enpire-git-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try body(directory)
  }

  private func git(_ directory: String, _ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["git"] + arguments
    process.currentDirectoryURL = URL(filePath: directory)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
