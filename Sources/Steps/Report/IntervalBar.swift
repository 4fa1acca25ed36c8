// A rate and its interval on a line from 0 to 100 %: a band for the interval, a dot for the estimate, ticks at every quarter.

import Robot

enum IntervalBar {
  static func svg(_ rate: Rate, isSearch: Bool = false) -> HTML {
    let words = RateWords(rate)
    let style = isSearch ? "search" : ""
    func x(_ share: Double) -> Double { 6 + 208 * share }
    let ticks: [HTML] = [0, 0.25, 0.5, 0.75, 1].map { "<line class=\"grid\" x1=\"\(x($0))\" x2=\"\(x($0))\" y1=\"2\" y2=\"18\"/>" }
    let dot: HTML = rate.estimate.map { "<circle class=\"dot \(style)\" cx=\"\(x($0))\" cy=\"10\" r=\"4\"/>" } ?? .none
    return """
      <svg width="220" height="20" viewBox="0 0 220 20" role="img"><title>\(words.estimate), interval \(words.interval)</title>\(ticks)\
      <rect class="band \(style)" x="\(x(rate.lower))" width="\(208 * max(0, rate.upper - rate.lower))" y="6" height="8" rx="4"/>\(dot)</svg>
      """
  }
}
