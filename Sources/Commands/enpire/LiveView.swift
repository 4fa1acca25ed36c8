// What stands at the bottom of a terminal while a run goes on: how far it is, and a line for each step that runs, with its station, how long it
// has been at it, and how far it came. It is drawn over; what is said for good scrolls by above it.

import Glibc
import Workflow

struct LiveView {
  struct Row {
    let step: Step
    /// Monotonic seconds.
    let since: Double
    var done = 0
    var total = 0
    var word = ""
  }

  private(set) var rows: [Row] = []
  var finished = 0
  /// Of all steps of the run, if it is known.
  var total: Int?
  /// Seconds until everything is done.
  var left: Double? { didSet { leftAt = Clock.monotonic } }
  private var leftAt = 0.0
  private var height = 0
  private var drawn = 0.0

  mutating func start(_ step: Step) { rows.append(Row(step: step, since: Clock.monotonic)) }

  mutating func progress(_ step: Step, _ done: Int, _ total: Int, _ word: String) {
    if let index = rows.firstIndex(where: { $0.step === step }) { (rows[index].done, rows[index].total, rows[index].word) = (done, total, word) }
  }

  mutating func end(_ step: Step, succeeded: Bool) {
    rows.removeAll { $0.step === step }
    if succeeded { finished += 1 }
  }

  /// Whether it was drawn so lately that nobody would see another one.
  var isFresh: Bool { Clock.monotonic - drawn < 0.05 }

  mutating func erase() {
    if height > 0 { Terminal.write("\r" + (height > 1 ? "\u{1B}[\(height - 1)A" : "") + "\u{1B}[J", to: 2) }
    height = 0
  }

  mutating func draw() {
    erase()
    guard !rows.isEmpty else { return }
    let (columns, lines) = Terminal.size
    let text = text(columns: columns, lines: lines)
    Terminal.write(text.map { Terminal.paint($0, .dim) }.joined(separator: "\n"), to: 2)
    height = text.count
    drawn = Clock.monotonic
  }

  /// At most `lines` lines, none wider than the terminal.
  private func text(columns: Int, lines: Int) -> [String] {
    let width = columns - 1
    let room = max(1, min(rows.count, lines / 2 - 1))
    let shown = rows.prefix(rows.count > room ? room - 1 : room)
    let names = min(shown.map { $0.step.name.count }.max() ?? 0, max(12, width * 2 / 5))
    let places = shown.map { $0.step.stationName?.count ?? 0 }.max() ?? 0
    var text = [head]
    for row in shown {
      let seconds = duration((Clock.monotonic - row.since).rounded())
      var line = "  " + Self.fit(row.step.name, names) + "  "
      if places > 0 { line += Self.fit(row.step.stationName ?? "", min(places, 16)) + "  " }
      line += Self.fit(seconds, 9)
      if row.total > 0 {
        if columns >= 60 { line += " " + Self.bar(Double(row.done) / Double(row.total), columns >= 100 ? 20 : 8) }
        line += " \(row.done)/\(row.total)"
      }
      if !row.word.isEmpty { line += "  " + row.word }
      text.append(line)
    }
    if rows.count > shown.count { text.append("  and \(rows.count - shown.count) more") }
    return text.map { Terminal.cut($0, width) }
  }

  private var head: String {
    var parts = ["\(finished)\(total.map { " of \(max($0, finished)) steps" } ?? "") done", "\(rows.count) running"]
    if let left = left.map({ $0 - (Clock.monotonic - leftAt) }), left >= 1 { parts.append("about \(duration(left)) left") }
    return parts.joined(separator: " · ")
  }

  private static func fit(_ text: String, _ width: Int) -> String {
    Terminal.cut(text, width) + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func bar(_ share: Double, _ width: Int) -> String {
    let full = Int((min(max(share, 0), 1) * Double(width)).rounded(.down))
    return String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
  }
}
