// enpire recipe: is a recipe right, and in what do two differ? The worker knows recipes; it is asked and its answer is shown.

import ArgumentParser
import JSON
import Workflow

struct RecipeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipe", abstract: "Checks recipes, compares what two of them mean, and measures how many threads serve one.",
    subcommands: [Validate.self, Diff.self, Threads.self, Schema.self])

  fileprivate static func ask(_ words: [String], about files: [String] = []) throws -> JSON {
    // What cannot be read is no mistake in a recipe.
    for file in files { _ = try readInput(file) }
    let answer = try Catalogue.ask(["recipe"] + words, state: Machine.cacheDirectory)
    if let problem = answer["error"]?.string {
      throw Problem(.manifest, (answer["place"]?.string.map { $0 + ": " } ?? "") + problem, hint: answer["hint"]?.string)
    }
    return answer
  }

  struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "validate", abstract: "Finds every mistake in recipes; ends with 65 if there is one.",
      discussion: "Example:\n  enpire recipe validate workflows/recipes/push-t.json")

    @OptionGroup(title: "What is said") var output: OutputOptions
    @Argument(help: "Recipe files.", completion: .file(extensions: ["json"])) var files: [String]

    func run() throws {
      let answer = try RecipeCommand.ask(["validate"] + files, about: files)
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
      let answer = try RecipeCommand.ask(["diff", old, new], about: [old, new])
      if output.json { return Terminal.print(answer.pretty) }
      let differences = answer["differences"]?.array ?? []
      func text(_ value: JSON?) -> String { value.map { $0 == .null ? "nothing" : $0.compact } ?? "nothing" }
      for one in differences { Terminal.print("\(one["setting"]?.string ?? ""): \(text(one["old"])) -> \(text(one["new"]))") }
      if differences.isEmpty { Terminal.say("they mean the same") }
    }
  }

  struct Threads: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "threads", abstract: "Measures which count of threads trains a recipe's network fastest here.",
      discussion: """
        Trains the recipe's own network half a second at a time by 1, 2, 4… threads, in turns.
        The same seed gives the same bits for the same count only, so the count is a
        setting of the recipe: what is measured is told, and nothing is changed.

        Examples:
          enpire recipe threads workflows/recipes/push-t.json --regime bc
          enpire recipe threads --json workflows/recipes/push-t.json --regime rl
        """)

    @OptionGroup(title: "What is said") var output: OutputOptions
    @Option(
      help: ArgumentHelp("Measure this part of the recipe, bc or rl, instead of its own regime's.", valueName: "regime"),
      completion: .list(["bc", "rl"])) var regime: String?
    @Argument(help: "The recipe.", completion: .file(extensions: ["json"])) var file: String

    func validate() throws {
      if let regime, !["bc", "rl"].contains(regime) { throw ValidationError("--regime is bc or rl, not '\(regime)'") }
    }

    func run() throws {
      let answer = try RecipeCommand.ask(["threads", file] + (regime.map { [$0] } ?? []), about: [file])
      if output.json { return Terminal.print(answer.pretty) }
      let choice = answer["choice"]?.int ?? 1, said = answer["said"]?.int ?? 1
      let measured = (answer["measured"]?.array ?? []).map { ($0["threads"]?.int ?? 0, $0["seconds"]?.double ?? 0) }
      let one = measured.first?.1 ?? 0
      Terminal.print(
        table(
          measured.map {
            [$0 == 1 ? "1 thread" : "\($0) threads", duration($1), $0 == 1 ? "" : "\((100 * one / $1).rounded() / 100) times as fast as one"]
          }))
      let advice = choice == said ? "as the recipe has it" : "the recipe says \(said)"
      Terminal.print("\(answer["setting"]?.string ?? ""): \(choice) is best here, \(advice)")
    }
  }

  struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "schema", abstract: "Prints the JSON Schema of recipes.", discussion: "Example:\n  enpire recipe schema > recipe.schema.json")

    @OptionGroup(title: "What is said") var output: OutputOptions

    func run() throws { Terminal.print(try RecipeCommand.ask(["schema"]).pretty) }
  }
}
