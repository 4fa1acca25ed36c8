// How a run keeps its steps apart from everything else: one for a session. Nothing is looked for before a step has to run.

internal import Glibc

public final class Isolation {
  /// As the command line says; else `ENPIRE_SANDBOX`, else the user's `fallback`, else `auto`.
  public var mode: SandboxMode?
  public var fallback: SandboxMode?
  /// Where results are shared: a directory or an address; nil or `none` for nowhere.
  public var cache: String?
  private var sharing: SharedCache??
  private let state: String
  private var traces = 0
  private var found: Result<Sandbox, Problem>?

  init(state: String) { self.state = state }

  /// What was chosen for another session of the same workspace.
  func take(_ other: Isolation) { (mode, fallback, cache) = (other.mode, other.fallback, other.cache) }

  /// The sandbox for a step, or nil for none.
  func sandbox(for step: Step) throws -> Sandbox? {
    let mode = try chosen()
    if step.options.sandbox == true {
      guard mode != .none else {
        throw Problem(.stepFailed, "\(step.name) must run in a sandbox, and this run has none", hint: "leave out --sandbox=none and ENPIRE_SANDBOX")
      }
      do { return try find().get() } catch { throw Problem(.stepFailed, "\(step.name) must run in a sandbox: \(error.sentence)", hint: error.hint) }
    }
    if step.options.sandbox == false { return nil }
    return switch mode {
    case .none: nil
    case .auto: try? find().get()
    case .bwrap: try find().get()
    }
  }

  private func chosen() throws -> SandboxMode {
    if let mode { return mode }
    guard let word = getenv("ENPIRE_SANDBOX").map({ String(cString: $0) }), !word.isEmpty else { return fallback ?? .auto }
    guard let mode = SandboxMode(rawValue: word) else {
      throw Problem(.usage, "ENPIRE_SANDBOX=\(word) is no kind of sandbox", hint: "auto, bwrap or none")
    }
    return mode
  }

  /// Tried once.
  private func find() -> Result<Sandbox, Problem> {
    if let found { return found }
    let result: Result<Sandbox, Problem>
    do { result = .success(try Sandbox(state: state)) } catch let problem as Problem { result = .failure(problem) } catch {
      result = .failure(Problem(.internalError, "\(error)"))
    }
    found = result
    return result
  }

  /// Whether a failed step may be run again to see what it reads: a few times in a run, for where one lacks a file many may.
  func mayTrace() -> Bool {
    traces += 1
    return traces <= 3 && Tracing.program != nil
  }

  // MARK: Sharing

  public static var cacheInEnvironment: String? { getenv("ENPIRE_CACHE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }

  /// The shared cache, if there is one; opened when it is first asked for.
  func shared(_ state: State, _ tell: @escaping (String, _ isWarning: Bool) -> Void) -> SharedCache? {
    if let sharing { return sharing }
    let location = cache ?? ""
    let opened = location.isEmpty || location == "none" ? nil : SharedCache(location, state: state, tell: tell)
    sharing = .some(opened)
    return opened
  }

  func finishSharing() { (sharing ?? nil)?.finish() }

  /// Processes that run for the cache.
  var helpers: [pid_t] { (sharing ?? nil)?.processes ?? [] }

  // MARK: What a step kind needs of this machine

  /// The worker and its libraries outside the system's directories.
  private(set) lazy var worker: [String] = [Catalogue.worker] + libraries

  /// The directories of libraries that the dynamic linker finds for the worker; asked once for each build of it.
  private var libraries: [String] {
    let worker = Catalogue.worker
    let identity = "\(worker) \(Files.modified(worker))"
    let cache = state + "/sandbox/libraries"
    if let lines = (try? Files.read(cache)).map({ String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) }),
      lines.first == identity
    {
      return Array(lines.dropFirst())
    }
    let output = cache + ".tmp\(getpid())"
    defer { unlink(output) }
    guard (try? Child.spawn(["ldd", worker], environment: Child.inheritedEnvironment, directory: "/", output: output))?.wait() == .exited(0),
      let text = try? Files.read(output)
    else { return [] }
    var seen: Set<String> = []
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
      guard let arrow = line.firstRange(of: "=> /") else { continue }
      let path = "/" + line[arrow.upperBound...].prefix { $0 != " " }
      guard let real = Files.real(path), let directory = Files.parent(of: path), let home = Files.parent(of: real) else { continue }
      for found in [directory, home] where !["/usr/", "/lib"].contains(where: found.hasPrefix) { seen.insert(found) }
    }
    try? Files.write(([identity] + seen.sorted()).joined(separator: "\n"), to: cache)
    return seen.sorted()
  }

  /// The Python that a station's driver may start: `ENPIRE_PYTHON`, or `.deps/python` above the workspace or the worker.
  func python(near workspace: String) -> [String] {
    var roots: [String] = []
    if let path = getenv("ENPIRE_PYTHON").map({ String(cString: $0) }), !path.isEmpty {
      roots = [path]
    } else {
      for start in [workspace, Catalogue.worker] {
        var folder = start
        while folder != "/", let parent = Files.parent(of: folder) {
          if Files.exists(folder + "/.deps/python/bin/python3") { roots.append(folder + "/.deps/python/bin/python3") }
          folder = parent
        }
      }
    }
    // A virtual environment, and what its link leads to.
    return roots.flatMap { [$0, Files.real($0) ?? $0] }.compactMap { Files.parent(of: $0).flatMap(Files.parent) }
      .filter { !$0.hasPrefix("/usr") && $0 != "/" && Files.exists($0) }
  }
}
