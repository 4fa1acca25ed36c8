// How fast a step's work goes and how long it will last, from what it tells of its progress. For people who wait; no result depends on it.
// It knows no clock: times are given to it.

package struct Pace {
  private var first: (done: Int, seconds: Double)?
  private var last = 0

  package init() {}

  /// Words on rate and time left; empty while too little was seen. What was done before the first call (a checkpoint's work) does not count.
  /// A count that falls is another count, which begins here.
  package mutating func words(done: Int, total: Int, at seconds: Double) -> String {
    defer { last = done }
    guard let first, done >= last else {
      self.first = (done, seconds)
      return ""
    }
    let elapsed = seconds - first.seconds
    guard elapsed >= 2, done > first.done else { return "" }
    let rate = Double(done - first.done) / elapsed
    let shown = rate >= 10 ? "\(Int(rate.rounded()))/s" : rate >= 0.1 ? "\((rate * 10).rounded() / 10)/s" : "\((rate * 600).rounded() / 10)/min"
    guard total > done else { return shown }
    let left = Int((Double(total - done) / rate).rounded())
    return shown + ", " + (left < 100 ? "\(left) s" : left < 6000 ? "\((left + 30) / 60) min" : "\((left + 1800) / 3600) h") + " left"
  }
}
