// How steps share the machine: load, make's jobserver, how many failures are enough, and a trace of it all.

import ArgumentParser
import Glibc
import Workflow

struct SchedulingOptions: ParsableArguments {
  enum Form: String, ExpressibleByArgument, CaseIterable { case pipe, fifo }

  @Option(
    name: [.customShort("l", allowingJoined: true), .long],
    help: ArgumentHelp("While a step runs, start no other if the machine's load average is this or above.", valueName: "limit"))
  var load: Double?

  @Option(
    help: ArgumentHelp(
      "After a failure, go on like -k, but start nothing more after so many; 0 for no limit.", valueName: "count"))
  var failures: Int?

  @Option(
    help: ArgumentHelp(
      "Share slots with nested makes: they find a jobserver in MAKEFLAGS, as pipe (every make) or fifo (make 4.4, ninja 1.13).",
      discussion: "Under a make with -j that started it by a line marked +, enpire takes its slots from that make, unless -j is given.",
      valueName: "form"))
  var jobserver: Form?

  @Option(help: ArgumentHelp("Write what ran when to this file, in Chrome's trace format.", valueName: "file"), completion: .file())
  var trace: String?

  func validate() throws {
    if let load, load < 0 { throw ValidationError("-l takes a number that is not negative") }
    if let failures, failures < 0 { throw ValidationError("--failures takes a count") }
  }

  /// Writes the trace of a run that has nothing to do.
  func writeEmptyTrace() throws {
    guard let trace else { return }
    let file = open(trace, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw Problem(.inputOutput, "cannot write \(trace): \(String(cString: strerror(errno)))") }
    defer { close(file) }
    if let reason = Terminal.write("[\n]\n", to: file) { throw Problem(.inputOutput, "cannot write \(trace): \(reason)") }
  }

  /// Sets what these options say. `jobs` is -j: without it, slots come from the make that started this program, if one did; the jobserver is
  /// returned.
  func set(_ options: inout RunOptions, jobs: Int?) -> Jobserver? {
    options.load = load
    options.serve = jobserver.flatMap { Jobserver.Form(rawValue: $0.rawValue) }
    options.trace = trace
    if let failures {
      options.keepGoing = true
      options.failureLimit = failures > 0 ? failures : nil
    }
    if jobs != nil || jobserver != nil { return nil }
    do { return try Jobserver.join() } catch {
      options.jobs = 1
      Terminal.say("\(Terminal.paint("warning:", .yellow)) \(error)")
      return nil
    }
  }
}
