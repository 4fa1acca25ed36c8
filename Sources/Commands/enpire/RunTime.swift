// How long a run may go on: for a while (`6h`), or until a time of day (`06:30`).

import ArgumentParser
import Glibc
import Workflow

enum RunTime {
  /// Refuses what --for does not take.
  static func check(length: String?) throws {
    guard let length, !(seconds(length) ?? 0 > 0) else { return }
    throw ValidationError("--for takes a time, as 90s, 45m, 6h or 1h30m, not '\(length)'")
  }

  /// Seconds since 1970 at which a run has to end; the earliest of what is given.
  static func deadline(length: String?, times: [String]) -> Double? {
    let now = Clock.now
    var ends = times.compactMap { next($0, after: now) }
    if let length, let seconds = seconds(length) { ends.append(now + seconds) }
    return ends.min()
  }

  /// `1h30m` in seconds; nil if it is no such time.
  static func seconds(_ text: String) -> Double? {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    var (total, number) = (0.0, "")
    for character in text {
      if let unit = units[character] {
        guard let count = Double(number) else { return nil }
        total += count * unit
        number = ""
      } else if character.isASCII && character.isNumber || character == "." {
        number.append(character)
      } else {
        return nil
      }
    }
    return number.isEmpty && !text.isEmpty ? total : nil
  }

  static func isTimeOfDay(_ text: String) -> Bool { clock(text) != nil }

  /// Whether it can only mean a time of day: digits with `:` between.
  static func looksLikeTimeOfDay(_ text: String) -> Bool { text.contains(":") && text.allSatisfy { $0 == ":" || $0.isASCII && $0.isNumber } }

  private static func clock(_ text: String) -> (hour: Int32, minute: Int32)? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].count == 2, let hour = Int32(parts[0]), let minute = Int32(parts[1]), (0..<24).contains(hour),
      (0..<60).contains(minute)
    else { return nil }
    return (hour, minute)
  }

  /// The next time that a clock here shows this, in seconds since 1970.
  private static func next(_ text: String, after now: Double) -> Double? {
    guard let (hour, minute) = clock(text) else { return nil }
    var (seconds, local) = (time_t(now), tm())
    localtime_r(&seconds, &local)
    (local.tm_hour, local.tm_min, local.tm_sec, local.tm_isdst) = (hour, minute, 0, -1)
    if mktime(&local) <= time_t(now) {
      // The day after, by the calendar: a day may have 23 hours.
      local.tm_mday += 1
      (local.tm_hour, local.tm_min, local.tm_sec, local.tm_isdst) = (hour, minute, 0, -1)
    }
    return Double(mktime(&local))
  }

  /// Seconds since 1970 of `2026-11-20`, `2026-11-20 06:30`, `2026-11-20T06:30:00` here, or of a while ago, as `36h`.
  static func instant(_ text: String) throws -> Double {
    if let ago = seconds(text) { return Double(time(nil)) - ago }
    let parts = text.split(whereSeparator: { $0 == "T" || $0 == " " })
    let date = (parts.first ?? "").split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
    let clock = (parts.count > 1 ? parts[1] : "00:00").split(separator: ":", omittingEmptySubsequences: false).map { Int32($0) }
    if parts.count <= 2, date.count == 3, (2...3).contains(clock.count), let year = date[0], let month = date[1], let day = date[2],
      (1...12).contains(month), (1...31).contains(day), let hour = clock[0], let minute = clock[1], let second = clock.count > 2 ? clock[2] : 0,
      (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second)
    {
      var local = tm()
      (local.tm_year, local.tm_mon, local.tm_mday) = (year - 1900, month - 1, day)
      (local.tm_hour, local.tm_min, local.tm_sec, local.tm_isdst) = (hour, minute, second, -1)
      return Double(mktime(&local))
    }
    throw Problem(.usage, "'\(text)' is no time", hint: "write 2026-11-20, '2026-11-20 06:30', or 36h for a while ago")
  }
}
