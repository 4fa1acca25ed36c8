// enpire run: brings the goals up to date.

import ArgumentParser
import Glibc
import Workflow

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Brings goals up to date.",
    discussion: """
      Runs what is not recorded for its present inputs, in parallel; everything else is left alone or restored from the store. Options and \
      goals stand in any order; after -- everything is a goal or a variable.

      Examples:
        enpire run -f workflows/push-t.json
        enpire run -j8 trials=50 evaluate report
        enpire run --from train --explain
        enpire run --json | jq 'select(.event == "failed")'
      """)

  @OptionGroup var manifest: ManifestOptions
  @OptionGroup(title: "Which steps") var selection: SelectionOptions
  @OptionGroup(title: "How to run") var execution: ExecutionOptions
  @OptionGroup(title: "How to run") var isolation: IsolationOptions
  @OptionGroup(title: "What is said") var telling: TellingOptions
  @OptionGroup(title: "Sharing the machine") var scheduling: SchedulingOptions
  @OptionGroup(title: "What is said") var output: OutputOptions

  @Argument(help: "NAME=value sets a variable; anything else is a goal.", completion: .goals)
  var arguments: [String] = []

  func run() throws {
    try telling.openEvents()
    let configuration = try UserConfiguration.load()
    let form: RunReporter.Form = output.json ? telling.silent ? .quietJSON : .json : telling.silent ? .quiet : .text
    let reporter = RunReporter(form, verbose: telling.verbose, explain: telling.explain)
    // A line marked with + is run under `make -n` too.
    let dryRun = execution.dryRun || Jobserver.isUnderDryMake
    let session: Session
    let goals: [Step]
    if dryRun || selection.alwaysMake || !selection.selection.isEverything {
      let names: [String]
      (session, names) = try manifest.session(arguments)
      session.forcesGoals = selection.alwaysMake
      goals = try session.goals(names, selection.selection)
    } else {
      // One trace and one jobserver are of one run, and a question is about all.
      let mayTry = !execution.question && scheduling.trace == nil && scheduling.jobserver == nil && !Jobserver.isOffered
      switch try Session.open(manifest.request(arguments), mayTry: mayTry) {
      case .nothingToDo(let steps, let skipped):
        if !execution.question { try scheduling.writeEmptyTrace() }
        if !execution.question || output.json { reporter.finish(RunSummary(upToDate: steps - skipped, skipped: skipped)) }
        return
      case .session(let opened, let asked): (session, goals) = (opened, asked)
      }
    }
    if dryRun || execution.question {
      let plan = try session.plan(goals)
      if dryRun { try PlanCommand.print(plan, of: session, limit: PlanCommand.textLimit, json: output.json) }
      if execution.question { Self.answer(plan, of: session, dryRun || !output.json ? nil : reporter) }
      return
    }
    isolation.apply(to: session, configuration)
    var options = Self.options(jobs: execution.jobs, keepGoing: execution.keepGoing, configuration, reporter)
    options.patience = !execution.noWait
    options.deadline = RunTime.deadline(length: execution.length, times: selection.times)
    let jobserver = scheduling.set(&options, jobs: execution.jobs ?? configuration.jobs)
    try Self.execute(session, goals, options, jobserver: jobserver, reporter)
  }

  /// Tells whether something would run, and ends the program if so.
  private static func answer(_ plan: PlanCommand.Plan, of session: Session, _ reporter: RunReporter?) {
    let skipped = plan.count { if case .skip = $0.forecast { true } else { false } }
    let open = plan.count { !$0.forecast.isIdle }
    var summary = RunSummary(upToDate: session.untouched + plan.count - skipped - open, skipped: skipped)
    summary.notReached = open
    if open > 0 { summary.exit = .stale }
    reporter?.finish(summary)
    if open > 0 { leave(.stale) }
  }

  static func options(jobs: Int?, keepGoing: Bool, _ configuration: UserConfiguration, _ reporter: RunReporter) -> RunOptions {
    var options = RunOptions()
    options.jobs = jobs ?? configuration.jobs ?? sysconf(Int32(_SC_NPROCESSORS_ONLN))
    options.keepGoing = keepGoing
    options.pulses = reporter.isLive
    return options
  }

  /// Brings the goals up to date and tells of it; ends the program if that is no success.
  static func execute(_ session: Session, _ goals: [Step], _ options: RunOptions, jobserver: Jobserver? = nil, _ reporter: RunReporter) throws {
    let summary = try Run.execute(session, goals, options: options, jobserver: jobserver, report: reporter.report)
    reporter.finish(summary)
    if summary.exit != .success { leave(summary.exit) }
  }
}

/// How steps are run.
struct ExecutionOptions: ParsableArguments {
  @Option(
    name: [.customShort("j", allowingJoined: true), .long],
    help: ArgumentHelp("Steps at a time (default: the number of processors).", valueName: "count"))
  var jobs: Int?

  @Flag(name: [.customShort("k"), .long], help: "After a failure, go on with what does not need the failed step.")
  var keepGoing = false

  @Flag(name: [.customShort("n"), .long], help: "Say what would run, and run nothing.")
  var dryRun = false

  @Flag(name: [.customShort("q"), .long], help: "Run nothing; exit with 3 if something would run.")
  var question = false

  @Option(
    name: .customLong("for"), help: ArgumentHelp("End in good order after this time, as 90s, 45m, 6h or 1h30m; exit with 78.", valueName: "time"))
  var length: String?

  @Flag(help: "Fail if another run holds the workspace, rather than wait.")
  var noWait = false

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("-j takes a count of 1 or more") }
    try RunTime.check(length: length)
  }
}

/// What a run tells of itself.
struct TellingOptions: ParsableArguments {
  @Flag(name: [.customShort("s"), .long, .customLong("quiet")], help: "Say nothing but failures; with --json the summary too.")
  var silent = false

  @Flag(name: [.customShort("v"), .long], help: "Say every reason, and the key of what ran.")
  var verbose = false

  @Flag(help: "Say on standard error why each step runs, every reason a line.")
  var explain = false

  @Option(help: ArgumentHelp("Write every event to this file too, as --json does.", valueName: "file"), completion: .file())
  var events: String?

  func openEvents() throws {
    guard let events else { return }
    RunReporter.events = open(events, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    if RunReporter.events < 0 { throw Problem(.inputOutput, "cannot write \(events): \(String(cString: strerror(errno)))") }
  }
}
