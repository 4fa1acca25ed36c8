// A running process: started in a group of its own, killed by the kernel if this process dies. It knows nothing of steps.

internal import CLinux
internal import Glibc

struct Child {
  enum End: Equatable {
    case exited(Int32), signalled(Int32)
    /// Someone else was told how it ended.
    case lost
    /// It never ran its program: an errno.
    case unstarted(Int32)
  }

  let pid: pid_t
  /// Readable once the process has ended.
  let descriptor: Int32
  /// The reading end of the progress pipe; -1 without one.
  let progress: Int32
  /// The other end. While it is open here too, nobody is woken for the process having closed it, a moment before it ends.
  private let told: Int32
  private let launch: OpaquePointer

  /// Starts `argv`; its output goes to the end of the file `output`, or to the descriptor `through`, which is closed here. With `withProgress`,
  /// descriptor 3 is a pipe to here; `passing` become descriptors 4, 5, …. A program that is found and cannot be run shows at its end.
  static func spawn(
    _ argv: [String], environment: [String: String], directory: String, output: String, through: Int32? = nil, truncating: Bool = false,
    withProgress: Bool = false, passing: [Int32] = []
  ) throws -> Child {
    let log = through ?? open(output, O_WRONLY | O_CREAT | (truncating ? O_TRUNC : 0) | O_APPEND | O_CLOEXEC, 0o644)
    guard log >= 0 else { throw Files.problem("write", output) }
    defer { close(log) }
    var pipe: [Int32] = [-1, -1]
    if withProgress {
      guard enpire_pipe(&pipe) == 0 else { throw Files.problem("create", "a pipe") }
      _ = fcntl(pipe[0], F_SETFL, O_NONBLOCK)
    }
    let given = [pipe[1]] + passing
    var (descriptor, launch): (Int32, OpaquePointer?) = (-1, nil)
    let pid = withArray(argv) { arguments in
      withArray(environment.map { "\($0.key)=\($0.value)" }.sorted()) {
        enpire_spawn(arguments, $0, directory, log, given, Int32(given.count), &descriptor, &launch)
      }
    }
    guard pid > 0, let launch else {
      for end in pipe where end >= 0 { close(end) }
      if pid == -EINVAL { throw Problem(.internalError, "clone: \(String(cString: strerror(-pid)))", hint: "enpire needs Linux 5.3 or newer") }
      throw problem(starting: argv[0], -pid)
    }
    return Child(pid: pid, descriptor: descriptor, progress: pipe[0], told: pipe[1], launch: launch)
  }

  /// Starts `argv` with two pipes to here: what is written to `commands` it reads from descriptor 4, what it writes to 5 comes from `replies`.
  /// Whoever calls closes both. Nothing of what is said stands in a command line, which everybody on the machine can read.
  static func conversing(_ argv: [String]) throws -> (child: Child, commands: Int32, replies: Int32) {
    var (down, up): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    guard enpire_pipe(&down) == 0 else { throw Files.problem("create", "a pipe") }
    guard enpire_pipe(&up) == 0 else {
      for end in down { close(end) }
      throw Files.problem("create", "a pipe")
    }
    defer {
      close(down[0])
      close(up[1])
    }
    do {
      let child = try spawn(
        argv, environment: inheritedEnvironment, directory: "/", output: "/dev/null", passing: [down[0], up[1]])
      return (child, down[1], up[0])
    } catch {
      close(down[1])
      close(up[0])
      throw error
    }
  }

  static func problem(starting program: String, _ code: Int32) -> Problem {
    let hint = code == ENOENT ? "is it installed, and on the PATH?" : nil
    return Problem(.stepFailed, "cannot start '\(program)': \(String(cString: strerror(code)))", hint: hint)
  }

  /// Whether it has ended with 0; leaves it to be collected.
  var hasEndedWell: Bool {
    var status = siginfo_t()
    guard waitid(P_PID, id_t(pid), &status, WEXITED | WNOHANG | WNOWAIT) == 0 else { return false }
    return status.si_code == CLD_EXITED && status._sifields._sigchld.si_status == 0
  }

  /// Collects the ended process; waits for its end if need be.
  func wait() -> End {
    var status: Int32 = 0
    var collected = waitpid(pid, &status, 0)
    while collected < 0 && errno == EINTR { collected = waitpid(pid, &status, 0) }
    close(descriptor)
    for end in [progress, told] where end >= 0 { close(end) }
    let failure = enpire_launched(launch)
    if failure != 0 { return .unstarted(failure) }
    if collected != pid { return .lost }
    return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
  }

  /// Signals the whole process group.
  func signal(_ number: Int32) { kill(-pid, number) }

  /// What numerical libraries are told: one thread each, and which processor this is, where OpenBLAS does not know it.
  static let numerics: [String: String] = {
    var variables = ["OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"]
    variables["OPENBLAS_CORETYPE"] = enpire_openblas_core().map { String(cString: $0) }
    return variables
  }()

  static let inheritedEnvironment: [String: String] = {
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if let equals = text.firstIndex(of: "=") { variables[String(text[..<equals])] = String(text[text.index(after: equals)...]) }
      next += 1
    }
    return variables
  }()

  private static func withArray<Result>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return body(copies)
  }
}
