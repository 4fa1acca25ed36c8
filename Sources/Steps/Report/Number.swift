// Numbers as people read them. A rate always brings its counts and its interval.

import Foundation
import JSON
import Robot

enum Number {
  /// Rounded, without trailing zeros.
  static func plain(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return "–" }
    let scale = pow(10, Double(places))
    let rounded = (value * scale).rounded() / scale
    return Int(exactly: rounded).map(String.init) ?? rounded.description
  }

  /// To three significant digits.
  static func short(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    guard value != 0 else { return "0" }
    let digits = 2 - Int(log10(abs(value)).rounded(.down))
    return digits > 8 ? String(format: "%.2e", value) : plain(value, places: max(0, digits))
  }

  /// A share as `93.5 %`; never 100 or 0 by rounding.
  static func percent(_ share: Double) -> String {
    let rounded = (share * 1000).rounded() / 10
    if rounded == 100, share < 1 { return "> 99.9\u{a0}%" }
    if rounded == 0, share > 0 { return "< 0.1\u{a0}%" }
    return plain(rounded, places: 1) + "\u{a0}%"
  }

  /// A time span as `0.4 s`, `12 min 5 s`, `3 h 20 min`.
  static func seconds(_ seconds: Double) -> String {
    switch seconds {
    case ..<10: return plain(seconds, places: 1) + "\u{a0}s"
    case ..<100: return plain(seconds, places: 0) + "\u{a0}s"
    case ..<3600: return "\(Int(seconds) / 60)\u{a0}min \(Int(seconds) % 60)\u{a0}s"
    default: return "\(Int(seconds) / 3600)\u{a0}h \(Int(seconds) / 60 % 60)\u{a0}min"
    }
  }

  static func key(_ hex: String?) -> HTML { hex.map { "<code title=\"\($0)\">\($0.prefix(12))</code>" } ?? "–" }

  static func count(_ count: Int, _ one: String, _ many: String? = nil) -> String { "\(count) \(count == 1 ? one : many ?? one + "s")" }
}

/// A rate in words.
struct RateWords {
  let rate: Rate
  init(_ rate: Rate) { self.rate = rate }
  init?(_ json: JSON?) {
    guard let rate = json.flatMap(Rate.init(json:)) else { return nil }
    self.rate = rate
  }

  /// Successes of known ends, `38/40`; unknown ones apart.
  var counts: String { "\(rate.successes)/\(rate.trials - rate.unknown)" + (rate.unknown > 0 ? " + \(rate.unknown) unknown" : "") }
  var estimate: String { rate.estimate.map(Number.percent) ?? "unknown" }
  /// `89.1–96.5 %`.
  var interval: String {
    rate.trials == 0 ? "–" : "\(Number.plain(rate.lower * 100, places: 1))–\(Number.plain(rate.upper * 100, places: 1))\u{a0}%"
  }
  var confidence: String { Number.plain(rate.confidence * 100, places: 2) + "\u{a0}%" }
  var method: String {
    switch rate.method {
    case .clopperPearson: "Clopper–Pearson, exact for a fixed count"
    case .clustered: "Clopper–Pearson, for the independent trials that the clips of these episodes are worth"
    case .confidenceSequence: "confidence sequence, valid at any stopping time"
    }
  }
}
