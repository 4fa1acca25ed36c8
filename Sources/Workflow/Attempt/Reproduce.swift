// Runs a recorded action again, apart from everything that is kept of it, and compares what it gives.

import Hashing

public struct Reproduction: Sendable {
  public let step: String
  public let output: String
  public let recorded: String
  public let reproduced: String
  public var matches: Bool { recorded == reproduced }
}

extension Session {
  /// The step that a name, a key's first digits or an output's digest means, walked to its record.
  public func recordedStep(_ name: String) throws -> Step {
    try makeInstances(of: [name])
    _ = try plan(graph.steps.filter { $0.parent == nil })
    // A pattern may mean the digits of a key too.
    let recorded = graph.steps.first { step in
      guard let record = step.record, name.count >= 6 else { return false }
      return record.key.hex.hasPrefix(name) || record.outputs.values.contains { $0.digest.hex.hasPrefix(name) }
    }
    if let step = recorded ?? graph.step(named: name), !step.isSpread { return step }
    throw Problem(
      .usage, "no step, key or output '\(name)' in \(Files.display(manifest.path))",
      hint: suggestion(for: name, among: graph.steps.filter { !$0.isSpread }.map(\.name)))
  }

  /// Runs the step again in a directory of its own, from its recorded inputs, and compares every output.
  /// A gather brings its shards; `deep` brings whatever it was made from. `report` is called before each.
  public func reproduce(_ step: Step, deep: Bool, report: (Step) -> Void) throws -> [Reproduction] {
    let lock = try WorkspaceLock(state: state.directory, patience: true) { _ in }
    defer { withExtendedLifetime(lock) {} }
    let sources = deep ? graph.ancestors(of: step) : step.shards.map { graph.steps[$0] }
    return try (sources + [step]).flatMap { step -> [Reproduction] in
      if step.isBypassed || step.isNominal { return [] }
      guard let record = step.record, let details = try state.details(record.key) else {
        throw Problem(
          .stepFailed, "\(step.name) has no result of its present inputs", hint: "run it first, or check out the commit that its record names")
      }
      if step.effect == .external || step.moves {
        if deep { return [] }
        throw Problem(.usage, "\(step.name) changes something outside and cannot be repeated", hint: "reproduce the evaluation it records")
      }
      report(step)
      let attempt = try Attempt(
        step, key: record.key, fingerprint: details.fingerprint, inputs: decider.inputs(of: step), session: self, reproducing: details)
      defer { attempt.cleanUp(keepingProgress: false) }
      let again = try attempt.finish()
      return record.outputs.map { name, artifact in
        Reproduction(step: step.name, output: name, recorded: artifact.name, reproduced: again.outputs[name]?.name ?? "missing")
      }
    }
  }
}
