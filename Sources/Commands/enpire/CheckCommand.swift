// enpire check: whether a manifest, its fleet and its appended steps are right.

import ArgumentParser
import JSON
import Workflow

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks a manifest, its fleet and its appended steps; runs nothing.",
    discussion: """
      Examples:
        enpire check -f workflows/push-t.json
        enpire check --store           every stored file against its digest, every record against the store
        enpire check --repair          and removes what is damaged, so that the next run makes it anew
      """)

  @OptionGroup var manifest: ManifestOptions
  @Flag(help: "Check what is recorded and stored too.") var store = false
  @Flag(help: "Remove damaged stored files, and forget the records that need them or what is missing.") var repair = false
  @OptionGroup(title: "How to run") var isolation: IsolationOptions
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "NAME=value sets a variable.", completion: .goals) var arguments: [String] = []

  func run() throws {
    let path = manifest.file.hasPrefix("/") ? manifest.file : (manifest.directory.map { $0 + "/" } ?? "") + manifest.file
    let aside = repair ? try Session.setAsideUnreadable(manifestPath: path) : nil
    if let aside { Terminal.say("the state database could not be read; it is now \(aside), and everything runs anew") }
    let (session, names) = try manifest.session(arguments)
    _ = try session.goals(names)
    if store || repair { return try inspect(session) }
    let (steps, stations) = (session.graph.steps.count, session.graph.fleet.stations.count)
    if output.json {
      return Terminal.print(
        (["check": 1, "workflow": .string(session.manifest.workflow), "steps": .integer(steps), "stations": .integer(stations)] as JSON).pretty)
    }
    Terminal.print("\(session.manifest.workflow): \(counted(steps, "step")), \(counted(stations, "station"))")
  }

  private func inspect(_ session: Session) throws {
    isolation.apply(to: session, try UserConfiguration.load())
    let found = try session.inspect(repair: repair, waiting: sayWaiting)
    if output.json {
      func list(_ names: [String]) -> JSON { .array(names.map { .string($0) }) }
      Terminal.print(
        ([
          "check": 1, "store": 1, "repaired": .bool(repair), "blobs": .integer(found.blobs), "bytes": .integer(found.bytes),
          "records": .integer(found.records), "damaged": list(found.damaged), "missing": list(found.missing), "steps": list(found.affected),
          "fetched": .integer(found.fetched), "database": list(found.database),
        ] as JSON).pretty)
    } else {
      for line in found.database { Terminal.print("database: \(line)") }
      for digest in found.damaged { Terminal.print("damaged \(digest)") }
      for digest in found.missing { Terminal.print("missing \(digest)") }
      for step in found.affected { Terminal.print("\(repair ? "forgotten" : "affected"): \(step)") }
      Terminal.print(
        "\(counted(found.records, "record")), \(counted(found.blobs, "stored file")), \(GcCommand.size(found.bytes)): "
          + (found.isWhole ? "whole" : "not whole"))
    }
    for text in found.told { Terminal.say(text) }
    if !found.isWhole, !repair {
      Terminal.say("hint: enpire check --repair")
      leave(.inputOutput)
    }
  }
}
