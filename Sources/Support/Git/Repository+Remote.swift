// Fetching from and pushing to another repository, named by its path.

internal import CGit2
internal import Glibc

extension Repository {
  /// Fetches by refspecs, as `refs/heads/*:refs/heads/*`.
  public func fetch(from url: String, _ refspecs: [String]) throws(GitError) {
    try withRemote(url, refspecs) { remote, specs throws(GitError) in
      var options = git_fetch_options()
      try check(git_fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION)), "prepare a fetch")
      options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
      try check(git_remote_fetch(remote, specs, &options, "fetch"), "fetch from \(url)")
    }
  }

  /// Pushes by refspecs; throws `moved` if the other side does not take one.
  public func push(to url: String, _ refspecs: [String]) throws(GitError) {
    try withRemote(url, refspecs) { remote, specs throws(GitError) in
      var options = git_push_options()
      try check(git_push_options_init(&options, UInt32(GIT_PUSH_OPTIONS_VERSION)), "prepare a push")
      let refusal = Refusal()
      options.callbacks.payload = Unmanaged.passUnretained(refusal).toOpaque()
      options.callbacks.push_update_reference = { reference, status, payload in
        guard let reference, let status, let payload else { return 0 }
        Unmanaged<Refusal>.fromOpaque(payload).takeUnretainedValue().text = "\(String(cString: reference)): \(String(cString: status))"
        return 0
      }
      try withExtendedLifetime(refusal) { () throws(GitError) in
        try check(git_remote_push(remote, specs, &options), "push to \(url)")
        if let text = refusal.text { throw GitError(.moved, "push to \(url)", text) }
      }
    }
  }

  private final class Refusal { var text: String? }

  private func withRemote(
    _ url: String, _ refspecs: [String], _ body: (OpaquePointer, UnsafePointer<git_strarray>) throws(GitError) -> Void
  ) throws(GitError) {
    var remote: OpaquePointer?
    try check(git_remote_create_anonymous(&remote, handle, url), "reach \(url)")
    defer { git_remote_free(remote) }
    let strings = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: refspecs.count)
    for (index, spec) in refspecs.enumerated() { strings[index] = strdup(spec) }
    defer {
      for index in refspecs.indices { free(strings[index]) }
      strings.deallocate()
    }
    var specs = git_strarray(strings: strings, count: refspecs.count)
    try body(remote!, &specs)
  }
}
