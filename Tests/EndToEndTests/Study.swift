// The tests that draw cases at random draw few; the studies of the Makefile ask for many by environment variables, and keep what they count.

import Foundation

enum Study {
  private static let environment = ProcessInfo.processInfo.environment

  /// How many cases to draw.
  static func count(_ variable: String, default count: Int) -> Int { environment[variable].flatMap(Int.init) ?? count }

  /// Whether this is a study, for what would take too long in a test.
  static func isAsked(_ variable: String) -> Bool { environment[variable] != nil }

  /// Prints a line of a study; the tests stay silent.
  static func say(_ line: String) { if environment["ENPIRE_STUDY"] != nil { print(line) } }
}
