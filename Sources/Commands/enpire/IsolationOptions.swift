// How steps are kept apart from everything else, for verbs that run some.

import ArgumentParser
import Workflow

struct IsolationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Run steps under bubblewrap, without, or with it where it works (default: ENPIRE_SANDBOX, or auto).", valueName: "auto|bwrap|none"),
    completion: .list(["auto", "bwrap", "none"]), transform: mode)
  var sandbox: SandboxMode?

  @Option(
    help: ArgumentHelp(
      "Share results over a directory or Bazel's HTTP cache protocol; none for nowhere (default: ENPIRE_CACHE, or the user's configuration).",
      valueName: "directory|url|none"), completion: .directory)
  var cache: String?

  func apply(to session: Session, _ configuration: UserConfiguration) {
    Self.apply(sandbox: sandbox, cache: cache, to: session, configuration)
  }

  static func apply(sandbox: SandboxMode?, cache: String?, to session: Session, _ configuration: UserConfiguration) {
    session.isolation.mode = sandbox
    session.isolation.fallback = configuration.sandbox
    session.isolation.cache = cache ?? Isolation.cacheInEnvironment ?? configuration.cache
  }

  private static func mode(_ word: String) throws -> SandboxMode {
    guard let mode = SandboxMode(rawValue: word) else { throw ValidationError("--sandbox is auto, bwrap or none, not '\(word)'") }
    return mode
  }
}
