// Files that a command reads and does not declare, and inputs that it declares and does not read: the difference between a manifest and what
// strace saw. A failed step is told the line to add; `enpire lint --trace` looks at steps that succeed.

internal import Glibc
import Hashing
import JSON

public struct ReadReport: Sendable {
  public struct Finding: Sendable, Hashable {
    /// Relative to the manifest, or absolute.
    public let path: String
    /// It only asked whether the file is there, or what it is.
    public internal(set) var isProbe: Bool
    /// What to add to the step's `in`.
    let line: String
    /// What to do about it.
    public let advice: String
  }

  public var undeclared: [Finding] = []
  /// Ports and the paths at them that were never opened.
  public var unused: [(port: String, path: String)] = []
  public var succeeded = false
}

extension Attempt {
  /// What the accesses mean for the step's declaration.
  func report(on accesses: [FileAccess]) -> ReadReport {
    var report = ReadReport()
    let workspace = Files.normal(workspace)
    let state = session.state.directory
    let declared = files.map(Files.normal)
    let written = step.outputs.map { Files.normal(workspace + "/" + $0.path) }
    var ports = Set(step.declaration.inputs.keys)
    var told: [String: Int] = [:]
    for access in accesses {
      // What is looked for in the private directory would lie at the same place in the workspace.
      let inside = Files.lies(access.path, in: directory)
      let path = inside ? workspace + (Files.rest(of: access.path, after: directory) ?? "") : access.path
      if inside && access.found { continue }
      if path == workspace || Files.lies(path, in: state) || (Files.lies(workspace, in: path) && path != "/") || path == "/" { continue }
      // What another step publishes may not be there yet.
      let below = Files.rest(of: path, after: workspace + "/")
      let isPublished = below.map { session.wholeGraph.publisher(of: $0) != nil } ?? false
      let isKnown = isPublished || Files.lies(path, in: workspace) && Files.exists(path)
      guard isKnown || !Files.lies(path, in: workspace) && !access.found && access.form == .opened && Self.isData(path) else { continue }
      if declared.contains(where: { Files.lies(path, in: $0) || Files.lies($0, in: path) })
        || written.contains(where: { Files.lies(path, in: $0) || Files.lies($0, in: path) })
      {
        continue
      }
      // A directory that is only passed through tells nothing.
      if access.form == .probed, Files.isDirectory(path) { continue }
      let name = below ?? path
      let isProbe = access.form == .probed
      if let index = told[name] {
        if !isProbe { report.undeclared[index].isProbe = false }
        continue
      }
      told[name] = report.undeclared.count
      let port = Self.port(for: name, besides: ports)
      ports.insert(port)
      let entry = "\(JSON.string(port).compact): \(JSON.string(name).compact)"
      let line = step.declaration.inputs.isEmpty ? "\"in\": { \(entry) }" : entry
      report.undeclared.append(
        ReadReport.Finding(path: name, isProbe: isProbe, line: line, advice: reference(to: name)?.advice ?? "add \(line)"))
    }
    let opened = accesses.filter { $0.found && $0.form != .probed }.map(\.path)
    for (port, artifacts) in inputs {
      for artifact in artifacts {
        guard let shown = shownPaths[artifact.path ?? artifact.digest.hex + artifact.name] else { continue }
        let places = shown.map { Files.normal($0) }
        if !opened.contains(where: { path in places.contains { Files.lies(path, in: $0) } }) {
          report.unused.append((port, artifact.path.map { Files.display($0) } ?? artifact.name))
        }
      }
    }
    return report
  }

  /// Who publishes a file, or a directory that it lies in, and what to write for it; nil if no other step does.
  private func reference(to path: String) -> (publisher: String, advice: String)? {
    guard let publisher = session.wholeGraph.publisher(of: path) ?? session.wholeGraph.publisher(above: path), publisher.name != step.name else {
      return nil
    }
    for (output, published) in publisher.publishes {
      let place = Files.withoutSlash(published)
      guard path == place || path.hasPrefix(place + "/") else { continue }
      let reference = "${step.\(publisher.name).\(output)}"
      let references = output == publisher.outputs.first?.name ? [reference, "${step.\(publisher.name)}"] : [reference]
      if let port = step.declaration.inputs.first(where: { $0.value.contains { references.contains($0) } })?.key {
        return (publisher.name, "write ${in.\(port)}\(path.dropFirst(place.count)) for it in its words")
      }
      let port = Self.port(for: place, besides: Set(step.declaration.inputs.keys))
      return (publisher.name, "add \(JSON.string(port).compact): \(JSON.string(reference).compact) to its 'in'")
    }
    return nil
  }

  /// Outside the workspace: what may be somebody's data, and not a part of the system or a program's settings.
  private static func isData(_ path: String) -> Bool {
    !["/etc/", "/usr/", "/lib", "/bin/", "/sbin/", "/proc/", "/sys/", "/dev/", "/run/", "/var/", "/opt/", "/tmp/"].contains(where: path.hasPrefix)
      && !path.contains("/.") && Files.exists(path) && !Files.isDirectory(path)
  }

  /// A port's name for a file, as `x` for `data/x.csv`.
  private static func port(for path: String, besides taken: Set<String>) -> String {
    let stem = Files.name(of: path).prefix { $0 != "." }
    let letters = String(stem.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" })
    let name = letters.isEmpty ? "data" : letters
    return taken.contains(name) ? (2...).lazy.map { "\(name)-\($0)" }.first { !taken.contains($0) }! : name
  }

  // MARK: After a failure

  /// The words that go with an undeclared file, for a step that failed.
  static let absence = ["No such file", "no such file", "ENOENT", "not found", "cannot open", "can't open", "does not exist", "FileNotFound"]

  /// Why a failed command may have failed: files of the workspace that it looked for and did not declare. Runs it again under strace if that
  /// can do no harm, in a sandbox without network; else looks for their names in what it said.
  /// While others run that is for two seconds at most, for nobody looks after them meanwhile.
  func adviceAfterFailure(_ said: String, alone: Bool) -> String? {
    guard step.kind == nil, !isReproduction else { return nil }
    var found: [ReadReport.Finding] = []
    if isSandboxed, !exposure.network, !step.moves, seconds < 10 || Self.absence.contains(where: said.contains), session.isolation.mayTrace() {
      found = (try? session.trace(step, key: key, fingerprint: fingerprint, limit: alone ? min(20, 2 * seconds + 5) : 2))?.undeclared ?? []
    } else if Self.absence.contains(where: said.contains) {
      let breaks: Set<Character> = [" ", "\n", "\t", "'", "\"", ":", ",", "(", ")", "‘", "’", "`"]
      let quoted = said.split { "'\"‘’`\n".contains($0) }.filter { $0.utf8.count < 400 }
      let words = (said.split(whereSeparator: breaks.contains) + quoted).filter { $0.contains { $0.isLetter } && $0 != "." && $0 != ".." }
      let asked = words.prefix(200).map {
        FileAccess(path: Files.normal($0.utf8.first == Files.slash ? String($0) : directory + "/" + $0), form: .opened, found: false)
      }
      found = report(on: asked).undeclared
    }
    let read = found.filter { !$0.isProbe }
    let told = read.isEmpty ? found : read
    guard let first = told.first else { return nil }
    let place = step.declaration.origin.place(key: true).map { " (\($0.file):\($0.line))" } ?? ""
    if let (publisher, advice) = reference(to: first.path) {
      return "it looks for \(first.path), which step '\(publisher)' publishes: \(advice)\(place)"
    }
    let more = told.count > 1 ? "; also \(told.dropFirst().prefix(5).map(\.line).joined(separator: ", "))" : ""
    let whole = first.line.hasPrefix("\"in\"") ? "" : "the 'in' of "
    let advice =
      "it looks for \(first.path), which it does not declare: add \(first.line) to \(whole)step '\(step.declaration.name)'\(place)\(more)"
    return mask?(advice) ?? advice
  }
}

extension Session {
  /// Runs a command under strace, in a private directory that is thrown away, for at most `limit` seconds.
  func trace(_ step: Step, key: Digest, fingerprint: JSON, limit: Double) throws -> ReadReport {
    guard let strace = Tracing.program else {
      throw Problem(.usage, "there is no strace", hint: "apt-get install strace")
    }
    let attempt = try Attempt(
      step, key: key, fingerprint: fingerprint, inputs: decider.inputs(of: step), session: self,
      reproducing: ActionDetails(fingerprint: fingerprint, telemetry: [:]), strace: strace)
    defer { attempt.cleanUp(keepingProgress: false) }
    // Until it ends, or the run is asked to.
    var polled = [attempt.child.descriptor, interruption].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    if poll(&polled, 2, Int32(limit * 1000)) <= 0 || polled[0].revents == 0 { attempt.child.signal(SIGKILL) }
    let end = attempt.child.wait()
    let text = (try? Files.read(attempt.directory + "/" + Attempt.traceFile)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    var report = attempt.report(on: Tracing.accesses(in: text, startingIn: attempt.directory))
    report.succeeded = end == .exited(0)
    return report
  }

  /// Traces the steps that could run now: commands whose inputs are there. `report` gets a step and what was found, or why not.
  public func lintReads(_ goals: [Step], report: (Step, Result<ReadReport, Problem>) -> Void) throws {
    let lock = try WorkspaceLock(state: state.directory, patience: true) { _ in }
    defer { withExtendedLifetime(lock) {} }
    _ = try plan(goals)
    for step in goals where step.kind == nil {
      do {
        guard step.needs.allSatisfy({ $0.optional || graph.steps[$0.step].record != nil }) else {
          throw Problem(.stepFailed, "\(step.name): not traced, for what it needs has not run", hint: "enpire run first")
        }
        let fingerprint = try decider.fingerprint(of: step)
        report(
          step,
          .success(try trace(step, key: Digest(of: fingerprint.canonical), fingerprint: fingerprint, limit: step.options.timeout?.after ?? 3600)))
      } catch let problem as Problem { report(step, .failure(problem)) }
    }
  }
}
