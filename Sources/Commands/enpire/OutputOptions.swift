// How every verb talks: for people, or as JSON; how much of it; in colour or not.

import ArgumentParser

struct OutputOptions: ParsableArguments {
  @Flag(help: "JSON on standard output, for programs; an error is a JSON line too.")
  var json = false

  @Option(help: ArgumentHelp("Colour: auto, always or never.", valueName: "when"))
  var color: ColourChoice?

  func validate() { if let color { Terminal.choice = color } }
}

struct LimitOption: ParsableArguments {
  @Option(help: ArgumentHelp("Show at most this many; 0 for all.", valueName: "count"))
  var limit: Int?

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit takes a count of 0 or more") }
  }

  /// The limit, with another default for text than for programs.
  func count(_ fallback: Int) -> Int { limit == 0 ? .max : limit ?? fallback }

  /// The first of them, and how many there are more.
  func first<Element>(of all: [Element], orElse fallback: Int = .max) -> (shown: [Element], omitted: Int) {
    let shown = Array(all.prefix(count(fallback)))
    return (shown, all.count - shown.count)
  }

  /// What is said of those that are not shown.
  static func rest(_ count: Int) -> String { "and \(count) more; --limit 0 shows all" }
}
