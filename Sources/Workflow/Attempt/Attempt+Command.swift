// How a command sees its inputs and outputs: links, directories, and its words with references filled in.

internal import Glibc
import JSON
import OrderedCollections

extension Attempt {
  static func links(_ step: Step, _ files: [String], _ session: Session) -> [Rooms.Link] {
    if step.kind != nil { return [] }
    let workspace = (step.declaration.scope?.directory ?? session.manifest.directory) + "/"
    let targets = Dictionary(
      files.compactMap { file in Files.rest(of: Files.normal(file), after: workspace).map { ($0, file) } }, uniquingKeysWith: min)
    // What lies in an input directory is there with it.
    func isInside(_ name: String) -> Bool { Files.parent(of: name).map { targets[$0] != nil || isInside($0) } ?? false }
    return targets.filter { !isInside($0.key) }.sorted { $0.key < $1.key }.map { Rooms.Link(name: $0.key, target: $0.value) }
  }

  /// What it finds: links to its inputs, and the directories of them and of its outputs.
  static func layout(_ step: Step, _ links: [Rooms.Link]) -> Rooms.Layout {
    if step.kind != nil { return Rooms.Layout(directories: ["out"]) }
    let outputs = step.outputs.compactMap { $0.form == .directory && !step.mayOmit($0.name) ? $0.path : Files.parent(of: $0.path) }
    return Rooms.layout(outputs, links)
  }

  /// The argv with references filled in. The command runs in the private directory, where the workspace's inputs stand at their own
  /// relative paths and its outputs are to appear at theirs.
  func command() throws -> [String] {
    for path in files {
      exposure.read(path)
      if strace != nil { shownPaths[path] = [path] }
    }
    if strace != nil { for link in layout.links { shownPaths[link.target]!.append(directory + "/" + link.name) } }
    return try step.argv.flatMap { word -> [String] in
      let segments = try Template.parse(word)
      if segments.count == 1, case .reference(.input(let port)) = segments[0] { return try paths(of: port) }
      return [
        try segments.map { segment in
          switch segment {
          case .text(let text): text
          case .reference(.input(let port)): try paths(of: port).joined(separator: " ")
          case .reference(.output(let name)): directory + "/" + (step.output(named: name)?.path ?? name)
          case .reference(.progress): try makeProgressDirectory()
          case .reference(.append): directory + "/" + Self.appendFile
          case .reference(let reference): try value(of: reference)
          }
        }.joined()
      ]
    }
  }

  func value(of reference: Reference) throws -> String {
    if case .step(let reference) = reference, let producer = session.graph.step(named: reference.step, from: step),
      let output = producer.output(named: reference.output),
      let artifact = producer.record?.outputs[output.name], output.form != .value
    {
      return try view(artifact, name: Files.name(of: output.path))
    }
    let text: String =
      switch reference {
      case .step(let step): "${step.\(step.step)\(step.output.map { "." + $0 } ?? "")}"
      case .station(let field): "${station.\(field)}"
      case .parameter(let name): "${with.\(name)}"
      default: ""
      }
    let value = try session.decider.resolve(.string(text), in: step, "run")
    return value.string ?? value.canonical
  }

  func paths(of port: String) throws -> [String] { try (inputs[port] ?? []).map(path) }

  func path(of artifact: Decider.InputArtifact) throws -> String {
    if let path = artifact.path { return path }
    let path = try view(artifact.artifact!, name: artifact.name)
    if strace != nil { shownPaths[artifact.digest.hex + artifact.name] = [path] }
    return path
  }

  func view(_ artifact: Artifact, name: String) throws -> String {
    let path = try session.state.store.view(artifact, name: name)
    exposure.read(path)
    if !isSandboxed { noteView(path, of: artifact) }
    return path
  }
}
