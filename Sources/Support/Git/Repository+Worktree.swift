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
    try check(git_reset(handle, head, GIT_RESET_HARD, &options), "check out HEAD")
  }

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
