// What the worker is told of a step kind's work: one request, in a file.

import JSON
import OrderedCollections

extension Attempt {
  /// The step's name; of one that appends, its name in its own file: what it appends is recorded, and the file may be included elsewhere.
  private var nameWithin: String {
    guard step.mayAppend, let prefix = step.declaration.scope?.prefix, step.name.hasPrefix(prefix) else { return step.name }
    return String(step.name.dropFirst(prefix.count))
  }

  /// Writes the worker's request; returns its path.
  func request() throws -> String {
    let state = session.state.directory
    let kind = step.kind!, mode = isPreparation ? "prepare" : step.shards.isEmpty ? "run" : "gather"
    for path in session.isolation.worker { exposure.read(path) }
    for path in files { exposure.read(path) }
    var request: JSON = [
      "request": 1, "step": .string(nameWithin), "kind": .string(kind.name), "mode": .string(mode),
      "key": .string(key.hex), "with": try session.decider.resolvedParameters(of: step),
      "inputs": .object(
        try inputs.mapValues { artifacts in
          .array(
            try artifacts.map { artifact in
              var json: JSON = ["path": .string(try path(of: artifact)), "name": .string(artifact.name), "digest": .string(artifact.digest.hex)]
              if let producer = artifact.step { json["step"] = .string(producer) }
              return json
            })
        }),
      "outputs": .object(OrderedDictionary(uniqueKeysWithValues: step.outputs.map { ($0.name, .string(directory + "/out/" + $0.path)) })),
      "workspace": .string(session.manifest.directory), "state": .string(state), "workflow": .string(session.manifest.workflow),
      "manifest": .string(Files.name(of: session.manifest.path)),
    ]
    if let station = step.station, !isPreparation {
      request["station"] = station.entry
      for path in session.isolation.python(near: session.manifest.directory) { exposure.read(path) }
    }
    if !leases.isEmpty {
      request["leases"] = .array(leases.map(\.json))
      exposure.read(session.decider.stations.directory)
    }
    if step.stations.count > 1 { request["stations"] = .array(step.stations.map(\.entry)) }
    if let shard = step.shard { request["shard"] = ["index": .integer(shard.index), "count": .integer(shard.count)] }
    request["progress"] = .string(try makeProgressDirectory())
    if kind.effect == .sample {
      let samples = isReproduction ? directory : state + "/samples"
      try Files.makeDirectory(samples)
      let file = "\(samples)/\(try session.decider.sampleKey(of: step, fingerprint: fingerprint).hex).jsonl"
      if !Files.exists(file) { try Files.write("", to: file) }
      request["samples"] = .string(file)
      noteTrials(file)
      request["looks"] = reproduced?.telemetry["looks"]
      exposure.write(file)
      request["seedRoot"] = .string(try session.decider.seedRoot(of: step, fingerprint: fingerprint).hex)
    }
    if step.mayAppend {
      request["append"] = .string(directory + "/" + Self.appendFile)
      request["source"] = step.source
    }
    if kind.readsStudy, let taints = fingerprint["taints"] { request["taints"] = taints }
    if kind.readsStudy { request["study"] = .array(try session.graph.ancestors(of: step).map(studyEntry)) }
    // Experiments are in Git: who commits writes there, who reads the study reads there.
    let hub = state + "/hubs/" + session.manifest.workflow
    if kind.effect == .external {
      try Files.makeDirectory(hub)
      exposure.write(hub)
    } else if kind.readsStudy, Files.exists(hub) {
      exposure.read(hub)
    }
    let file = directory + "/request.json"
    try Files.write(request.pretty, to: file)
    return file
  }

  func studyEntry(_ ancestor: Step) throws -> JSON {
    var entry: JSON = [
      "step": .string(ancestor.name), "kind": .string(ancestor.declaration.action.word), "effect": .string(ancestor.effect.rawValue),
      "state": .string(ancestor.status.rawValue),
      "needs": .array((ancestor.needs.map { session.graph.steps[$0.step].name } + ancestor.families).map { .string($0) }),
      "outputs": .object(
        OrderedDictionary(
          uniqueKeysWithValues: try (ancestor.record?.outputs ?? [:]).map { name, artifact in
            let file = ancestor.outputs.first { $0.name == name }.map { Files.name(of: $0.path) } ?? name
            return (
              name,
              ["path": .string(try view(artifact, name: file)), "name": .string(file), "digest": .string(artifact.digest.hex)]
            )
          })),
    ]
    entry["description"] = ancestor.declaration.description.map { .string($0) }
    entry["station"] = ancestor.station.map { .string($0.name) }
    if let record = ancestor.record {
      entry["key"] = .string(record.key.hex)
      entry["started"] = .number(record.started)
      entry["seconds"] = .number(record.seconds)
      let details = try session.state.details(record.key)
      entry["telemetry"] = details?.telemetry ?? [:]
      entry["with"] = details?.fingerprint["with"]
      entry["inputs"] = details?.fingerprint["inputs"]
      entry["station_entry"] = details?.fingerprint["station"]
    }
    entry["problem"] = (ancestor.problem?.sentence).map { .string($0) }
    return entry
  }
}
