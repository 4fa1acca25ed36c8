// enpire approve, enpire reject: a person's word on a step that asks for it.

import ArgumentParser
import JSON
import Workflow

struct ApproveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Lets a step run that waits for a person's approval.",
    discussion: """
      A step with "approval" in the manifest waits until somebody agrees to what it would do with its present inputs and parameters; if these \
      change, it asks again. A run that is going on goes on with it; one that found nothing else to do has ended with exit code 77.

      Example:
        enpire status --json | jq -r '.steps[] | select(.state == "approval") | .step + ": " + .reason'
        enpire approve move-arm --reason 'the cell is clear'
      """)

  @OptionGroup var manifest: ManifestOptions
  @OptionGroup var word: WordOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The step; NAME=value sets a variable.", completion: .steps) var arguments: [String]

  func run() throws { try word.give(granted: true, arguments, manifest, output) }
}

struct RejectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reject", abstract: "Keeps a step from running that waits for a person's approval.",
    discussion: """
      The step then fails with the reason, until it would do something else or is approved after all.

      Example:
        enpire reject move-arm --reason 'somebody is in the cell'
      """)

  @OptionGroup var manifest: ManifestOptions
  @OptionGroup var word: WordOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The step; NAME=value sets a variable.", completion: .steps) var arguments: [String]

  func run() throws { try word.give(granted: false, arguments, manifest, output) }
}

struct WordOptions: ParsableArguments {
  @Option(help: "Who decides (default: the user's name).") var by: String?
  @Option(help: "Why.") var reason = ""

  func give(granted: Bool, _ arguments: [String], _ manifest: ManifestOptions, _ output: OutputOptions) throws {
    let (session, names) = try manifest.session(arguments)
    guard names.count == 1, let name = names.first else { throw Problem(.usage, "name one step") }
    let person = by ?? Account.name
    let question = try session.decide(name, granted: granted, by: person, reason: reason)
    if output.json {
      return Terminal.print(
        (["step": .string(name), "question": .string(question), "approved": .bool(granted), "by": .string(person)] as JSON).compact)
    }
    Terminal.print("\(granted ? "approved" : "rejected"): \(name) (\(question))")
  }
}
