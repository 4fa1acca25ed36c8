// Success rates over the evaluations in order, each with counts and interval; by station; how soon; and how far the verifier can be believed.

import JSON
import Robot

enum SuccessSection {
  static func html(_ study: Study) -> Page.Section? {
    guard !study.evaluations.isEmpty else { return nil }
    let intro: HTML = """
      <p>A trial is one attempt from a fresh start, ended by success, by a violated limit or by the step limit; success is the benchmark's own \
      criterion, not the verifier's word. Search trials share public seeds and serve to choose, so their best is biased upwards. The other seeds \
      are drawn after the policy is fixed and are never shown to agents.</p>

      """
    return Page.Section(
      id: "success", title: "Success", body: intro + overview(study) + comparisons(study) + stations(study) + speed(study) + verifier(study))
  }

  private static func overview(_ study: Study) -> HTML {
    Table(
      "Success, pass@1. Dot: estimate; band: interval; ticks at 0, 25, 50, 75 and 100 %.",
      [
        ("evaluation", ""), ("seeds", "t"), ("successes", "n"), ("rate", "n"), ("interval", "n"), ("0 to 100 %", "p"), ("median steps", "n"),
        ("robot time", "n"),
      ],
      rows: study.evaluations.map { evaluation in
        [
          "<span title=\"\(evaluation.step.name)\">\(evaluation.label)</span>", "\(evaluation.purpose.rawValue)", "\(evaluation.words.counts)",
          "\(evaluation.words.estimate)", "\(evaluation.words.interval)", IntervalBar.svg(evaluation.rate, isSearch: !evaluation.purpose.isSecret),
          "\(evaluation.result["steps"]?["median"]?.int.map(String.init) ?? "–")",
          "\(evaluation.result["robot_seconds"]?.double.map(Number.seconds) ?? "–")",
        ]
      }
    ).html + confidence(study)
  }

  private static func confidence(_ study: Study) -> HTML {
    guard let final = study.final else { return stops(study) }
    let anytime: HTML =
      final.result["stop"] != nil
      ? .none
      : RateWords(final.result["rate_anytime"]).map {
        " If the final evaluation's count had not been fixed beforehand, its interval would be \($0.interval) (\($0.method))."
      } ?? .none
    return "<p class=\"soft\">Intervals are two-sided, \(final.words.confidence), each for itself: \(final.words.method).\(anytime)</p>\n"
      + stops(study)
  }

  /// Evaluations whose count was not fixed beforehand.
  private static func stops(_ study: Study) -> HTML {
    study.evaluations.compactMap { evaluation -> HTML? in
      guard let stop = evaluation.result["stop"], let bar = stop["bar"]?.double, let most = stop["most"]?.int else { return nil }
      let end: HTML = stop["side"]?.string.map { "stopped once it was certain to be \($0) it" } ?? "it did not become certain on which side"
      let trials: HTML = "at most \(most) trials against a rate of \(Number.percent(bar)); \(end)"
      return "<p class=\"soft\">\(evaluation.label): \(trials). Its interval is a confidence sequence.</p>\n"
    }.reduce(.none, +)
  }

  /// Policies that met the same starts.
  private static func comparisons(_ study: Study) -> HTML {
    let rows: [[HTML]] = study.evaluations.flatMap { evaluation in
      (evaluation.result["comparisons"]?.array ?? []).enumerated().map { index, json in
        func count(_ key: String) -> HTML { "\(json[key]?.int ?? 0)" }
        return [
          "\(evaluation.label): policy 1 against \(index + 2)", count("both"), count("only_first"), count("only_second"), count("neither"),
          "\(json["p_value"]?.double.map(Number.short) ?? "–")", "\(json["evidence"]?.double.map(Number.short) ?? "–")",
        ]
      }
    }
    return Table(
      "Compared start by start. p: exact McNemar, for a fixed count; evidence: valid at any time, above 20 is strong.",
      [("policies", ""), ("both", "n"), ("only the first", "n"), ("only the second", "n"), ("neither", "n"), ("p", "n"), ("evidence", "n")],
      rows: rows
    ).html
  }

  private static func stations(_ study: Study) -> HTML {
    guard let final = study.final else { return .none }
    let rows: [[HTML]] = (final.result["stations"]?.array ?? []).compactMap { station in
      RateWords(station["rate"]).map {
        [
          "\(station["station"]?.string ?? "?")", "\($0.counts)", "\($0.estimate)", "\($0.interval)",
          IntervalBar.svg($0.rate, isSearch: !final.purpose.isSecret),
        ]
      }
    }
    let policies: [[HTML]] =
      final.policies.count < 2
      ? []
      : final.policies.map { policy in
        let words = RateWords(policy.rate)
        return [Number.key(policy.digest), "\(words.counts)", "\(words.estimate)", "\(words.interval)", IntervalBar.svg(policy.rate)]
      }
    let columns = [("successes", "n"), ("rate", "n"), ("interval", "n"), ("0 to 100 %", "p")]
    return "<h3>By station</h3>\n" + Table("Evaluation \(final.label).", [("station", "")] + columns, rows: rows).html
      + Table("By policy, evaluation \(final.label).", [("policy", "")] + columns, rows: policies).html
  }

  /// The share of trials that have succeeded within so many steps.
  private static func speed(_ study: Study) -> HTML {
    guard let final = study.final else { return .none }
    let shown = study.evaluations.filter { $0.purpose.isSecret || $0.step.name == study.evaluations[0].step.name }
    let known = shown.map { evaluation in evaluation.trials.filter { $0["success"]?.bool != nil } }
    let end = known.joined().compactMap { $0["steps"]?.double }.max() ?? 0
    let lines: [Plot.Line] = zip(shown, known).compactMap { evaluation, known in
      guard !known.isEmpty else { return nil }
      let steps = known.filter { $0["success"]?.bool == true }.compactMap { $0["steps"]?.double }.sorted()
      let rises = steps.enumerated().flatMap { index, step in
        [(step, Double(index) / Double(known.count)), (step, Double(index + 1) / Double(known.count))]
      }
      return Plot.Line(
        name: evaluation.label, points: [(0, 0)] + rises + [(end, Double(steps.count) / Double(known.count))],
        isFaint: evaluation.step.name != final.step.name)
    }
    guard !lines.isEmpty else { return .none }
    return "<h3>Steps to success</h3>\n<div class=\"plots\">"
      + Plot(title: "Share of trials that succeeded within so many control steps", x: "control step", lines: lines, range: 0...1).figure + "</div>\n"
  }

  private static func verifier(_ study: Study) -> HTML {
    func cells(_ json: JSON?) -> [HTML] {
      guard let words = RateWords(json) else { return ["–", "–", "–"] }
      return ["\(words.rate.successes) of \(words.rate.trials)", "\(words.rate.trials == 0 ? "–" : words.estimate)", "\(words.interval)"]
    }
    let rows: [[HTML]] = study.evaluations.compactMap { evaluation in
      guard let audit = evaluation.result["verifier"], audit["false_positives"]?["trials"] != 0 || audit["false_negatives"]?["trials"] != 0 else {
        return nil
      }
      return ["\(evaluation.label)"] + cells(audit["false_positives"]) + cells(audit["false_negatives"]) + ["\(audit["unknown"]?.int ?? 0)"]
    }
    guard !rows.isEmpty else { return .none }
    return "<h3>The verifier against the truth</h3>\n"
      + Table(
        "False positives: failed trials that the verifier called done. False negatives: successes that it missed.",
        [
          ("evaluation", ""), ("false positives", "n"), ("rate", "n"), ("interval", "n"), ("false negatives", "n"), ("rate", "n"), ("interval", "n"),
          ("no verdict", "n"),
        ], rows: rows
      ).html
  }
}
