// enpire lint: what could be better in a manifest, and with --trace what its commands read and do not declare.

import ArgumentParser
import JSON
import Workflow

struct LintCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint", abstract: "Says what is right and could be better; with --trace, what commands read and do not declare.",
    discussion: """
      --trace runs commands whose inputs are there under strace, each in a directory that is thrown away: what they give is not kept. It finds
      files that a command reads, or asks for, without declaring them, and inputs that it declares and does not read.

      Examples:
        enpire lint -f workflows/push-t.json
        enpire lint --trace count
      """)

  @OptionGroup var manifest: ManifestOptions
  @Flag(help: "Run the steps under strace.") var trace = false
  @OptionGroup(title: "How to run") var isolation: IsolationOptions
  @OptionGroup(title: "What is said") var limit: LimitOption
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "Steps to trace (default: all); NAME=value sets a variable.", completion: .goals) var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    isolation.apply(to: session, try UserConfiguration.load())
    let steps = names.isEmpty ? session.graph.steps : try session.goals(names)
    var remarks = session.lint()
    if trace {
      try session.lintReads(steps) { step, result in
        let place = step.declaration.origin.place(key: true)
        func add(_ sentence: String, _ hint: String?) {
          remarks.append(Remark(step: step.name, "step '\(step.name)' \(sentence)", at: place, hint: hint))
        }
        switch result {
        case .failure(let problem): add("could not be traced: \(problem.sentence)", problem.hint)
        case .success(let report):
          for file in report.undeclared { add("\(file.isProbe ? "asks for" : "reads") \(file.path) and does not declare it", file.advice) }
          if !report.succeeded { add("failed while it was traced", nil) }
          for (port, path) in report.unused where report.succeeded { add("declares '\(port)' (\(path)) and does not read it", "remove it") }
        }
      }
    }
    let (shown, omitted) = limit.first(of: remarks)
    if output.json {
      var json: JSON = ["lint": 1]
      if omitted > 0 { json["omitted"] = .integer(omitted) }
      json["remarks"] = .array(shown.map(Self.json))
      Terminal.print(json.pretty)
    } else {
      for remark in shown { Terminal.print("\(Problem(.usage, remark.sentence, at: remark.place, hint: remark.hint))") }
      if omitted > 0 { Terminal.print(LimitOption.rest(omitted)) }
      if remarks.isEmpty { Terminal.print("nothing to remark") }
    }
    if !remarks.isEmpty { leave(.stepFailed) }
  }

  private static func json(_ remark: Remark) -> JSON {
    var entry: JSON = ["sentence": .string(remark.sentence)]
    entry["step"] = remark.step.map { .string($0) }
    entry["file"] = remark.place.map { .string($0.file) }
    entry["line"] = remark.place.map { .integer($0.line) }
    entry["hint"] = remark.hint.map { .string($0) }
    return entry
  }
}
