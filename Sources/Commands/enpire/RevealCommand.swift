// enpire reveal: the seeds of a held-out evaluation, once nobody has to be kept from them any more.

import ArgumentParser
import JSON
import Workflow

struct RevealCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reveal", abstract: "Tells the secret seeds of an evaluation, which its result was bound to by a commitment.",
    discussion: """
      For when the evaluation is over: whoever knows the seeds can train on them. Trials added to it later get seeds that were not told. The \
      commitment in its result is the SHA-256 of the nonce and the seeds, each seed after a line feed.

      Example:
        enpire reveal -f workflows/push-t.json evaluate --json
      """)

  @OptionGroup var manifest: ManifestOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The step; NAME=value sets a variable.") var arguments: [String]

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    guard let name = names.first, names.count == 1 else { throw Problem(.usage, "reveal takes one step") }
    let revelation = try session.reveal(name)
    if output.json { return Terminal.print(revelation.json.pretty) }
    Terminal.say("\(revelation.step): \(counted(revelation.seeds.count, "\(revelation.purpose) seed")), commitment \(revelation.commitment)")
    Terminal.print(revelation.nonce)
    for seed in revelation.seeds { Terminal.print("\(seed)") }
  }
}
