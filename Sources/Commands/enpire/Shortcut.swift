// `enpire run` with the plainest words looks before the command line is parsed: with nothing to do, the parser alone would take longer than the
// answer. All other words, and whatever is to be done, go the ordinary way.

import Workflow

enum Shortcut {
  /// What the look found, if it was not the end: RunCommand goes on with it.
  nonisolated(unsafe) static var opening: Session.Opening?  // because: one thread, and set once, before anything runs

  /// Returns true if there was nothing to do, which it has said then.
  static func take(_ words: [String]) -> Bool {
    // What is wrong is said by the ordinary way.
    guard words.first == "run", !Jobserver.isUnderDryMake, let plain = Plain(words.dropFirst()), (try? UserConfiguration.load()) != nil
    else { return false }
    let (overrides, goals) = ManifestOptions.sort(plain.arguments)
    opening = try? Session.open(Request(manifest: plain.file, overrides: overrides, goals: goals), mayTry: !Jobserver.isOffered)
    guard case .nothingToDo(let steps, let skipped) = opening else { return false }
    RunReporter(plain.isSilent ? .quiet : .text, verbose: false).finish(RunSummary(upToDate: steps - skipped, skipped: skipped))
    return true
  }

  /// `-f FILE`, goals, variables, and options that mean nothing where there is nothing to do: -jN, -k, -s.
  private struct Plain {
    private(set) var file = "enpire.json"
    private(set) var arguments: [String] = []
    private(set) var isSilent = false

    init?(_ words: ArraySlice<String>) {
      var words = words
      while let word = words.popFirst() {
        switch word {
        case "-f":
          guard let value = words.popFirst(), !value.hasPrefix("-") else { return nil }
          file = value
        case "-k": break
        case "-s": isSilent = true
        case _ where word.hasPrefix("-j"):
          guard let jobs = Int(word.dropFirst(2)), jobs > 0 else { return nil }
        case _ where word.hasPrefix("-") || word.isEmpty: return nil
        default: arguments.append(word)
        }
      }
    }
  }
}
