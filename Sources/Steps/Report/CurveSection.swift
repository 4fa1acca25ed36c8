// Learning curves of every training and of the regimes' pilots, one plot a figure; the trainings behind the final number stand out.

import JSON

enum CurveSection {
  static func html(_ study: Study) -> Page.Section? {
    let trainings = study.steps.filter { !$0.isShard && $0.outputs["curves"] != nil }
    guard !trainings.isEmpty else { return nil }
    let pilots = study.steps(ofKind: "choose-regime").flatMap { step in
      (step.json("evidence")?["candidates"]?.array ?? []).map { (name: "\(step.name): \($0["regime"]?.string ?? "?")", curves: $0["curves"]) }
    }
    let final = Set((study.final?.policies ?? []).map(\.digest))
    var plots: [(name: String, x: String, lines: [Plot.Line])] = []
    var all: [(name: String, curves: JSON?, policy: String?)] = pilots.map { ($0.name, $0.curves, nil) }
    for step in trainings { all.append((step.name, step.json("curves"), step.outputs["policy"]?.digest)) }
    for training in all {
      for series in training.curves?["series"]?.array ?? [] {
        let (name, x) = (series["name"]?.string ?? "?", series["x"]?.string ?? "")
        let points = (series["points"]?.array ?? []).compactMap { point in point[0]?.double.flatMap { x in point[1]?.double.map { (x: x, y: $0) } } }
        let index = plots.firstIndex { $0.name == name && $0.x == x } ?? plots.count
        if index == plots.count { plots.append((name, x, [])) }
        plots[index].lines.append(Plot.Line(name: training.name, points: points, isFaint: !final.contains(training.policy ?? "")))
      }
    }
    let figures: [HTML] = plots.map { plot in
      Plot(title: plot.name, x: plot.x, lines: plot.lines, range: plot.name == "success" ? 0...1 : nil).figure
    }
    let flat = trainings.filter { ($0.json("curves")?["series"]?.array ?? []).isEmpty }
    let rest: HTML =
      flat.isEmpty
      ? .none
      : """
      <p class="soft">Without curves, since a heuristic is written down and not trained: \
      \(flat.prefix(12).map { "<code>\($0.name)</code>" as HTML }.joined(", "))\(flat.count > 12 ? " and \(flat.count - 12) more" : "").</p>

      """
    return Page.Section(
      id: "curves", title: "Learning curves", body: "<div class=\"plots\">\n\(figures)</div>\n" + diverged(trainings) + rest)
  }

  private static func diverged(_ trainings: [StudyStep]) -> HTML {
    let lost = trainings.filter { ($0.json("curves")?["outcome"]?.string ?? "").hasPrefix("diverged") }
    let notices: [HTML] = lost.map { "<p class=\"notice\"><code>\($0.name)</code> diverged; its policy has the weights before that.</p>\n" }
    return "\(notices)"
  }
}
