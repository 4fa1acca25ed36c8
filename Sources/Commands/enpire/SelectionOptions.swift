// Which part of the workflow a run touches.

import ArgumentParser
import Workflow

struct SelectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Up to and including this step (can be repeated, as the next two); or until a time of day, as 06:30.", valueName: "step"),
    completion: .steps)
  var until: [String] = []

  @Option(
    help: ArgumentHelp("This step and what comes after it; what it needs must be recorded, and is restored.", valueName: "step"), completion: .steps)
  var from: [String] = []

  @Option(help: ArgumentHelp("This step alone; what it needs must be recorded.", valueName: "step"), completion: .steps)
  var only: [String] = []

  @Flag(name: [.customShort("B"), .long], help: "Run the goals even if they are up to date.")
  var alwaysMake = false

  func validate() throws {
    if let text = until.first(where: { RunTime.looksLikeTimeOfDay($0) && !RunTime.isTimeOfDay($0) }) {
      throw ValidationError("--until takes a step, or a time of day as 06:30, not '\(text)'")
    }
  }

  var selection: Selection { Selection(until: until.filter { !RunTime.isTimeOfDay($0) }, from: from, only: only) }

  /// Times of day among `until`.
  var times: [String] { until.filter(RunTime.isTimeOfDay) }
}
