// Film strips: what the robot did, in successes and failures alike, put into the page as they are.

import Foundation
import JSON

enum FilmSection {
  static func html(_ study: Study, limit: Int) -> Page.Section? {
    guard let final = study.final, limit > 0 else { return nil }
    // The number that counts first, then where it began, then the other sealed ones.
    let first = study.evaluations.first.map { $0.step.name == final.step.name ? [] : [$0] } ?? []
    let others = study.evaluations.dropFirst().filter { $0.purpose.isSecret && $0.step.name != final.step.name }
    var left = limit
    let parts: [HTML] = ([final] + first + others).compactMap { evaluation in
      let films = figures(evaluation, limit: left)
      left -= films.count
      guard !films.isEmpty else { return nil }
      return
        "<h3>\(evaluation.label) <span class=\"soft\">(\(evaluation.purpose.rawValue), \(evaluation.words.counts))</span></h3>\n<div class=\"films\">\n\(films)</div>\n"
    }
    guard !parts.isEmpty else { return nil }
    return Page.Section(
      id: "films", title: "Films",
      body:
        "<p>The first successes and the first failures of an evaluation, by trial number: not the best ones. Frames run from left to right, then down.</p>\n\(parts)"
    )
  }

  private static func figures(_ evaluation: Evaluation, limit: Int) -> [HTML] {
    guard let directory = evaluation.step.outputs["films"]?.path, let list = evaluation.step.json("films", "films.json")?["list"]?.array else {
      return []
    }
    let trials = Dictionary(
      evaluation.trials.compactMap { trial in trial["index"]?.int.map { ($0, trial) } }, uniquingKeysWith: { first, _ in first })
    return list.compactMap { film in
      guard let file = film["file"]?.string, !file.contains("/"), let index = film["index"]?.int,
        let data = FileManager.default.contents(atPath: directory + "/" + file)
      else { return nil }
      return figure(data, index: index, success: film["success"]?.bool ?? false, trial: trials[index] ?? [:])
    }.prefix(limit).map { $0 }
  }

  private static func figure(_ png: Data, index: Int, success: Bool, trial: JSON) -> HTML {
    let word = success ? "success" : "failure"
    let facts = [
      trial["steps"]?.int.map { "\($0) steps" }, trial["coverage"]?.double.map { "best coverage \(Number.percent($0))" },
      trial["verdict"]?.bool.map { "verifier: \($0 ? "done" : "not done")" }, trial["station"]?.string, success ? nil : trial["reason"]?.string,
    ].compactMap { $0 }.joined(separator: ", ")
    return """
      <figure><img loading="lazy" alt="Film strip of trial \(index), a \(word)" src="data:image/png;base64,\(png.base64EncodedString())">\
      <figcaption><b class="\(success ? "good" : "bad")">\(word)</b>, trial \(index): \(facts)</figcaption></figure>

      """
  }
}
