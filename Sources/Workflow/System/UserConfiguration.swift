// A user's own defaults, `enpire/config.json` below XDG_CONFIG_HOME: what the command line may leave out. Results do not depend on it.

internal import Glibc
import JSON

public struct UserConfiguration: Sendable {
  /// Steps at a time.
  public var jobs: Int?
  /// `auto`, `always` or `never`.
  public var color: String?
  public var sandbox: SandboxMode?
  /// Where results are shared, as `--cache`.
  public var cache: String?
  /// Where summaries of scheduled runs are posted.
  public var notify: [Hook] = []

  public init() {}

  /// Reads the file; defaults if there is none, an error with its place if it is wrong.
  public static func load() throws -> UserConfiguration {
    var configuration = UserConfiguration()
    guard let path, Files.exists(path) else { return configuration }
    let reader = Reader(file: path, text: try Files.read(path))
    let root = try reader.parse()
    try reader.version(root, "config")
    try reader.onlyKeys(root, JSONPointer(), ["config", "jobs", "color", "sandbox", "cache", "notify"])
    if let jobs = root["jobs"] {
      guard let count = jobs.int, count > 0 else { throw reader.problem("'jobs' must be a count of 1 or more", JSONPointer(["jobs"])) }
      configuration.jobs = count
    }
    if let color = try reader.string(root, "color") {
      guard ["auto", "always", "never"].contains(color) else {
        throw reader.problem("'color' must be auto, always or never", JSONPointer(["color"]))
      }
      configuration.color = color
    }
    if let sandbox = try reader.string(root, "sandbox") {
      configuration.sandbox = SandboxMode(rawValue: sandbox)
      guard configuration.sandbox != nil else { throw reader.problem("'sandbox' must be auto, bwrap or none", JSONPointer(["sandbox"])) }
    }
    configuration.cache = try reader.string(root, "cache")
    configuration.notify = try Hook.list(root["notify"], reader, directory: Files.parent(of: path) ?? "/")
    return configuration
  }

  /// `XDG_CONFIG_HOME/enpire/config.json`, or below `~/.config`.
  private static var path: String? {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil } }
    return (variable("XDG_CONFIG_HOME") ?? variable("HOME").map { $0 + "/.config" }).map { $0 + "/enpire/config.json" }
  }
}
