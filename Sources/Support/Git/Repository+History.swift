// Walking and comparing history.

internal import CGit2

extension Repository {
  /// The commits that can be reached from `tip`, newest first, children before parents.
  public func log(from tip: ObjectID, limit: Int = .max) throws(GitError) -> [Commit] {
    var walk: OpaquePointer?
    try check(git_revwalk_new(&walk, handle), "walk the history")
    defer { git_revwalk_free(walk) }
    git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL.rawValue | GIT_SORT_TIME.rawValue)
    var oid = tip.oid
    try check(git_revwalk_push(walk, &oid), "walk the history of \(tip.short)")
    var commits: [Commit] = []
    while commits.count < limit {
      let status = git_revwalk_next(&oid, walk)
      if status == GIT_ITEROVER.rawValue { break }
      try check(status, "walk the history of \(tip.short)")
      commits.append(try commit(ObjectID(oid)))
    }
    return commits
  }

  /// Whether `id` is `other` or one of its ancestors.
  public func isAncestor(_ id: ObjectID, of other: ObjectID) throws(GitError) -> Bool {
    if id == other { return true }
    var (ancestor, descendant) = (id.oid, other.oid)
    let status = git_graph_descendant_of(handle, &descendant, &ancestor)
    try check(status, "compare \(id.short) and \(other.short)")
    return status == 1
  }

  /// The best common ancestor; nil if there is none.
  public func mergeBase(_ a: ObjectID, _ b: ObjectID) throws(GitError) -> ObjectID? {
    var (one, two, base) = (a.oid, b.oid, git_oid())
    let status = git_merge_base(&base, handle, &one, &two)
    if status == GIT_ENOTFOUND.rawValue { return nil }
    try check(status, "find the merge base of \(a.short) and \(b.short)")
    return ObjectID(base)
  }

  /// What differs between the trees of two commits, by path.
  public func changes(from old: ObjectID, to new: ObjectID) throws(GitError) -> [FileChange] {
    try withDiff(from: old, to: new) { diff throws(GitError) in
      var changes: [FileChange] = []
      for index in 0..<git_diff_num_deltas(diff) {
        let delta = git_diff_get_delta(diff, index)!.pointee
        var patch: OpaquePointer?
        try check(git_patch_from_diff(&patch, diff, index), "compare \(old.short) and \(new.short)")
        defer { git_patch_free(patch) }
        var (added, removed) = (0, 0)
        if let patch { try check(git_patch_line_stats(nil, &added, &removed, patch), "count lines") }
        let status: FileChange.Status =
          switch delta.status {
          case GIT_DELTA_ADDED: .added
          case GIT_DELTA_DELETED: .deleted
          default: .modified
          }
        changes.append(FileChange(path: String(cString: delta.new_file.path), status: status, added: added, removed: removed))
      }
      return changes.sorted { $0.path < $1.path }
    }
  }

  /// The difference as a patch, as `git diff` writes it.
  public func patch(from old: ObjectID, to new: ObjectID) throws(GitError) -> String {
    try withDiff(from: old, to: new) { diff throws(GitError) in
      var buffer = git_buf()
      try check(git_diff_to_buf(&buffer, diff, GIT_DIFF_FORMAT_PATCH), "compare \(old.short) and \(new.short)")
      defer { git_buf_dispose(&buffer) }
      return String(decoding: UnsafeRawBufferPointer(start: buffer.ptr, count: buffer.size), as: UTF8.self)
    }
  }

  private func withDiff<R>(from old: ObjectID, to new: ObjectID, _ body: (OpaquePointer) throws(GitError) -> R) throws(GitError) -> R {
    let (before, after) = (try tree(of: old), try tree(of: new))
    defer {
      git_tree_free(before)
      git_tree_free(after)
    }
    var diff: OpaquePointer?
    try check(git_diff_tree_to_tree(&diff, handle, before, after, nil), "compare \(old.short) and \(new.short)")
    defer { git_diff_free(diff) }
    return try body(diff!)
  }

  /// Applies one commit's change on top of a branch, without a worktree, keeping its author and message. Throws `conflict` if it does not fit.
  @discardableResult
  public func cherryPick(_ id: ObjectID, onto branch: String) throws(GitError) -> ObjectID {
    guard let tip = try tip(of: branch) else { throw GitError(.notFound, "cherry-pick \(id.short)", "there is no branch \(branch)") }
    let (picked, ours) = (try lookUp(id), try lookUp(tip))
    defer {
      git_commit_free(picked)
      git_commit_free(ours)
    }
    var index: OpaquePointer?
    try check(git_cherrypick_commit(&index, handle, picked, ours, 0, nil), "cherry-pick \(id.short) onto \(branch)")
    defer { git_index_free(index) }
    guard git_index_has_conflicts(index) == 0 else {
      throw GitError(.conflict, "cherry-pick \(id.short) onto \(branch)", "both changed the same lines")
    }
    var oid = git_oid()
    try check(git_index_write_tree_to(&oid, index, handle), "cherry-pick \(id.short) onto \(branch)")
    let original = try commit(id)
    return try commit(tree: ObjectID(oid), to: "refs/heads/" + branch, parents: [tip], message: original.message, author: original.author)
  }
}
