// Where words go, and whether in colour: data to standard output, news to standard error. What is drawn over only on a terminal that can.

import ArgumentParser
import Glibc
import Workflow

enum ColourChoice: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

enum Terminal {
  /// What --color says.
  nonisolated(unsafe) static var choice: ColourChoice?  // because: one thread, and set once, before anything is written

  /// Whether lines may be drawn over: never where a log is kept.
  static let isLive = isatty(STDERR_FILENO) == 1 && !isSet("CI") && !isDumb

  private static let errorColour = hasColour(STDERR_FILENO)
  private static let outputColour = hasColour(STDOUT_FILENO)

  /// --color, then NO_COLOR, CLICOLOR_FORCE, CLICOLOR, the user's configuration, and at last what the descriptor is.
  private static func hasColour(_ descriptor: Int32) -> Bool {
    if let choice, choice != .auto { return choice == .always }
    if isSet("NO_COLOR") { return false }
    if isSet("CLICOLOR_FORCE"), value("CLICOLOR_FORCE") != "0" { return true }
    let isTerminal = isatty(descriptor) == 1 && !isDumb
    if value("CLICOLOR") == "0" { return false }
    if choice == nil, value("CLICOLOR") == nil, let color = (try? UserConfiguration.load())?.color, color != "auto" { return color == "always" }
    return isTerminal
  }

  private static var isDumb: Bool { value("TERM").map { $0 == "dumb" } ?? true }
  private static func isSet(_ name: String) -> Bool { value(name).map { !$0.isEmpty } ?? false }
  private static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  enum Colour: String { case red = "31", green = "32", yellow = "33", dim = "2", bold = "1" }

  /// For standard error; with `output` for standard output.
  static func paint(_ text: String, _ colour: Colour, output: Bool = false) -> String {
    (output ? outputColour : errorColour) ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// The text, or what fits of it.
  static func cut(_ text: String, _ width: Int) -> String { text.count > width ? text.prefix(max(1, width - 1)) + "…" : text }

  /// What is said of a step in a list of many; `log` and `summary` have all of it.
  static func brief(_ text: String) -> String { text.count > 1000 ? text.prefix(1000) + "… and \(text.count - 1000) letters more" : text }

  /// Columns and lines of the terminal.
  static var size: (columns: Int, lines: Int) {
    guard let size = size(of: STDERR_FILENO), size.ws_row > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  private static func size(of descriptor: Int32) -> winsize? {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? size : nil
  }

  /// Columns of the terminal that standard output is; nil where it is none.
  static let outputColumns = size(of: STDOUT_FILENO).map { Int($0.ws_col) }

  static func say(_ line: String) { write(line + "\n", to: STDERR_FILENO) }
  static func print(_ lines: [String]) { if !lines.isEmpty { print(lines.joined(separator: "\n")) } }
  static func print(_ line: String) { put(line.hasSuffix("\n") ? line : line + "\n") }
  static func complain(_ text: String) { say(paint("error: ", .red) + text) }

  /// To standard output, as it is.
  static func put(_ text: String) {
    if let reason = write(text, to: STDOUT_FILENO) { complain("cannot write standard output: \(reason)") }
  }

  /// Descriptors, other than standard error, that could not be written to.
  nonisolated(unsafe) private static var failed: Set<Int32> = []  // because: one thread

  /// Whether something could not be written.
  static var hasFailed: Bool { !failed.isEmpty }

  /// Returns why it could not be written, once: nothing more goes there then. A reader that has gone away is no failure.
  @discardableResult
  static func write(_ text: String, to descriptor: Int32) -> String? {
    if failed.contains(descriptor) { return nil }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        bytes = bytes.dropFirst(count)
        continue
      }
      let code = errno
      switch code {
      case EINTR: continue
      case EAGAIN:
        var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&room, 1, -1)
      case EPIPE: return nil
      case _ where descriptor == STDERR_FILENO: return nil
      default:
        failed.insert(descriptor)
        return String(cString: strerror(code))
      }
    }
    return nil
  }
}

/// `1 step`, `2 steps`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

func nothingToDo(_ steps: Int) -> String { "nothing to do: " + (steps == 1 ? "the step is up to date" : "all \(steps) steps are up to date") }

/// `0.8 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
func duration(_ seconds: Double) -> String {
  if seconds < 9.95 { return "\((seconds * 10).rounded() / 10) s" }
  let whole = Int(seconds.rounded())
  return whole < 100 ? "\(whole) s" : whole < 6000 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
}
