// Reading files at a commit, and committing files to a branch without a worktree.

internal import CGit2
internal import Glibc

extension Repository {
  // MARK: Reading

  /// A file's bytes at a commit; nil if it has no such file.
  public func file(_ path: String, at id: ObjectID) throws(GitError) -> [UInt8]? {
    guard let entry = try entry(path, at: id) else { return nil }
    defer { git_tree_entry_free(entry) }
    guard git_tree_entry_type(entry) == GIT_OBJECT_BLOB else { return nil }
    var blob: OpaquePointer?
    try check(git_blob_lookup(&blob, handle, git_tree_entry_id(entry)), "read \(path) at \(id.short)")
    defer { git_blob_free(blob) }
    return Array(UnsafeRawBufferPointer(start: git_blob_rawcontent(blob), count: Int(git_blob_rawsize(blob))))
  }

  /// The names in a folder (nil: the root) at a commit, sorted; empty if there is no such folder.
  public func names(in folder: String? = nil, at id: ObjectID) throws(GitError) -> [String] {
    var tree: OpaquePointer?
    if let folder {
      guard let entry = try entry(folder, at: id) else { return [] }
      defer { git_tree_entry_free(entry) }
      guard git_tree_entry_type(entry) == GIT_OBJECT_TREE else { return [] }
      try check(git_tree_lookup(&tree, handle, git_tree_entry_id(entry)), "read \(folder) at \(id.short)")
    } else {
      tree = try self.tree(of: id)
    }
    defer { git_tree_free(tree) }
    return (0..<git_tree_entrycount(tree)).map { String(cString: git_tree_entry_name(git_tree_entry_byindex(tree, $0))) }.sorted()
  }

  public func commit(_ id: ObjectID) throws(GitError) -> Commit {
    let commit = try lookUp(id)
    defer { git_commit_free(commit) }
    let author = git_commit_author(commit)!.pointee
    return Commit(
      id: id, tree: ObjectID(git_commit_tree_id(commit).pointee),
      parents: (0..<git_commit_parentcount(commit)).map { ObjectID(git_commit_parent_id(commit, $0).pointee) },
      author: Person(String(cString: author.name), email: String(cString: author.email)),
      message: String(cString: git_commit_message(commit)), time: Int(git_commit_time(commit)))
  }

  /// The id of a commit's tree with some names of the root left out: what the rest is, wherever and whenever it was committed.
  public func treeID(of id: ObjectID, without names: [String] = []) throws(GitError) -> ObjectID {
    let tree = try tree(of: id)
    defer { git_tree_free(tree) }
    var builder: OpaquePointer?
    try check(git_treebuilder_new(&builder, handle, tree), "read the tree of \(id.short)")
    defer { git_treebuilder_free(builder) }
    for name in names where git_treebuilder_get(builder, name) != nil {
      try check(git_treebuilder_remove(builder, name), "leave \(name) out of the tree of \(id.short)")
    }
    var oid = git_oid()
    try check(git_treebuilder_write(&oid, builder), "write the tree of \(id.short)")
    return ObjectID(oid)
  }

  /// A libgit2 tree, which the caller frees.
  func tree(of id: ObjectID) throws(GitError) -> OpaquePointer {
    let commit = try lookUp(id)
    defer { git_commit_free(commit) }
    var tree: OpaquePointer?
    try check(git_commit_tree(&tree, commit), "read the tree of \(id.short)")
    return tree!
  }

  private func entry(_ path: String, at id: ObjectID) throws(GitError) -> OpaquePointer? {
    let tree = try tree(of: id)
    defer { git_tree_free(tree) }
    var entry: OpaquePointer?
    let status = git_tree_entry_bypath(&entry, tree, path)
    if status == GIT_ENOTFOUND.rawValue { return nil }
    try check(status, "find \(path) at \(id.short)")
    return entry
  }

  // MARK: Writing

  /// Commits files to a branch, on top of its tip, without a worktree; a nil content removes the file. A branch that is not there starts with this
  /// commit. Throws `moved` if another commit came first, `locked` if the branch is being written.
  @discardableResult
  public func commit(_ files: [String: [UInt8]?], to branch: String, message: String, author: Person) throws(GitError) -> ObjectID {
    let tip = try tip(of: branch)
    var baseline: OpaquePointer?
    if let tip { baseline = try tree(of: tip) }
    defer { git_tree_free(baseline) }

    let paths = files.keys.sorted()
    let names = paths.map { strdup($0)! }
    defer { names.forEach { free($0) } }
    var updates: [git_tree_update] = []
    for (path, name) in zip(paths, names) {
      var update = git_tree_update()
      update.path = UnsafePointer(name)
      update.filemode = GIT_FILEMODE_BLOB
      if let content = files[path]! {
        update.action = GIT_TREE_UPDATE_UPSERT
        try check(git_blob_create_from_buffer(&update.id, handle, content, content.count), "store \(path)")
      } else {
        update.action = GIT_TREE_UPDATE_REMOVE
      }
      updates.append(update)
    }
    var oid = git_oid()
    try check(git_tree_create_updated(&oid, handle, baseline, updates.count, updates), "build a tree for \(branch)")
    return try commit(tree: ObjectID(oid), to: "refs/heads/" + branch, parents: tip.map { [$0] } ?? [], message: message, author: author)
  }

  /// Commits a tree that is stored, and moves `reference` from the first parent to it.
  func commit(tree id: ObjectID, to reference: String, parents: [ObjectID], message: String, author: Person) throws(GitError) -> ObjectID {
    var treeOID = id.oid
    var tree: OpaquePointer?
    try check(git_tree_lookup(&tree, handle, &treeOID), "read the tree \(id.short)")
    defer { git_tree_free(tree) }
    var signature: UnsafeMutablePointer<git_signature>?
    try check(git_signature_now(&signature, author.name, author.email), "sign as \(author.name)")
    defer { git_signature_free(signature) }
    var commits: [OpaquePointer?] = []
    defer { commits.forEach(git_commit_free) }
    for parent in parents { commits.append(try lookUp(parent)) }
    var oid = git_oid()
    try check(
      git_commit_create(&oid, handle, reference, signature, signature, nil, message, tree, commits.count, &commits), "commit to \(reference)")
    return ObjectID(oid)
  }
}
