// Takes as a file (`sealed.json` beside a verifier), so that they can be filmed again when the camera or the light has changed.

public import JSON

extension Take {
  public var json: JSON {
    [
      "scale": .number(scale), "radius": .number(radius),
      "take": .string(name), "episode": .string(episode), "kind": .string(kind.rawValue), "coverage": .number((coverage * 1e6).rounded() / 1e6),
      "states": .array(states.map { .array($0.map(JSON.number)) }), "done": .array(done.map(JSON.bool)),
    ]
  }

  /// Nil for what is not a whole take.
  public init?(json: JSON) {
    guard let name = json["take"]?.string, let episode = json["episode"]?.string, let kind = json["kind"]?.string.flatMap(VerifierClip.Kind.init),
      let coverage = json["coverage"]?.double,
      let states = json["states"]?.array?.map({ ($0.array ?? []).compactMap(\.double) }), let done = json["done"]?.array?.compactMap(\.bool),
      !states.isEmpty, states.count == done.count, states.allSatisfy({ $0.count == 5 })
    else { return nil }
    self.init(
      name: name, episode: episode, kind: kind, scale: json["scale"]?.double ?? PushTPhysics.nominal.blockScale,
      radius: json["radius"]?.double ?? PushTPhysics.nominal.agentRadius, states: states, done: done, coverage: coverage)
  }
}
