// What a workflow finds in the environment of whoever installs a schedule, and will not find at night: a crontab's line has to carry it.

internal import Glibc

public enum Surroundings {
  /// What enpire itself reads. Tokens are left out: a crontab is no place for them.
  private static let own = [
    "ENPIRE_STATE", "ENPIRE_WORKER", "ENPIRE_SANDBOX", "ENPIRE_SANDBOX_PATHS", "ENPIRE_CACHE", "ENPIRE_PYTHON", "ENPIRE_SENDMAIL", "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
  ]

  /// Variables that are set here and matter: `PATH`, by which commands are found and which keys of tools rest on; enpire's own; those that the
  /// manifest asks for; and `more`. Throws if one of these is not set.
  public static func carried(for manifest: Manifest, more: [String]) throws -> [(name: String, value: String)] {
    let secrets = secretVariables(of: manifest)
    func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    var names = ["PATH"] + own.filter { value($0)?.isEmpty == false }
    names += manifest.environment.filter { !secrets.contains($0) }
    for name in more where value(name) == nil { throw Problem(.usage, "--env \(name): it is not set here", hint: "export \(name)=… first") }
    names += more
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }.compactMap { name in value(name).map { (name, $0) } }.filter {
      $0.name != "PATH" || $0.value != "/usr/bin:/bin"
    }
  }

  /// Secrets of steps and hooks that come from the environment, which a schedule does not have.
  public static func secretVariables(of manifest: Manifest) -> [String] {
    var names: Set<String> = []
    for step in manifest.steps.values {
      for secret in step.options.secrets { if case .environment(let name) = secret.source { names.insert(name) } }
    }
    for hook in manifest.notify {
      for text in [hook.url, hook.token] { if case .environment(let name)? = text { names.insert(name) } }
    }
    return names.sorted()
  }

  /// This program, by an absolute path that a shell of any directory finds.
  public static var program: String { Supervisor.programPath }
}
