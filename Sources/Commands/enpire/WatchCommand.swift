// enpire watch: has the kernel tell which files change, so that runs need not look at all of them.

import ArgumentParser
import Glibc
import Workflow

struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Keeps an eye on files, so that runs with nothing to do are faster still.",
    discussion: """
      Runs in the foreground until it is interrupted. While it runs, `enpire run` in the same workspace asks it what changed. With --run
      it also brings the goals up to date whenever a file that they rest on changes. The kernel does not tell of what is written through
      a memory mapping, or by another name that a file was given since: watch nothing where programs do that to inputs.

      Examples:
        enpire watch -f workflows/push-t.json &
        enpire watch --run report
      """)

  @OptionGroup var manifest: ManifestOptions
  @Flag(name: .customLong("run"), help: "Run the goals now, and again whenever something changes.") var runs = false
  @Argument(help: "With --run: goals, and NAME=value for variables.") var arguments: [String] = []

  func validate() throws {
    if !runs, let argument = arguments.first { throw ValidationError("'\(argument)' goes with --run") }
  }

  func run() throws {
    // What is wrong later is told and waited out.
    try manifest.request(arguments).check()
    let watcher = try Watcher(manifest: manifest.file)
    Terminal.say("watching \(counted(watcher.fileCount, "file"))")
    try watcher.serve(running: runs ? ["run", "-f", manifest.file] + arguments : nil)
  }
}
