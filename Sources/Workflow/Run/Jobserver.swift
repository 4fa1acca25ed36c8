// make's jobserver: a pipe that holds one byte for each further process that may run. Each process has one slot of its own; it takes a byte
// for each more and puts the same byte back. Joined when make started this program, or made here for the steps, so that a nested `make -j`
// shares this run's slots. https://www.gnu.org/software/make/manual/html_node/Job-Slots.html

internal import CLinux
internal import Glibc

public final class Jobserver {
  /// How the steps are told of it: by two open descriptors (every make, cargo), or by a named pipe (make 4.4, ninja 1.13).
  public enum Form: String, Sendable, CaseIterable { case pipe, fifo }

  /// Readable while there may be a slot; never blocks.
  let readable: Int32
  private let writable: Int32
  /// What a step's MAKEFLAGS says, and the descriptors that become its 4 and 5.
  let flags: String
  let passed: [Int32]
  /// Its own: how many bytes it holds when nothing runs, and where it is.
  private let served: (count: Int, fifo: String?)?

  private init(readable: Int32, writable: Int32, flags: String, passed: [Int32], served: (count: Int, fifo: String?)?) {
    (self.readable, self.writable, self.flags, self.passed, self.served) = (readable, writable, flags, passed, served)
  }

  deinit {
    close(readable)
    close(writable)
    for descriptor in passed where served != nil && descriptor != writable { close(descriptor) }
    if let fifo = served?.fifo { unlink(fifo) }
  }

  // MARK: Joining

  enum Invitation: Equatable, Sendable {
    case none
    /// make asks, but did not pass it on.
    case unusable
    case fifo(String)
    case pipe(Int32, Int32)
  }

  /// What MAKEFLAGS says: the last --jobserver-auth counts, and nothing after `--`; with make's -n nobody shares.
  static func invitation(_ makeflags: String) -> Invitation {
    let words = makeflags.split(separator: " ")
    if isDry(words) { return .none }
    let options = words.prefix { $0 != "--" }
    guard let last = options.last(where: { $0.hasPrefix("--jobserver-auth=") || $0.hasPrefix("--jobserver-fds=") }) else { return .none }
    let value = last[last.index(after: last.firstIndex(of: "=")!)...]
    if value.hasPrefix("fifo:") { return .fifo(String(value.dropFirst(5))) }
    let numbers = value.split(separator: ",").compactMap { Int32($0) }
    // make gives negative numbers to a recipe that is not marked.
    guard numbers.count == 2, numbers[0] >= 0, numbers[1] >= 0 else { return .unusable }
    return .pipe(numbers[0], numbers[1])
  }

  /// The first word holds make's flags of one letter, if there are any.
  private static func isDry(_ words: [Substring]) -> Bool {
    words.first.map { !$0.hasPrefix("-") && !$0.contains("=") && $0.contains("n") } ?? false
  }

  /// Whether the make that started this program only says what it would do.
  public static var isUnderDryMake: Bool {
    guard getenv("MAKELEVEL") != nil, let text = getenv("MAKEFLAGS") else { return false }
    return isDry(String(cString: text).split(separator: " "))
  }

  /// Whether that make shares its slots, usable or not.
  public static var isOffered: Bool {
    if case .none = getenv("MAKEFLAGS").map({ invitation(String(cString: $0)) }) ?? .none { return false }
    return true
  }

  /// Joins the jobserver of the make that started this program. Nil without one; throws if it is there and cannot be used.
  public static func join() throws -> Jobserver? {
    guard let text = getenv("MAKEFLAGS") else { return nil }
    let makeflags = String(cString: text)
    let unusable = Problem(
      .usage, "make's jobserver is not passed on to enpire", hint: "mark the recipe's line with + ; without it steps run one at a time")
    switch invitation(makeflags) {
    case .none: return nil
    case .unusable: throw unusable
    case .fifo(let path):
      let readable = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      guard readable >= 0 else { throw unusable }
      let writable = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
      guard writable >= 0 else {
        close(readable)
        throw unusable
      }
      return Jobserver(readable: readable, writable: writable, flags: "-j --jobserver-auth=fifo:\(path)", passed: [], served: nil)
    case .pipe(let from, let to):
      // Opened anew: to make it not block would do so for all who share it.
      guard isPipe(from), isPipe(to), case let readable = open("/proc/self/fd/\(from)", O_RDONLY | O_NONBLOCK | O_CLOEXEC), readable >= 0 else {
        throw unusable
      }
      return Jobserver(readable: readable, writable: dup(to), flags: "-j --jobserver-auth=4,5", passed: [from, to], served: nil)
    }
  }

  private static func isPipe(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
  }

  // MARK: Serving

  /// A jobserver of `slots`, one of which is this program's own.
  static func serve(_ form: Form, slots: Int, directory: String) throws -> Jobserver {
    let server: Jobserver
    let count = min(slots - 1, 4000)  // what a pipe surely holds
    switch form {
    case .pipe:
      var ends: [Int32] = [-1, -1]
      guard enpire_pipe(&ends) == 0, case let readable = open("/proc/self/fd/\(ends[0])", O_RDONLY | O_NONBLOCK | O_CLOEXEC), readable >= 0 else {
        throw Files.problem("create", "a jobserver")
      }
      server = Jobserver(readable: readable, writable: ends[1], flags: "-j\(slots) --jobserver-auth=4,5", passed: ends, served: (count, nil))
    case .fifo:
      let path = directory + "/jobserver"
      unlink(path)
      guard mkfifo(path, 0o600) == 0 else { throw Files.problem("create", path) }
      let readable = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), writable = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
      guard readable >= 0, writable >= 0 else { throw Files.problem("open", path) }
      server = Jobserver(
        readable: readable, writable: writable, flags: "-j\(slots) --jobserver-auth=fifo:\(path)", passed: [], served: (count, path))
    }
    server.refill()
    return server
  }

  /// Nothing runs: every slot is free, also those that a killed step took and could not give back. Not for a joined one.
  func refill() {
    guard let served else { return }
    while take() != nil {}
    for _ in 0..<served.count { giveBack(UInt8(ascii: "+")) }
  }

  // MARK: Slots

  func take() -> UInt8? {
    var byte: UInt8 = 0
    return read(readable, &byte, 1) == 1 ? byte : nil
  }

  func giveBack(_ byte: UInt8) {
    var byte = byte
    while write(writable, &byte, 1) < 0 && errno == EINTR {}
  }
}
