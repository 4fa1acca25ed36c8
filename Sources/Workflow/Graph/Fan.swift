// What `${step.NAME[*].OUTPUT}` means: one output of all instances of a step, in their order. All steps that read it share one fan, so that
// a thousand readers of a thousand outputs cost two thousand, not a million: what the fan waits for is counted once, for all who read nothing
// else of steps.

import JSON

final class Fan {
  let outputs: [Step.SourceOutput]
  /// What each reader waits for; shared, unless a reader waits for more.
  let needs: [Step.Need]
  /// The artifacts, once every instance has ended and somebody asked.
  var artifacts: [Decider.InputArtifact]? { didSet { print = nil } }
  /// How a fingerprint tells of them.
  var print: JSON?
  /// How many of its steps have not ended; nil as long as nobody waits for it.
  var unfinished: Int?
  /// Who waits for all of its steps, and for nothing else that another step gives.
  var readers: [Step.ID] = []
  /// The greatest height of those.
  var height: Double?
  /// All its steps succeeded, and none may leave an output out. Known once they have ended.
  var isWell: Bool?

  init(_ outputs: [Step.SourceOutput]) {
    self.outputs = outputs
    var seen: Set<Step.ID> = []
    needs = outputs.filter { seen.insert($0.step).inserted }.map { ($0.step, $0.optional, false) }
  }
}

extension Step.Source {
  var isOfFiles: Bool { if case .files = self { true } else { false } }

  /// The outputs of steps that it means.
  var outputs: [Step.SourceOutput] {
    switch self {
    case .files: []
    case .output(let id, let name, let optional): [(id, name, optional)]
    case .fan(let fan): fan.outputs
    case .each(let spread, _, let name, let optional): (spread.instances ?? []).map { ($0, name, optional) }
    }
  }
}

extension Decider.InputArtifact {
  /// How a fingerprint lists it.
  var print: JSON {
    var print: JSON = ["name": .string(place ?? name), "digest": .string(digest.hex)]
    if artifact?.isExecutable ?? stamp.map({ !$0.isDirectory && $0.isExecutable }) ?? false { print["executable"] = true }
    return print
  }
}
