// enpire kinds: what steps there are, and what each takes and gives.

import ArgumentParser
import JSON
import Workflow

struct KindsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kinds", abstract: "Lists the step kinds, or describes one: inputs, outputs, parameters.",
    discussion: "Example:\n  enpire kinds evaluate")

  @OptionGroup var limit: LimitOption
  @OptionGroup var output: OutputOptions
  @Flag(help: "Markdown: the step reference.") var markdown = false
  @Argument(help: "One kind.", completion: .kinds) var name: String?

  func run() throws {
    let all = try Catalogue.kinds(state: Machine.cacheDirectory)
    if let name, all[name] == nil {
      throw Problem(.usage, "no step kind '\(name)'", hint: nearest(to: name, among: all.keys).map { "did you mean '\($0)'?" })
    }
    let (kinds, omitted) = limit.first(of: (name.map { [all[$0]!] } ?? Array(all.values)).sorted { $0.name < $1.name })
    if output.json {
      var json: JSON = [
        "kinds": .array(
          kinds.map { kind in
            var json = kind.json
            json["with"] = kind.parameterSchema
            return json
          })
      ]
      if omitted > 0 { json["omitted"] = .integer(omitted) }
      return Terminal.print(json.pretty)
    }
    if markdown { return Terminal.print(kinds.map(Self.markdown).joined(separator: "\n")) }
    if name == nil {
      Terminal.print(table(kinds.map { [$0.name, $0.effect.rawValue, $0.summary] }))
      if omitted > 0 { Terminal.print(LimitOption.rest(omitted)) }
    } else {
      Terminal.print(Self.text(kinds[0]))
    }
  }

  private static func text(_ kind: Kind) -> String {
    var lines = ["\(kind.name) (\(kind.effect.rawValue), revision \(kind.revision))", "  \(kind.summary)"]
    if !kind.inputs.isEmpty { lines.append("inputs") }
    for input in kind.inputs { lines.append("  \(input.name)\(input.many ? " …" : "")\(input.required ? "" : " (optional)"): \(input.summary)") }
    lines.append("outputs")
    for output in kind.outputs { lines.append("  \(output.name) (\(output.form.rawValue)): \(output.summary)") }
    if !kind.parameters.isEmpty { lines.append("parameters") }
    for parameter in kind.parameters {
      lines.append(
        "  \(parameter.name) (\(parameter.form.words)): \(parameter.summary)\(parameter.fallback.map { " [\($0.compact)]" } ?? (parameter.optional ? "" : " (required)"))"
      )
    }
    return lines.joined(separator: "\n")
  }

  private static func markdown(_ kind: Kind) -> String {
    var lines = [
      "## `\(kind.name)`", "",
      "\(kind.summary) Effect: \(kind.effect.rawValue)\(kind.usesStation ? "; holds a station" : "")\(kind.shardable ? "; can be sharded" : "")\(kind.appends ? "; appends steps" : "").",
      "",
    ]
    lines += ["| | name | form | meaning |", "|---|---|---|---|"]
    for input in kind.inputs {
      lines.append("| in | `\(input.name)` | \(input.many ? "many" : "one")\(input.required ? "" : ", optional") | \(input.summary) |")
    }
    for output in kind.outputs { lines.append("| out | `\(output.name)` | \(output.form.rawValue) | \(output.summary) |") }
    for parameter in kind.parameters {
      let form = parameter.form.schema.compact.replacing("|", with: "\\|")
      lines.append(
        "| with | `\(parameter.name)` | `\(form)`\(parameter.fallback.map { ", default `\($0.compact)`" } ?? (parameter.optional ? ", optional" : "")) | \(parameter.summary) |"
      )
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
