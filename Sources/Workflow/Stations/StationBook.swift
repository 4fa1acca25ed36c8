// The stations' records on the disk: one file a station, and one that is locked while it is read and written. Workspaces that share stations
// share the directory. A record is synced before what it says is acted upon: after a power failure no token is given out twice.

internal import Glibc
public import JSON

public struct StationBook: Sendable {
  public let directory: String
  /// Seconds after which a lease is over that nobody renewed.
  let leaseSeconds: Double

  init(_ fleet: Fleet, state: String) {
    directory = fleet.leases ?? state + "/stations"
    leaseSeconds = fleet.leaseSeconds
  }

  func file(of station: String) -> String { path(station) + ".json" }

  /// Names of files that no station's name can leave.
  private func path(_ station: String) -> String {
    directory + "/"
      + station.utf8.map { byte in
        isalnum(Int32(byte)) != 0 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
          ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16)
      }.joined()
  }

  /// As it is now; a station that nobody used or spoke of has an empty record.
  public func record(of station: String) throws -> StationRecord {
    let file = file(of: station)
    guard Files.exists(file) else { return StationRecord() }
    guard let record = StationRecord(json: (try? JSON(parsing: Files.read(file))) ?? .null) else {
      throw Problem(
        .station, "station \(station): \(Files.display(file)) cannot be read",
        hint: "it is of another enpire, or damaged: remove it once nobody uses the station")
    }
    return record
  }

  /// Reads and writes the records of some stations while nobody else does. If `body` throws, nothing is written.
  func change<Result>(_ stations: [String], _ body: (inout [String: StationRecord]) throws -> Result) throws -> Result {
    try Files.makeDirectory(directory)
    var locks: [Int32] = []
    defer { for lock in locks { close(lock) } }
    // In one order, so that nobody waits for another who waits.
    for station in Set(stations).sorted() {
      let lock = open(path(station) + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard lock >= 0 else { throw Files.problem("lock", path(station) + ".lock") }
      locks.append(lock)
      while flock(lock, LOCK_EX) != 0 { guard errno == EINTR else { throw Files.problem("lock", path(station) + ".lock") } }
    }
    var records = Dictionary(uniqueKeysWithValues: try Set(stations).map { ($0, try record(of: $0)) })
    let before = records.mapValues(\.json)
    let result = try body(&records)
    for (station, record) in records where record.json != before[station] {
      try Files.write(Array((record.json.pretty + "\n").utf8), to: file(of: station), synced: true)
    }
    return result
  }

  /// The same, of one.
  func change<Result>(_ station: String, _ body: (inout StationRecord) throws -> Result) throws -> Result {
    try change([station]) { try body(&$0[station]!) }
  }
}

/// A lease as its holder knows it. The worker checks it before each thing that it writes or moves.
public struct Lease: Sendable {
  public let station: String
  public let token: Int
  /// The station's record.
  public let file: String

  public var json: JSON { ["station": .string(station), "token": .integer(token), "file": .string(file)] }

  public init?(json: JSON) {
    guard let station = json["station"]?.string, let token = json["token"]?.int, let file = json["file"]?.string else { return nil }
    self.init(station: station, token: token, file: file)
  }

  init(station: String, token: Int, file: String) { (self.station, self.token, self.file) = (station, token, file) }

  /// Whether nobody else has the station since.
  public var isHeld: Bool { (try? Files.read(file)).flatMap { try? JSON(parsing: $0) }?["lease"]?["token"]?.int == token }

  /// Does something while nobody can take the station away; false, and nothing is done, if somebody did.
  public func whileHeld(_ body: () throws -> Void) throws -> Bool {
    let lock = open(String(file.dropLast(".json".count)) + ".lock", O_RDONLY | O_CLOEXEC)
    guard lock >= 0 else { throw Files.problem("lock", file) }
    defer { close(lock) }
    while flock(lock, LOCK_SH) != 0 { guard errno == EINTR else { throw Files.problem("lock", file) } }
    guard isHeld else { return false }
    try body()
    return true
  }
}
