// A Git repository on this machine's file system: making, opening and cloning it, and its branches. Wraps libgit2; knows nothing of agents or
// records. One object is for one thread at a time; several threads and processes may each open the same repository.

internal import CGit2

public final class Repository {
  let handle: OpaquePointer

  private init(_ handle: OpaquePointer) { self.handle = handle }
  deinit { git_repository_free(handle) }

  /// libgit2 is set up once a process and reads no configuration but the repositories' own.
  private static let ready: Result<Void, GitError> = Result { () throws(GitError) in
    try check(git_libgit2_init(), "start libgit2")
    try check(enpire_git_ignore_user_configuration(), "set up libgit2")
  }

  // MARK: Making and opening

  /// Makes a repository, with `head` as the branch that HEAD names. An existing one at `path` is opened and keeps what it holds.
  public static func create(at path: String, bare: Bool, head: String = "main") throws(GitError) -> Repository {
    try ready.get()
    var options = git_repository_init_options()
    try check(git_repository_init_options_init(&options, UInt32(GIT_REPOSITORY_INIT_OPTIONS_VERSION)), "prepare \(path)")
    options.flags = GIT_REPOSITORY_INIT_MKPATH.rawValue | (bare ? GIT_REPOSITORY_INIT_BARE.rawValue : 0)
    var handle: OpaquePointer?
    let status = head.withCString { head in
      options.initial_head = head
      return git_repository_init_ext(&handle, path, &options)
    }
    try check(status, "make the repository \(path)")
    return Repository(handle!)
  }

  /// Opens the repository, or the worktree, at exactly `path`.
  public init(at path: String) throws(GitError) {
    try Self.ready.get()
    var handle: OpaquePointer?
    try check(git_repository_open_ext(&handle, path, GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue, nil), "open the repository \(path)")
    self.handle = handle!
  }

  /// Copies the repository at `source`, a path, with all its branches as `origin/…`.
  public static func clone(_ source: String, to path: String, bare: Bool = false) throws(GitError) -> Repository {
    try ready.get()
    var options = git_clone_options()
    try check(git_clone_options_init(&options, UInt32(GIT_CLONE_OPTIONS_VERSION)), "prepare a clone")
    options.bare = bare ? 1 : 0
    var handle: OpaquePointer?
    try check(git_clone(&handle, source, path, &options), "clone \(source) to \(path)")
    return Repository(handle!)
  }

  /// The directory of refs and objects, with a trailing slash.
  public var gitDirectory: String { String(cString: git_repository_path(handle)) }

  // MARK: Branches

  /// The commit at a branch's tip; nil if there is no such branch.
  public func tip(of branch: String) throws(GitError) -> ObjectID? {
    var oid = git_oid()
    let status = git_reference_name_to_id(&oid, handle, "refs/heads/" + branch)
    if status == GIT_ENOTFOUND.rawValue { return nil }
    try check(status, "look up the branch \(branch)")
    return ObjectID(oid)
  }

  /// The names of the local branches, sorted.
  public func branches() throws(GitError) -> [String] {
    var iterator: OpaquePointer?
    try check(git_branch_iterator_new(&iterator, handle, GIT_BRANCH_LOCAL), "list the branches")
    defer { git_branch_iterator_free(iterator) }
    var names: [String] = []
    var reference: OpaquePointer?
    var kind = GIT_BRANCH_LOCAL
    while true {
      let status = git_branch_next(&reference, &kind, iterator)
      if status == GIT_ITEROVER.rawValue { return names.sorted() }
      try check(status, "list the branches")
      names.append(String(cString: git_reference_shorthand(reference)))
      git_reference_free(reference)
    }
  }

  /// Starts a branch at a commit. Refuses (`exists`) one that is there.
  public func createBranch(_ name: String, at id: ObjectID) throws(GitError) {
    let commit = try lookUp(id)
    defer { git_commit_free(commit) }
    var reference: OpaquePointer?
    try check(git_branch_create(&reference, handle, name, commit, 0), "start the branch \(name)")
    git_reference_free(reference)
  }

  /// A libgit2 commit, which the caller frees.
  func lookUp(_ id: ObjectID) throws(GitError) -> OpaquePointer {
    var oid = id.oid
    var commit: OpaquePointer?
    try check(git_commit_lookup(&commit, handle, &oid), "read the commit \(id.short)")
    return commit!
  }
}
