// enpire schedule: runs at night, by cron or systemd timers, and what a call of theirs does.

import ArgumentParser
import Glibc
import JSON
import Workflow

struct ScheduleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule", abstract: "Has cron or systemd run a workflow, and tells what became of it.",
    subcommands: [Install.self, List.self, Remove.self, Call.self])

  /// Webhooks of the user and of the manifest.
  static func hooks(_ manifest: String) throws -> [Hook] { try UserConfiguration.load().notify + Hook.list(inManifest: manifest) }

  // MARK: What a call does

  enum Telling: String, ExpressibleByArgument, CaseIterable { case changes, always, never }

  /// What one call does: the same words are taken by `install`, which writes them down for cron.
  struct CallOptions: ParsableArguments {
    @Option(name: .customLong("for"), help: ArgumentHelp("End in good order after this time, as 6h or 1h30m.", valueName: "time")) var length: String?
    @Option(help: ArgumentHelp("End in good order at this time of day, as 06:30.", valueName: "time")) var until: String?
    @Flag(name: .customLong("wait"), help: "Wait for a run that still goes on, rather than be skipped; one call waits, others are skipped.")
    var waits = false
    @Option(
      help: ArgumentHelp(
        "When there is something to say: at failures, recoveries, skipped and unfinished runs (changes), always, or never.", valueName: "when"))
    var tell = Telling.changes
    @Option(help: ArgumentHelp("Send what is said by mail, rather than print it.", valueName: "address")) var mail: String?
    @Option(help: ArgumentHelp("Remove afterwards what no present result needs and is older, as 30d (enpire gc).", valueName: "age")) var gc: String?
    @Option(help: ArgumentHelp("And then the oldest until the store holds no more, as 20G.", valueName: "bytes")) var maxSize: String?
    @Option(name: [.customShort("j", allowingJoined: true), .long], help: ArgumentHelp("Steps at a time.", valueName: "count")) var jobs: Int?
    @Flag(name: [.customShort("k"), .long], help: "After a failure, go on with what does not need the failed step.") var keepGoing = false

    func validate() throws {
      if let jobs, jobs < 1 { throw ValidationError("-j takes a count of 1 or more") }
      if let until, !RunTime.isTimeOfDay(until) { throw ValidationError("--until takes a time of day, as 06:30, not '\(until)'") }
      try RunTime.check(length: length)
      if let mail, mail.isEmpty || mail.hasPrefix("-") || mail.contains(where: { $0.isNewline || $0 == " " }) {
        throw ValidationError("--mail takes an address")
      }
      _ = try gc.map { try GcCommand.time($0, "--gc") }
      _ = try maxSize.map(GcCommand.bytes)
    }

    /// As written on a command line.
    var words: [String] {
      func option(_ name: String, _ value: String?) -> [String] { value.map { [name, $0] } ?? [] }
      return option("--for", length) + option("--until", until) + (waits ? ["--wait"] : []) + (tell == .changes ? [] : ["--tell", tell.rawValue])
        + option("--mail", mail) + option("--gc", gc) + option("--max-size", maxSize) + option("-j", jobs.map { "\($0)" }) + (keepGoing ? ["-k"] : [])
    }
  }

  struct Call: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "run", abstract: "One call: runs the goals, and tells what became of it if there is something to tell.",
      discussion: """
        What cron calls. If the call before still goes on, or a run by hand does, it is skipped (75). Otherwise it ends as the run does, with the same \
        code; with 128 and the signal's number if the run was killed.

        Examples:
          enpire schedule run -f workflows/nightly.json -k --for 6h --gc 30d
          enpire schedule run --tell always trials=800 evaluate
        """)

    @OptionGroup var manifest: ManifestOptions
    @OptionGroup(title: "What a call does") var call: CallOptions
    @Option(help: "The schedule's name (default: the manifest's).") var name: String?
    @OptionGroup(title: "What is said") var output: OutputOptions
    @Argument(help: "NAME=value sets a variable; anything else is a goal.", completion: .goals) var arguments: [String] = []

    func validate() throws { try ScheduleCommand.check(name) }

    func run() throws {
      try manifest.enter()
      var options = ScheduledRun.Options()
      (options.manifest, options.name, options.waits) = (manifest.file, name, call.waits)
      options.deadline = RunTime.deadline(length: call.length, times: call.until.map { [$0] } ?? [])
      options.words = (call.keepGoing ? ["-k"] : []) + (call.jobs.map { ["-j", "\($0)"] } ?? []) + (arguments.isEmpty ? [] : ["--"] + arguments)
      if call.gc != nil || call.maxSize != nil {
        options.gc = (call.gc.map { ["--older-than", $0] } ?? []) + (call.maxSize.map { ["--max-size", $0] } ?? [])
      }
      var hookProblem: String?
      let summary = ScheduledRun(options).run { summary in
        var hooks: [Hook] = []
        do { hooks = try ScheduleCommand.hooks(manifest.file) } catch { hookProblem = "\(error)" }
        var summary = summary
        summary.deliveries = Courier.post(summary, text: summary.text, to: hooks)
        if let address = call.mail, isWorthTelling(summary) {
          summary.deliveries.append(Courier.mail(summary.text, subject: summary.headline, to: address))
        }
        return summary.deliveries
      }
      // What a mail took need not be printed; what nobody took has to be.
      let wasMailed = summary.deliveries.contains { $0.to == call.mail && $0.problem == nil }
      let mustTell = summary.deliveries.contains { $0.problem != nil } || (isWorthTelling(summary) && !wasMailed)
      if output.json {
        Terminal.print(summary.json.compact)
      } else if mustTell, call.tell != .never || summary.deliveries.contains(where: { $0.problem != nil }) {
        Terminal.print(summary.text)
      }
      if let hookProblem { Terminal.say("\(Terminal.paint("warning:", .yellow)) \(hookProblem)") }
      guard let code = summary.exit, code != 0 else { leave(.success) }
      Glibc.exit(Int32(code))
    }

    private func isWorthTelling(_ summary: Summary) -> Bool {
      switch call.tell {
      case .always: true
      case .never: false
      case .changes:
        summary.transition == .success
          ? !summary.warnings.isEmpty || summary.earlier.contains { $0.what == .cutOff }
            || summary.rates.contains { summary.change(of: $0) == "lower" }
          : !summary.isRepeated
      }
    }
  }

  fileprivate static func check(_ name: String?) throws {
    if let name, name.isEmpty || !name.utf8.allSatisfy({ isalnum(Int32($0)) != 0 || "_-".utf8.contains($0) }) {
      throw ValidationError("--name takes letters, digits, _ and -")
    }
  }
}

// MARK: - Installing

extension ScheduleCommand {
  enum Place: String, EnumerableFlag, Sendable {
    case cron, systemd
    static func help(for value: Place) -> ArgumentHelp? {
      value == .cron ? "In the user's crontab (if nothing is said)." : "As a timer of the user's systemd."
    }
  }

  struct Install: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "install", abstract: "Has cron, or a systemd timer, run a workflow at night.",
      discussion: """
        Writes a block between two marked lines into the user's crontab, or replaces the one of the same schedule; other lines stay as they are. \
        The line holds absolute paths, and the variables of this environment on which the workflow rests: PATH, enpire's own, and those that the \
        manifest asks for. What cron then mails is the summary of a failure or a recovery.

        Examples:
          enpire schedule install -f workflows/nightly.json --at 02:30 --for 6h -k --gc 30d
          enpire schedule install --systemd --every 2h --on mon-fri --mail lab@example.org
          enpire schedule install -n
        """)

    @OptionGroup var manifest: ManifestOptions
    @Flag(exclusivity: .exclusive) var place = Place.cron
    @Option(name: .customLong("at"), help: ArgumentHelp("At this time of day (can be repeated; default: 02:30).", valueName: "time")) var times:
      [String] = []
    @Option(help: ArgumentHelp("Every so often, as 15m, 2h or 1d.", valueName: "time")) var every: String?
    @Option(help: ArgumentHelp("Only on these days, as mon-fri or sat,sun.", valueName: "days")) var on: String?
    @OptionGroup(title: "What a call does") var call: CallOptions
    @Option(help: "The schedule's name (default: the manifest's).") var name: String?
    @Option(name: .customLong("env"), help: ArgumentHelp("Carry this variable of the environment too (can be repeated).", valueName: "name"))
    var variables: [String] = []
    @Flag(name: [.customShort("n"), .long], help: "Say what would be written, and write nothing.") var dryRun = false
    @OptionGroup(title: "What is said") var output: OutputOptions
    @Argument(help: "NAME=value sets a variable; anything else is a goal.", completion: .goals) var arguments: [String] = []

    func validate() throws { try ScheduleCommand.check(name) }

    func run() throws {
      let timetable = try Timetable(at: times, every: every, on: on)
      let (session, goals) = try manifest.session(arguments)
      _ = try session.goals(goals)
      let scheduled = ScheduleCommand.identity(manifest, name)
      let carried = try Surroundings.carried(for: session.manifest, more: variables)
      let command =
        [Surroundings.program, "schedule", "run", "-C", ScheduleCommand.directory, "-f", scheduled.path] + (name.map { ["--name", $0] } ?? [])
        + call.words
        + (arguments.isEmpty ? [] : ["--"] + arguments)
      var notes: [String] = []
      let secrets = Surroundings.secretVariables(of: session.manifest).filter { !variables.contains($0) }
      if !secrets.isEmpty {
        notes.append("\(secrets.joined(separator: ", ")): taken from the environment, which a schedule does not have; let them come from a file")
      }
      let text: String
      switch place {
      case .cron:
        let line = Shell.line(command)
        let settings = carried.map { "\($0.name)=\(Shell.quote($0.value)) " }.joined()
        let block = Crontab.Block(
          name: scheduled.name, manifest: scheduled.path, lines: try timetable.cron.map { try Crontab.line($0, settings + line) })
        text = block.text
        if !dryRun { try Crontab.write(try Crontab.installing(block, in: Crontab.read())) }
      case .systemd:
        let units = SystemdUnits(
          name: scheduled.name, manifest: scheduled.path, command: command, environment: carried, timetable: timetable)
        text = units.files.map { "# \($0.path)\n\($0.text)" }.joined(separator: "\n")
        if !dryRun { notes += try units.install() }
      }
      if output.json {
        return Terminal.print(
          ([
            "schedule": 1, "written": .bool(!dryRun), "name": .string(scheduled.name), "manifest": .string(scheduled.path),
            "place": .string(place.rawValue), "when": .array((place == .cron ? timetable.cron : timetable.calendar).map { .string($0) }),
            "text": .string(text), "notes": .array(notes.map { .string($0) }),
          ] as JSON).pretty)
      }
      Terminal.print(text)
      for note in notes { Terminal.say("note: \(note)") }
      if !dryRun { Terminal.say("installed; enpire schedule remove -f \(Shell.quote(manifest.file)) takes it back") }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Lists what is installed in the user's crontab and systemd, and how it last went.",
      discussion: "Example:\n  enpire schedule list --json | jq '.schedules[] | select(.last.transition == \"failure\")'")

    @OptionGroup(title: "What is said") var limit: LimitOption
    @OptionGroup(title: "What is said") var output: OutputOptions

    func run() throws {
      var found: [(name: String, manifest: String, place: Place, when: [String], command: String)] = []
      // A machine without a crontab has none installed.
      var cronProblem: Problem?
      do {
        found += try Crontab.blocks(in: Crontab.read()).map { block, _ in
          let parts = block.lines.map { $0.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true).map(String.init) }
          return (block.name, block.manifest, .cron, parts.map { $0.prefix(5).joined(separator: " ") }, parts.first?.last ?? "")
        }
      } catch let problem as Problem { cronProblem = problem }
      found += SystemdUnits.installed().map { ($0.name, $0.manifest, .systemd, $0.when, $0.command) }
      let omitted: Int
      (found, omitted) = limit.first(of: found)
      let lasts = found.map { one -> Journal.Entry? in
        var options = ScheduledRun.Options()
        (options.manifest, options.name) = (one.manifest, one.name)
        return ScheduledRun(options).journal.entries().last
      }
      if output.json {
        var json: JSON = ["schedules": .array([])]
        json["schedules"] = .array(
          zip(found, lasts).map { one, last in
            var entry: JSON = [
              "name": .string(one.name), "manifest": .string(one.manifest), "place": .string(one.place.rawValue),
              "when": .array(one.when.map { .string($0) }), "command": .string(one.command),
            ]
            if let last {
              entry["last"] = ["call": .integer(last.call), "started": .number(last.started), "transition": .string(last.told.transition.rawValue)]
            }
            return entry
          })
        if omitted > 0 { json["omitted"] = .integer(omitted) }
        if let cronProblem { json["problem"] = .string(cronProblem.sentence) }
        return Terminal.print(json.pretty)
      }
      if let cronProblem { Terminal.say("\(Terminal.paint("warning:", .yellow)) \(cronProblem.sentence)") }
      if found.isEmpty { return Terminal.print("nothing is scheduled") }
      Terminal.print(
        table(
          zip(found, lasts).map { one, last in
            [
              one.name, one.place.rawValue, one.when.joined(separator: "; "),
              last.map { "\($0.told.transition.rawValue) \(date($0.started))" } ?? "not called yet",
              one.manifest,
            ]
          }))
      if omitted > 0 { Terminal.print(LimitOption.rest(omitted)) }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Takes a schedule out of the user's crontab and systemd; the rest of both stays as it is.",
      discussion: """
        What the schedule's calls left (summaries and logs) stays in the state directory.

        Example:
          enpire schedule remove -f workflows/nightly.json
        """)

    @OptionGroup var manifest: ManifestOptions
    @Option(help: "The schedule's name (default: the manifest's).") var name: String?
    @Flag(name: [.customShort("n"), .long], help: "Say what would be removed, and remove nothing.") var dryRun = false
    @OptionGroup(title: "What is said") var output: OutputOptions

    func run() throws {
      try manifest.enter()
      let scheduled = ScheduleCommand.identity(manifest, name)
      var places: [Place] = []
      var text = ""
      // Whoever has only systemd has no crontab to ask.
      do { text = try Crontab.read() } catch let problem as Problem where SystemdUnits.installed().contains(where: { $0.name == scheduled.name }) {
        Terminal.say("\(Terminal.paint("warning:", .yellow)) \(problem.sentence)")
      }
      if let rest = try Crontab.removing(scheduled.name, scheduled.path, from: text) {
        if !dryRun { try Crontab.write(rest) }
        places.append(.cron)
      }
      let hasUnits = SystemdUnits.installed().contains { $0.name == scheduled.name && $0.manifest == scheduled.path }
      if hasUnits, dryRun || SystemdUnits.remove(scheduled.name, scheduled.path) { places.append(.systemd) }
      if output.json {
        return Terminal.print(
          (["schedule": 1, "written": .bool(!dryRun), "name": .string(scheduled.name), "removed": .array(places.map { .string($0.rawValue) })] as JSON)
            .pretty)
      }
      if places.isEmpty { return Terminal.say("the schedule '\(scheduled.name)' of \(scheduled.path) is not installed") }
      Terminal.say("\(dryRun ? "would remove" : "removed") '\(scheduled.name)' from \(places.map(\.rawValue).joined(separator: " and "))")
    }
  }

  /// The schedule's name and its manifest's absolute path; the directory of -C was entered.
  fileprivate static func identity(_ manifest: ManifestOptions, _ name: String?) -> (name: String, path: String) {
    var options = ScheduledRun.Options()
    (options.manifest, options.name) = (manifest.file, name)
    let scheduled = ScheduledRun(options)
    return (scheduled.name, scheduled.path)
  }

  fileprivate static var directory: String {
    guard let buffer = getcwd(nil, 0) else { return "/" }
    defer { free(buffer) }
    return String(cString: buffer)
  }
}
