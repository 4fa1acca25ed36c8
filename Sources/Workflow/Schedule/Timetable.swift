// When a schedule calls, as people say it, and as cron and systemd write it down.

public struct Timetable: Sendable, Equatable {
  enum Rhythm: Sendable, Equatable {
    /// At these times of day, in minutes since midnight.
    case daily([Int])
    /// Every so many minutes, of a divisor of an hour; or hours, of a divisor of a day.
    case minutes(Int)
    case hours(Int)
  }

  let rhythm: Rhythm
  /// Monday is 1, Sunday 7; none means every day.
  let days: [Int]

  private static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

  /// - Parameters:
  ///   - times: times of day as `02:30`. With neither these nor `every`, that is half past two at night.
  ///   - every: `15m`, `2h` or `1d`.
  ///   - days: `mon-fri`, `sat,sun`.
  public init(at times: [String], every: String?, on days: String?) throws {
    if let every {
      guard times.isEmpty else { throw Problem(.usage, "--at and --every say when in two ways", hint: "one of them") }
      rhythm = try Self.rhythm(every)
    } else {
      rhythm = .daily(try (times.isEmpty ? ["02:30"] : times).map(Self.minute).sorted())
    }
    self.days = try days.map(Self.days) ?? []
  }

  private static func minute(_ text: String) throws -> Int {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2, let hour = Int(parts[0]), let minute = Int(parts[1]),
      (0..<24).contains(hour), (0..<60).contains(minute)
    else { throw Problem(.usage, "--at takes a time of day, as 02:30, not '\(text)'") }
    return hour * 60 + minute
  }

  private static func rhythm(_ text: String) throws -> Rhythm {
    let count = Int(text.dropLast()) ?? 0
    switch text.last {
    case "m" where count >= 1 && count < 60 && 60 % count == 0: return .minutes(count)
    case "m" where count >= 60 && count % 60 == 0 && count < 1440 && 1440 % count == 0: return .hours(count / 60)
    case "h" where count >= 1 && count < 24 && 24 % count == 0: return .hours(count)
    case "h" where count == 24: return .daily([0])
    case "d" where count == 1: return .daily([0])
    default:
      throw Problem(
        .usage, "--every takes what divides an hour or a day, not '\(text)'", hint: "as 5m, 15m, 30m, 1h, 2h, 6h, 12h or 1d")
    }
  }

  private static func days(_ text: String) throws -> [Int] {
    func day(_ word: Substring) throws -> Int {
      guard let index = names.firstIndex(of: word.lowercased()) else {
        throw Problem(.usage, "--on takes days, as mon-fri or sat,sun, not '\(word)'")
      }
      return index + 1
    }
    var found: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = try part.split(separator: "-", omittingEmptySubsequences: false).map(day)
      guard (1...2).contains(ends.count) else { throw Problem(.usage, "--on takes days, as mon-fri or sat,sun, not '\(part)'") }
      let (first, last) = (ends[0], ends.last!)
      // fri-mon goes over the week's end.
      found.formUnion(first <= last ? Array(first...last) : Array(first...7) + Array(1...last))
    }
    return found.count == 7 ? [] : found.sorted()
  }

  /// The five fields of cron, a line each.
  public var cron: [String] {
    let days = days.isEmpty ? "*" : days.map { $0 % 7 }.sorted().map { "\($0)" }.joined(separator: ",")
    switch rhythm {
    case .daily(let minutes): return minutes.map { "\($0 % 60) \($0 / 60) * * \(days)" }
    case .minutes(let count): return ["\(count == 1 ? "*" : "*/\(count)") * * * \(days)"]
    case .hours(let count): return ["0 \(count == 1 ? "*" : "*/\(count)") * * \(days)"]
    }
  }

  /// As systemd's OnCalendar has it, a line each.
  public var calendar: [String] {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let days =
      days.isEmpty ? "" : days.map { Self.names[$0 - 1].prefix(1).uppercased() + Self.names[$0 - 1].dropFirst() }.joined(separator: ",") + " "
    switch rhythm {
    case .daily(let minutes): return minutes.map { "\(days)*-*-* \(two($0 / 60)):\(two($0 % 60)):00" }
    case .minutes(let count): return ["\(days)*-*-* *:\(count == 1 ? "*" : "0/\(count)"):00"]
    case .hours(let count): return ["\(days)*-*-* \(count == 1 ? "*" : "0/\(count)"):00:00"]
    }
  }
}
