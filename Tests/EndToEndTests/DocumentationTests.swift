// Documents against the program: the reference lists every verb and option, each verb has an example, and every shell line is one that the
// program takes.

import Foundation
import JSON
import Testing

@Suite struct `The documents` {
  private static let marker = "<!-- reference: what follows is written by `make docs` -->\n"

  private static func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: Workspace.repository.appending(path: name)), as: UTF8.self)
  }

  private static func verbs(of workspace: Workspace) throws -> [JSON] {
    func verbs(_ command: JSON, below words: [String]) -> [JSON] {
      (command["subcommands"]?.array ?? []).filter { $0["commandName"] != "help" && $0["shouldDisplay"] == true }.flatMap { verb -> [JSON] in
        let words = words + [verb["commandName"]!.string!]
        if verb["subcommands"] != nil { return verbs(verb, below: words) }
        var verb = verb
        verb["commandName"] = .string(words.joined(separator: " "))
        return [verb]
      }
    }
    return verbs(try JSON(parsing: try workspace.enpire("--experimental-dump-help").output)["command"]!, below: [])
  }

  @Test func `the reference of the command line is what the program says`() throws {
    let parts = try Self.text("docs/cli.md").components(separatedBy: Self.marker)
    let reference = try Workspace().enpire("reference").output
    #expect(
      parts.count == 2 && parts[1].trimmingCharacters(in: .newlines) == reference.trimmingCharacters(in: .newlines),
      "docs/cli.md is not current: make docs, or { sed '/^<!-- reference/q' docs/cli.md; echo; PROGRAM reference; } > new && mv new docs/cli.md")
  }

  @Test func `the reference lists every verb and every option`() throws {
    let workspace = try Workspace()
    let reference = try Self.text("docs/cli.md")
    for verb in try Self.verbs(of: workspace) {
      #expect(reference.contains("## `enpire \(verb["commandName"]!.string!)"))
      for option in verb["arguments"]!.array! where option["kind"] != "positional" && option["preferredName"]?["name"] != "version" {
        for name in option["names"]!.array! {
          let written = (name["kind"] == "short" ? "-" : "--") + name["name"]!.string!
          #expect(reference.contains("`\(written)`") || reference.contains("`\(written) "), "\(written) of \(verb["commandName"]!.string!)")
        }
      }
    }
  }

  @Test func `the form of every verb's JSON is told`() throws {
    let table = try Self.text("docs/cli.md").components(separatedBy: "## JSON\n")[1].components(separatedBy: "\n## ")[0]
    for verb in try Self.verbs(of: Workspace()) where verb["arguments"]!.array!.contains(where: { $0["valueName"] == "json" }) {
      #expect(table.contains("`\(verb["commandName"]!.string!)`"))
    }
  }

  @Test func `every verb says in its help what it does, with an example, in 80 columns`() throws {
    let workspace = try Workspace()
    let verbs = try Self.verbs(of: workspace)
    #expect(verbs.count >= 16)
    for verb in verbs.map({ $0["commandName"]!.string! }) {
      let help = workspace.outcome(of: try workspace.start(verb.split(separator: " ").map(String.init) + ["--help"]))
      #expect(help.code == 0 && help.output.contains("Example") && help.output.contains("enpire \(verb)"), "\(verb)")
      for line in help.output.split(separator: "\n") where !line.hasPrefix("  ") && !line.hasPrefix("USAGE") {
        #expect(line.count <= 80, "\(verb): \(line)")
      }
    }
    let help = try workspace.enpire("--help").output
    for code in ["0", "1", "3", "64", "65", "66", "69", "70", "74", "75", "77", "78", "124", "130"] { #expect(help.contains("\n  \(code)\t")) }
  }

  /// The lines of a document's shell snippets that start enpire, and the directory each is in.
  private static func lines(_ document: String) throws -> [(directory: String, words: String)] {
    var lines: [(String, String)] = []
    for block in try text(document).components(separatedBy: "```sh\n").dropFirst() {
      var directory = "."
      for line in block.components(separatedBy: "```")[0].split(separator: "\n") {
        let command = line.components(separatedBy: " #")[0].components(separatedBy: " | ")[0].components(separatedBy: " > ")[0]
          .components(separatedBy: " &")[0]
        if command.hasPrefix("cd ") { directory = String(command.dropFirst(3)) }
        if command.hasPrefix("enpire ") { lines.append((directory, command)) }
      }
    }
    return lines
  }

  @Test(arguments: ["README.md", "AGENTS.md", "docs/cli.md", "docs/manifest.md", "docs/new-step.md", "docs/stations.md", "docs/design.md"])
  func `every shell line of the documents is one that the program takes`(document: String) throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "vars": {"trials": 1}, "steps": {"train": {"run": ["true"], "out": {"o": "o"}}, "report": {"run": ["true"], "out": {"o": "p"}}}}"#
    )
    try FileManager.default.createSymbolicLink(
      at: workspace.path("workflows"), withDestinationURL: Workspace.repository.appending(path: "workflows"))
    try workspace.write(#"{"steps": {}}"#, to: "steps.json")
    // What would change something is asked what it would change.
    let careful = [
      "run": "-n", "append": "-n", "clean": "-n", "touch": "-n", "fmt": "--check", "reproduce": "--help", "watch": "--help", "schedule": "--help",
    ]
    for (directory, line) in try Self.lines(document) {
      let words = line.split(separator: " ").map(String.init)
      let command = line + (careful[words[1]].map { " " + $0 } ?? (words[1].hasPrefix("-") || words.count == 1 ? " -n" : ""))
      let script =
        "cd \(directory) && PATH=\(Workspace.program.deletingLastPathComponent().path()):$PATH && GOAL=evaluate STEP=train KIND=train && timeout 60 \(command) < /dev/null"
      let outcome = workspace.outcome(
        of: try workspace.start(["-c", script], environment: ["ENPIRE_STATE": workspace.path("state").path()], program: URL(filePath: "/bin/bash")))
      for mistake in ["unknown option", "unexpected argument", "is invalid for", "missing ", "not found", "no variable"] {
        #expect(!outcome.errors.contains(mistake), "\(document): \(line)\n\(outcome.errors)")
      }
    }
  }
}
