// Which part of the workflow a run touches.

import ArgumentParser
import Workflow

struct SelectionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Up to and including this step. Can be repeated, as the next two.", valueName: "step"), completion: .steps)
  var until: [String] = []

  @Option(
    help: ArgumentHelp("This step and what comes after it; what it needs must be recorded, and is restored.", valueName: "step"), completion: .steps)
  var from: [String] = []

  @Option(help: ArgumentHelp("This step alone; what it needs must be recorded.", valueName: "step"), completion: .steps)
  var only: [String] = []

  @Flag(name: [.customShort("B"), .long], help: "Run the goals even if they are up to date.")
  var alwaysMake = false

  var selection: Selection { Selection(until: until, from: from, only: only) }
}
