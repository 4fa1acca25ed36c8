// The step kinds that the worker knows, asked once for each build of the worker and kept beside the state.

internal import Glibc
public import JSON

public enum Catalogue {
  /// The worker: `ENPIRE_WORKER`, or `enpire-worker` beside this program.
  public static var worker: String {
    if let path = getenv("ENPIRE_WORKER") { return String(cString: path) }
    return (Files.parent(of: Surroundings.program) ?? ".") + "/enpire-worker"
  }

  /// All kinds by name.
  public static func kinds(state directory: String) throws -> [String: Kind] {
    var status = stat()
    guard stat(worker, &status) == 0 else {
      throw Problem(.internalError, "no worker at \(worker)", hint: "build it with `make build`, or name it with ENPIRE_WORKER")
    }
    let identity = "\(worker) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ino)"
    let cache = directory + "/kinds.json"
    if let bytes = try? Files.read(cache), let json = try? JSON(parsing: bytes), json["worker"]?.string == identity, let kinds = parse(json) {
      return kinds
    }
    var json = try ask(["kinds"], state: directory)
    guard let kinds = parse(json) else { throw Problem(.internalError, "\(worker) does not say what it can do", hint: "run `enpire doctor`") }
    json["worker"] = .string(identity)
    try Files.write(json.compact, to: cache)
    return kinds
  }

  /// What the worker answers to these words: one JSON value. `directory` is for its answer in between.
  public static func ask(_ words: [String], environment: [String: String] = [:], state directory: String) throws -> JSON {
    try Files.makeDirectory(directory)
    let output = directory + "/answer.tmp\(getpid())"
    defer { unlink(output) }
    let environment = Child.inheritedEnvironment.merging(Child.numerics) { $1 }.merging(environment) { $1 }
    let child = try Child.spawn([worker] + words, environment: environment, directory: Files.currentDirectory, output: output)
    guard child.wait() == .exited(0), let json = try? JSON(parsing: Files.read(output)) else {
      let said = (try? Files.read(output)).map { String(decoding: $0.suffix(400), as: UTF8.self) } ?? ""
      throw Problem(.internalError, "\(worker) \(words.first ?? "") failed: \(said)", hint: "run `enpire doctor`")
    }
    return json
  }

  private static func parse(_ json: JSON) -> [String: Kind]? {
    guard let list = json["kinds"]?.array else { return nil }
    let kinds = list.compactMap(Kind.init(json:))
    return kinds.count == list.count ? Dictionary(uniqueKeysWithValues: kinds.map { ($0.name, $0) }) : nil
  }
}
