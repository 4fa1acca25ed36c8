// enpire log: what a step's last attempt printed.

import ArgumentParser
import Glibc
import JSON
import Workflow

struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Prints what a step's last attempt printed.",
    discussion: """
      As JSON: the last lines (200 unless --tail says otherwise) with the attempt's outcome.

      Example:
        enpire log -f workflows/push-t.json 'evaluate[shard=3]' --tail 20
      """)

  @OptionGroup var manifest: ManifestOptions
  @Option(help: ArgumentHelp("Only the last lines.", valueName: "lines")) var tail: Int?
  @Flag(help: "Print the log file's path instead; there is none if nothing was printed.") var path = false
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "The step.", completion: .steps) var step: String

  func validate() throws {
    if let tail, tail < 0 { throw ValidationError("--tail takes a count of 0 or more") }
  }

  func run() throws {
    let (session, _) = try manifest.session()
    let execution = try execution(session)
    let name = "\(session.state.directory)/logs/\(execution.key)", file = name + (execution.outcome == "prepared" ? ".prepared" : "") + ".log"
    if path, !output.json { return Terminal.print(file) }
    // What it printed before it had its station comes first.
    let streams = try [name + ".prepared.log", name + ".log"].compactMap { file in
      let stream = fopen(file, "r")
      guard stream != nil || errno == ENOENT else {
        throw Problem(.missingInput, "the log \(file) cannot be read: \(String(cString: strerror(errno)))")
      }
      return stream
    }
    defer { for stream in streams { fclose(stream) } }
    let kept = tail ?? (output.json ? 200 : .max)
    var lines: [String] = []
    var count = 0
    var buffer: UnsafeMutablePointer<CChar>?
    var capacity = 0
    for stream in streams {
      while getline(&buffer, &capacity, stream) > 0 {
        lines.append(String(cString: buffer!))
        count += 1
        // Not more in memory than is asked for, twice.
        if kept < Int.max / 2, lines.count > 2 * kept + 100 { lines.removeFirst(lines.count - kept) }
      }
    }
    free(buffer)
    lines = Array(lines.suffix(kept))
    if output.json {
      // What is drawn over and over is many lines in one; no line floods its reader.
      lines = lines.flatMap { $0.split(whereSeparator: { $0 == "\r" || $0 == "\n" || $0 == "\r\n" }).map(String.init) }
      count = max(count, lines.count)
      lines = lines.suffix(kept).map { $0.count > 2000 ? "… " + $0.suffix(2000) : $0 }
      var json: JSON = [
        "log": 1, "step": .string(execution.step), "run": .integer(execution.run), "outcome": .string(execution.outcome), "path": .string(file),
      ]
      if !execution.message.isEmpty { json["problem"] = .string(execution.message) }
      if count > lines.count { json["omitted"] = .integer(count - lines.count) }
      json["lines"] = .array(lines.map { .string($0) })
      return Terminal.print(json.pretty)
    }
    Terminal.put(lines.joined())
    if !execution.succeeded { Terminal.say("\(execution.outcome): \(execution.message)") }
  }

  /// The step's last attempt; of one that stands for others, that of the only one that ran.
  private func execution(_ session: Session) throws -> Execution {
    let workflow = session.manifest.workflow
    if let execution = try session.state.executions(workflow, step: step, limit: 1).first { return execution }
    let all = try session.state.executions(workflow)
    let family = step.hasSuffix("[*]") ? String(step.dropLast(3)) : step
    let instances = all.filter { $0.step.hasPrefix(family + "[") }
    let names = Set(instances.map(\.step)).sorted()
    if names.count > 1 {
      let more = names.count > 12 ? " and \(names.count - 12) more" : ""
      throw Problem(.usage, "'\(step)' is several steps, each with a log", hint: "there are: " + names.prefix(12).joined(separator: ", ") + more)
    }
    if let execution = instances.first { return execution }
    if (try? session.goals([step])) != nil {
      let hint = session.isBusy ? "a run is at work; there is a log once an attempt has ended" : "enpire why '\(step)' tells how it stands"
      throw Problem(.usage, "step '\(step)' has not run here", hint: hint)
    }
    throw Problem(
      .usage, "step '\(step)' has not run here", hint: nearest(to: step, among: all.map(\.step)).map { "did you mean '\($0)'?" })
  }
}
