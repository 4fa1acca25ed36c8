// The evolution from Git alone: who had which idea, from whom, what came of it, and the hill that was climbed.

import JSON
import LLM
import Robot

enum IdeaSection {
  static func html(_ study: Study) -> Page.Section? {
    if let problem = study.hubProblem {
      return Page.Section(id: "ideas", title: "Ideas", body: "<p class=\"notice\">The hub cannot be read, so there is no idea tree: \(problem)</p>\n")
    }
    guard let tree = study.ideas, tree.records.contains(where: { !$0.isBaseline }) else { return nil }
    let hill = HillDrawing(tree).svg
    return Page.Section(
      id: "ideas", title: "Ideas and the hill climbed",
      body: """
        <p>Read from the experiment records in Git (study <code>\(tree.records.first?.study ?? "")</code>). Rates here are of search trials: they chose \
        what was kept and are biased upwards.</p>
        <figure><div class="pan">\(IdeaDrawing(tree).svg)</div>
        <figcaption>A lane an agent, a column a round. <span class="good">●</span> kept, ○ discarded, <span class="bad">✕</span> crashed, dotted: not decided. \
        Solid lines: the recipe that was changed; dashed: an idea borrowed from a peer.</figcaption></figure>
        <figure><div class="pan">\(hill)</div>
        <figcaption>Every decided experiment in order, with its interval; the line is the best kept so far.</figcaption></figure>
        \(adoption(study))\(table(tree))
        """)
  }

  /// Whose recipe was taken in the end.
  private static func adoption(_ study: Study) -> HTML {
    let parts: [HTML] = study.steps.compactMap { step in
      guard let adoption = step.json("adoption") else { return nil }
      let count = Number.count(adoption["candidates"]?.int ?? 0, "kept experiment")
      guard let id = adoption["experiment"]?.string else {
        return "<p><code>\(step.name)</code>: nothing was kept, the recipe stays as it was.</p>\n"
      }
      let rate: HTML = RateWords(adoption["rate"]).map { " on search trials: \($0.estimate) (\($0.counts), \($0.interval))" } ?? .none
      return "<p><code>\(step.name)</code> took the recipe of <b><code>\(id)</code></b>, the best of \(count)\(rate).</p>\n"
    }
    return "\(parts)"
  }

  private static func table(_ tree: IdeaTree) -> HTML {
    let rows: [[HTML]] = tree.records.map { record in
      let words = RateWords(record.outcome?.rate)
      let source: HTML = record.borrowedFrom.map { "<br><span class=\"soft\">borrowed from <code>\($0)</code></span>" } ?? .none
      let parent: HTML = record.parent.map { "<br><span class=\"soft\">changes <code>\($0)</code></span>" } ?? .none
      let changes: [HTML] = record.change.map { "<br><span class=\"soft\">\($0.words)</span>" }
      return [
        "<code>\(record.id)</code>", "\(record.hypothesis)\(changes)\(parent)\(source)", "\(words?.counts ?? record.outcome?.words ?? "–")",
        "\(words?.estimate ?? "–")", "\(words?.interval ?? "–")", "\(record.outcome?.medianSteps.map { Number.plain($0, places: 1) } ?? "–")",
        decision(record), why(record), cost(record), Number.key(record.code.commit),
      ]
    }
    return Table(
      "Experiments.",
      [
        ("id", ""), ("hypothesis", "w"), ("successes", "n"), ("rate", "n"), ("interval", "n"), ("median steps", "n"), ("decision", "t"), ("why", "w"),
        ("robot time", "n"), ("commit", "t"),
      ], rows: rows
    ).html
  }

  private static func decision(_ record: ExperimentRecord) -> HTML {
    switch record.decision {
    case .keep: "<span class=\"good\">● keep</span>"
    case .discard: "○ discard"
    case .crash: "<span class=\"bad\">✕ crash</span>"
    case .pending: "pending"
    }
  }

  /// The rule that decided and the numbers it had.
  private static func why(_ record: ExperimentRecord) -> HTML {
    guard let evidence = record.evidence, let rule = evidence["rule"]?.string else { return record.isBaseline ? "where it began" : "–" }
    var facts: [String] = []
    if let probability = evidence["probability"]?.double {
      facts.append("probability \(Number.short(probability))" + (evidence["threshold"]?.double.map { ", wanted \(Number.short($0))" } ?? ""))
    }
    if let wins = evidence["wins"]?.int, let losses = evidence["losses"]?.int { facts.append("\(wins) won, \(losses) lost") }
    if let against = evidence["against"]?.string { facts.append("against \(against)") }
    return "\(rule)\(facts.isEmpty ? "" : ": " + facts.joined(separator: "; "))"
  }

  /// Robot time; a model's tokens and money below it, where one was asked.
  private static func cost(_ record: ExperimentRecord) -> HTML {
    let (tokens, time) = (record.cost.tokens, Number.seconds(record.cost.robotSeconds))
    guard tokens != Tokens() else { return "\(time)" }
    return """
      \(time)<br><span class="soft">\(tokens.uncached) tokens in, \(tokens.cached) cached, \(tokens.output) out, \(Number.plain(record.cost.money, places: 2)) USD</span>
      """
  }
}

extension ExperimentRecord {
  /// What a pointer resting on it says.
  var tooltip: String { "\(id), \(decision.rawValue): \(hypothesis) \(outcome?.words ?? "no result")" }

  /// Its mark: filled if kept, hollow if discarded, a cross if crashed.
  func mark(_ x: Double, _ y: Double, size: Double) -> HTML {
    decision == .crash
      ? "<path class=\"cross\" d=\"M\(x - size),\(y - size) l\(2 * size),\(2 * size) m0,\(-2 * size) l\(-2 * size),\(2 * size)\"><title>\(tooltip)</title></path>"
      : "<circle class=\"ring ring-\(decision.rawValue)\" cx=\"\(x)\" cy=\"\(y)\" r=\"\(size)\"><title>\(tooltip)</title></circle>"
  }
}
