// enpire reproduce: runs a recorded result again and compares.

import ArgumentParser
import Glibc
import JSON
import Workflow

struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce", abstract: "Rebuilds a recorded result from its recorded inputs and compares every output.",
    discussion: """
      RECORD is a step's name, the first digits of its key, the digest of one of its outputs (as experiment records carry it), or an \
      experiment record's file. The result is computed afresh: no cache, no finished trials, no checkpoint is used.

      Example:
        enpire reproduce -f workflows/push-t.json evaluate --deep
      """)

  @OptionGroup var manifest: ManifestOptions
  @Flag(help: "Rebuild what it was made from too.") var deep = false
  @OptionGroup var output: OutputOptions
  @Argument(help: "What to rebuild; NAME=value sets a variable.") var arguments: [String]

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    guard let record = names.first, names.count == 1 else { throw Problem(.usage, "reproduce takes one record") }
    let step = try session.recordedStep(try Self.resultDigest(ofRecordAt: record) ?? record)
    let results = try session.reproduce(step, deep: deep) { if !output.json { Terminal.say("rebuilding \($0.name)") } }
    let matches = results.allSatisfy(\.matches)
    if output.json {
      Terminal.print(
        JSON.object([
          "reproduce": 1, "matches": .bool(matches),
          "outputs": .array(
            results.map {
              ["step": .string($0.step), "output": .string($0.output), "recorded": .string($0.recorded), "reproduced": .string($0.reproduced)]
            }),
        ]).pretty)
    } else {
      for result in results {
        Terminal.print(
          "\(result.matches ? "same  " : "DIFFERS") \(result.step).\(result.output)  \(result.recorded.prefix(12))\(result.matches ? "" : " → \(result.reproduced.prefix(12))")"
        )
      }
    }
    if !matches { leave(.stepFailed) }
  }

  /// The digest of the result that an experiment record's file names; nil if the argument is no such file.
  private static func resultDigest(ofRecordAt path: String) throws -> String? {
    guard path.hasSuffix(".json"), let stream = fopen(path, "r") else { return nil }
    defer { fclose(stream) }
    var text: [UInt8] = []
    while case let character = getc(stream), character >= 0 { text.append(UInt8(character)) }
    guard let digest = (try? JSON(parsing: text))?["data"]?["trials"]?.string else {
      throw Problem(.manifest, "\(path) is not an experiment record with a result: it names no trials under 'data'")
    }
    return digest
  }
}
