// Why a Git operation failed: what was being done, and libgit2's own words for what was wrong.
// libgit2 keeps its last error per thread, so it is read at once, where the call failed.

internal import CGit2

public struct GitError: Error, Equatable, CustomStringConvertible {
  public enum Code: Sendable {
    case notFound, exists, locked, moved, conflict, other
  }

  /// `moved`: the branch is not where the caller took it to be, or the push would not be a fast-forward.
  public let code: Code
  /// What was being done, as "open the repository /x".
  public let doing: String
  /// libgit2's message.
  public let reason: String

  public init(_ code: Code, _ doing: String, _ reason: String) { (self.code, self.doing, self.reason) = (code, doing, reason) }

  public var description: String { "cannot \(doing): \(reason)" }
}

/// Throws for a negative return of libgit2.
func check(_ status: Int32, _ doing: @autoclosure () -> String) throws(GitError) {
  guard status < 0 else { return }
  let code: GitError.Code =
    switch git_error_code(status) {
    case GIT_ENOTFOUND, GIT_EUNBORNBRANCH: .notFound
    case GIT_EEXISTS: .exists
    case GIT_ELOCKED: .locked
    case GIT_EMODIFIED, GIT_ENONFASTFORWARD: .moved
    case GIT_ECONFLICT, GIT_EMERGECONFLICT, GIT_EUNMERGED: .conflict
    default: .other
    }
  let reason = git_error_last().flatMap { $0.pointee.message }.map { String(cString: $0) }
  throw GitError(code, doing(), reason ?? "libgit2 error \(status)")
}
