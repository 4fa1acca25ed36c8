// enpire recipe: is a recipe right, and in what do two differ? The worker knows recipes; it is asked and its answer is shown.

import ArgumentParser
import JSON
import Workflow

struct RecipeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipe", abstract: "Checks recipes, and compares what two of them mean.", subcommands: [Validate.self, Diff.self, Schema.self])

  fileprivate static func ask(_ words: [String]) throws -> JSON {
    let answer = try Catalogue.ask(["recipe"] + words, state: Machine.cacheDirectory)
    if let problem = answer["error"]?.string { throw Problem(.manifest, (answer["place"]?.string.map { $0 + ": " } ?? "") + problem) }
    return answer
  }

  struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "validate", abstract: "Finds every mistake in recipes; ends with 65 if there is one.",
      discussion: "Example:\n  enpire recipe validate workflows/recipes/push-t.json")

    @OptionGroup(title: "What is said") var output: OutputOptions
    @Argument(help: "Recipe files.", completion: .file(extensions: ["json"])) var files: [String]

    func run() throws {
      let answer = try RecipeCommand.ask(["validate"] + files)
      let faults = (answer["recipes"]?.array ?? []).flatMap { $0["faults"]?.array ?? [] }
      if output.json {
        Terminal.print(answer.pretty)
      } else {
        for fault in faults { Terminal.print("\(fault["place"]?.string ?? ""): \(fault["problem"]?.string ?? "")") }
        if faults.isEmpty { Terminal.say(files.count == 1 ? "the recipe is right" : "\(files.count) recipes are right") }
      }
      if !faults.isEmpty { leave(.manifest) }
    }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff", abstract: "Lists the settings in which two recipes differ.",
      discussion: """
        Presets and defaults are written out first, so a setting that is left out equals
        one that says the default.

        Example:
          enpire recipe diff old.json workflows/recipes/push-t.json
        """)

    @OptionGroup(title: "What is said") var output: OutputOptions
    @Argument(help: "The first recipe.", completion: .file(extensions: ["json"])) var old: String
    @Argument(help: "The second.", completion: .file(extensions: ["json"])) var new: String

    func run() throws {
      let answer = try RecipeCommand.ask(["diff", old, new])
      if output.json { return Terminal.print(answer.pretty) }
      let differences = answer["differences"]?.array ?? []
      func text(_ value: JSON?) -> String { value.map { $0 == .null ? "nothing" : $0.compact } ?? "nothing" }
      for one in differences { Terminal.print("\(one["setting"]?.string ?? ""): \(text(one["old"])) -> \(text(one["new"]))") }
      if differences.isEmpty { Terminal.say("they mean the same") }
    }
  }

  struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "schema", abstract: "Prints the JSON Schema of recipes.", discussion: "Example:\n  enpire recipe schema > recipe.schema.json")

    @OptionGroup(title: "What is said") var output: OutputOptions

    func run() throws { Terminal.print(try RecipeCommand.ask(["schema"]).pretty) }
  }
}
