// enpire summary: what there is to tell of a run: the last one, or one that is named.

import ArgumentParser
import JSON
import Workflow

struct SummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary", abstract: "Tells what became of a run, as a schedule mails it.",
    discussion: """
      The last call of the schedule, or the last run by hand if that was later. A run that was killed, skipped or out of time is told as such, and \
      each against what was before: a failure, still failing, a recovery, a success.

      Examples:
        enpire summary -f workflows/push-t.json
        enpire summary --run 41 --json
        enpire summary --post
      """)

  @OptionGroup var manifest: ManifestOptions
  @Option(name: .customLong("run"), help: ArgumentHelp("Of this run (enpire history has the numbers).", valueName: "number")) var number: Int?
  @Option(help: ArgumentHelp("Of this call of the schedule.", valueName: "number")) var call: Int?
  @Option(help: "The schedule's name (default: the manifest's).") var name: String?
  @Flag(help: "Post it to the webhooks now, whatever became of the run, to see whether they take it.") var post = false
  @OptionGroup(title: "What is said") var output: OutputOptions

  func validate() throws {
    if number != nil, call != nil { throw ValidationError("--run and --call name two things") }
  }

  func run() throws {
    try manifest.enter()
    var summary = try find()
    if post {
      let hooks = try ScheduleCommand.hooks(manifest.file).map { hook in
        var hook = hook
        hook.on = Set(Summary.Transition.allCases)
        return hook
      }
      if hooks.isEmpty { throw Problem(.usage, "no webhook is declared", hint: "\"notify\" in the manifest or in the user's configuration") }
      summary.deliveries = Courier.post(summary, text: summary.text, to: hooks)
      for delivery in summary.deliveries where delivery.problem == nil { Terminal.say("\(delivery.to) took it") }
    }
    if output.json { Terminal.print(summary.json.pretty) } else { Terminal.print(summary.text) }
    if post, summary.deliveries.contains(where: { $0.problem != nil }) { leave(.stepFailed) }
  }

  private func find() throws -> Summary {
    var options = ScheduledRun.Options()
    (options.manifest, options.name) = (manifest.file, name)
    let journal = ScheduledRun(options).journal
    if let call {
      guard let entry = journal.entry(call) else { throw Problem(.usage, "no call \(call) of this schedule is kept") }
      return entry.told
    }
    let last = number == nil ? journal.entries().last : nil
    // A manifest that cannot be read has had its last call all the same.
    do {
      let (session, _) = try manifest.session()
      if let summary = try session.summary(run: number), last.map({ summary.run != $0.summary?.run && summary.started > $0.started }) ?? true {
        return summary
      }
    } catch { if last == nil { throw error } }
    guard let last else { throw Problem(.usage, number.map { "no run \($0) of this workflow is recorded" } ?? "nothing has run here yet") }
    return last.told
  }
}
