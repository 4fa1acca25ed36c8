// The unmodified gym-pusht, in a Python process of its own: the benchmark itself as a station.
// The protocol is one JSON object a line, a reply for each request, by pipes. The process has a deadline for each reply; missing it is the
// station's failure. A wall clock decides nothing else.

internal import Foundation
public import JSON
public import Vision

public final class GymStation: Station {
  public let name: String
  public let versions: JSON
  private let process: LineProcess
  private var state: [Double] = []

  /// `python` in the fleet entry names the interpreter; without it, see `pythonPath`.
  public init(name: String, entry: JSON) throws(StationFailure) {
    self.name = name
    guard let python = entry["python"]?.string ?? Self.pythonPath() else {
      throw StationFailure(name, "finds no Python with gym-pusht", hint: "run 'make test' once, which installs it, or set ENPIRE_PYTHON")
    }
    process = try LineProcess(station: name, executable: python, arguments: ["-c", Self.program])
    let hello = try process.reply(within: 60)
    guard hello["protocol"]?.int == 1 else { throw StationFailure(name, "its process speaks another protocol: \(hello.compact)") }
    versions = hello["versions"] ?? [:]
  }

  public func reset(seed: UInt32) throws(StationFailure) -> Reading { try ask(["op": "reset", "seed": .integer(Int(seed))]) }

  public func step(_ action: Action) throws(StationFailure) -> Reading {
    try ask(["op": "step", "action": .array(action.map(JSON.number))])
  }

  /// Drawn here from the process's true state: pictures are too large for lines of JSON.
  public func picture(_ form: PictureForm) throws(StationFailure) -> Image {
    guard state.count == 5 else { throw StationFailure(name, "has no scene to look at before its first reset") }
    do {
      return try PushTRenderer.image(
        agent: (state[0], state[1]), block: (state[2], state[3]), angle: state[4], size: form.size, drawing: form.drawing)
    } catch { throw StationFailure(name, "its camera failed: \(error)") }
  }

  private func ask(_ request: JSON) throws(StationFailure) -> Reading {
    try process.send(request)
    let reply = try process.reply(within: 30)
    if let error = reply["error"]?.string { throw StationFailure(name, "its process reports: \(error)") }
    guard let observation = reply["observation"]?.array?.compactMap(\.double), observation.count == 5,
      let state = reply["state"]?.array?.compactMap(\.double), state.count == 5, let coverage = reply["coverage"]?.double
    else { throw StationFailure(name, "its process replied without an observation: \(reply.compact.prefix(200))") }
    self.state = state
    return Reading(
      observation: observation, truth: Truth(state: state, score: coverage), terminated: reply["terminated"]?.bool ?? false,
      truncated: reply["truncated"]?.bool ?? false)
  }

  /// $ENPIRE_PYTHON, or `.deps/python/bin/python3` in the working directory, above it, or above the program.
  public static func pythonPath() -> String? {
    if let path = ProcessInfo.processInfo.environment["ENPIRE_PYTHON"], !path.isEmpty { return path }
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/"
    for start in [FileManager.default.currentDirectoryPath, program] {
      var folder = URL(filePath: start)
      while folder.path != "/" {
        let path = folder.appending(path: ".deps/python/bin/python3").path
        if FileManager.default.isExecutableFile(atPath: path) { return path }
        folder.deleteLastPathComponent()
      }
    }
    return nil
  }

  private static let program = """
    import importlib.metadata, json, os, sys, warnings
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    warnings.simplefilter("ignore")
    out, sys.stdout = sys.stdout, sys.stderr

    def tell(reply):
        out.write(json.dumps(reply) + "\\n")
        out.flush()

    try:
        import gymnasium, gym_pusht, numpy
        env = gymnasium.make("gym_pusht/PushT-v0", obs_type="state")
        scene = env.unwrapped
        names = ["gym-pusht", "pymunk", "gymnasium", "numpy", "shapely"]
        tell({"protocol": 1, "versions": {name: importlib.metadata.version(name) for name in names}})
    except Exception as error:
        tell({"protocol": 0, "error": f"{type(error).__name__}: {error}"})
        sys.exit(1)

    for line in sys.stdin:
        try:
            request = json.loads(line)
            ended = truncated = False
            if request["op"] == "reset":
                observation, info = env.reset(seed=request["seed"])
                coverage = scene._get_coverage()
            else:
                action = numpy.array(request["action"], dtype=numpy.float64)
                observation, _, ended, truncated, info = env.step(action)
                coverage = info["coverage"]
            state = [*map(float, info["pos_agent"]), *map(float, info["block_pose"])]
            tell({"observation": observation.tolist(), "state": state, "coverage": float(coverage),
                  "terminated": bool(ended), "truncated": bool(truncated)})
        except Exception as error:
            tell({"error": f"{type(error).__name__}: {error}"})
    """
}
