// report: one self-contained HTML page on a study, for a researcher who wants to trust its numbers. What stands on it is worked out in
// Report/, one section a file; this file knows their order. The page is a function of the study: no clock, host or path goes in.

import Foundation
import Workflow

enum Report: StepKind {
  static let kind = Kind(
    "report", summary: "Write one HTML page on the study: success with intervals, graph, curves, ideas, films, provenance.", effect: .pure,
    revision: 2,
    outputs: [Output("report", .file, path: "report.html", "One page that needs nothing beside it.")],
    parameters: [
      Parameter("title", .string, optional: true, "The page's title, instead of the workflow's name."),
      Parameter("films", .integer(0...1000), default: 24, "At most so many film strips are put in."),
    ], readsStudy: true)

  static func run(_ step: StepContext) throws {
    let study = try Study(step)
    let page = Page.document(
      title: step.value("title")?.string ?? study.workflow,
      sections: [
        VerdictSection.html(study), TaintSection.html(study), SuccessSection.html(study), IdeaSection.html(study), CurveSection.html(study),
        RegimeSection.html(study),
        FilmSection.html(study, limit: step.int("films")), FactSection.html(study), GraphSection.html(study), TimeSection.html(study),
        StepSection.html(study), ProvenanceSection.html(study),
      ].compactMap { $0 })
    try Data(page.text.utf8).write(to: URL(filePath: step.output("report")))
  }
}
