// enpire append: adds steps to a workflow, which may be running; nothing is written unless all of them fit.

import ArgumentParser
import JSON
import Workflow

struct AppendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "append", abstract: "Appends steps to a workflow, beside its manifest.",
    discussion: """
      Reads {"steps": {NAME: STEP, …}} in the form of a manifest from a file or standard input, and takes all of them or none. Each step becomes \
      one file in MANIFEST.steps/; the manifest itself is never rewritten. A run that is going on takes them in within a second; with --goal, \
      runs that name no goal bring them up to date. A step that is there already, word for word, is no mistake.

      Examples:
        echo '{"steps": {"again": {"uses": "evaluate", …}}}' | enpire append -f workflows/push-t.json -
        enpire append -n --json steps.json             check, and say what it would cost
        enpire append --goal --author a-7 --hypothesis 'a wider network generalises' --parent a-3 steps.json
        enpire append --revision "$(enpire status --json --limit 1 | jq -r .revision)" steps.json
      """)

  @OptionGroup var manifest: ManifestOptions
  @Option(help: "Who appends, kept with the steps.") var author: String?
  @Option(help: "What the steps are to find out, kept with them.") var hypothesis: String?
  @Option(help: "The step or experiment that they start from, kept with them.") var parent: String?
  @Flag(help: "Runs that name no goal bring these steps up to date too.") var goal = false
  @Option(help: ArgumentHelp("Append only if the workflow is still at this revision, as status tells it.", valueName: "revision"))
  var revision: String?
  @Flag(name: [.customShort("n"), .long], help: "Check and say what it would cost, and write nothing.") var dryRun = false
  @OptionGroup var output: OutputOptions
  @Argument(help: "A file of steps; - for standard input.", completion: .file(extensions: ["json"]))
  var steps: [String]

  func run() throws {
    try manifest.enter()
    let (overrides, names) = ManifestOptions.sort(steps)
    if let variable = overrides.first {
      throw Problem(.usage, "append takes no variables, as '\(variable.name)'", hint: "write the value into the step")
    }
    guard names.count == 1, let source = names.first else { throw Problem(.usage, "append takes one file of steps, or - for standard input") }
    var request = AppendRequest(text: try readInput(source), source: source == "-" ? "standard input" : source)
    request.note = AppendNote(author: author, hypothesis: hypothesis, parent: parent, isGoal: goal)
    request.revision = revision
    request.dryRun = dryRun
    let result = try Session.append(request, to: manifest.file)
    if output.json { return Terminal.print(json(result).pretty) }
    for entry in result.entries {
      let what = entry.isNew ? (dryRun ? "would append" : "appended") : "is there already:"
      Terminal.print("\(what) \(entry.name)\(entry.sameAs.map { ", the same as \($0), whose results it takes" } ?? "")")
    }
    if let cost = result.cost {
      let known = "\(duration(cost.seconds)) of work, \(duration(cost.stationSeconds)) of it on stations"
      Terminal.print("\(cost.steps) \(cost.steps == 1 ? "step" : "steps"): \(known)\(cost.unknown > 0 ? ", and \(cost.unknown) never run here" : "")")
    }
  }

  private func json(_ result: AppendResult) -> JSON {
    var json: JSON = ["append": 1, "written": .bool(!dryRun && result.entries.contains { $0.file != nil }), "revision": .string(result.revision)]
    json["steps"] = .array(
      result.entries.map { entry in
        var json: JSON = ["step": .string(entry.name), "new": .bool(entry.isNew)]
        json["file"] = entry.file.map { .string($0) }
        json["same_as"] = entry.sameAs.map { .string($0) }
        return json
      })
    json["cost"] = result.cost?.json
    return json
  }
}
