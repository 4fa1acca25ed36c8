// A line plot as SVG: axes with round ticks, a logarithmic scale where values span decades. Knows no data of its own.

import Foundation

struct Plot {
  struct Line {
    let name: String
    /// In the order of x.
    var points: [(x: Double, y: Double)]
    var isFaint = false
  }

  let title: String
  let x: String
  let lines: [Line]
  /// The y axis; from the data if nil.
  var range: ClosedRange<Double>?

  private static let (width, height) = (400.0, 230.0)
  private static let (left, right, top, bottom) = (48.0, 392.0, 12.0, 192.0)

  var figure: HTML {
    let shown = lines.map { Line(name: $0.name, points: $0.points.filter { $0.x.isFinite && $0.y.isFinite }, isFaint: $0.isFaint) }.filter {
      !$0.points.isEmpty
    }
    let all = shown.flatMap(\.points)
    guard let least = all.map(\.y).min(), let most = all.map(\.y).max(), let end = all.map(\.x).max() else { return .none }
    let isLog = range == nil && least > 0 && most / least > 50
    let low = range?.lowerBound ?? (isLog ? least : min(least, 0)), high = range?.upperBound ?? (most > low ? most : low + 1)
    let start = min(0, all.map(\.x).min() ?? 0), span = max(end - start, 1e-9)
    func px(_ value: Double) -> Double { Self.left + (Self.right - Self.left) * (value - start) / span }
    func py(_ value: Double) -> Double {
      let share = isLog ? log(value / low) / log(high / low) : (value - low) / (high - low)
      return Self.bottom - (Self.bottom - Self.top) * min(max(share, 0), 1)
    }
    let rows: [HTML] = (isLog ? Self.decades(low, high) : Self.ticks(low, high)).map { tick in
      """
      <line class="grid" x1="\(Self.left)" x2="\(Self.right)" y1="\(py(tick))" y2="\(py(tick))"/>\
      <text class="soft" x="\(Self.left - 6)" y="\(py(tick) + 4)" text-anchor="end">\(range == 0...1 ? Number.percent(tick) : Number.short(tick))</text>
      """
    }
    let columns: [HTML] = Self.ticks(start, end).map { tick in
      "<text class=\"soft\" x=\"\(px(tick))\" y=\"\(Self.bottom + 15)\" text-anchor=\"middle\">\(Number.short(tick))</text>"
    }
    // Faint ones first, so that they lie below.
    let paths: [HTML] = (shown.filter(\.isFaint) + shown.filter { !$0.isFaint }).map { line in
      let points: [HTML] = line.points.map { "\(px($0.x)),\(py($0.y)) " }
      let mark: HTML =
        line.points.count == 1 ? "<circle class=\"dot\" cx=\"\(px(line.points[0].x))\" cy=\"\(py(line.points[0].y))\" r=\"3\"/>" : .none
      return "<polyline class=\"curve\(line.isFaint ? " faint" : "")\" points=\"\(points)\"><title>\(line.name)</title></polyline>\(mark)"
    }
    let names = shown.filter { !$0.isFaint }.map(\.name), faint = shown.filter(\.isFaint).map(\.name)
    let legend: HTML = """
      \(names.isEmpty ? "" : " Blue: \(Self.listing(names)).")\(faint.isEmpty ? "" : " Grey: \(Self.listing(faint)).")\(isLog ? " Logarithmic scale." : "")
      """
    return """
      <figure><svg viewBox="0 0 \(Self.width) \(Self.height)" width="\(Self.width)" role="img" class="wide"><title>\(title)</title>\(rows)\(columns)\
      <line class="axis" x1="\(Self.left)" x2="\(Self.right)" y1="\(Self.bottom)" y2="\(Self.bottom)"/>\(paths)\
      <text class="soft" x="\(Self.right)" y="\(Self.bottom + 32)" text-anchor="end">\(x)</text></svg>
      <figcaption>\(title).\(legend)</figcaption></figure>

      """
  }

  private static func listing(_ names: [String]) -> String {
    names.prefix(6).joined(separator: ", ") + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }

  /// Round numbers, about five, within the range.
  static func ticks(_ low: Double, _ high: Double) -> [Double] {
    guard high > low else { return [low] }
    let rough = (high - low) / 4, power = pow(10, log10(rough).rounded(.down))
    let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
    return (Int((low / step).rounded(.up))...max(Int((low / step).rounded(.up)), Int((high / step + 1e-9).rounded(.down)))).map { Double($0) * step }
  }

  /// Powers of ten within the range, or its ends if there are none.
  private static func decades(_ low: Double, _ high: Double) -> [Double] {
    let first = Int(log10(low).rounded(.up)), last = Int(log10(high).rounded(.down))
    return first < last ? (first...last).map { pow(10, Double($0)) } : [low, high]
  }
}
