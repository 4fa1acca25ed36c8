// enpire run: brings the goals up to date.

import ArgumentParser
import Glibc
import Workflow

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Brings goals up to date.",
    discussion: """
      Runs what is not recorded for its present inputs, in parallel; everything else is left alone or restored from the store.

      Examples:
        enpire run -f workflows/push-t.json
        enpire run -j 8 trials=50 evaluate report
        enpire run --json | jq 'select(.event == "failed")'
      """)

  @OptionGroup var manifest: ManifestOptions

  @Option(name: [.customShort("j"), .long], help: "Steps at a time (default: the number of processors).")
  var jobs: Int?

  @Flag(name: [.customShort("k"), .long], help: "After a failure, go on with what does not need the failed step.")
  var keepGoing = false

  @Flag(name: [.customShort("n"), .long], help: "Say what would run, and run nothing.")
  var dryRun = false

  @Flag(name: [.customShort("B"), .long], help: "Run the goals even if they are up to date.")
  var alwaysMake = false

  @Flag(name: [.customShort("q"), .long], help: "Run nothing; exit with 3 if something would run.")
  var question = false

  @Flag(name: [.customShort("s"), .long, .customLong("quiet")], help: "Say nothing but failures.")
  var silent = false

  @Flag(name: [.customShort("v"), .long], help: "Say for each step every reason why it runs.")
  var verbose = false

  @Flag(help: "JSON lines on standard output, one an event.")
  var json = false

  @Flag(help: "Fail if another run holds the workspace, rather than wait.")
  var noWait = false

  @Argument(help: "NAME=value sets a variable; anything else is a goal.")
  var arguments: [String] = []

  func run() throws {
    if let jobs, jobs < 1 { throw Problem(.usage, "-j takes a count of 1 or more") }
    let reporter = RunReporter(json ? .json : silent ? .quiet : .text, verbose: verbose)
    let session: Session
    let goals: [Step]
    if dryRun || alwaysMake {
      let names: [String]
      (session, names) = try manifest.session(arguments)
      goals = try session.goals(names)
    } else {
      switch try Session.open(manifest.request(arguments)) {
      case .nothingToDo(let steps): return reporter.finish(RunSummary(upToDate: steps))
      case .session(let opened, let asked): (session, goals) = (opened, asked)
      }
    }
    if dryRun || question {
      let plan = try session.plan(goals, force: alwaysMake)
      if dryRun { PlanCommand.print(plan, of: session, json: json) }
      if question, plan.contains(where: { if case .upToDate = $0.forecast { false } else { true } }) { leave(.stale) }
      return
    }
    var options = RunOptions()
    options.jobs = jobs ?? sysconf(Int32(_SC_NPROCESSORS_ONLN))
    options.keepGoing = keepGoing
    options.force = alwaysMake
    options.patience = !noWait
    let summary = try Run(session, options: options, report: reporter.report).execute(goals)
    reporter.finish(summary)
    if summary.exit != .success { leave(summary.exit) }
  }
}
