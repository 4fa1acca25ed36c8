// The two ways to a shared cache: a directory, laid out as Bazel's disk cache, and HTTP in Bazel's layout, which the worker speaks because this
// program links no HTTP. One worker asks and another one stores, so that asking never waits for storing.

internal import CLinux
internal import Glibc

final class DirectoryTransport: CacheTransport {
  private let root: String

  init(_ root: String) { self.root = root }

  private func path(_ name: String) -> String {
    let slash = name.firstIndex(of: "/")!
    let hex = name[name.index(after: slash)...]
    return "\(root)/\(name[..<slash])/\(hex.prefix(2))/\(hex)"
  }

  func get(_ name: String, to file: String) throws -> Bool {
    guard Files.exists(path(name)) else {
      // A cache that is not there is another thing than one that does not have it.
      guard Files.isDirectory(root) || mkdir(root, 0o777) == 0 else { throw Files.problem("open", root) }
      return false
    }
    try Files.copy(path(name), to: file, mode: 0o644)
    return true
  }

  func put(_ name: String, from file: String, anew: Bool) throws { if anew || !Files.exists(path(name)) { try commit(name, from: file) } }

  func commit(_ name: String, from file: String) throws {
    guard Files.isDirectory(root) || mkdir(root, 0o777) == 0 else { throw Files.problem("open", root) }
    let target = path(name)
    let temporary = "\(target).tmp\(getpid())"
    try Files.copy(file, to: temporary, mode: 0o644)
    try Files.move(temporary, to: target)
  }

  let processes: [pid_t] = []
  func finish() -> [String] { [] }
}

final class WorkerTransport: CacheTransport {
  private let url: String
  private var asking: Helper?
  private var storing: Helper?
  private var missed: [String] = []

  init(_ url: String) { self.url = url }

  func get(_ name: String, to file: String) throws -> Bool {
    let helper = try asking ?? Helper(url)
    asking = helper
    try helper.say(["get", name, file])
    switch try helper.answer(within: 90) {
    case "ok"?: return true
    case "missing"?: return false
    case let reply: throw Problem(.inputOutput, reply ?? "no answer")
    }
  }

  func put(_ name: String, from file: String, anew: Bool) throws { try store([anew ? "replace" : "put", name, file]) }
  func commit(_ name: String, from file: String) throws { try store(["commit", name, file]) }
  var processes: [pid_t] { [asking, storing].compactMap { $0?.child.pid } }

  private func store(_ words: [String]) throws {
    let helper = try storing ?? Helper(url)
    storing = helper
    while let reply = try helper.answer(within: 0) { note(reply) }
    try helper.say(words)
  }

  private func note(_ reply: String) { if reply != "ok" { missed.append(reply) } }

  func finish() -> [String] {
    do { while let helper = storing, helper.outstanding > 0, let reply = try helper.answer(within: 90) { note(reply) } } catch {
      missed.append("\(error)")
    }
    (asking, storing) = (nil, nil)
    defer { missed = [] }
    return missed
  }

  /// A worker that does one thing after another: a line for each, and a line back.
  private final class Helper {
    let child: Child
    private let commands: Int32
    private let replies: Int32
    private var unread: [UInt8] = []
    private(set) var outstanding = 0

    init(_ url: String) throws {
      (child, commands, replies) = try Child.conversing([Catalogue.worker, "cache"])
      try say(["url", url])
      guard try answer(within: 30) == "ok" else {
        throw Problem(.inputOutput, "\(Catalogue.worker) does not speak to caches", hint: "make build")
      }
    }

    deinit {
      close(commands)
      close(replies)
      child.signal(SIGKILL)
      _ = child.wait()
    }

    func say(_ words: [String]) throws {
      var line = Array((words.joined(separator: "\t") + "\n").utf8)[...]
      // A worker that has ended is an error here, not a reason to end too.
      let before = signal(SIGPIPE, SIG_IGN)
      defer { signal(SIGPIPE, before) }
      while !line.isEmpty {
        let count = line.withUnsafeBytes { Glibc.write(commands, $0.baseAddress, $0.count) }
        guard count > 0 || errno == EINTR else { throw Problem(.inputOutput, "the worker that speaks to the cache has ended") }
        line = line.dropFirst(max(0, count))
      }
      outstanding += 1
    }

    /// The next reply; nil if none came in time and none was waited for.
    func answer(within seconds: Int) throws -> String? {
      while true {
        if let end = unread.firstIndex(of: 10) {
          outstanding -= 1
          defer { unread.removeSubrange(...end) }
          return String(decoding: unread[..<end], as: UTF8.self)
        }
        var polled = pollfd(fd: replies, events: Int16(POLLIN), revents: 0)
        let ready = poll(&polled, 1, Int32(seconds * 1000))
        if ready < 0, errno == EINTR { continue }
        guard ready > 0 else {
          if seconds == 0 { return nil }
          throw Problem(.inputOutput, "no answer within \(seconds) s")
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(replies, &buffer, buffer.count)
        guard count > 0 else { throw Problem(.inputOutput, "the worker that speaks to the cache has ended") }
        unread += buffer[..<count]
      }
    }
  }
}
