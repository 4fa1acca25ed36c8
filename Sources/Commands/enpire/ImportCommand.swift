// enpire import: workspaces made of what other programs recorded.

import ArgumentParser
import JSON
import Workflow

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Makes a workspace of a workflow that another program recorded.", subcommands: [WfFormatCommand.self])
}

struct WfFormatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wfformat", abstract: "Makes a workspace of a WfFormat instance, whose steps sleep as long as its tasks took.",
    discussion: """
      Writes enpire.json and the files that no task makes into DIRECTORY. Each step reads its task's files, sleeps, and writes its task's outputs;
      their content follows from the inputs', so a changed file changes all that comes of it. 'round=2' runs everything anew.

      Example:
        enpire import wfformat blast.json blast --scale 0.01 && enpire run -C blast -j 8
      """)

  @Option(help: "Factor on the durations.") var scale = 1.0
  @Option(help: "Factor on the sizes of files.") var sizes = 1e-6
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "The instance.", completion: .file(extensions: ["json"])) var instance: String
  @Argument(help: "The directory to write.", completion: .directory) var directory: String

  func run() throws {
    guard scale >= 0, scale.isFinite, sizes >= 0, sizes.isFinite else { throw Problem(.usage, "--scale and --sizes take numbers from 0") }
    var format = WfFormat()
    (format.durations, format.sizes) = (scale, sizes)
    let (steps, files) = try format.importInstance(instance, into: directory)
    if output.json {
      return Terminal.print(
        (["import": 1, "manifest": .string(directory + "/enpire.json"), "steps": .integer(steps), "files": .integer(files)] as JSON).pretty)
    }
    Terminal.say("\(directory)/enpire.json: \(counted(steps, "step")); \(counted(files, "file")) that none of them makes")
  }
}
