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
      RunCommand.self, PlanCommand.self, WhyCommand.self, StatusCommand.self, LogCommand.self, GraphCommand.self, AppendCommand.self,
      ReproduceCommand.self,
      CheckCommand.self, KindsCommand.self, DoctorCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  static func main() {
    signal(SIGPIPE, SIG_DFL)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let problem as Problem {
      Terminal.complain("\(problem)")
      Glibc.exit(problem.code.rawValue)
    } catch { exit(withError: error) }
  }
}

/// Ends with a code other than success after everything was said.
func leave(_ code: Workflow.ExitCode) -> Never {
  Glibc.exit(code.rawValue)
}
