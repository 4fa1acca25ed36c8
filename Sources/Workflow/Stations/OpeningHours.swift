// When a station may be used: windows of local time, each on some days of the week. A window that ends before it begins goes on into the next
// day. Without windows a station may always be used.

internal import Glibc

public struct OpeningHours: Sendable {
  struct Window: Sendable {
    /// 0 is Sunday: the days on which it begins.
    let days: Set<Int>
    /// Minutes after midnight; `end` is above `start`, and above 1440 on the next day.
    let start: Int
    let end: Int
  }

  let windows: [Window]

  /// Whether it may be used at a time (seconds since 1970), and when that changes; nil if it never does.
  public func state(at time: Double) -> (isOpen: Bool, until: Double?) {
    if windows.isEmpty { return (true, nil) }
    var spans: [(from: Double, to: Double)] = []
    for day in -1...8 {
      var begin = tm()
      var seconds = time_t(time)
      localtime_r(&seconds, &begin)
      // mktime carries days and minutes over, and knows when the clocks change.
      begin.tm_mday += Int32(day)
      (begin.tm_hour, begin.tm_min, begin.tm_sec, begin.tm_isdst) = (12, 0, 0, -1)
      _ = mktime(&begin)
      for window in windows where window.days.contains(Int(begin.tm_wday)) {
        func instant(_ minutes: Int) -> Double {
          var moment = begin
          (moment.tm_hour, moment.tm_min, moment.tm_isdst) = (0, Int32(minutes), -1)
          return Double(mktime(&moment))
        }
        spans.append((instant(window.start), instant(window.end)))
      }
    }
    spans.sort { $0.from < $1.from }
    var joined: [(from: Double, to: Double)] = []
    for span in spans {
      if let last = joined.last, span.from <= last.to { joined[joined.count - 1].to = max(last.to, span.to) } else { joined.append(span) }
    }
    if let span = joined.first(where: { $0.from <= time && time < $0.to }) { return (true, span.to - time > 7 * 86_400 ? nil : span.to) }
    return (false, joined.first { $0.from > time }?.from)
  }
}

extension OpeningHours.Window {
  private static let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

  /// `22:00-06:00`, `Mon-Fri 18:00-24:00`, `Sat,Sun`.
  init?(_ text: String) {
    let parts = text.split(separator: " ")
    guard let last = parts.last, parts.count <= 2 else { return nil }
    let hasTime = last.contains(":")
    guard hasTime || parts.count == 1 else { return nil }
    var days: Set<Int> = []
    if parts.count == 2 || !hasTime {
      for range in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
        let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { name in Self.names.firstIndex { $0 == name } }
        guard ends.count <= 2, let first = ends[0], let final = ends[ends.count - 1] else { return nil }
        var day = first
        days.insert(day)
        while day != final {
          day = (day + 1) % 7
          days.insert(day)
        }
      }
    } else {
      days = Set(0...6)
    }
    var (start, end) = (0, 1440)
    if hasTime {
      let times = last.split(separator: "-", omittingEmptySubsequences: false).map(Self.minutes)
      guard times.count == 2, let from = times[0], let to = times[1], from < 1440, from != to else { return nil }
      (start, end) = (from, to > from ? to : to + 1440)
    }
    (self.days, self.start, self.end) = (days, start, end)
  }

  /// `06:30`, in minutes; `24:00` is the end of the day.
  private static func minutes(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 }), let hour = Int(parts[0]), let minute = Int(parts[1]), (0...59).contains(minute),
      (0...23).contains(hour) || (hour == 24 && minute == 0)
    else { return nil }
    return hour * 60 + minute
  }
}
