// What this machine offers a workflow, and what to do about what it lacks.

internal import Glibc

public enum Machine {
  public enum State: String, Sendable { case good, missing, bad }

  public struct Check: Sendable {
    public let name: String
    public let state: State
    public let found: String
    public let hint: String?
  }

  /// `XDG_CACHE_HOME/enpire`: for what belongs to no workspace.
  public static var cacheDirectory: String {
    let environment = Child.inheritedEnvironment
    return (environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "/tmp") + "/.cache") + "/enpire"
  }

  /// The name of this machine.
  static var host: String {
    var name = utsname()
    uname(&name)
    return withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  public static func checks() -> [Check] {
    [
      worker(), kernel(), program("git", for: "looking at the hub", package: "git"),
      program("strace", for: "telling a failed step which file it did not declare", package: "strace"), sandbox(), python(), space(),
    ]
  }

  private static func worker() -> Check {
    do {
      let kinds = try Catalogue.kinds(state: cacheDirectory)
      return Check(name: "worker", state: .good, found: "\(Catalogue.worker), \(kinds.count) step kinds", hint: nil)
    } catch {
      return Check(name: "worker", state: .bad, found: "\(error)", hint: "make setup && make build")
    }
  }

  private static func kernel() -> Check {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let numbers = release.split { !$0.isNumber }.compactMap { Int($0) }
    let isNew = numbers.count >= 2 && (numbers[0], numbers[1]) >= (5, 3)
    return Check(
      name: "kernel", state: isNew ? .good : .bad, found: "Linux \(release)", hint: isNew ? nil : "enpire needs Linux 5.3 or newer (pidfd)")
  }

  private static func program(_ name: String, for purpose: String, package: String) -> Check {
    let path = (Child.inheritedEnvironment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }.first { (path: String) in
      access(path, X_OK) == 0
    }
    return Check(
      name: name, state: path == nil ? .missing : .good, found: path ?? "not on the PATH; used for \(purpose)",
      hint: path == nil ? "apt-get install \(package)" : nil)
  }

  /// Whether bubblewrap can make a sandbox here: containers and hardened kernels may forbid it.
  private static func sandbox() -> Check {
    let found = program("bwrap", for: "sandboxing", package: "bubblewrap")
    guard found.state == .good else { return found }
    let output = "/tmp/enpire-doctor-\(getpid())"
    defer { unlink(output) }
    let child = try? Child.spawn(
      ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "true"], environment: Child.inheritedEnvironment, directory: "/",
      output: output)
    if child?.wait() == .exited(0) { return Check(name: "sandbox", state: .good, found: "bubblewrap works", hint: nil) }
    let said =
      (try? Files.read(output)).map { String(decoding: $0.prefix(200), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? "" } ?? ""
    return Check(
      name: "sandbox", state: .missing, found: "bubblewrap cannot make namespaces: \(said)",
      hint: "allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)")
  }

  private static func python() -> Check {
    let named = Child.inheritedEnvironment["ENPIRE_PYTHON"] ?? ""
    let path = named.isEmpty ? ".deps/python/bin/python3" : named
    let isThere = access(path, X_OK) == 0
    return Check(
      name: "python", state: isThere ? .good : .missing,
      found: isThere ? path : "no \(path); used by stations with the driver 'gym' and by parity tests",
      hint: isThere ? nil : "make setup-test, or set ENPIRE_PYTHON")
  }

  private static func space() -> Check {
    var status = statvfs()
    guard statvfs(".", &status) == 0 else { return Check(name: "disk", state: .bad, found: "cannot be read", hint: nil) }
    let gigabytes = Double(status.f_bavail) * Double(status.f_frsize) / 1e9
    return Check(
      name: "disk", state: gigabytes < 2 ? .missing : .good, found: "\(Int(gigabytes)) GB free here",
      hint: gigabytes < 2 ? "a study needs about 2 GB" : nil)
  }
}
