// enpire append: adds steps to a workflow, which may be running; nothing is written unless all of them fit.

import ArgumentParser
import Glibc
import JSON
import Workflow

struct AppendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "append", abstract: "Appends steps to a workflow, beside its manifest.",
    discussion: """
      Reads {"steps": {NAME: STEP, …}} in the form of a manifest from a file or standard input. Each step becomes one file in \
      MANIFEST.steps/. A run that is going on takes them at its next start; the manifest itself is never rewritten.

      Example:
        echo '{"steps": {"again": {"uses": "evaluate", …}}}' | enpire append -f workflows/push-t.json -
      """)

  @OptionGroup var manifest: ManifestOptions
  @Option(help: "Who appends, kept with the steps.") var author: String?
  @Flag(name: [.customShort("n"), .long], help: "Check and say what would run, and write nothing.") var dryRun = false
  @OptionGroup var output: OutputOptions
  @Argument(help: "A file of steps; - for standard input.", completion: .file(extensions: ["json"])) var steps: String

  func run() throws {
    let (session, _) = try manifest.session(withKinds: true)
    let descriptor = steps == "-" ? STDIN_FILENO : open(steps, O_RDONLY)
    guard descriptor >= 0 else { throw Problem(.missingInput, "cannot read \(steps): \(String(cString: strerror(errno)))") }
    let text = readAll(descriptor)
    // The steps that steps appended are part of the graph too.
    _ = try session.plan(session.graph.steps)
    let files = try Appended.append(text, from: steps == "-" ? "standard input" : steps, author: author, to: session, dryRun: dryRun)
    if output.json { return Terminal.print(JSON.object(["appended": .array(files.map { .string($0) }), "written": .bool(!dryRun)]).pretty) }
    for file in files { Terminal.print("\(dryRun ? "would append" : "appended") \(file)") }
  }
}
