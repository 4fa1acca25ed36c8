// enpire clean: takes published outputs away.

import ArgumentParser
import JSON
import Workflow

struct CleanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean", abstract: "Removes published outputs that still hold what was recorded.",
    discussion: """
      What was edited since stays, unless --force. The store keeps every result, so the next run puts them back and runs nothing. --all \
      forgets that too: it removes the state directory with all records, results, finished trials and the hub of experiments, of every \
      workflow beside this one.

      Examples:
        enpire clean -n
        enpire clean report
      """)

  @OptionGroup var manifest: ManifestOptions
  @Flag(name: [.customShort("n"), .long], help: "Say what would be removed, and remove nothing.") var dryRun = false
  @Flag(help: "Remove what is not as recorded too.") var force = false
  @Flag(help: "Remove the state directory too.") var all = false
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "Steps whose outputs go (default: all); NAME=value sets a variable.", completion: .goals) var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    if all, !names.isEmpty { throw Problem(.usage, "clean --all takes no steps", hint: "leave out --all, or the steps") }
    let cleaning = try session.clean(names, force: force, dryRun: dryRun, waiting: sayWaiting)
    let state = session.state.directory
    if all, !dryRun { try session.removeState(waiting: sayWaiting) }
    if output.json {
      return Terminal.print(
        ([
          "clean": 1, "written": .bool(!dryRun), "removed": .array((cleaning.removed + (all ? [state] : [])).map { .string($0) }),
          "kept": .array(cleaning.kept.map { ["path": .string($0.path), "reason": .string($0.reason)] }),
        ] as JSON).pretty)
    }
    for path in cleaning.removed + (all ? [state] : []) { Terminal.print("\(dryRun ? "would remove" : "removed") \(path)") }
    for (path, reason) in cleaning.kept { Terminal.say("kept \(path): \(reason); --force removes it") }
    if cleaning.removed.isEmpty, cleaning.kept.isEmpty, !all { Terminal.say("nothing to remove") }
  }
}

/// Tells that a verb waits for a run to end.
func sayWaiting(_ holder: String) { Terminal.say("waiting for another run of this workspace (\(holder))") }
