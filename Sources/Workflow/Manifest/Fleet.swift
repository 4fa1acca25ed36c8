// The stations a workflow may use. The engine knows a station's name and tasks, and that only one step at a time has it;
// what drives it is between the fleet file and the worker.

public import JSON

public struct FleetStation: Sendable {
  public let name: String
  public let tasks: [String]
  /// Its whole entry, handed to the worker and part of the key of what runs on it.
  public let entry: JSON
}

public struct Fleet: Sendable {
  public var stations: [FleetStation] = []

  public init() {}

  public init(path: String) throws {
    guard Files.exists(path) else { throw Problem(.manifest, "no fleet file \(Files.display(path))", hint: "correct 'fleet' in the manifest") }
    let reader = Reader(file: path, text: try Files.read(path))
    let root = try reader.parse()
    try reader.version(root, "fleet")
    try reader.onlyKeys(root, JSONPointer(), ["$schema", "fleet", "description", "stations"])
    for (index, entry) in (root["stations"]?.array ?? []).enumerated() {
      let pointer = JSONPointer(["stations", String(index)])
      guard let name = try reader.string(entry, "name", pointer) else { throw reader.problem("a station needs a 'name'", pointer) }
      guard !stations.contains(where: { $0.name == name }) else { throw reader.problem("two stations are called '\(name)'", pointer / "name") }
      guard try reader.string(entry, "driver", pointer) != nil else { throw reader.problem("station '\(name)' needs a 'driver'", pointer) }
      let tasks = try reader.strings(entry["tasks"] ?? [], pointer / "tasks")
      guard !tasks.isEmpty else {
        throw reader.problem("station '\(name)' has no 'tasks'", pointer, hint: "\"tasks\": [\"push-t\"] says what can be done there")
      }
      stations.append(FleetStation(name: name, tasks: tasks, entry: entry))
    }
    guard !stations.isEmpty else { throw reader.problem("the fleet has no stations", JSONPointer(root["stations"] == nil ? [] : ["stations"])) }
  }
}
