// `enpire run` with the plainest words is done before the command line is parsed: with little to do, the parser alone would take longer than the
// rest. All other words go the ordinary way, and so does what is wrong.

import Workflow

enum Shortcut {
  /// Returns true if it was a run of plain words, which has ended well then.
  static func take(_ words: [String]) throws -> Bool {
    // Who runs under a make takes its slots.
    guard words.first == "run", !Jobserver.isUnderDryMake, !Jobserver.isOffered, let plain = Plain(words.dropFirst()),
      let configuration = try? UserConfiguration.load()
    else { return false }
    let (overrides, goals) = ManifestOptions.sort(plain.arguments)
    guard let opening = try? Session.open(Request(manifest: plain.file, overrides: overrides, goals: goals), mayTry: true)
    else { return false }
    let reporter = RunReporter(plain.isSilent ? .quiet : .text, verbose: false)
    switch opening {
    case .nothingToDo(let steps, let skipped): reporter.finish(RunSummary(upToDate: steps - skipped, skipped: skipped))
    case .session(let session, let goals):
      IsolationOptions.apply(sandbox: nil, cache: nil, to: session, configuration)
      let options = RunCommand.options(jobs: plain.jobs, keepGoing: plain.keepsGoing, configuration, reporter)
      try RunCommand.execute(session, goals, options, reporter)
    }
    return true
  }

  /// `-f FILE`, goals, variables, -jN, -k, -s.
  private struct Plain {
    private(set) var file = "enpire.json"
    private(set) var arguments: [String] = []
    private(set) var isSilent = false
    private(set) var keepsGoing = false
    private(set) var jobs: Int?

    init?(_ words: ArraySlice<String>) {
      var words = words
      while let word = words.popFirst() {
        switch word {
        case "-f":
          guard let value = words.popFirst(), !value.hasPrefix("-") else { return nil }
          file = value
        case "-k": keepsGoing = true
        case "-s": isSilent = true
        case _ where word.hasPrefix("-j"):
          guard let count = Int(word.dropFirst(2)), count > 0 else { return nil }
          jobs = count
        case _ where word.hasPrefix("-") || word.isEmpty: return nil
        default: arguments.append(word)
        }
      }
    }
  }
}
