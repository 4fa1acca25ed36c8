// A confined program and the talk with it: a line in, a line out, each within its time. Whatever it does wrong ends it, and is an error that
// says what; its standard error is kept in part, for that sentence. It ends when this object goes. For one thread at a time; calls block.

internal import Glibc

public final class ConfinedProcess {
  private let pid: pid_t
  private let limits: Confinement.Limits
  private var input: Int32
  private let output: Int32
  private let errors: Int32
  private var buffer: [UInt8] = []
  private var errorText: [UInt8] = []
  private var errorCount = 0
  private var errorsOpen = true
  private var isFirst = true
  private var status: Int32?

  /// Starts `argv`, whose first word is a path as seen inside.
  /// - Throws: `.noSandbox`; nothing runs then.
  public convenience init(_ argv: [String], in confinement: Confinement) throws(ConfinementError) {
    if let problem = Confinement.problem { throw problem }
    try self.init(unchecked: argv, in: confinement)
  }

  init(unchecked argv: [String], in confinement: Confinement) throws(ConfinementError) {
    let words = try confinement.words(argv)
    limits = confinement.limits
    // A dead program is an error of the write, not the end of this one.
    signal(SIGPIPE, SIG_IGN)
    let (inside, outside, complaints, filter) = (try Self.pipe(), try Self.pipe(), try Self.pipe(), try Self.pipe())
    let bytes = SystemCallFilter.bytes
    _ = write(filter.write, bytes, bytes.count)
    close(filter.write)
    defer { for end in [inside.read, outside.write, complaints.write, filter.read] { close(end) } }

    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    // Above all that is put in place, so that none is overwritten before it is used.
    let given = [inside.read, outside.write, complaints.write] + (limits.mayFork ? [] : [filter.read])
    let safe = given.map { fcntl($0, F_DUPFD_CLOEXEC, 10) }
    defer { for end in safe { close(end) } }
    for (place, end) in safe.enumerated() { posix_spawn_file_actions_adddup2(&actions, end, Int32(place)) }
    guard Self.closeFrom(&actions, Int32(given.count)) == 0 else {
      throw ConfinementError(.noSandbox, "this C library cannot keep descriptors from a program")
    }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var child: pid_t = 0
    let argv = words.map { strdup($0) } + [nil]
    let environment = confinement.variables.map { strdup($0) } + [nil]
    defer { for word in argv + environment { free(word) } }
    let failure = posix_spawn(&child, words[0], &actions, &attributes, argv, environment)
    (input, output, errors, pid) = (inside.write, outside.read, complaints.read, child)
    for end in [input, output, errors] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    guard failure == 0 else {
      // This object is whole, so its end closes the pipes; there is no process to wait for.
      status = 127
      throw ConfinementError(.noSandbox, "\(words[0]) cannot be started: \(String(cString: strerror(failure)))")
    }
  }

  deinit {
    end()
    for descriptor in [output, errors] { close(descriptor) }
  }

  /// Kills it and all its processes, if it still runs.
  public func end() {
    if input >= 0 { close(input) }
    input = -1
    guard status == nil else { return }
    kill(pid, SIGKILL)
    var code: Int32 = 0
    while waitpid(pid, &code, 0) < 0 && errno == EINTR {}
    status = code & 0x7f == 0 ? code >> 8 & 0xff : 128 + code & 0x7f
  }

  /// Throws if it has said something that nobody asked for: an answer of two lines would be one behind ever after.
  public func expectQuiet() throws(ConfinementError) {
    _ = take()
    // The line's end may be still to come.
    guard !buffer.isEmpty else { return }
    let line = String(decoding: buffer.prefix { $0 != 10 }.prefix(80), as: UTF8.self)
    throw failed(.talkative, "said '\(line)' without being asked: an answer is one line")
  }

  /// Writes a line. Throws if it has ended, or reads nothing for as long as an answer may take.
  public func send(_ line: String) throws(ConfinementError) {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
      if count > 0 { bytes = bytes.dropFirst(count) }
      if count < 0 && errno == EPIPE { throw ended() }
      if count < 0 && errno == EAGAIN {
        var wait = pollfd(fd: input, events: Int16(POLLOUT), revents: 0)
        guard poll(&wait, 1, Int32(limits.answerSeconds * 1000)) > 0 else { throw failed(.late, "does not read what it is told") }
      }
    }
  }

  /// The next line, without its end.
  public func receive() throws(ConfinementError) -> String {
    let seconds = isFirst ? limits.startSeconds : limits.answerSeconds
    isFirst = false
    let deadline = Self.now + seconds
    while true {
      if let end = buffer.firstIndex(of: 10) {
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeSubrange(...end)
        return line
      }
      guard buffer.count <= limits.answerBytes else { throw failed(.talkative, "answered with more than \(limits.answerBytes) bytes in one line") }
      guard let open = try turn(until: deadline) else { throw failed(.late, "did not answer within \(seconds) s") }
      guard open else { throw ended() }
    }
  }

  /// Waits for its end and gives what it printed; one that takes longer than `seconds` is killed.
  public func wait(seconds: Double) -> (status: Int32, output: String, errors: String) {
    if input >= 0 { close(input) }
    input = -1
    let deadline = Self.now + seconds
    while let open = try? turn(until: deadline), open, buffer.count <= limits.answerBytes {}
    var code: Int32 = 0
    while status == nil, Self.now < deadline {
      if waitpid(pid, &code, WNOHANG) == pid { status = code & 0x7f == 0 ? code >> 8 & 0xff : 128 + code & 0x7f } else { usleep(500) }
    }
    let text = (String(decoding: buffer, as: UTF8.self), String(decoding: errorText, as: UTF8.self))
    let late = status == nil
    end()
    return (late ? 124 : status ?? 127, text.0, text.1)
  }

  /// Takes in what has come. True while there may be more, false at the end, nil when time is up.
  private func turn(until deadline: Double) throws(ConfinementError) -> Bool? {
    var ends = [pollfd(fd: output, events: Int16(POLLIN), revents: 0), pollfd(fd: errorsOpen ? errors : -1, events: Int16(POLLIN), revents: 0)]
    let left = deadline - Self.now
    guard left > 0 else { return nil }
    let ready = poll(&ends, 2, Int32(max(1, left * 1000)))
    if ready < 0 { return true }
    if ends[1].revents != 0 { try hear() }
    return ends[0].revents == 0 || take()
  }

  /// Takes in what it has said, without waiting; false at the end.
  private func take() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 65536)
    let count = read(output, &chunk, chunk.count)
    if count > 0 { buffer += chunk[..<count] }
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
  }

  /// Keeps the first of what it says on standard error, and counts the rest.
  private func hear() throws(ConfinementError) {
    var chunk = [UInt8](repeating: 0, count: 65536)
    let count = read(errors, &chunk, chunk.count)
    if count == 0 { errorsOpen = false }
    guard count > 0 else { return }
    errorCount += count
    errorText += chunk[..<min(count, max(0, 16384 - errorText.count))]
    guard errorCount <= limits.errorBytes else { throw failed(.talkative, "wrote more than \(limits.errorBytes) bytes to standard error") }
  }

  private func failed(_ reason: ConfinementError.Reason, _ sentence: String) -> ConfinementError {
    end()
    return ConfinementError(reason, sentence)
  }

  private func ended() -> ConfinementError {
    // Its last words may still be in the pipe.
    while errorsOpen, errorCount < limits.errorBytes, (try? hear()) != nil, errno != EAGAIN {}
    var code: Int32 = 0
    for _ in 0..<2000 where status == nil {
      if waitpid(pid, &code, WNOHANG) == pid { status = code & 0x7f == 0 ? code >> 8 & 0xff : 128 + code & 0x7f } else { usleep(500) }
    }
    end()
    let words = String(decoding: errorText, as: UTF8.self).split(separator: "\n").suffix(6).joined(separator: "; ")
    return ConfinementError(.ended, "ended " + Self.manner(status ?? 127) + (words.isEmpty ? "" : ", saying: \(words.prefix(500))"))
  }

  /// How bubblewrap tells an end: the program's own code, or 128 and the signal.
  private static func manner(_ status: Int32) -> String {
    switch status - 128 {
    case SIGXCPU, SIGKILL: "by its limit of processor time, or killed"
    case SIGSYS: "for a system call of another machine"
    case SIGXFSZ: "for a file that is too large"
    case SIGSEGV, SIGABRT, SIGILL, SIGBUS, SIGTRAP: "by a crash or for want of memory (signal \(status - 128))"
    case 1...: "by signal \(status - 128)"
    default: "with code \(status)"
    }
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private static func pipe() throws(ConfinementError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard Glibc.pipe(&ends) == 0 else { throw ConfinementError(.noSandbox, "no pipe can be made: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

  /// glibc's `posix_spawn_file_actions_addclosefrom_np` (2.34), which Swift's module map hides.
  private static func closeFrom(_ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ first: Int32) -> Int32 {
    guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return ENOSYS }
    return unsafeBitCast(symbol, to: CloseFrom.self)(actions, first)
  }
}
