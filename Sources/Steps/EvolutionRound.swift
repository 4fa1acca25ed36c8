// How the steps of one agent's rounds are called and wired: `FAMILY/ROUND/train` and so on, where the family is the step the manifest names.
// Makes the appended steps as JSON; does no work.

import JSON

struct EvolutionRound {
  /// The step the manifest names, as `evolve[agent=a]`.
  let family: String
  let round: Int

  /// The round that a `propose` step of this name opens.
  init(stepName: String, round: Int) {
    family = String(stepName.prefix { $0 != "/" })
    self.round = round
  }

  func name(_ step: String) -> String { "\(family)/\(round)/\(step)" }

  /// The round's `propose` step: the first is the family's own.
  var propose: String { round == 1 ? family : name("propose") }

  var next: EvolutionRound { EvolutionRound(stepName: family, round: round + 1) }

  /// The family of a peer: this one with the peer's name in the place of this agent's, as `evolve[agent=b]` for `evolve[agent=a]`, or `evolve-b` for
  /// `evolve-a`.
  func family(of peer: String, agent: String) -> String? {
    if let bracket = family.firstIndex(of: "["), family.last == "]" {
      let pairs = family[family.index(after: bracket)...].dropLast().split(separator: ",").map(String.init)
      guard let index = pairs.firstIndex(where: { $0.hasSuffix("=" + agent) }) else { return nil }
      var others = pairs
      others[index] = pairs[index].dropLast(agent.count) + peer
      return family[...bracket] + others.joined(separator: ",") + "]"
    }
    return family.hasSuffix(agent) ? family.dropLast(agent.count) + peer : nil
  }

  /// The steps of the round after its proposal. `templates` may hold a `train` and an `evaluate` step as a manifest would; what joins the steps is
  /// added.
  func steps(templates: JSON, trials: Int?, shards: Int?) -> [(name: String, step: JSON)] {
    var train = templates["train"] ?? [:]
    train["uses"] = train["uses"] ?? "train"
    train["in"] = (train["in"] ?? [:]).with("recipe", "${step.\(propose).recipe}")

    var evaluate = templates["evaluate"] ?? [:]
    evaluate["uses"] = evaluate["uses"] ?? "evaluate"
    evaluate["in"] = (evaluate["in"] ?? [:]).with("policy", "${step.\(name("train")).policy}")
    var with = evaluate["with"] ?? [:]
    with["purpose"] = with["purpose"] ?? "search"
    if let trials { with["trials"] = .integer(trials) }
    evaluate["with"] = with
    if let shards { evaluate["shards"] = .integer(shards) }

    // A failed experiment is a result too: it is recorded as a crash, and neither the round nor the run ends with it.
    train["may_fail"] = true
    evaluate["may_fail"] = true
    var results: JSON = [
      "proposal": "${step.\(propose).proposal}", "result": "${step.\(name("evaluate")).result?}", "policy": "${step.\(name("train")).policy?}",
    ]
    if evaluate["uses"] == "evaluate" { results["trials"] = "${step.\(name("evaluate")).trials?}" }
    if train["uses"] == "train" { results["curves"] = "${step.\(name("train")).curves?}" }
    return [
      (name("train"), train), (name("evaluate"), evaluate),
      (name("commit"), ["uses": "commit", "in": results]),
      (name("decide"), ["uses": "decide", "in": ["record": "${step.\(name("commit")).record}", "proposal": "${step.\(propose).proposal}"]]),
    ]
  }
}

extension JSON {
  fileprivate func with(_ key: String, _ value: JSON) -> JSON {
    var json = self
    json[key] = value
    return json
  }
}
