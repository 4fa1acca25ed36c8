// Worktrees: a branch's files in a directory, to be edited by any program and committed as they stand.

internal import CGit2

extension Repository {
  /// Checks a branch out into a new directory. `name` is the worktree's name in the repository.
  public func addWorktree(_ name: String, at path: String, branch: String) throws(GitError) {
    var reference: OpaquePointer?
    try check(git_reference_lookup(&reference, handle, "refs/heads/" + branch), "find the branch \(branch)")
    defer { git_reference_free(reference) }
    var options = git_worktree_add_options()
    try check(git_worktree_add_options_init(&options, UInt32(GIT_WORKTREE_ADD_OPTIONS_VERSION)), "prepare a worktree")
    options.ref = reference
    var worktree: OpaquePointer?
    try check(git_worktree_add(&worktree, handle, name, path, &options), "add the worktree \(path)")
    git_worktree_free(worktree)
  }

  public func worktrees() throws(GitError) -> [String] {
    var list = git_strarray()
    try check(git_worktree_list(&list, handle), "list the worktrees")
    defer { git_strarray_dispose(&list) }
    return (0..<list.count).compactMap { list.strings[$0].map { String(cString: $0) } }.sorted()
  }

  /// In a worktree: makes the files what its branch's tip holds. Changed and untracked files are lost.
  public func discardChanges() throws(GitError) {
    var head: OpaquePointer?
    try check(git_revparse_single(&head, handle, "HEAD"), "read HEAD")
    defer { git_object_free(head) }
    var options = git_checkout_options()
    try check(git_checkout_options_init(&options, UInt32(GIT_CHECKOUT_OPTIONS_VERSION)), "prepare a checkout")
    options.checkout_strategy = GIT_CHECKOUT_FORCE.rawValue | GIT_CHECKOUT_REMOVE_UNTRACKED.rawValue
    // A reset moves the index too but leaves untracked files, whatever its options say.
    try check(git_reset(handle, head, GIT_RESET_HARD, nil), "check out HEAD")
    try check(git_checkout_tree(handle, head, &options), "check out HEAD")
  }

  /// In a worktree: the paths that differ from its branch's tip, untracked ones too, sorted; ignored ones left out.
  public func changedPaths() throws(GitError) -> [String] {
    var options = git_status_options()
    try check(git_status_options_init(&options, UInt32(GIT_STATUS_OPTIONS_VERSION)), "prepare a status")
    options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED.rawValue | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS.rawValue
    var list: OpaquePointer?
    try check(git_status_list_new(&list, handle, &options), "compare the worktree with its branch")
    defer { git_status_list_free(list) }
    let paths = (0..<git_status_list_entrycount(list)).compactMap { index -> String? in
      let entry = git_status_byindex(list, index)!.pointee
      return (entry.head_to_index ?? entry.index_to_workdir).map { String(cString: $0.pointee.new_file.path) }
    }
    return Set(paths).sorted()
  }

  /// The branch that HEAD names, in a repository or a worktree; nil if HEAD names a commit.
  public func headBranch() throws(GitError) -> String? {
    var reference: OpaquePointer?
    try check(git_reference_lookup(&reference, handle, "HEAD"), "read HEAD")
    defer { git_reference_free(reference) }
    guard let target = git_reference_symbolic_target(reference) else { return nil }
    return String(String(cString: target).trimmingPrefix("refs/heads/"))
  }

  /// The directory that a repository shares with its worktrees, with a trailing slash.
  public var commonDirectory: String { String(cString: git_repository_commondir(handle)) }

  /// In a worktree: commits every changed, new and deleted file that is not ignored. Nil if nothing changed.
  @discardableResult
  public func commitAll(message: String, author: Person) throws(GitError) -> ObjectID? {
    var index: OpaquePointer?
    try check(git_repository_index(&index, handle), "open the index")
    defer { git_index_free(index) }
    try check(git_index_add_all(index, nil, GIT_INDEX_ADD_DEFAULT.rawValue, nil, nil), "stage the changes")
    var treeOID = git_oid()
    try check(git_index_write_tree(&treeOID, index), "write the tree")
    try check(git_index_write(index), "write the index")
    var head = git_oid()
    try check(git_reference_name_to_id(&head, handle, "HEAD"), "read HEAD")
    let (tree, parent) = (ObjectID(treeOID), ObjectID(head))
    if try treeID(of: parent) == tree { return nil }
    return try commit(tree: tree, to: "HEAD", parents: [parent], message: message, author: author)
  }
}
