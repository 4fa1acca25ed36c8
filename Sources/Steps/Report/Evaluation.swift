// One evaluation of the study: its result, its trials, and what it was made for.

import Foundation
import JSON
import Robot

struct Evaluation {
  let step: StudyStep
  let result: JSON
  let rate: Rate
  let purpose: Purpose
  /// How people call it: the experiment's id, or the step's name.
  let label: String
  /// The round of the evolution; nil outside of it.
  let round: Int?
  /// One JSON object a trial, by index; read when asked for.
  var trials: [JSON] {
    guard let file = step.outputs["trials"], let data = FileManager.default.contents(atPath: file.path) else { return [] }
    return data.split(separator: 10).compactMap { try? JSON(parsing: $0) }
  }

  var words: RateWords { RateWords(rate) }
  var policies: [(digest: String, rate: Rate)] {
    (result["policies"]?.array ?? []).compactMap { policy in
      guard let digest = policy["digest"]?.string, let rate = policy["rate"].flatMap(Rate.init(json:)) else { return nil }
      return (digest, rate)
    }
  }

  /// Baselines, then experiments by round and agent, then what was measured on seeds unknown before; in the study's order within each.
  static func all(in steps: [StudyStep], proposals: [(step: StudyStep, json: JSON)]) -> [Evaluation] {
    var ids: [String: String] = [:]
    for proposal in proposals {
      guard let round = proposal.json["round"]?.int, let id = proposal.json["id"]?.string else { continue }
      ids["\(proposal.step.family)/\(round)"] = id
    }
    let evaluations = steps.filter { !$0.isShard }.compactMap { Evaluation($0, ids: ids) }
    return evaluations.enumerated().sorted { a, b in
      (a.element.rank, a.element.round ?? 0, a.offset) < (b.element.rank, b.element.round ?? 0, b.offset)
    }.map(\.element)
  }

  private init?(_ step: StudyStep, ids: [String: String]) {
    guard step.kind == "evaluate", let result = step.json("result"), let rate = result["rate"].flatMap(Rate.init(json:)),
      let purpose = Purpose(rawValue: result["purpose"]?.string ?? "")
    else { return nil }
    (self.step, self.result, self.rate, self.purpose) = (step, result, rate, purpose)
    let parts = step.name.split(separator: "/")
    round = parts.count == 3 ? Int(parts[1]) : nil
    label = round.flatMap { ids["\(step.family)/\($0)"] } ?? step.name
  }

  private var rank: Int { purpose.isSecret ? 2 : round == nil ? 0 : 1 }
}

extension Purpose {
  /// What its trials are worth, in a few words.
  var words: String {
    switch self {
    case .search: "search: public seeds, used to choose"
    case .confirm: "confirm: fresh seeds, drawn for a decision"
    case .heldOut: "held-out: seeds drawn after the policy was fixed"
    case .replicate: "replicate: fresh seeds, a repetition"
    }
  }
}
