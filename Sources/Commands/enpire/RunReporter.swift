// Tells of a run: a line when a step starts and ends, at the bottom of a terminal what runs now (LiveView.swift), or JSON lines for machines.

import JSON
import Workflow

final class RunReporter {
  /// Quiet: failures and what waits for a person; as JSON the summary too.
  enum Form { case text, quiet, json, quietJSON }

  private let form: Form
  private let verbose: Bool
  private let explain: Bool
  private var view = LiveView()
  /// Failures, and how many lines were said since: those that have scrolled away are told again at the end.
  private var failures: [String] = []
  private var linesSince = 0

  init(_ form: Form, verbose: Bool, explain: Bool = false) {
    self.form = form
    self.verbose = verbose
    self.explain = explain || verbose
  }

  /// Where events go besides, as JSON lines; -1 for nowhere.
  nonisolated(unsafe) static var events: Int32 = -1  // because: one thread, and set once, before anything is reported

  /// Returns why they cannot be written there, once.
  @discardableResult
  static func note(_ json: JSON) -> String? { events >= 0 ? Terminal.write(json.compact + "\n", to: events) : nil }

  func report(_ event: RunEvent) {
    if case .pulse(let done, let total) = event { return pulse(done, total) }
    if Self.events >= 0, let reason = Self.note(json(event)) { warn("the events cannot be written: \(reason)") }
    if isJSON, form == .json || event.isNotable { Terminal.print(json(event).compact) }
    if case .progress = event, view.isFresh { return note(event) }
    if isLive { view.erase() }
    if explain { explain(event) }
    if isJSON { return }
    switch event {
    case .endedLeftovers(let count): say("ended \(count) \(count == 1 ? "process" : "processes") that an earlier run left when it crashed")
    case .lostRecords: warn("the state database is empty though there are results: all runs anew")
    case .estimate(let seconds): view.left = seconds
    case .cache(let text, let isWarning):
      if isWarning { warn(text) } else if verbose { say(text) }
    case .waitingForLock(let holder): say("waiting for another run of this workspace (\(holder))")
    case .started(let step, let reasons, let isPreparation):
      view.start(step)
      if form == .text {
        let name = step.name + (isPreparation ? "" : place(step))
        // `why` has the whole reason; a log too.
        let room = isLive ? Terminal.size.columns - name.count - 10 : .max
        let reason = explain || room < 8 ? "" : "  " + Terminal.cut(reasons.first?.text ?? "", room)
        say("\(Terminal.paint("start", .dim))  \(name)\(Terminal.paint(reason, .dim))")
      }
    case .progress: note(event)
    case .pulse: break
    case .finished(let step, let seconds):
      view.end(step, succeeded: true)
      if form == .text {
        say("\(Terminal.paint("done", .green))   \(step.name)\(place(step))  \(duration(seconds))\(verbose ? "  \(step.record?.key.hex ?? "")" : "")")
      }
    case .prepared(let step, let seconds):
      view.end(step, succeeded: false)
      if form == .text { say("\(Terminal.paint("ready", .dim))  \(step.name)\(place(step))  prepared in \(duration(seconds))") }
    case .restored(let step, let paths):
      if form == .text { say("\(Terminal.paint("restored", .green)) \(paths.joined(separator: ", "))  (\(step.name))") }
    case .retrying(let step, let problem, let pause):
      view.end(step, succeeded: false)
      say("\(Terminal.paint("again", .yellow))  \(pause > 0 ? "in \(duration(pause)): " : "")\(problem)")
    case .failed(let step, let problem):
      view.end(step, succeeded: false)
      let word =
        problem.code == .interrupted
        ? Terminal.paint("stopped", .yellow) : step.options.mayFail ? Terminal.paint("failed", .yellow) : Terminal.paint("FAILED", .red)
      say("\(word) \(problem.code == .interrupted ? step.name : problem.description)")
      if problem.code != .interrupted, !step.options.mayFail {
        failures.append("\(word) \(problem.sentence.split(separator: "\n").first ?? "")")
        linesSince = 0
      }
    case .skipped(let step, let reason): if form == .text { say("\(Terminal.paint("skip", .dim))   \(step.name)  \(Terminal.paint(reason, .dim))") }
    case .appended(let step, let new):
      if form == .text {
        say(
          "\(Terminal.paint("append", .dim)) \(step.name): \(new.filter { !$0.isShard }.map { $0.name.hasPrefix(step.name + "/") ? String($0.name.dropFirst(step.name.count)) : $0.name }.joined(separator: ", "))"
        )
      }
    case .held(let step, let question):
      say("\(Terminal.paint("wait", .yellow))   \(step.name)  \(question.text)  (\(question.advice))")
    case .waiting(let step, let reason):
      view.end(step, succeeded: false)
      say("\(Terminal.paint("wait", .yellow))   \(step.name)  \(reason)")
    case .joined(let new): if form == .text { say("\(Terminal.paint("append", .dim)) \(Self.names(new))") }
    }
    if isLive { view.draw() }
  }

  private var isJSON: Bool { form == .json || form == .quietJSON }

  /// Whether it draws what runs.
  var isLive: Bool { form == .text && Terminal.isLive }

  private func note(_ event: RunEvent) {
    if case .progress(let step, let done, let total, let word) = event { view.progress(step, done, total, word) }
  }

  /// A second has passed.
  private func pulse(_ done: Int, _ total: Int) {
    view.total = total
    view.finished = done
    if isLive { view.draw() }
  }

  /// Each with who appended it, the first ones of many.
  private static func names(_ steps: [Step]) -> String {
    steps.prefix(10).map { $0.name + ($0.note?.author.map { " by \($0)" } ?? "") }.joined(separator: ", ")
      + (steps.count > 10 ? " and \(steps.count - 10) more" : "")
  }

  func finish(_ summary: RunSummary) {
    var summary = summary
    if let problem = summary.traceProblem { warn(problem.description) }
    if summary.exit == .success, Terminal.hasFailed { summary.exit = .inputOutput }
    if isLive { view.erase() }
    let json = JSON.object(
      (["event": "summary", "run": summary.run > 0 ? .integer(summary.run) : .null] as JSON).object!
        .merging(summary.counts.object!) { $1 }
        .merging(
          ([
            "seconds": .number(summary.seconds), "exit": .integer(Int(summary.exit.rawValue)), "name": .string(summary.exit.name),
          ] as JSON).object!
        ) { $1 })
    if let reason = Self.note(json) { warn("the events cannot be written: \(reason)") }
    if isJSON { return Terminal.print(json.compact) }
    if form == .quiet && summary.exit == .success { return }
    let counts = [
      (summary.ran, "ran"), (summary.upToDate, "up to date"), (summary.restored, "restored"), (summary.failed, "failed"),
      (summary.tolerated, "failed as they may"), (summary.skipped, "skipped"), (summary.notReached, "not reached"),
      (summary.held, "waiting for a person"), (summary.interrupted, "stopped"),
    ]
    let total = counts.reduce(0) { $0 + $1.0 }
    if summary.exit == .success && summary.ran == 0 && summary.restored == 0 && summary.tolerated == 0 && summary.skipped == 0 {
      return say(nothingToDo(total))
    }
    if failures.count > 1 || linesSince > 8 {
      for failure in failures.prefix(10) { say(failure) }
      if failures.count > 10 { say("and \(failures.count - 10) more that failed") }
    }
    let parts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    say("\(total) \(total == 1 ? "step" : "steps") in \(duration(summary.seconds)): \(parts.joined(separator: ", "))")
    if summary.exit == .interrupted { say("interrupted; finished steps and trials are kept, run again to go on") }
    if summary.exit == .budget { say("the time for this run is used up; finished steps and trials are kept, run again to go on") }
  }

  /// Why a step runs, or is put back, a line each.
  private func explain(_ event: RunEvent) {
    switch event {
    case .started(let step, let reasons, _): for reason in reasons { say("explain \(step.name): \(reason.text)") }
    case .restored(let step, let paths): for path in paths { say("explain \(step.name): \(path) is not what is recorded") }
    default: break
    }
  }

  private func warn(_ text: String) {
    if isLive { view.erase() }
    say("\(Terminal.paint("warning:", .yellow)) \(text)")
  }

  private func say(_ line: String) {
    linesSince += 1
    Terminal.say(line)
  }

  private func place(_ step: Step) -> String { step.stationName.map { " on \($0)" } ?? "" }

  // MARK: JSON lines

  private func json(_ event: RunEvent) -> JSON {
    switch event {
    case .waitingForLock(let holder): ["event": "waiting", "holder": .string(holder)]
    case .cache(let text, let isWarning): ["event": "cache", "text": .string(text), "warning": .bool(isWarning)]
    case .started(let step, let reasons, let isPreparation):
      [
        "event": "start", "step": .string(step.name), "station": isPreparation ? nil : step.stationName.map { .string($0) } ?? nil,
        "reasons": .array(reasons.map { .string($0.text) }), "differences": .array(reasons.map(\.json)),
      ]
    case .progress(let step, let done, let total, let word):
      ["event": "progress", "step": .string(step.name), "done": .integer(done), "total": .integer(total), "word": .string(word)]
    case .finished(let step, let seconds):
      ["event": "done", "step": .string(step.name), "seconds": .number(seconds), "key": (step.record?.key.hex).map { .string($0) } ?? nil]
    case .prepared(let step, let seconds): ["event": "prepared", "step": .string(step.name), "seconds": .number(seconds)]
    case .restored(let step, let paths): ["event": "restored", "step": .string(step.name), "paths": .array(paths.map { .string($0) })]
    case .retrying(let step, let problem, let pause):
      ["event": "retry", "step": .string(step.name), "problem": .string(problem.description), "pause": .number(pause)]
    case .endedLeftovers(let count): ["event": "leftovers", "ended": .integer(count)]
    case .lostRecords: ["event": "lost-records"]
    case .estimate(let seconds): ["event": "estimate", "left": .number(seconds)]
    case .pulse: .null
    case .failed(let step, let problem):
      [
        "event": problem.code == .interrupted ? "interrupted" : "failed", "step": .string(step.name), "problem": .string(problem.description),
        "code": .integer(Int(problem.code.rawValue)), "name": .string(problem.code.name), "tolerated": .bool(step.options.mayFail),
      ]
    case .skipped(let step, let reason): ["event": "skipped", "step": .string(step.name), "reason": .string(reason)]
    case .held(let step, let question):
      ["event": "held", "step": .string(step.name), "question": .string(question.text), "command": .string(question.command)]
    case .waiting(let step, let reason): ["event": "wait", "step": .string(step.name), "reason": .string(reason)]
    case .joined(let new):
      [
        "event": "joined",
        "steps": .array(new.map { .object(.init([("step", .string($0.name))] + ($0.note?.members ?? []), uniquingKeysWith: { $1 })) }),
      ]
    case .appended(let step, let new): ["event": "appended", "by": .string(step.name), "steps": .array(new.map { .string($0.name) })]
    }
  }
}

extension RunEvent {
  /// Told even by a run that is to say little.
  fileprivate var isNotable: Bool {
    switch self {
    case .failed, .held, .lostRecords, .cache(_, isWarning: true): true
    default: false
    }
  }
}
