// What a program that nobody trusts may see and use: the system's own programs and libraries, the files it is shown, a small /tmp; no
// network, no other process, no /proc, no home, and bounded time, memory and output. Made by bubblewrap, prlimit and a filter of system calls.
// It knows neither what the program is for nor what it says.

internal import Glibc

public struct Confinement: Sendable {
  public struct Limits: Sendable, Hashable {
    /// Address space of a process, bytes.
    public var memory: Int
    /// Processor seconds over its whole life.
    public var processorSeconds: Int
    /// Seconds it may take to answer, by the wall clock; and to the first answer.
    public var answerSeconds: Double
    public var startSeconds: Double
    /// Bytes of one answer, and bytes of standard error over its whole life.
    public var answerBytes: Int
    public var errorBytes: Int
    /// Bytes of a file it writes, and of its /tmp.
    public var fileBytes: Int
    /// Whether it may start other processes, which have the same memory each.
    public var mayFork: Bool

    public init(
      memory: Int = 512 << 20, processorSeconds: Int = 3600, answerSeconds: Double = 5, startSeconds: Double = 30, answerBytes: Int = 64 << 10,
      errorBytes: Int = 1 << 20, fileBytes: Int = 16 << 20, mayFork: Bool = false
    ) {
      (self.memory, self.processorSeconds, self.answerSeconds, self.startSeconds) = (memory, processorSeconds, answerSeconds, startSeconds)
      (self.answerBytes, self.errorBytes, self.fileBytes, self.mayFork) = (answerBytes, errorBytes, fileBytes, mayFork)
    }
  }

  /// A file or directory of this machine and where it is seen inside.
  public struct Mount: Sendable, Hashable {
    public var path: String
    public var seenAt: String
    public var writable: Bool

    public init(_ path: String, at place: String? = nil, writable: Bool = false) {
      (self.path, self.seenAt, self.writable) = (path, place ?? path, writable)
    }
  }

  public var mounts: [Mount]
  public var limits: Limits
  public var environment: [(name: String, value: String)]
  /// Whether it sees /proc of this machine: a compiler looks for itself there. Never for what a stranger wrote.
  public var seesProcesses: Bool

  public init(mounts: [Mount] = [], limits: Limits = Limits(), environment: [(name: String, value: String)] = [], seesProcesses: Bool = false) {
    (self.mounts, self.limits, self.environment, self.seesProcesses) = (mounts, limits, environment, seesProcesses)
  }

  /// Whether a sandbox can be made here; the reason if not. Looked up once.
  public static let problem: ConfinementError? = {
    do throws(ConfinementError) {
      let process = try ConfinedProcess(unchecked: ["/bin/true"], in: Confinement())
      let end = process.wait(seconds: 30)
      return end.status == 0 ? nil : ConfinementError(.noSandbox, "bubblewrap cannot make a sandbox here: \(end.errors)")
    } catch { return error }
  }()

  /// The words that run `argv` inside, with the filter of system calls on descriptor 3.
  func words(_ argv: [String]) throws(ConfinementError) -> [String] {
    guard let bubblewrap = Self.program("bwrap") else { throw ConfinementError(.noSandbox, "there is no bubblewrap") }
    guard let prlimit = Self.program("prlimit") else { throw ConfinementError(.noSandbox, "there is no prlimit (Debian's util-linux)") }
    var words = [bubblewrap, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    words += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox"]
    words += ["--ro-bind", "/usr", "/usr"]
    for name in ["/bin", "/sbin", "/lib", "/lib32", "/lib64"] {
      if let target = Self.link(name) {
        words += ["--symlink", target, name]
      } else if access(name, F_OK) == 0 {
        words += ["--ro-bind", name, name]
      }
    }
    for device in ["/dev/null", "/dev/zero", "/dev/urandom"] { words += ["--dev-bind", device, device] }
    words += ["--size", String(limits.fileBytes), "--tmpfs", "/tmp"]
    if seesProcesses { words += ["--ro-bind", "/proc", "/proc"] }
    for mount in mounts { words += [mount.writable ? "--bind" : "--ro-bind", mount.path, mount.seenAt] }
    words += ["--remount-ro", "/", "--chdir", "/tmp"]
    if !limits.mayFork { words += ["--seccomp", "3"] }
    words += ["--", prlimit, "--as=\(limits.memory)", "--cpu=\(limits.processorSeconds)", "--fsize=\(limits.fileBytes)", "--nofile=256", "--core=0"]
    return words + argv
  }

  /// What the program finds in its environment; of this process's only which loops OpenBLAS takes.
  var variables: [String] {
    var common = [("PATH", "/usr/bin:/bin"), ("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("PYTHONHASHSEED", "0"), ("OMP_NUM_THREADS", "1")]
    if let core = getenv("OPENBLAS_CORETYPE") { common.append(("OPENBLAS_CORETYPE", String(cString: core))) }
    return (common + environment.map { ($0.name, $0.value) }).map { "\($0.0)=\($0.1)" }
  }

  /// The file that the link leads to; nil if it is none.
  private static func link(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }

  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The program of that name on the PATH, with its links followed.
  public static func program(_ name: String) -> String? {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    let candidates: [String] = path.split(separator: ":").map { "\($0)/\(name)" } + ["/usr/bin/\(name)"]
    guard let found = candidates.first(where: { access($0, X_OK) == 0 }), let real = realpath(found, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}

/// Why a confined program is of no use: it never started, or broke a limit, or ended.
public struct ConfinementError: Error, CustomStringConvertible, Equatable {
  public enum Reason: Sendable, Equatable {
    /// There is no sandbox here: nothing was run.
    case noSandbox
    /// It did not answer in time, said too much, or ended.
    case late, talkative, ended
  }

  public let reason: Reason
  /// A sentence without its subject's name.
  public let description: String

  init(_ reason: Reason, _ description: String) { (self.reason, self.description) = (reason, description) }
}
