// What each call of a schedule left: a summary and a log, numbered, the last hundred or so. The room for summaries is made ahead, a week of
// nights, so that they can be written down on a disk that has filled up meanwhile. It does not know what a summary says.

internal import CLinux
internal import Glibc
public import JSON

public struct Journal: Sendable {
  /// One call: what is known of it.
  public struct Entry: Sendable {
    public let call: Int
    public let json: JSON

    /// Nil while it goes on, and if it was cut off.
    public var summary: Summary? { Summary(json: json) }

    /// The summary, or what can be told of a call that wrote none.
    public var told: Summary {
      if let summary { return summary }
      var summary = Summary()
      summary.workflow = json["workflow"]?.string ?? ""
      (summary.manifest, summary.schedule) = (json["manifest"]?.string ?? "", json["schedule"]?.string)
      (summary.call, summary.started, summary.host, summary.exit, summary.seconds) = (call, started, Machine.host, nil, nil)
      let goesOn = ScheduledRun.isAlive(self)
      (summary.transition, summary.name) = goesOn ? (.unfinished, "running") : (.failure, "cut-off")
      summary.problem = goesOn ? "it goes on" : "it was cut off: killed, with all that it ran, before it could tell its end"
      return summary
    }
    /// Seconds since 1970.
    public var started: Double { json["started"]?.double ?? 0 }
    /// It began and wrote no end: it goes on, or was cut off.
    public var isOpen: Bool { json["begun"] == true }
    /// Whose call it is, or was.
    var process: ProcessIdentity? { json["process"].flatMap(ProcessIdentity.init(json:)) }
    /// The newest run of the workspace that it knew of.
    var lastRun: Int { json["lastRun"]?.int ?? 0 }
  }

  public let directory: String
  /// Entries and logs that are kept, and bytes of logs; the newest log stays whatever its size.
  static let keptEntries = 100
  static let keptBytes = 64 << 20
  private static let room = 16 << 10
  private static let spares = 7

  /// The journal of a schedule; nothing is made.
  public init(state: String, schedule: String) { directory = state + "/schedule/" + schedule }

  /// The names of the schedules that a state has journals of.
  public static func schedules(state: String) -> [String] { Files.list(state + "/schedule").filter { Files.isDirectory(state + "/schedule/" + $0) } }

  public func log(of call: Int) -> String { "\(directory)/\(call).log" }
  private func path(of call: Int) -> String { "\(directory)/\(call).json" }
  private func spare(_ number: Int) -> String { "\(directory)/room-\(number)" }

  /// The numbers of what is there, oldest first.
  private var calls: [Int] { Files.list(directory).compactMap { $0.hasSuffix(".json") ? Int($0.dropLast(5)) : nil }.sorted() }

  /// Every entry, oldest first. One that cannot be read is open: its end is not known.
  public func entries() -> [Entry] {
    calls.map { call in
      Entry(call: call, json: (try? Files.read(path(of: call))).flatMap { try? JSON(parsing: $0) } ?? ["begun": true])
    }
  }

  public func entry(_ call: Int) -> Entry? {
    guard let bytes = try? Files.read(path(of: call)), let json = try? JSON(parsing: bytes) else { return nil }
    return Entry(call: call, json: json)
  }

  /// Writes down that a call begins, under the next number, and returns that. Calls that begin together get numbers of their own.
  /// Throws if there is no room even for that.
  public func begin(_ json: JSON) throws -> Int {
    try Files.makeDirectory(directory)
    for _ in 0..<1000 {
      let call = (calls.last ?? 0) + 1
      var json = json
      json["call"] = .integer(call)
      let own = "\(directory)/begin.tmp\(getpid())"
      // A spare has its blocks; a new one asks for them.
      if !(1...Self.spares).contains(where: { rename(spare($0), own) == 0 }) { try Self.reserve(own) }
      do { try Self.overwrite(own, json) } catch {
        unlink(own)
        throw error
      }
      if enpire_move_new(own, path(of: call)) == 0 {
        makeRoom()
        return call
      }
      unlink(own)
      guard errno == EEXIST else { throw Files.problem("write", path(of: call)) }
    }
    throw Problem(.inputOutput, "no number for a call could be had in \(directory)")
  }

  /// Writes down how a call ended.
  public func end(_ call: Int, _ json: JSON) throws {
    do { try Files.write(Array((json.compact + "\n").utf8), to: path(of: call), synced: true) } catch { try Self.overwrite(path(of: call), json) }
  }

  /// Removes what is too old or too much, and makes room for the next call's summary.
  public func rotate() {
    let calls = calls
    for call in calls.dropLast(Self.keptEntries) {
      unlink(path(of: call))
      unlink(log(of: call))
    }
    var bytes = 0
    let numbers = Files.list(directory).compactMap { $0.hasSuffix(".log") ? Int($0.dropLast(4)) : nil }.sorted(by: >)
    for (index, call) in numbers.enumerated() {
      bytes += FileStamp(of: log(of: call)).map { Int($0.size) } ?? 0
      if index > 0, bytes > Self.keptBytes || index >= Self.keptEntries { unlink(log(of: call)) }
    }
    for file in Files.list(directory) where file.hasPrefix("begin.tmp") {
      if let pid = pid_t(file.dropFirst("begin.tmp".utf8.count)), kill(pid, 0) != 0 { unlink(directory + "/" + file) }
    }
    makeRoom()
  }

  // MARK: Room

  private func makeRoom() {
    for number in 1...Self.spares where !Files.exists(spare(number)) {
      let own = "\(directory)/begin.tmp\(getpid())"
      guard (try? Self.reserve(own)) != nil, rename(own, spare(number)) == 0 else { return }
    }
  }

  /// A file whose blocks are there: spaces, which are nothing in JSON.
  private static func reserve(_ path: String) throws {
    do { try Files.write([UInt8](repeating: 32, count: room), to: path) } catch {
      unlink(path)
      throw error
    }
  }

  /// Writes into the blocks that a file has, by one call, and fills what is left with spaces. What does not fit is left out.
  private static func overwrite(_ path: String, _ json: JSON) throws {
    var json = json
    for key in ["warnings", "earlier", "rates", "failures", "held"] where json.compact.utf8.count > room { json[key] = nil }
    var bytes = Array(json.compact.utf8)
    guard bytes.count <= room else { throw Files.problem("write", path, ENOSPC) }
    bytes += repeatElement(32, count: room - bytes.count)
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Files.problem("write", path) }
    defer { close(descriptor) }
    guard bytes.withUnsafeBytes({ pwrite(descriptor, $0.baseAddress, $0.count, 0) }) == bytes.count else { throw Files.problem("write", path) }
    ftruncate(descriptor, off_t(bytes.count))
    fsync(descriptor)
  }
}
