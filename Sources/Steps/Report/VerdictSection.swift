// The head of the page: what was reached, in one sentence with its counts, interval and purpose; and what went wrong.

import JSON
import Robot

enum VerdictSection {
  static func html(_ study: Study) -> Page.Section {
    Page.Section(id: "verdict", title: "Verdict", body: sentence(study) + comparison(study) + failures(study) + cards(study))
  }

  private static func sentence(_ study: Study) -> HTML {
    guard let final = study.final else {
      return "<p class=\"verdict\">No success rate: no evaluation of this study has a result.</p>\n"
    }
    let words = final.words
    let policies = final.policies.count
    let subject = policies == 1 ? "The policy" : final.result["paired"]?.bool == true ? "The first policy" : "\(policies) policies, taken in turn,"
    let seeds: HTML =
      final.purpose.isSecret
      ? "on <b>\(final.purpose.rawValue)</b> seeds" : "on <b>search</b> seeds only, which also served to choose: no held-out number yet"
    return """
      <p class="verdict">\(subject) succeeded in <b>\(final.rate.successes) of \(final.rate.trials - final.rate.unknown)</b> trials at the first \
      attempt (pass@1): <b>\(words.estimate)</b>, \(words.confidence) interval <b>\(words.interval)</b> (\(words.method)), \(seeds).</p>

      """ + unknown(final)
  }

  private static func unknown(_ final: Evaluation) -> HTML {
    guard final.rate.unknown > 0 else { return .none }
    return """
      <p class="notice">\(Number.count(final.rate.unknown, "trial")) ended in a way nobody knows and \(final.rate.unknown == 1 ? "counts" : "count") \
      neither way in the estimate; the interval holds if all of them failed and if all succeeded.</p>

      """
  }

  /// What the same measure said before, and, apart from both, what the search reached.
  private static func comparison(_ study: Study) -> HTML {
    guard let final = study.final else { return .none }
    func told(_ evaluation: Evaluation) -> HTML {
      "<code>\(evaluation.label)</code> had \(evaluation.words.estimate) (\(evaluation.words.counts), \(evaluation.words.interval))"
    }
    var sentences: [HTML] = []
    if let before = study.evaluations.first(where: { $0.purpose == final.purpose && $0.purpose.isSecret }), before.step.name != final.step.name {
      sentences.append("Before, on \(before.purpose.rawValue) seeds of its own, \(told(before)).")
    }
    let searched = study.evaluations.filter { !$0.purpose.isSecret && $0.step.name != final.step.name }
    if let best = searched.max(by: { ($0.rate.estimate ?? -1) < ($1.rate.estimate ?? -1) }) {
      let bias: HTML = searched.count > 1 ? "; it is the best of \(searched.count) and so biased upwards" : .none
      sentences.append("On search seeds, which are another thing, \(told(best))\(bias).")
    }
    let goal = goal(study)
    if !goal.isEmpty { sentences.append(goal) }
    return sentences.isEmpty ? .none : "<p>\(sentences.joined(" "))</p>\n"
  }

  private static func goal(_ study: Study) -> HTML {
    guard let goal = study.steps(ofKind: "propose").compactMap({ $0.parameters["goal"] }).first, let final = study.final,
      goal["rate"] != nil || goal["lower"] != nil
    else { return .none }
    let asked = [
      goal["rate"]?.double.map { "a rate of \(Number.percent($0))" }, goal["lower"]?.double.map { "a lower bound of \(Number.percent($0))" },
    ]
    let reached = (final.rate.estimate ?? 0) >= goal["rate"]?.double ?? 0 && final.rate.lower >= goal["lower"]?.double ?? 0 && final.rate.unknown == 0
    return "The goal, \(asked.compactMap { $0 }.joined(separator: " and ")), is <b>\(reached ? "reached" : "not reached")</b> by the final number."
  }

  private static func failures(_ study: Study) -> HTML {
    let failed = study.steps.filter { $0.state == "failed" }
    let missing = study.steps.filter { $0.state != "done" && $0.state != "failed" }.count
    let notices: [HTML] = failed.map { "<p class=\"notice\"><b class=\"bad\">Failed: <code>\($0.name)</code></b> \($0.problem ?? "")</p>\n" }
    let rest: HTML = missing == 0 ? .none : "<p class=\"notice\">\(Number.count(missing, "step")) of the study did not run.</p>\n"
    return "\(notices)\(rest)"
  }

  private static func cards(_ study: Study) -> HTML {
    var cards: [(name: String, value: String, note: String)] = []
    if let final = study.final {
      cards.append(("Success rate, pass@1", final.words.estimate, "one attempt a trial, no retries"))
      cards.append(("\(final.words.confidence) interval", final.words.interval, final.words.method))
      if let retry = final.result["retry"], let rate = retry["rate"].flatMap(Rate.init(json:)), let most = retry["k"]?.int {
        let words = RateWords(rate)
        cards.append(("Success rate, retry-\(most)", words.estimate, "by any attempt of a trial; \(words.confidence) interval \(words.interval)"))
      }
      cards.append(("Trials", "\(final.rate.trials)", final.purpose.words))
      if let median = final.result["steps"]?["median"]?.int {
        cards.append(("Steps to success", "\(median)", "median of successes; 95th percentile \(final.result["steps"]?["p95"]?.int ?? median)"))
      }
    }
    if let ideas = study.ideas {
      let experiments = ideas.records.filter { !$0.isBaseline }
      cards.append(
        ("Experiments", "\(experiments.count)", "\(experiments.count { $0.decision == .keep }) kept, by \(Number.count(ideas.agents.count, "agent"))")
      )
    }
    let robot = study.evaluations.reduce(0) { $0 + ($1.result["robot_seconds"]?.double ?? 0) }
    if robot > 0 { cards.append(("Robot time", Number.seconds(robot), "on the stations' own clocks, all evaluations")) }
    let work = study.steps.compactMap(\.seconds).reduce(0, +)
    cards.append(("Steps", "\(study.steps.count)", "\(Number.seconds(work)) of work in all"))
    let body: [HTML] = cards.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd><dd>\($0.note)</dd></div>\n" }
    return "<dl class=\"cards\">\n\(body)</dl>\n"
  }
}
