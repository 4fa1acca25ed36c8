// enpire arm, disarm, preempt, release, reset: what people say of stations and do to them.

import ArgumentParser
import JSON
import Workflow

/// A verb about some stations.
struct StationOptions: ParsableArguments {
  @OptionGroup var manifest: ManifestOptions
  @Option(help: "Who says so (default: the user's name).") var by: String?
  @Option(help: "Why.") var reason = ""
  @OptionGroup var output: OutputOptions
  @Argument(help: "The stations; NAME=value sets a variable.", completion: .stations) var arguments: [String]

  /// Does it to each, and tells it.
  func each(_ word: String, _ body: (Session, _ station: String, _ by: String) throws -> String?) throws {
    let (session, names) = try manifest.session(arguments)
    guard !names.isEmpty else { throw Problem(.usage, "name a station", hint: "enpire stations lists them") }
    // A name that is none changes nothing of the others.
    for name in names { try session.station(name) }
    var problems: [Problem] = []
    for name in names {
      let remark: String?
      do { remark = try body(session, name, by ?? Account.name) } catch let problem as Problem {
        problems.append(problem)
        continue
      }
      if output.json {
        var json: JSON = ["station": .string(name), "done": .string(word)]
        json["remark"] = remark.map { .string($0) }
        Terminal.print(json.compact)
      } else {
        Terminal.print("\(word): \(name)\(remark.map { " (\($0))" } ?? "")")
      }
    }
    // The others had their turn.
    for problem in problems.dropFirst() { Terminal.complain("\(problem)") }
    if let problem = problems.first { throw problem }
  }
}

struct ArmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "arm", abstract: "Lets steps move a station for a while.",
    discussion: """
      No step moves hardware before a person has armed its station. A run that waits for it goes on with it.

      Example:
        enpire arm yam-1 --for 2h --reason 'the cell is clear'
      """)

  @Option(name: .customLong("for"), help: ArgumentHelp("For how long, as 45m or 8h.", valueName: "time")) var length = "8h"
  @OptionGroup var options: StationOptions

  func run() throws {
    guard let seconds = RunTime.seconds(length), seconds > 0 else { throw Problem(.usage, "--for takes a time, as 45m or 8h, not '\(length)'") }
    try options.each("armed") { session, name, person in
      try session.arm(name, seconds: seconds, by: person, reason: options.reason)
      return "for \(length)"
    }
  }
}

struct DisarmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disarm", abstract: "Nothing moves a station from now on; a step that moves it now is ended.",
    discussion: """
      Example:
        enpire disarm yam-1
      """)

  @OptionGroup var options: StationOptions

  func run() throws {
    try options.each("disarmed") { session, name, person in
      try session.disarm(name, by: person)
      return try session.hasLeft(name, within: 20) ? nil : "the step that moved it has not ended yet"
    }
  }
}

struct PreemptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preempt", abstract: "Takes a station from whoever has it, and keeps it until it is released.",
    discussion: """
      The step that had it is ended, and can write nothing more; finished trials and checkpoints are kept, and it goes on when the station is \
      released. If it moved something, the station has to be reset and verified first.

      Example:
        enpire preempt yam-1 --reason 'changing the gripper' && enpire release yam-1
      """)

  @OptionGroup var options: StationOptions

  func run() throws {
    try options.each("kept") { session, name, person in
      let lease = try session.keep(name, by: person, reason: options.reason)
      guard let lease else { return nil }
      let hasLeft = try session.hasLeft(name, within: 20)
      return "taken from '\(lease.step)' of \(lease.workflow)\(hasLeft ? "" : ", which has not ended yet")"
    }
  }
}

struct ReleaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release", abstract: "Gives a station back that a person kept.",
    discussion: """
      Example:
        enpire release yam-1
      """)

  @OptionGroup var options: StationOptions

  func run() throws {
    try options.each("released") { session, name, _ in
      try session.release(name) ? nil : "nobody kept it"
    }
  }
}

struct ResetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset", abstract: "Brings a station to a known start, verifies that it is there, and lets steps use it again.",
    discussion: """
      After a movement of which nobody knows how it ended, no step uses the station before this succeeded. It runs the commands "reset" and \
      "verify" of the station's entry in the fleet; without them its driver resets it and looks whether everything lies still within its bounds.

      Example:
        enpire stations && enpire arm yam-1 && enpire reset yam-1
      """)

  @OptionGroup var options: StationOptions

  func run() throws {
    try options.each("reset and verified") { session, name, _ in
      try session.reset(name)
      return nil
    }
  }
}
