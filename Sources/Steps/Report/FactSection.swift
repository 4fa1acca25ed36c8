// What the numbers stand on: the demonstrations and how exactly they were read, the verifier on clips it had not seen, the frozen environment.

import Foundation
import JSON
import Robot

enum FactSection {
  static func html(_ study: Study) -> Page.Section? {
    let parts: [HTML] =
      study.steps(ofKind: "ingest-demos").compactMap(dataset) + study.steps(ofKind: "synthesize-reward").compactMap(verifier)
      + study.steps(ofKind: "freeze-environment").compactMap(environment)
    return parts.isEmpty ? nil : Page.Section(id: "facts", title: "Data, verifier and environment", body: "\(parts)")
  }

  private static func dataset(_ step: StudyStep) -> HTML? {
    guard let set = step.json("dataset", "dataset.json"), let episodes = set["episodes"]?.array else { return nil }
    let frames = episodes.reduce(0) { $0 + ($1["frames"]?.int ?? 0) }
    let labels = Dictionary(grouping: episodes) { $0["label"]?.string ?? "unlabelled" }.map { "\($0.value.count) \($0.key)" }.sorted().joined(
      separator: ", ")
    let audit = step.json("dataset", "audit.json")
    let lost: HTML = audit?["lost"]?.int.map { ", \($0) of them without a pose found" } ?? .none
    return """
      <h3>Demonstrations <span class="soft">(<code>\(step.name)</code>)</span></h3>
      <p>\(Number.count(episodes.count, "episode")), \(frames) frames\(lost); \(labels). Poses are read from the pixels alone.</p>

      """ + errors(audit) + sheet(step)
  }

  /// Errors of the poses against recorded states.
  private static func errors(_ audit: JSON?) -> HTML {
    guard let audit, audit["compared"]?.int ?? 0 > 0 else { return "<p class=\"soft\">No recorded states to compare the poses with.</p>\n" }
    func shown(_ value: JSON?) -> HTML { "\(value?.double.map(Number.short) ?? "–")" }
    let parts = audit.object?.filter { $0.value["median"] != nil } ?? [:]
    return Table(
      "Error of the poses read, over \(audit["compared"]?.int ?? 0) frames with recorded states: positions in workspace units (0…512), angles in radians.",
      [("", ""), ("median", "n"), ("95th percentile", "n"), ("largest", "n")],
      rows: parts.map { ["\($0.key)", shown($0.value["median"]), shown($0.value["p95"]), shown($0.value["largest"])] }
    ).html
  }

  private static func sheet(_ step: StudyStep) -> HTML {
    // A large sheet stays where it is.
    guard let path = step.outputs["dataset"]?.path, let png = FileManager.default.contents(atPath: path + "/contact-sheet.png"), png.count < 1_500_000
    else { return .none }
    return """
      <details><summary>Contact sheet: poses drawn over frames</summary><img style="max-width:100%" alt="Contact sheet of the demonstrations" \
      src="data:image/png;base64,\(png.base64EncodedString())"></details>

      """
  }

  private static func verifier(_ step: StudyStep) -> HTML? {
    guard let report = step.json("verifier", "report.json") else { return nil }
    let rows: [[HTML]] = [("sealed", "sealed clips, scored once"), ("search", "clips it was searched on")].flatMap { key, name -> [[HTML]] in
      ["precision", "recall"].compactMap { measure in
        RateWords(report[key]?[measure]).map {
          ["\(name)", "\(measure)", "\($0.counts)", "\($0.estimate)", "\($0.interval)", IntervalBar.svg($0.rate, isSearch: key == "search")]
        }
      }
    }
    let program = step.json("verifier", "verifier.json")
    let conditions: [HTML] = (program?["conditions"]?.array ?? []).map { condition in
      let bound = condition["at_least"].map { "≥ \($0.compact)" } ?? condition["at_most"].map { "≤ \($0.compact)" } ?? ""
      return "<code>\(condition["predicate"]?.string ?? "?") \(bound)</code>"
    }
    let frames: HTML = program?["debounce"].map { ", in \($0["hits"]?.int ?? 1) of the last \($0["window"]?.int ?? 1) frames" } ?? .none
    let rule: HTML = conditions.isEmpty ? .none : "<p>Done means \(conditions.joined(" and "))\(frames).</p>\n"
    let facts = [
      report["criterion"]?.string.map { "criterion: \($0)" }, report["tried"]?.int.map { "\($0) candidates tried" },
      report["delay_frames"]?.int.map { "says so \(Number.count($0, "frame")) late at the median" },
    ].compactMap { $0 }
    return "<h3>Verifier <span class=\"soft\">(<code>\(step.name)</code>)</span></h3>\n<p>\(facts.joined(separator: "; ")).</p>\n" + rule
      + Table(nil, [("on", ""), ("", ""), ("right", "n"), ("share", "n"), ("interval", "n"), ("0 to 100 %", "p")], rows: rows).html + latency(step)
  }

  private static func latency(_ step: StudyStep) -> HTML {
    guard let latency = step.record["telemetry"]?["latency_ms"], let median = latency["median"]?.double else { return .none }
    return
      "<p class=\"soft\">A verdict took \(Number.short(median)) ms at the median, \(latency["p95"]?.double.map(Number.short) ?? "–") ms at the 95th percentile.</p>\n"
  }

  private static func environment(_ step: StudyStep) -> HTML? {
    guard let environment = step.json("environment", "environment.json") else { return nil }
    let limits: [HTML] = (environment["limits"]?.object ?? [:]).map { "<dt>limit: \($0.key)</dt><dd>\($0.value.compact)</dd>\n" }
    let parts: [HTML] = ["task", "hash", "reset", "scorer"].compactMap { key in
      environment[key].map { "<dt>\(key)</dt><dd><code>\($0.string ?? $0.compact)</code></dd>\n" }
    }
    return "<h3>Frozen environment <span class=\"soft\">(<code>\(step.name)</code>)</span></h3>\n<dl class=\"facts\">\n\(parts)\(limits)</dl>\n"
  }
}
