// Every step with its state, time, station and key. Shards stand in a list of their own, for they are many.

enum StepSection {
  static func html(_ study: Study) -> Page.Section? {
    guard !study.steps.isEmpty else { return nil }
    let shards = study.steps.filter(\.isShard)
    let groups = Dictionary(grouping: shards, by: \.gather)
    let main = study.steps.filter { !$0.isShard }.map { row($0, shards: groups[$0.name] ?? []) }
    let rest: HTML =
      shards.isEmpty
      ? .none : "<details><summary>\(Number.count(shards.count, "shard"))</summary>\(table(shards.map { row($0, shards: []) }))</details>\n"
    return Page.Section(
      id: "steps", title: "Steps",
      body:
        "<p class=\"soft\">Times are those of the execution that gave the result, also where it came from the cache. They are no part of any key.</p>\n"
        + table(main) + rest)
  }

  private static func table(_ rows: [[HTML]]) -> HTML {
    Table(nil, [("step", ""), ("kind", "t"), ("state", "t"), ("time", "n"), ("station", "t"), ("key", "t"), ("", "w")], rows: rows).html
  }

  private static func row(_ step: StudyStep, shards: [StudyStep]) -> [HTML] {
    let sum = shards.compactMap(\.seconds).reduce(0, +)
    let note = [
      shards.isEmpty ? nil : "\(Number.count(shards.count, "shard")), \(Number.seconds(sum)) in all", step.record["description"]?.string,
      step.problem,
    ].compactMap { $0 }.joined(separator: ". ")
    let stations = step.station.map { [$0] } ?? Set(shards.compactMap(\.station)).sorted()
    return [
      "<code>\(step.name)</code>", "\(step.kind)", mark(step.state), "\(step.seconds.map(Number.seconds) ?? "–")",
      "\(stations.count > 2 ? "\(stations.count) stations" : stations.joined(separator: ", "))", Number.key(step.key), "\(note)",
    ]
  }

  private static func mark(_ state: String) -> HTML {
    switch state {
    case "done": "<span class=\"good\">✓ done</span>"
    case "failed": "<span class=\"bad\">✗ failed</span>"
    default: "<span class=\"wait\">○ \(state)</span>"
    }
  }
}
