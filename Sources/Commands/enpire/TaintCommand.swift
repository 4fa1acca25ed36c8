// enpire taint: marks what was found out to be bad, tells what came of it, takes marks back.

import ArgumentParser
import JSON
import Workflow

struct TaintCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "taint", abstract: "Marks a file, a station, a run or a step's results as bad; whatever came of it is put into quarantine.",
    discussion: """
      Without words it lists the marks and the steps whose results are in quarantine. Such a result is not used: its step runs again, and trials \
      that were drawn are put aside. A step that would read a marked file, or run on a marked station, fails. Nothing is deleted: when a mark is \
      taken back, what it was for counts again. Reports tell the marks.

      Examples:
        enpire taint file demos/push-t/episode_003.mp4 --reason 'the camera slipped'
        enpire taint station sim-3 --since 2026-11-20 --until '2026-11-21 06:30'
        enpire taint run 17
        enpire taint step 'evaluate[shard=2]'
        enpire taint
        enpire taint --remove 2
      """)

  @OptionGroup var manifest: ManifestOptions
  @Option(help: ArgumentHelp("Of what was begun from this time on: a date, with a time of day, or a while ago, as 36h.", valueName: "time"))
  var since: String?
  @Option(help: ArgumentHelp("Of what was begun before this time.", valueName: "time")) var until: String?
  @Option(help: "Why.") var reason = ""
  @Option(help: "Who says so (default: the user's name).") var by: String?
  @Option(help: ArgumentHelp("Take this mark back.", valueName: "number")) var remove: Int?
  @OptionGroup(title: "What is said") var limit: LimitOption
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "What kind of thing (file, station, run, step), and its name.", completion: .marked) var words: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(words)
    if let remove {
      try session.removeTaint(remove)
    } else if !names.isEmpty {
      guard names.count == 2, let what = Taint.What(rawValue: names[0]) else {
        throw Problem(
          .usage, "taint takes a kind of thing and its name", hint: "one of: \(Taint.What.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      let (since, until) = (try since.map(RunTime.instant), try until.map(RunTime.instant))
      if let since, let until, since >= until {
        throw Problem(.usage, "nothing begins after \(date(since)) and before \(date(until))", hint: "--since is the earlier time")
      }
      try session.taint(what, names[1], since: since, until: until, reason: reason, by: by ?? Account.name)
    }
    try tell(session)
  }

  private func tell(_ session: Session) throws {
    let (marks, steps, records) = try session.tainted()
    let (shown, omitted) = limit.first(of: steps, orElse: output.json ? .max : 50)
    if output.json {
      var json: JSON = [
        "taint": 1, "marks": .array(marks.map(\.json)), "quarantined_records": .integer(records),
        "quarantined": .array(shown.map { ["step": .string($0.step), "key": .string($0.key.hex), "mark": .integer($0.mark)] }),
      ]
      if omitted > 0 { json["omitted"] = .integer(omitted) }
      return Terminal.print(json.pretty)
    }
    if marks.isEmpty { return Terminal.print("nothing is marked as bad") }
    for mark in marks {
      let times = [mark.since.map { "from \(date($0))" }, mark.until.map { "until \(date($0))" }].compactMap { $0 }.joined(separator: " ")
      Terminal.print(
        fold("\(mark.id)  \(mark.what.rawValue) \(mark.name)  \(times)  \(mark.reason)  (\(mark.by), \(date(mark.at)))", indent: 3))
    }
    for entry in shown { Terminal.print("   in quarantine: \(entry.step) (\(entry.mark))") }
    if omitted > 0 { Terminal.print("   " + LimitOption.rest(omitted)) }
    Terminal.print("\(records) \(records == 1 ? "record" : "records") in quarantine, \(steps.count) of them the latest of their steps")
  }
}
