// When each step ran, and where: a bar a step, a lane a station. Times are relative; long pauses, as between two runs, are cut out and marked.

enum TimeSection {
  private struct Span {
    let step: StudyStep
    let start: Double
    let end: Double
  }

  static func html(_ study: Study) -> Page.Section? {
    let spans = study.steps.compactMap { step in
      step.started.flatMap { start in step.seconds.map { Span(step: step, start: start, end: start + max(0, $0)) } }
    }
    .sorted { ($0.start, $0.step.name) < ($1.start, $1.step.name) }
    guard !spans.isEmpty else { return nil }
    let lanes = lanes(spans), clock = Clock(spans)
    let (left, width) = (104.0, 1160.0)
    func x(_ time: Double) -> Double { left + (width - left - 10) * clock.place(time) }
    let height = 22 * Double(lanes.count) + 30
    let ticks: [HTML] = ticks(clock.total).map { tick in
      let x = left + (width - left - 10) * (clock.total > 0 ? tick / clock.total : 0)
      return
        "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y1=\"0\" y2=\"\(height - 24)\"/><text class=\"soft\" x=\"\(x)\" y=\"\(height - 8)\" text-anchor=\"middle\">\(Number.seconds(tick))</text>"
    }
    let breaks: [HTML] = clock.pauses.map { pause in
      "<line class=\"edge\" stroke-dasharray=\"2 3\" x1=\"\(x(pause.end))\" x2=\"\(x(pause.end))\" y1=\"0\" y2=\"\(height - 24)\"><title>\(Number.seconds(pause.end - pause.start)) cut out</title></line>"
    }
    let rows: [HTML] = lanes.enumerated().map { index, lane in
      let bars: [HTML] = lane.spans.map { span in
        let style = span.step.state == "failed" ? "broken" : span.step.record["effect"]?.string ?? "pure"
        return """
          <rect class="bar \(style)" x="\(x(span.start))" y="\(22 * Double(index) + 3)" width="\(max(1, x(span.end) - x(span.start) - 0.5))" height="16" rx="2">\
          <title>\(span.step.name): \(Number.seconds(span.end - span.start))</title></rect>
          """
      }
      return "<text class=\"soft\" x=\"4\" y=\"\(22 * Double(index) + 15)\">\(lane.name)</text>\(bars)"
    }
    let cut: HTML =
      clock.pauses.isEmpty
      ? .none
      : " Dotted: \(Number.count(clock.pauses.count, "pause")) cut out, \(Number.seconds(clock.pauses.reduce(0) { $0 + $1.end - $1.start })) in all."
    return Page.Section(
      id: "time", title: "Time",
      body: """
        <figure><div class="pan"><svg viewBox="0 0 \(width) \(height)" width="\(width)" style="min-width:640px" role="img"><title>Steps over time, by station</title>\(ticks)\(breaks)\(rows)</svg></div>
        <figcaption>Green: trials on a station; blue: work without one; violet: steps with an effect outside; red: failed. Rest the pointer on a bar for its step.\(cut)</figcaption></figure>
        \(savings(study, spans, clock))
        """)
  }

  /// What was not done because it had been done: for another step that does the same, or in an earlier run.
  private static func savings(_ study: Study, _ spans: [Span], _ clock: Clock) -> HTML {
    var sentences: [HTML] = []
    var seen: Set<String> = []
    let shared = study.steps.filter { step in step.key.map { !seen.insert($0).inserted } ?? false }
    if !shared.isEmpty {
      let seconds = shared.compactMap(\.seconds).reduce(0, +)
      sentences.append("\(Number.count(shared.count, "step")) took what another had done already, and saved \(Number.seconds(seconds)) of work.")
    }
    if let pause = clock.pauses.last {
      var counted: Set<String> = []
      let earlier = spans.filter { span in span.end <= pause.start && span.step.key.map { counted.insert($0).inserted } ?? true }
      let seconds = earlier.reduce(0) { $0 + $1.end - $1.start }
      sentences.append(
        "What ran after the last pause took \(Number.count(earlier.count, "result")) of before it from the cache: \(Number.seconds(seconds)) of work not done again."
      )
    }
    return sentences.isEmpty ? .none : "<p>Saved by the cache: \(sentences.joined(" "))</p>\n"
  }

  /// At whole seconds, minutes or hours; about five.
  private static func ticks(_ total: Double) -> [Double] {
    let steps: [Double] = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400]
    let step = steps.first { $0 * 6 >= total } ?? (total / 6).rounded(.up)
    return (0...Int(total / step)).map { Double($0) * step }
  }

  /// Stations first, each in its own lane; other steps in as few lanes as hold them side by side.
  private static func lanes(_ spans: [Span]) -> [(name: String, spans: [Span])] {
    let stations = Dictionary(grouping: spans.filter { $0.step.station != nil }) { $0.step.station! }
    var lanes = stations.keys.sorted { ($0.count, $0) < ($1.count, $1) }.map { (name: $0, spans: stations[$0]!) }
    var free: [[Span]] = []
    for span in spans where span.step.station == nil {
      if let index = free.firstIndex(where: { $0.last!.end <= span.start }) { free[index].append(span) } else { free.append([span]) }
    }
    lanes += free.enumerated().map { (name: $0 == 0 ? "no station" : "", spans: $1) }
    return lanes
  }

  /// From times to places 0...1, without the long pauses in which nothing ran.
  private struct Clock {
    var pauses: [(start: Double, end: Double)] = []
    private let first: Double
    let total: Double

    init(_ spans: [Span]) {
      first = spans[0].start
      var gaps: [(start: Double, end: Double)] = [], end = spans[0].end, busy = 0.0, start = first
      for span in spans.dropFirst() {
        if span.start > end {
          gaps.append((end, span.start))
          busy += end - start
          (start, end) = (span.start, span.end)
        } else {
          end = max(end, span.end)
        }
      }
      busy += end - start
      pauses = gaps.filter { $0.end - $0.start > max(2, 0.05 * busy) }
      total = end - first - pauses.reduce(0) { $0 + $1.end - $1.start }
    }

    func place(_ time: Double) -> Double {
      let cut = pauses.reduce(0) { $0 + max(0, min(time, $1.end) - $1.start) }
      return total > 0 ? (time - first - cut) / total : 0
    }
  }
}
