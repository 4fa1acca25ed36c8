// Whether the machine is too busy for one more step. With none running one starts in any case, so that there is always progress.

internal import Glibc

struct LoadLimit {
  /// Processes that run or wait for a processor, averaged over a minute.
  let limit: Double
  private var second = 0
  private var startedInSecond = 0

  init(_ limit: Double) { self.limit = limit }

  /// The average lags: what was started in this second counts in full.
  mutating func admits(running: Int, load: Double, now: Double) -> Bool {
    if Int(now) != second { (second, startedInSecond) = (Int(now), 0) }
    guard running == 0 || load + Double(startedInSecond) < limit else { return false }
    startedInSecond += 1
    return true
  }

  static var load: Double {
    var averages = [0.0]
    return getloadavg(&averages, 1) == 1 ? averages[0] : 0
  }
}
