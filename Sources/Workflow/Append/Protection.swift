// What appended steps may not do, whoever wrote them, for an agent's words are not to be trusted: change what is there and no step made, add to
// what others read, read from outside of the workspace, leave the sandbox, have secrets.

internal import Glibc
import JSON

extension Session {
  /// Refuses steps that are about to be appended. What lies where they publish must be their own, but for steps that are `known`.
  func protect(_ created: [Step], known: Set<String> = []) throws {
    lazy var sources = Sources(of: graph)
    for step in created where step.isAppended {
      try checkRights(of: step)
      for case .files(let path) in step.inputs.values.joined() {
        try decider.checkReach(of: step, Files.matches(path, in: manifest.directory))
      }
      for (output, path) in step.publishes {
        func problem(_ sentence: String, hint: String) -> Problem { step.declaration.problem(sentence, "out", output, hint: hint) }
        let place = Files.withoutSlash(path)
        if let reader = sources.reader(of: place, besides: step) {
          throw problem(
            "an appended step would publish to '\(place)', and step '\(reader.name)' reads what lies there",
            hint: "publish elsewhere, as results/\(Files.name(of: place))")
        }
        let there = manifest.directory + "/" + place
        if !known.contains(step.declaration.name), Files.exists(there), try !isOwn(there, step, output) {
          throw problem(
            "an appended step would overwrite '\(place)', which is not its own", hint: "publish elsewhere, as results/\(Files.name(of: place))")
        }
      }
      try checkWay(of: step)
    }
  }

  /// Refuses what no appended step may have, however its file came to be there.
  func checkRights(of step: Step) throws {
    func problem(_ sentence: String, _ pointer: String..., hint: String) -> Problem {
      step.declaration.problem(sentence, at: pointer, hint: hint)
    }
    if step.options.sandbox == false {
      throw problem("an appended step stays in its sandbox", "sandbox", hint: "write it into the manifest, if it has to leave it")
    }
    if !step.options.secrets.isEmpty {
      throw problem("an appended step has no secrets", "secrets", hint: "write it into the manifest, if it needs them")
    }
    for (port, texts) in step.inputs {
      for case .files(let path) in texts where Files.isAbsolute(path) || Files.parts(of: path).contains("..") {
        throw problem(
          "an appended step reads '\(path)', which is not below the manifest's directory", "in", port,
          hint: "let a step of the manifest read it, and refer to that one's output")
      }
    }
  }

  /// Refuses a place to publish at to which a link leads: what lies where it leads is another's.
  func checkWay(of step: Step) throws {
    guard let root = Files.real(manifest.directory) else { return }
    for (output, path) in step.publishes {
      // The nearest directory that is there: its real path tells of links anywhere on the way.
      var nearest = Files.parent(of: Files.withoutSlash(path))
      while let place = nearest {
        if let real = Files.real(manifest.directory + "/" + place) {
          if real == root + "/" + place { break }
          throw step.declaration.problem("an appended step would publish over a link, '\(place)'", "out", output, hint: "publish elsewhere")
        }
        nearest = Files.parent(of: place)
      }
    }
  }

  /// A step of this name published it, and nobody changed it since.
  private func isOwn(_ path: String, _ step: Step, _ output: String) throws -> Bool {
    guard let key = try state.latest(manifest.workflow, step.name), let record = try state.action(key) else { return false }
    return try decider.isInPlace(record.outputs[output], at: path)
  }
}

extension Decider {
  /// Refuses files that an appended step must not read, whatever links lead to them: what lies outside, or in the state.
  func checkReach(of step: Step, _ paths: [String]) throws {
    guard let root = Files.real(graph.manifest.directory) else { return }
    let place = Files.real(state.directory).map { $0 + "/" }
    for path in paths {
      guard let real = Files.real(path) else { continue }
      if !Files.lies(real, in: root) {
        throw step.declaration.problem(
          "an appended step reads \(Files.display(path)), which a link leads out of the manifest's directory", "in", hint: "name another file")
      }
      if let place, (real + "/").hasPrefix(place) || place.hasPrefix(real + "/") {
        throw step.declaration.problem("step \(step.name): \(Files.display(path)) lies in the state, or holds it", "in", hint: "name other files")
      }
    }
  }
}

/// Which files of the workspace the steps read.
private struct Sources {
  private var readers: [String: Step] = [:]
  /// Directories that hold some of them.
  private var parents: [Substring: Step] = [:]
  private var patterns: [(pattern: String, reader: Step)] = []

  init(of graph: Graph) {
    for step in graph.steps {
      for case .files(let text) in step.inputs.values.joined() {
        let text = Files.rest(of: text, after: "./") ?? Files.withoutSlash(text)
        if Files.isPattern(text) {
          patterns.append((text, step))
          continue
        }
        let path = Files.unescaped(text)
        if readers.updateValue(step, forKey: path) != nil { continue }
        var parent = path[...]
        while let slash = parent.utf8.lastIndex(of: Files.slash) {
          parent = parent[..<slash]
          if parents.updateValue(step, forKey: parent) != nil { break }
        }
      }
    }
  }

  /// Who reads this path, something below it, or the directory that it lies in.
  func reader(of path: String, besides step: Step) -> Step? {
    if let reader = readers[path] ?? parents[path[...]], reader !== step { return reader }
    var parent = path[...]
    while let slash = parent.utf8.lastIndex(of: Files.slash) {
      parent = parent[..<slash]
      if let reader = readers[String(parent)], reader !== step { return reader }
    }
    return patterns.first { $0.reader !== step && fnmatch($0.pattern, path, FNM_PATHNAME) == 0 }?.reader
  }
}
