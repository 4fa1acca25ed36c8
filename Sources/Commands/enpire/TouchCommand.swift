// enpire touch: takes outputs as they are for the results of the present inputs.

import ArgumentParser
import JSON
import Workflow

struct TouchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "touch", abstract: "Records published outputs, as they are, as the results of the present inputs.",
    discussion: """
      For goals and what they need, and all or none: every output must be there, published, and of a pure step; trials and changes outside \
      are not made by declaring them. The records say that they were touched, and enpire reproduce shows whether they hold.

      Example:
        enpire touch -n train
      """)

  @OptionGroup var manifest: ManifestOptions
  @Flag(name: [.customShort("n"), .long], help: "Say what would be recorded, and record nothing.") var dryRun = false
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "NAME=value sets a variable; anything else is a goal.", completion: .goals) var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    let touched = try session.touch(try session.goals(names), dryRun: dryRun, waiting: sayWaiting)
    if output.json {
      let steps = touched.map { ["step": .string($0.step), "outputs": .array($0.paths.map { .string($0) })] as JSON }
      return Terminal.print((["touch": 1, "written": .bool(!dryRun), "steps": .array(steps)] as JSON).pretty)
    }
    for entry in touched { Terminal.print("\(dryRun ? "would touch" : "touched") \(entry.step): \(entry.paths.joined(separator: ", "))") }
    if touched.isEmpty { Terminal.say("nothing to touch: all is up to date") }
  }
}
