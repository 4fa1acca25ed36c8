// enpire: the runner's command line. Every verb reads a manifest, asks Workflow, and prints: data to standard output, news to standard error.

import ArgumentParser
import Glibc
import Workflow

let version = "0.1.0"

@main struct Enpire: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs workflows of robot research: incremental, cached, across a fleet of stations.",
    discussion: """
      Examples:
        enpire run -f workflows/push-t.json            run the default goals
        enpire run -f workflows/push-t.json trials=50 evaluate
        enpire plan -f workflows/push-t.json           what would run, and why
        enpire why -f workflows/push-t.json train[seed=0]
        enpire log evaluate[shard=3] --tail 20

      Exit codes:
      \(Workflow.ExitCode.allCases.map { "  \($0.rawValue)\t\($0.meaning)" }.joined(separator: "\n"))
      """,
    version: version,
    subcommands: [
      RunCommand.self,
      PlanCommand.self,
      WhyCommand.self,
      StatusCommand.self,
      HistoryCommand.self,
      SummaryCommand.self,
      LogCommand.self,
      GraphCommand.self,
      AppendCommand.self,
      ApproveCommand.self,
      RejectCommand.self,
      StationsCommand.self,
      ArmCommand.self,
      DisarmCommand.self,
      PreemptCommand.self,
      ReleaseCommand.self,
      ResetCommand.self,
      TaintCommand.self,
      TouchCommand.self,
      CleanCommand.self,
      GcCommand.self,
      ReproduceCommand.self,
      RevealCommand.self,
      CheckCommand.self,
      LintCommand.self,
      WatchCommand.self,
      ScheduleCommand.self,
      FmtCommand.self,
      KindsCommand.self,
      RecipeCommand.self,
      ImportCommand.self,
      LabelCommand.self,
      DoctorCommand.self,
      CompletionCommand.self,
      ReferenceCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  static func main() {
    signal(SIGPIPE, SIG_DFL)
    let words = Array(CommandLine.arguments.dropFirst())
    do {
      if try !Shortcut.take(words) {
        var command = try parseAsRoot(separated(words))
        try command.run()
      }
      leave(.success)
    } catch let problem as Problem {
      fail(problem)
    } catch {
      let code = exitCode(for: error)
      if code.isSuccess {
        let text = fullMessage(for: error, columns: nil)
        if !text.isEmpty { Terminal.print(text) }
        leave(.success)
      }
      // The parser's own words, in the form of every other error.
      guard code.rawValue == Workflow.ExitCode.usage.rawValue else { exit(withError: error) }
      let words = message(for: error).split(separator: "\n").first.map(String.init) ?? "the command line is wrong"
      let help = words.contains("Did you mean") ? "" : " (see '\((["enpire"] + path).joined(separator: " ")) --help')"
      fail(Problem(.usage, words.first!.lowercased() + words.dropFirst() + help))
    }
  }

  /// `-kj8` as `-k -j8`: flags before an option that has its value joined, as make and ninja take them.
  private static func separated(_ words: [String]) -> [String] {
    let end = words.firstIndex(of: "--") ?? words.endIndex
    return words[..<end].flatMap { word -> [String] in
      guard word.hasPrefix("-"), let option = word.dropFirst().firstIndex(where: { "jflC".contains($0) }),
        option > word.index(after: word.startIndex), word[..<option].dropFirst().allSatisfy({ "knqBsv".contains($0) })
      else { return [word] }
      return [String(word[..<option]), "-" + word[option...]]
    } + words[end...]
  }

  /// The verb of the command line, if the first word is one.
  private static var verb: String? { path.first }

  /// The verb, and those of its own that follow it.
  private static var path: [String] {
    var commands = configuration.subcommands
    return Array(
      CommandLine.arguments.dropFirst().prefix { word in
        guard let command = commands.first(where: { $0._commandName == word }) else { return false }
        commands = command.configuration.subcommands
        return true
      })
  }

  private static let verbs = configuration.subcommands.map { $0._commandName }

  /// Says what went wrong, to programs too if they asked for JSON, and ends.
  private static func fail(_ problem: Problem) -> Never {
    var problem = problem
    // A verb that is none is taken for a goal.
    if verb == nil, [.usage, .manifest].contains(problem.code), problem.place == nil, let word = CommandLine.arguments.dropFirst().first,
      !word.hasPrefix("-"), let near = nearest(to: word, among: verbs, within: (word.count + 1) / 3)
    {
      problem.hint = "did you mean 'enpire \(near)'?"
    }
    Terminal.complain("\(problem)")
    if CommandLine.arguments.contains("--json") { Terminal.print(problem.json.compact) }
    RunReporter.note(problem.json)
    leave(problem.code)
  }
}

/// Ends after everything was said; with no success if something could not be written.
func leave(_ code: Workflow.ExitCode) -> Never {
  let code = code == .success && Terminal.hasFailed ? .inputOutput : code
  Glibc.exit(code.rawValue)
}
