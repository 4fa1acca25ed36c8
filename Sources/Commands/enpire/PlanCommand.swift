// enpire plan: what a run would do, and why, from the code that decides.

import ArgumentParser
import JSON
import Workflow

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Says what would run, and why.",
    discussion: """
      As text: the steps that are not up to date, with their reasons. As JSON: one object with every step, its action, reasons, key and \
      expected seconds. Steps that wait for others' results are not decided yet.

      Example:
        enpire plan -f workflows/push-t.json --json | jq '.steps[] | select(.action == "run")'
      """)

  /// Steps that are shown as text, unless --limit says otherwise.
  static let textLimit = 50

  @OptionGroup var manifest: ManifestOptions
  @OptionGroup(title: "Which steps") var selection: SelectionOptions
  @OptionGroup(title: "What is said") var limit: LimitOption
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "NAME=value sets a variable; anything else is a goal.", completion: .goals) var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    session.forcesGoals = selection.alwaysMake
    let plan = try session.plan(try session.goals(names, selection.selection))
    try Self.print(plan, of: session, limit: limit.count(output.json ? .max : Self.textLimit), json: output.json)
  }

  typealias Plan = [(step: Step, forecast: Session.Forecast)]

  static func print(_ plan: Plan, of session: Session, limit: Int, json: Bool) throws {
    let estimate = try session.estimate(plan)
    if json { return Terminal.print(Self.json(plan, estimate, of: session, limit: limit)) }
    let open = plan.filter { if case .upToDate = $0.forecast { false } else { true } }
    for (step, forecast) in open.prefix(limit) {
      let (action, details) = describe(forecast)
      let head = action + String(repeating: " ", count: max(1, 9 - action.count))
      Terminal.print(fold("\(head)\(step.name)\(step.stationName.map { " on \($0)" } ?? "")", indent: 9))
      for detail in details.prefix(6) { Terminal.print(fold("           " + detail, indent: 13)) }
      if details.count > 6 { Terminal.print("           and \(details.count - 6) more") }
    }
    if open.count > limit {
      let counts = counts(Array(open[limit...])).map { "\($0.value) \($0.key)" }.joined(separator: ", ")
      Terminal.print("and \(open.count - limit) more (\(counts)); --limit 0 shows all")
    }
    let current = plan.count - open.count
    if open.isEmpty { return Terminal.print(nothingToDo(current)) }
    let skipped = open.count { if case .skip = $0.forecast { true } else { false } }
    let stale = open.count { if case .stale = $0.forecast { true } else { false } }
    func are(_ count: Int) -> String { "\(count) \(count == 1 ? "is" : "are")" }
    let passed = (skipped > 0 ? ", \(are(skipped)) skipped" : "") + (stale > 0 ? ", \(stale) must not run" : "")
    Terminal.print("\(open.count - skipped - stale) of \(counted(plan.count, "step")); \(are(current)) up to date\(passed)" + expectation(estimate))
  }

  private static func expectation(_ estimate: Session.Estimate) -> String {
    guard estimate.work >= 1 else { return "" }
    let unknown = estimate.unknown > 0 ? ", and \(estimate.unknown) that never ran" : ""
    return "; about \(duration(estimate.work)) of work\(unknown), \(duration(estimate.span)) one after another at least"
  }

  /// How many steps have each action.
  private static func counts(_ plan: Plan) -> [(key: String, value: Int)] {
    var counts: [String: Int] = [:]
    for entry in plan { counts[describe(entry.forecast).0, default: 0] += 1 }
    return counts.sorted { $0.key < $1.key }
  }

  /// The versioned object; what it holds of a step is bounded.
  private static func json(_ plan: Plan, _ estimate: Session.Estimate, of session: Session, limit: Int) -> String {
    var head: JSON = ["plan": 1, "workflow": .string(session.manifest.workflow)]
    head["counts"] = .object(.init(uniqueKeysWithValues: counts(plan).map { ($0.key, .integer($0.value)) }))
    head["work_seconds"] = .number(estimate.work)
    head["span_seconds"] = .number(estimate.span)
    head["steps_without_history"] = .integer(estimate.unknown)
    if plan.count > limit { head["omitted"] = .integer(plan.count - limit) }
    head["steps"] = .array(
      plan.prefix(limit).map { step, forecast in
        var entry: JSON = ["step": .string(step.name), "kind": .string(step.kind?.name ?? "run")]
        entry["station"] = step.stationName.map { .string($0) }
        let (action, details) = describe(forecast)
        entry["action"] = .string(action)
        entry["reasons"] = .array(details.prefix(reasonLimit).map { .string($0) })
        let (key, reasons): (String?, [Reason]?) =
          switch forecast {
          case .run(let key, let reasons): (key?.hex, reasons)
          case .hold(let key, _, let reasons): (key.hex, reasons)
          default: (step.record?.key.hex, nil)
          }
        entry["differences"] = reasons.map { .array($0.prefix(reasonLimit).map(\.json)) }
        entry["key"] = key.map { .string($0) }
        if details.count > reasonLimit { entry["reasons_omitted"] = .integer(details.count - reasonLimit) }
        entry["seconds"] = estimate.seconds[step.name].map { .number($0) }
        return entry
      })
    return head.pretty
  }

  private static let reasonLimit = 20

  static func describe(_ forecast: Session.Forecast) -> (String, [String]) {
    switch forecast {
    case .upToDate: ("up-to-date", [])
    case .restore(let paths): ("restore", paths)
    case .run(_, let reasons): ("run", reasons.map(\.text))
    case .stale(let reason): ("stale", [reason])
    case .skip(let reason): ("skip", [reason])
    case .hold(_, let question, let reasons): ("ask", ["waits for a person: \(question.text) (\(question.advice))"] + reasons.map(\.text))
    case .waits(let steps):
      ("then", ["waits for " + steps.prefix(6).joined(separator: ", ") + (steps.count > 6 ? " and \(steps.count - 6) more" : "")])
    }
  }
}
