// enpire stations: who has each station, which are armed, kept by a person, or in a state that nobody knows.

import ArgumentParser
import JSON
import Workflow

struct StationsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stations", abstract: "Shows the fleet's stations: free, in use, kept by a person, closed, or to be reset; and which are armed.",
    discussion: """
      Example:
        enpire stations -f workflows/push-t.json --json | jq -r '.stations[] | select(.state == "unsure") | .station'
      """)

  @OptionGroup var manifest: ManifestOptions
  @OptionGroup var limit: LimitOption
  @OptionGroup var output: OutputOptions
  @Argument(help: "NAME=value sets a variable.") var arguments: [String] = []

  func run() throws {
    let (session, names) = try manifest.session(arguments)
    guard names.isEmpty else { throw Problem(.usage, "stations takes no words") }
    let (stations, omitted) = limit.first(of: try session.stations())
    if output.json {
      var json: JSON = ["stations": .array(stations.map(Self.json))]
      if omitted > 0 { json["omitted"] = .integer(omitted) }
      return Terminal.print(json.pretty)
    }
    Terminal.print(
      table(
        stations.map { state in
          [
            state.station.name, Self.word(state),
            state.isArmed
              ? "armed by \(state.record.armed!.by) until \(date(state.record.armed!.until ?? 0))" : state.station.isHardware ? "not armed" : "",
            Self.remark(state),
          ]
        }))
    if omitted > 0 { Terminal.print(LimitOption.rest(omitted)) }
  }

  private static func word(_ state: Session.StationState) -> String {
    if state.unsure != nil { return "unsure" }
    if state.record.kept != nil { return "kept" }
    if state.isHeld { return "in use" }
    return state.hours.isOpen ? "free" : "closed"
  }

  private static func remark(_ state: Session.StationState) -> String {
    if let unsure = state.unsure { return "nobody knows how '\(unsure.step)' left it (\(unsure.why)): enpire reset \(state.station.name)" }
    if let kept = state.record.kept { return "by \(kept.by) since \(date(kept.at))\(kept.reason.isEmpty ? "" : ": \(kept.reason)")" }
    if state.isHeld, let lease = state.record.lease { return "by '\(lease.step)' of \(lease.workflow) since \(date(lease.since))" }
    return state.hours.until.map { "until " + date($0) } ?? ""
  }

  private static func json(_ state: Session.StationState) -> JSON {
    var json: JSON = [
      "station": .string(state.station.name), "tasks": .array(state.station.tasks.map { .string($0) }), "hardware": .bool(state.station.isHardware),
      "state": .string(word(state)), "open": .bool(state.hours.isOpen), "token": .integer(state.record.token),
    ]
    json["hours_change"] = state.hours.until.map { .number($0) }
    if state.isHeld { json["lease"] = state.record.lease?.json }
    json["kept"] = state.record.kept?.json
    if state.isArmed { json["armed"] = state.record.armed?.json }
    json["unsure"] = state.unsure?.json
    return json
  }
}
