// Bubblewrap around a step: it sees the system's programs and libraries, what it declared, its private directory and a /tmp of its own, and
// no network, no other process, no home and nothing else of the workspace. It knows neither steps nor why something is shown.

internal import Glibc

public enum SandboxMode: String, Sendable, CaseIterable {
  /// Bubblewrap where it works.
  case auto
  case bwrap
  case none
}

final class Sandbox {
  private let program: String
  /// The system's directories, devices and /tmp: the same for every step.
  private let system: [String]
  private let environment = Child.inheritedEnvironment

  /// `state` is where a small /etc is kept, that all steps see. Throws if bubblewrap cannot make a sandbox here.
  init(state: String) throws {
    guard let program = Files.program("bwrap") else {
      throw Problem(.stepFailed, "there is no bubblewrap", hint: "apt-get install bubblewrap, or --sandbox=none")
    }
    self.program = program
    let system = Self.mounts(etc: try Self.makeEtc(in: state + "/sandbox")) + Self.programs(environment)
    // Root becomes another user inside: a step may have to make a sandbox of its own, around a program that nobody trusts, and the kernel lets
    // nobody map root without rights that a step must not have. Where there are no name spaces of users, root stays root.
    let users = getuid() == 0 ? [["--unshare-user", "--uid", String(Self.user), "--gid", String(Self.user)], []] : [[], ["--unshare-user"]]
    for attempt in users.map({ system + $0 }) {
      if Self.works([program] + attempt + ["--unshare-net", "--", "/bin/true"], output: state + "/sandbox/probe") {
        self.system = attempt
        return
      }
    }
    let said = (try? Files.read(state + "/sandbox/probe")).map { String(decoding: $0.prefix(200), as: UTF8.self).prefix { $0 != "\n" } } ?? ""
    throw Problem(
      .stepFailed, "bubblewrap cannot make a sandbox here: \(said)", hint: "enpire doctor says what is missing; --sandbox=none does without")
  }

  /// The command that runs `argv` in `directory`, which is writable, with what `exposure` shows.
  func wrap(_ argv: [String], directory: String, exposure: Exposure, state: String) -> [String] {
    var words = [program] + system
    if exposure.network {
      for name in ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl", "/etc/ca-certificates"] {
        words += ["--ro-bind-try", Files.real(name) ?? name, name]
      }
    } else {
      words.append("--unshare-net")
    }
    for path in exposure.readable(neverShowing: state) { words += ["--ro-bind", path, path] }
    words += ["--bind", directory, directory]
    for path in exposure.writable { words += ["--bind", path, path] }
    return words + ["--chdir", directory, "--"] + argv
  }

  /// The step's own processes: those below the first process of its name space, which is bubblewrap's too.
  static func processes(under bubblewrap: pid_t) -> [pid_t] {
    func children(_ pid: pid_t) -> [pid_t] {
      let list = (try? Files.read("/proc/\(pid)/task/\(pid)/children")) ?? []
      return list.split(separator: UInt8(ascii: " ")).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    }
    func descendants(_ pid: pid_t) -> [pid_t] { children(pid).flatMap { [$0] + descendants($0) } }
    return children(bubblewrap).flatMap(descendants)
  }

  /// Whom root becomes inside.
  private static let user = 1000

  // MARK: The system

  private static func mounts(etc: String) -> [String] {
    var words = ["--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL"]
    words += ["--ro-bind", "/usr", "/usr", "--ro-bind", etc, "/etc", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for name in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
      if let target = Files.link(name) { words += ["--symlink", target, name] } else if Files.exists(name) { words += ["--ro-bind", name, name] }
    }
    for device in ["/dev/dri", "/dev/kfd"] + Files.matches("/dev/nvidia*") where Files.exists(device) { words += ["--dev-bind", device, device] }
    return words
  }

  /// Directories of programs and libraries that PATH, LD_LIBRARY_PATH and ENPIRE_SANDBOX_PATHS name outside the system's own. What is
  /// installed in one directory of /opt or of the home has its libraries beside its programs, so it is shown whole; but where people keep
  /// more than programs, only the directory named.
  private static func programs(_ environment: [String: String]) -> [String] {
    func paths(_ name: String) -> [String] { (environment[name] ?? "").split(separator: ":").map { Files.normal(String($0)) } }
    let home = environment["HOME"].map { Files.normal($0) + "/" } ?? "/root/"
    let mixed: Set<Substring> = ["bin", ".local", ".cargo", ".config", ".cache", ".ssh", ".gnupg"]
    let here = Files.currentDirectory + "/"
    let named = (paths("PATH") + paths("LD_LIBRARY_PATH")).map { path -> String in
      for root in ["/opt/", home] where path.hasPrefix(root) {
        let name = path.dropFirst(root.count).prefix { $0 != "/" }
        if !mixed.contains(name), !here.hasPrefix(root + name + "/") { return root + name }
      }
      return path
    }
    // Others write below /tmp; who names something there means it.
    let asked = paths("ENPIRE_SANDBOX_PATHS").filter { $0 != "/tmp" }
    var seen: Set<String> = []
    return (named.filter { $0 != "/tmp" && !$0.hasPrefix("/tmp/") } + asked).filter { path in
      !["/usr", "/bin", "/sbin", "/lib", "/proc", "/dev", "/etc"].contains { path == $0 || path.hasPrefix($0 + "/") }
        && path != "/" && Files.exists(path) && seen.insert(path).inserted
    }.flatMap { ["--ro-bind", $0, $0] }
  }

  /// A directory to stand for /etc: what programs need to start, without this machine's accounts, names and keys.
  private static func makeEtc(in directory: String) throws -> String {
    let etc = directory + "/etc"
    let copied = ["ld.so.cache", "localtime", "mime.types", "magic", "alternatives", "fonts", "OpenCL", "glvnd", "vulkan", "perl", "ssl/openssl.cnf"]
    let stamp = "2\n" + copied.map { "\($0) \(Files.modified("/etc/" + $0))" }.joined(separator: "\n")
    if let bytes = try? Files.read(directory + "/stamp"), bytes == Array(stamp.utf8) { return etc }
    Files.removeTree(etc)
    try Files.makeDirectory(etc + "/ssl")
    try Files.makeDirectory(etc + "/ca-certificates")
    for name in copied { try Files.copyTree("/etc/" + name, to: etc + "/" + name) }
    let (me, group) = getuid() == 0 ? (uid_t(user), gid_t(user)) : (getuid(), getgid())
    let accounts = "root:x:0:0:root:/tmp:/bin/sh\nuser:x:\(me):\(group)::/tmp:/bin/sh\n"
    try Files.write(accounts + "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n", to: etc + "/passwd")
    try Files.write("root:x:0:\nuser:x:\(group):\nnogroup:x:65534:\n", to: etc + "/group")
    try Files.write("127.0.0.1 localhost\n::1 localhost\n", to: etc + "/hosts")
    try Files.write("passwd: files\ngroup: files\nhosts: files dns\n", to: etc + "/nsswitch.conf")
    try Files.write("", to: etc + "/resolv.conf")
    try Files.write(stamp, to: directory + "/stamp")
    return etc
  }

  private static func works(_ argv: [String], output: String) -> Bool {
    unlink(output)
    return (try? Child.spawn(argv, environment: Child.inheritedEnvironment, directory: "/", output: output))?.wait() == .exited(0)
  }
}

extension Files {
  /// Where a symbolic link leads; nil if it is none.
  static func link(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }

  /// Nanoseconds since 1970; 0 if it is not there.
  static func modified(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec : 0
  }

  /// The program of that name on the PATH.
  static func program(_ name: String) -> String? {
    (Child.inheritedEnvironment["PATH"] ?? "").split(separator: ":").lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// Copies what can be read of a directory or file, with its links as they are.
  static func copyTree(_ from: String, to: String) throws {
    var status = stat()
    guard lstat(from, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFLNK, let target = link(from), name(of: from) != "localtime" {
      symlink(target, to)
    } else if isDirectory(from) {
      try makeDirectory(to)
      for name in list(from) { try copyTree(from + "/" + name, to: to + "/" + name) }
    } else if access(from, R_OK) == 0 {
      try copy(from, to: to, mode: 0o644)
    }
  }
}
