// A summary for a person: what cron mails. 72 columns, the verdict first, nothing in colour. Commands are never broken, so that they can be pasted.

import JSON
import Workflow

extension Summary {
  private static let width = 72

  /// The verdict in one line; a mail's subject too.
  var headline: String {
    let steps = failures.count + moreFailures
    let what =
      steps > 0
      ? "\(steps) \(steps == 1 ? "step" : "steps") failed" + (steps == 1 ? " (\(failures[0].step))" : "")
      : name == "killed" ? "the run was killed" : name == "cut-off" ? "the run was cut off" : problem.map { Self.first($0) } ?? name
    switch transition {
    case .failure: return "\(workflow): FAILURE: \(what)"
    case .stillFailing:
      return "\(workflow): STILL FAILING" + (failing.map { ", for the \(Self.ordinal($0.count)) time since \(date($0.since))" } ?? "") + ": \(what)"
    case .recovery:
      return "\(workflow): RECOVERY" + (failing.map { " after \($0.count) \($0.count == 1 ? "failure" : "failures") since \(date($0.since))" } ?? "")
    case .success: return "\(workflow): success"
    case .unfinished:
      let why =
        switch name {
        case ExitCode.budget.name: "the time was used up"
        case ExitCode.approval.name:
          switch max(held.count, counts?["held"]?.int ?? 0) {
          case 0: "a person rejected a step"
          case let count: "\(count) \(count == 1 ? "step waits" : "steps wait") for approval"
          }
        case ExitCode.interrupted.name: "it was told to stop"
        default: problem ?? name
        }
      return "\(workflow): unfinished: \(why)"
    case .skipped: return "\(workflow): skipped: \(problem ?? name)"
    }
  }

  var text: String {
    var lines = Self.wrap(headline)
    var facts = [call.map { "call \($0)" }, run.map { "run \($0)" }, date(started), transition == .skipped ? nil : seconds.map(duration)]
      .compactMap { $0 }
    if !host.isEmpty { facts.append("on \(host)") }
    lines += Self.wrap(facts.joined(separator: ", "))
    if let counts = countsText { lines += Self.wrap(counts) }
    if transition == .unfinished, let failing {
      lines += Self.wrap("Before this it failed \(failing.count) \(failing.count == 1 ? "time" : "times") since \(date(failing.since)).")
    }
    if let deadline {
      lines += Self.wrap("Its time was over at \(date(deadline)). Finished steps and trials are kept, and the next call goes on.")
    }
    if let problem, transition != .skipped {
      // Its first line may be the verdict already.
      let rest = problem.split(separator: "\n").dropFirst(headline.hasSuffix(Self.first(problem)) ? 1 : 0)
      if !rest.isEmpty { lines += [""] + rest.flatMap { Self.wrap(String($0)) } }
    }
    for failure in failures {
      lines += ["", "FAILED \(failure.step)" + (failure.station.map { " on \($0)" } ?? "")]
      for line in failure.problem.split(separator: "\n") { lines += Self.wrap(String(line), indent: "  ") }
      if !failure.log.isEmpty { lines += ["  its last lines:"] + failure.log.flatMap { Self.wrap($0, indent: "    ") } }
      lines += ["  to repeat it, and for all that it printed:", "    " + failure.command]
      lines.append("    " + Shell.line(["enpire", "log", "-f", manifest, failure.step]))
    }
    if moreFailures > 0 { lines += ["", "and \(moreFailures) more failed"] }
    if !held.isEmpty {
      lines += ["", "Waiting for a person"]
      for one in held.prefix(10) {
        lines += Self.wrap("\(one.step): \(one.question)", indent: "  ")
        lines.append("    " + one.command)
      }
    }
    if !rates.isEmpty {
      lines += ["", "Measured"]
      for rate in rates {
        let before = earlierRates.first { $0.step == rate.step }.map { ", before \(Self.interval($0))" } ?? ""
        let change = change(of: rate).map { $0 == "lower" ? ": LOWER than before" : ": higher than before" } ?? ""
        lines += Self.wrap("\(rate.step): \(Self.interval(rate))\(before)\(change)", indent: "  ")
      }
    }
    if !earlier.isEmpty {
      lines += ["", "Since the last summary"]
      for one in earlier {
        let who = one.call.map { "call \($0)" } ?? one.run.map { "run \($0)" } ?? ""
        lines += Self.wrap("\(who) of \(date(one.started)): \(one.words)", indent: "  ")
      }
    }
    let undelivered = deliveries.filter { $0.problem != nil }
    if !warnings.isEmpty || !undelivered.isEmpty {
      lines.append("")
      for warning in warnings { lines += Self.wrap("warning: \(warning)") }
      for delivery in undelivered {
        lines += Self.wrap("warning: \(delivery.to) was not told\(delivery.tries > 1 ? " after \(delivery.tries) tries" : ""): \(delivery.problem!)")
      }
    }
    if let log, transition != .skipped { lines += ["", "What the run said: \(log)"] }
    return lines.joined(separator: "\n") + "\n"
  }

  private var countsText: String? {
    let words = [
      "upToDate": "up to date", "notReached": "not reached", "held": "waiting for a person", "interrupted": "stopped",
      "tolerated": "failed as they may",
    ]
    let numbers = (counts?.object ?? [:]).compactMap { key, value in value.int.flatMap { $0 > 0 ? (key, $0) : nil } }
    let total = numbers.reduce(0) { $0 + $1.1 }
    guard total > 0 else { return nil }
    return "\(total) \(total == 1 ? "step" : "steps"): " + numbers.map { "\($0.1) \(words[$0.0] ?? $0.0)" }.joined(separator: ", ")
  }

  /// `0.955 [0.931, 0.973] of 400`
  private static func interval(_ rate: Rate) -> String {
    func three(_ number: Double) -> String {
      let whole = Int((number * 1000).rounded())
      let digits = "\(1000 + whole % 1000)".dropFirst()
      return "\(whole / 1000).\(digits)"
    }
    return "\(three(rate.estimate)) [\(three(rate.lower)), \(three(rate.upper))] of \(rate.trials)"
  }

  private static func first(_ text: String) -> String { text.split(separator: "\n").first.map(String.init) ?? "" }

  private static func ordinal(_ count: Int) -> String {
    let ending = (11...13).contains(count % 100) ? "th" : [1: "st", 2: "nd", 3: "rd"][count % 10] ?? "th"
    return "\(count)\(ending)"
  }

  /// Lines of at most 72 columns; words are not broken, and what was indented stays so.
  static func wrap(_ text: String, indent: String = "") -> [String] {
    let lead = indent + String(text.prefix { $0 == " " })
    var lines: [String] = []
    var line = lead
    var isEmpty = true
    for word in text.split(separator: " ") {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        (line, isEmpty) = (lead + "  ", true)
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return lines + [line]
  }
}
