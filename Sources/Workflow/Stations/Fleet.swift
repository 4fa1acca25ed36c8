// The stations a workflow may use. The engine knows a station's name and tasks, when it may be used and whether it moves hardware, and that
// only one step at a time has it; what drives it is between the fleet file and the worker.

public import JSON

public struct FleetStation: Sendable {
  public let name: String
  public let tasks: [String]
  /// What is handed to the worker and part of the key of what runs on it: its whole entry, but for when it may be used.
  public let entry: JSON
  /// Whatever runs there moves something: it has to be armed, and nothing is repeated there after an unknown end.
  public internal(set) var isHardware = false
  /// When it may be used.
  public internal(set) var hours = OpeningHours(windows: [])
  /// What brings it to a known start, and what then looks whether it is there: commands. Without them its driver does both.
  public internal(set) var reset: [String]?
  public internal(set) var verify: [String]?

  /// What tells whether it is still the same: its cameras and its calibration, as JSON; null where its entry has none.
  public var cameras: JSON { entry["cameras"] ?? entry["camera"] ?? .null }
  public var calibration: JSON { entry["calibration"] ?? .null }
}

public struct Fleet: Sendable {
  public var stations: [FleetStation] = []
  /// Where its stations' books are kept, if the fleet file names a place that workspaces share.
  public var leases: String?
  /// Seconds after which a lease that nobody renews is over.
  public var leaseSeconds = 60.0

  public init() {}

  /// `manifest` is the path of the one that names it.
  public init(path: String, of manifest: String? = nil) throws {
    guard Files.exists(path) else {
      let place = manifest.flatMap { Origin(file: $0, pointer: JSONPointer(["fleet"])).place() }
      throw Problem(.manifest, "no fleet file \(Files.display(path))", at: place, hint: "correct 'fleet' in the manifest")
    }
    let reader = Reader(file: path, text: try Files.read(path))
    let root = try reader.parse()
    try reader.version(root, "fleet")
    try reader.onlyKeys(root, JSONPointer(), ["$schema", "fleet", "description", "leases", "lease_seconds", "stations"])
    leases = try reader.string(root, "leases").map { Files.absolute($0, in: Files.parent(of: path) ?? "/") }
    if let value = root["lease_seconds"] {
      guard let seconds = value.double, (1...86_400).contains(seconds) else {
        throw reader.problem("'lease_seconds' must be a number from 1 to 86400", JSONPointer(["lease_seconds"]))
      }
      leaseSeconds = seconds
    }
    for (index, entry) in (root["stations"]?.array ?? []).enumerated() {
      let station = try FleetStation(entry, at: JSONPointer(["stations", String(index)]), reader)
      guard !stations.contains(where: { $0.name == station.name }) else {
        throw reader.problem("two stations are called '\(station.name)'", JSONPointer(["stations", String(index), "name"]))
      }
      stations.append(station)
    }
    guard !stations.isEmpty else { throw reader.problem("the fleet has no stations", JSONPointer(root["stations"] == nil ? [] : ["stations"])) }
  }
}

extension FleetStation {
  fileprivate init(_ entry: JSON, at pointer: JSONPointer, _ reader: Reader) throws {
    guard let name = try reader.string(entry, "name", pointer) else { throw reader.problem("a station needs a 'name'", pointer) }
    guard try reader.string(entry, "driver", pointer) != nil else { throw reader.problem("station '\(name)' needs a 'driver'", pointer) }
    tasks = try reader.strings(entry["tasks"] ?? [], pointer / "tasks")
    guard !tasks.isEmpty else {
      throw reader.problem("station '\(name)' has no 'tasks'", pointer, hint: "\"tasks\": [\"push-t\"] says what can be done there")
    }
    guard let isHardware = entry["hardware"].map(\.bool) ?? false else {
      throw reader.problem("'hardware' must be true or false", pointer / "hardware")
    }
    func command(_ key: String) throws -> [String]? {
      guard let value = entry[key] else { return nil }
      guard let words = value.array?.compactMap(\.string), words.count == value.array?.count, !words.isEmpty else {
        throw reader.problem("'\(key)' must be a command: a list of words", pointer / key, hint: "as [\"./home.sh\", \"yam-1\"]")
      }
      return words
    }
    let windows = try entry["calendar"].map { try reader.strings($0, pointer / "calendar") } ?? []
    hours = OpeningHours(
      windows: try windows.enumerated().map { index, text in
        guard let window = OpeningHours.Window(text) else {
          throw reader.problem(
            "'\(text)' is no window of time", entry["calendar"]?.array == nil ? pointer / "calendar" : pointer / "calendar" / String(index),
            hint: "as \"22:00-06:00\", \"Mon-Fri 18:00-24:00\" or \"Sat,Sun\"")
        }
        return window
      })
    (self.name, self.isHardware) = (name, isHardware)
    (reset, verify) = (try command("reset"), try command("verify"))
    var known = entry
    known["calendar"] = nil
    self.entry = known
  }
}
