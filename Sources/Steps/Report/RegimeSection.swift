// How the regime was chosen: what was tried, on how many trials, at what cost, and why one was taken.

import JSON

enum RegimeSection {
  static func html(_ study: Study) -> Page.Section? {
    let parts: [HTML] = study.steps(ofKind: "choose-regime").compactMap(part)
    return parts.isEmpty ? nil : Page.Section(id: "regime", title: "Choice of the regime", body: "\(parts)")
  }

  private static func part(_ step: StudyStep) -> HTML? {
    guard let evidence = step.json("evidence"), let choice = evidence["choice"]?.string ?? step.json("choice")?.string else { return nil }
    let rows: [[HTML]] = (evidence["candidates"]?.array ?? []).map { candidate in
      let name = candidate["regime"]?.string ?? "?"
      let chosen: HTML = name == choice ? "<b class=\"good\">chosen</b>" : "\(candidate["left"]?.bool == true ? "left early" : "not chosen")"
      guard let words = RateWords(candidate["rate"]) else {
        return ["\(name)", "–", "–", "–", "–", "–", "–", "–", "\(candidate["not_tried"]?.string ?? "not tried")"]
      }
      return [
        "\(name)", "\(words.counts)", "\(words.estimate)", "\(words.interval)", IntervalBar.svg(words.rate, isSearch: true),
        "\(candidate["mean_best_coverage"]?.double.map(Number.percent) ?? "–")", "\(cost(candidate))",
        "\(candidate["robot_seconds"]?.double.map(Number.seconds) ?? "–")", chosen,
      ]
    }
    let level = evidence["confidence"]?.double.map { " Intervals hold at once for all candidates, and at any time, at \(Number.percent($0))." } ?? ""
    return "<p><code>\(step.name)</code> chose <b>\(choice)</b>: \(evidence["reason"]?.string ?? "no reason is given").</p>\n"
      + Table(
        "Pilots on search seeds.\(level)",
        [
          ("candidate", ""), ("successes", "n"), ("rate", "n"), ("interval", "n"), ("0 to 100 %", "p"), ("mean best coverage", "n"),
          ("training", "n"),
          ("robot time", "n"), ("", "t"),
        ], rows: rows
      ).html
  }

  private static func cost(_ candidate: JSON) -> String {
    let parts = [("updates", "update"), ("simulated_steps", "simulated step")].compactMap { key, word in
      candidate[key]?.int.flatMap { $0 > 0 ? Number.count($0, word) : nil }
    }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }
}
