// enpire gc: removes what no present result needs.

import ArgumentParser
import JSON
import Workflow

struct GcCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Removes old results, logs, trials and checkpoints that no present result needs.",
    discussion: """
      The latest result of every step of every workflow in this state directory stays, whatever its age; so does what a run needs that is
      going on, for gc waits until it has ended. What goes is only the way back to inputs and parameters of earlier.

      Examples:
        enpire gc -n
        enpire gc --older-than 7d --max-size 10G
      """)

  @OptionGroup var manifest: ManifestOptions
  @Option(help: ArgumentHelp("Remove what is older, as 90m, 12h, 30d, 8w.", valueName: "time"), transform: { try GcCommand.time($0, "--older-than") })
  var olderThan = 30 * 86400.0
  @Option(help: ArgumentHelp("And then the oldest until the store holds no more, as 500M, 10G.", valueName: "bytes"), transform: bytes)
  var maxSize: Int?
  @Flag(name: [.customShort("n"), .long], help: "Say what would be removed, and remove nothing.") var dryRun = false
  @Flag(help: "Fail if a run holds the workspace, rather than wait.") var noWait = false
  @OptionGroup(title: "What is said") var output: OutputOptions

  func run() throws {
    let (session, _) = try manifest.session([])
    var options = CollectionOptions()
    (options.age, options.size, options.dryRun, options.patience) = (olderThan, maxSize, dryRun, !noWait)
    let collected = try session.collect(options, waiting: sayWaiting)
    if output.json {
      return Terminal.print(
        ([
          "gc": 1, "written": .bool(!dryRun), "records": .integer(collected.records), "blobs": .integer(collected.blobs),
          "logs": .integer(collected.logs), "samples": .integer(collected.samples), "checkpoints": .integer(collected.checkpoints),
          "bytes": .integer(collected.bytes), "keptRecords": .integer(collected.keptRecords), "keptBytes": .integer(collected.keptBytes),
        ] as JSON).pretty)
    }
    let parts = [
      (collected.records, "record"), (collected.blobs, "stored file"), (collected.logs, "log"), (collected.samples, "file of trials"),
      (collected.checkpoints, "checkpoint"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)\($0.0 == 1 || $0.1.contains(" of ") ? "" : "s")" }
    let removed =
      parts.isEmpty ? "nothing to remove" : "\(dryRun ? "would remove" : "removed") \(parts.joined(separator: ", ")): \(Self.size(collected.bytes))"
    let stay = collected.keptRecords == 1 ? "stays" : "stay"
    Terminal.print("\(removed); \(counted(collected.keptRecords, "record")) with \(Self.size(collected.keptBytes)) \(stay)")
    if let maxSize, collected.keptBytes > maxSize { Terminal.say("the latest results alone hold more than \(Self.size(maxSize)); they stay") }
  }

  static func time(_ text: String, _ option: String) throws -> Double {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400]
    if let seconds = Double(text), seconds == 0 { return 0 }
    guard let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number >= 0, number < 1e6 else {
      throw ValidationError("\(option) takes a time as 90m, 12h, 30d or 8w, not '\(text)'")
    }
    return number * unit
  }

  static func bytes(_ text: String) throws -> Int {
    let units: [Character: Double] = ["K": 0x1p10, "M": 0x1p20, "G": 0x1p30, "T": 0x1p40]
    if let bytes = Int(text), bytes >= 0 { return bytes }
    guard let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number >= 0, number < 1e6 else {
      throw ValidationError("--max-size takes a size as 500M or 10G, not '\(text)'")
    }
    return Int(number * unit)
  }

  static func size(_ bytes: Int) -> String {
    var (size, unit) = (Double(bytes), 0)
    while size >= 1000, unit < 4 { (size, unit) = (size / 1024, unit + 1) }
    let tenths = Int((size * 10).rounded())
    return unit == 0 ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(["K", "M", "G", "T"][unit - 1])iB"
  }
}
