// enpire log: what a step's last attempt printed.

import ArgumentParser
import Glibc
import JSON
import Workflow

struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "log", abstract: "Prints what a step's last attempt printed.")

  @OptionGroup var manifest: ManifestOptions
  @Option(help: "Only the last lines.") var tail: Int?
  @Flag(help: "Print the log file's path instead.") var path = false
  @Argument(help: "The step.") var step: String

  func run() throws {
    let (session, _) = try manifest.session()
    guard let execution = try session.state.executions(session.manifest.workflow, step: step, limit: 1).first else {
      throw Problem(
        .usage, "step '\(step)' has not run here",
        hint: nearest(to: step, among: try session.state.executions(session.manifest.workflow).map(\.step)).map { "did you mean '\($0)'?" })
    }
    let file = "\(session.state.directory)/logs/\(execution.key).log"
    if path { return Terminal.print(file) }
    guard let stream = fopen(file, "r") else { throw Problem(.missingInput, "the log \(file) is gone") }
    defer { fclose(stream) }
    var lines: [String] = []
    var buffer: UnsafeMutablePointer<CChar>?
    var capacity = 0
    while getline(&buffer, &capacity, stream) > 0 { lines.append(String(cString: buffer!)) }
    free(buffer)
    Terminal.write((tail.map { Array(lines.suffix($0)) } ?? lines).joined(), to: 1)
    if execution.outcome != "done" { Terminal.say("\(execution.outcome): \(execution.message)") }
  }
}
