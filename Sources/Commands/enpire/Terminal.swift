// Where words go. Colour and a live line only on a terminal, never with NO_COLOR, TERM=dumb or CI.

import Glibc

enum Terminal {
  static let isLive = isatty(STDERR_FILENO) == 1 && !isSet("CI") && !isDumb
  static let hasColour: Bool = {
    if isSet("NO_COLOR") { return false }
    if isSet("CLICOLOR_FORCE") { return true }
    return isatty(STDERR_FILENO) == 1 && !isDumb
  }()

  private static var isDumb: Bool { getenv("TERM").map { String(cString: $0) == "dumb" } ?? true }
  private static func isSet(_ name: String) -> Bool { getenv(name).map { $0.pointee != 0 } ?? false }

  enum Colour: String { case red = "31", green = "32", yellow = "33", dim = "2", bold = "1" }

  static func paint(_ text: String, _ colour: Colour) -> String { hasColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text }

  static var width: Int {
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  static func say(_ line: String) { write(line + "\n", to: STDERR_FILENO) }
  static func print(_ line: String) { write(line.hasSuffix("\n") ? line : line + "\n", to: STDOUT_FILENO) }
  static func complain(_ text: String) { say(paint("error: ", .red) + text) }

  static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
    }
  }
}

func nothingToDo(_ steps: Int) -> String { "nothing to do: " + (steps == 1 ? "the step is up to date" : "all \(steps) steps are up to date") }

/// `0.8 s`, `12 s`, `3 min 20 s`.
func duration(_ seconds: Double) -> String {
  if seconds < 9.95 { return "\((seconds * 10).rounded() / 10) s" }
  let whole = Int(seconds.rounded())
  return whole < 100 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
}
