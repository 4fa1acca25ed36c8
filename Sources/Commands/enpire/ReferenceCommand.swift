// enpire reference: the generated half of docs/cli.md, from what the parser knows of every verb. For `make docs`, and not shown in --help.

import ArgumentParser
import JSON
import Workflow

struct ReferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference", abstract: "Prints the reference of the command line as Markdown.",
    discussion: """
      Example:
        enpire reference
      """, shouldDisplay: false)

  func run() throws {
    let verbs = Self.verbs(try JSON(parsing: Enpire._dumpHelp())["command"] ?? [:], below: [])
    var users: [String: Int] = [:]
    var rows: [String: String] = [:]
    for verb in verbs {
      for option in Self.options(verb) {
        users[option.row, default: 0] += 1
        rows[option.row] = option.names
      }
    }
    // What most verbs take is told once.
    let common = users.filter { $0.value >= 5 }.keys.sorted { (users[$1]!, $0) < (users[$0]!, $1) }
    var lines = ["## Exit codes", "", "| code | name | meaning |", "|---|---|---|"]
    lines += ExitCode.allCases.map { "| \($0.rawValue) | `\($0.name)` | \($0.meaning) |" }
    lines += ["", "## Options of many verbs", "", "| option | meaning |", "|---|---|"] + common
    for verb in verbs { lines += Self.section(verb, common) }
    Terminal.print(lines.joined(separator: "\n"))
  }

  /// The verbs of a command, those of two words with both.
  private static func verbs(_ command: JSON, below words: [String]) -> [JSON] {
    (command["subcommands"]?.array ?? []).filter { $0["shouldDisplay"] == true && $0["commandName"] != "help" }.flatMap { verb -> [JSON] in
      let words = words + [verb["commandName"]?.string ?? ""]
      if verb["subcommands"] != nil { return verbs(verb, below: words) }
      var verb = verb
      verb["commandName"] = .string(words.joined(separator: " "))
      return [verb]
    }
  }

  private typealias ExitCode = Workflow.ExitCode

  private static func section(_ verb: JSON, _ common: [String]) -> [String] {
    let arguments = (verb["arguments"]?.array ?? []).filter { $0["kind"] == "positional" }
    let synopsis = arguments.map { argument in
      let name = (argument["valueName"]?.string ?? "") + (argument["isRepeating"] == true ? "…" : "")
      return argument["isOptional"] == true ? " [\(name)]" : " \(name)"
    }.joined()
    var lines = ["", "## `enpire \(verb["commandName"]?.string ?? "")\(synopsis)`", "", verb["abstract"]?.string ?? ""]
    var isExample = false
    for line in (verb["discussion"]?.string ?? "").split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("Example") {
        if lines.last != "" { lines.append("") }
        lines.append("```sh")
        isExample = true
      } else {
        if lines.last == verb["abstract"]?.string { lines.append("") }
        lines.append(isExample ? String(line.drop { $0 == " " }) : line)
      }
    }
    while lines.last == "" { lines.removeLast() }
    if isExample { lines.append("```") }
    for argument in arguments { lines += ["", "`\(argument["valueName"]?.string ?? "")`: \(text(argument))"] }
    let all = options(verb)
    let own = all.filter { !common.contains($0.row) }
    if !own.isEmpty { lines += ["", "| option | meaning |", "|---|---|"] + own.map(\.row) }
    let shared = all.filter { common.contains($0.row) }.map(\.names)
    if !shared.isEmpty { lines += ["", "Also: \(shared.joined(separator: " · "))"] }
    return lines
  }

  /// The options of a verb: their names, and their row of a table.
  private static func options(_ verb: JSON) -> [(names: String, row: String)] {
    (verb["arguments"]?.array ?? []).filter { $0["kind"] != "positional" && $0["shouldDisplay"] == true && $0["preferredName"]?["name"] != "version" }
      .map { option in
        let value = option["kind"] == "option" ? " \((option["valueName"]?.string ?? "").uppercased())" : ""
        let names = (option["names"]?.array ?? []).sorted { ($0["name"]?.string?.count ?? 0) < ($1["name"]?.string?.count ?? 0) }.map { name in
          (name["kind"] == "short" ? "-" : "--") + (name["name"]?.string ?? "")
        }
        let written = "`\(names.joined(separator: "`, `"))\(value)`"
        return (written, "| \(written) | \(text(option)) |")
      }
  }

  private static func text(_ argument: JSON) -> String {
    var words = (argument["abstract"]?.string ?? "").replacing("|", with: "\\|")
    if let more = argument["discussion"]?.string { words += " " + more.replacing("\n", with: " ").replacing("|", with: "\\|") }
    if let fallback = argument["defaultValue"]?.string { words += " (default: `\(fallback)`)" }
    return words
  }
}
