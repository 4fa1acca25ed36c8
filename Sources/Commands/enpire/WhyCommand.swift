// enpire why: what changed since a step last ran, or why it does not run; and what the last run decided.

import ArgumentParser
import JSON
import Workflow

struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why", abstract: "Says why a step would run, or why not: what differs from its record.",
    discussion: """
      Every difference is named with its old and its new value: inputs by their digests, parameters, words of the command, environment, \
      code. With --last: what the last run decided, for every step that was not simply up to date. JSON is one line a step.

      Examples:
        enpire why -f workflows/push-t.json 'train[seed=0]'
        enpire why --last --json | jq 'select(.action == "run") | .differences'
      """)

  @OptionGroup var manifest: ManifestOptions
  @Flag(help: "What the last run decided, of all steps or of one.") var last = false
  @Option(name: .customLong("run"), help: ArgumentHelp("What this run decided (enpire history has the numbers).", valueName: "number")) var number:
    Int?
  @OptionGroup(title: "What is said") var limit: LimitOption
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "The step; NAME=value sets a variable.", completion: .goals) var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    if last || number != nil { return try tellPast(session, names) }
    guard let name = names.first, names.count == 1 else {
      throw Problem(.usage, "why takes one step", hint: "or --last, for all that the last run did")
    }
    // An instance of a pattern exists once it is named. What a step appended exists once it is walked, so all are.
    try session.makeInstances(of: names)
    let plan = try session.plan(session.graph.steps)
    let wanted = Set(try session.steps(named: name).map(\.name))
    for (step, forecast) in plan where wanted.contains(step.name) { try tell(step, forecast, session) }
  }

  // MARK: Now

  private func tell(_ step: Step, _ forecast: Session.Forecast, _ session: Session) throws {
    var (action, details) = PlanCommand.describe(forecast)
    var key = step.record?.key
    var reasons: [Reason] = []
    switch forecast {
    case .upToDate:
      if let record = step.record {
        let touched = try session.state.details(record.key)?.telemetry["touched"]?.bool == true
        let how = touched ? "its output was taken as it was by enpire touch" : "it took \(duration(record.seconds))"
        details = ["its action \(record.key.short) is recorded: \(how)" + (record.station.map { " on \($0)" } ?? "")]
      }
    case .run(let new, let found): (key, reasons) = (new, found)
    case .hold(let new, _, let found): (key, reasons) = (new, found)
    default: break
    }
    if output.json {
      var json: JSON = ["why": 1, "step": .string(step.name), "action": .string(action), "reasons": .array(details.map { .string($0) })]
      json["differences"] = .array(reasons.map(\.json))
      json["key"] = key.map { .string($0.hex) }
      json["recorded_key"] = try session.state.latest(session.manifest.workflow, step.name).map { .string($0.hex) }
      json["fingerprint"] = try (step.record?.key).flatMap { try session.state.details($0)?.fingerprint } ?? .null
      return Terminal.print(json.compact)
    }
    action =
      action == "up-to-date"
      ? "up to date" : action == "then" ? "not known yet" : action == "run" ? "would run" : action == "skip" ? "would be skipped" : action
    Terminal.print("\(step.name): \(action)")
    let shown = limit.count(100)
    for detail in details.prefix(shown) { Terminal.print("  \(detail)") }
    if details.count > shown { Terminal.print("  " + LimitOption.rest(details.count - shown)) }
  }

  // MARK: Then

  private func tellPast(_ session: Session, _ names: [String]) throws {
    let runs = try session.state.runs(session.manifest.workflow, limit: number == nil ? 1 : 1_000_000)
    guard let run = number == nil ? runs.first : runs.first(where: { $0.number == number }) else {
      throw Problem(.usage, number.map { "there is no run \($0)" } ?? "nothing has run here yet", hint: "enpire history lists the runs")
    }
    let shown = limit.count(output.json ? .max : 100)
    var decisions: [RecordedDecision] = []
    if names.isEmpty { decisions = try session.state.decisions(run: run.number, limit: shown == .max ? .max : shown + 1) }
    for name in names {
      let found = try self.decisions(of: name, run.number, session)
      if found.isEmpty, !output.json { Terminal.print("\(name): was up to date in run \(run.number), or not asked for") }
      decisions += found
    }
    for decision in decisions.prefix(shown) { tell(decision, names.isEmpty ? 3 : 20) }
    if decisions.count > shown, !output.json { Terminal.print("and more; --limit 0 shows all") }
  }

  /// About the steps that a name means, those of the past that are not in the manifest any more included.
  private func decisions(of name: String, _ run: Int, _ session: Session) throws -> [RecordedDecision] {
    let steps = (try? session.graph.steps(for: name)) ?? []
    if let step = steps.first, step.isSpread {
      return try session.state.decisions(run: run).filter { $0.step == step.name || $0.step.hasPrefix(step.name + "[") }
    }
    return try (steps.isEmpty ? [name] : steps.map(\.name)).flatMap { try session.state.decisions(run: run, step: $0) }
  }

  private func tell(_ decision: RecordedDecision, _ shown: Int) {
    if output.json {
      var json: JSON = ["why": 1, "run": .integer(decision.run), "step": .string(decision.step), "action": .string(decision.action.rawValue)]
      json["reasons"] = .array(decision.reasons.map { $0["text"] ?? .null })
      json["differences"] = .array(decision.reasons)
      json["key"] = decision.key.map { .string($0) }
      if decision.count > decision.reasons.count { json["reasons_omitted"] = .integer(decision.count - decision.reasons.count) }
      return Terminal.print(json.compact)
    }
    let action =
      switch decision.action {
      case .run: "ran"
      case .restore: "was restored"
      case .skip: "was skipped"
      case .fail: "could not start"
      case .ask: "waited for a person"
      }
    Terminal.print("\(decision.step): \(action)")
    for reason in decision.reasons.prefix(shown) { Terminal.print("  \(reason["text"]?.string ?? "")") }
    if decision.count > shown { Terminal.print("  and \(decision.count - shown) more") }
  }
}
