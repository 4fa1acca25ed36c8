// enpire completion: a shell's completion script, which asks `enpire` itself for steps and variables.

import ArgumentParser
import Glibc
import Workflow

struct CompletionCommand: ParsableCommand {
  enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "Prints a completion script for bash, zsh or fish.",
    discussion: """
      It completes verbs, options, steps and variables; those of the manifest that the command line names with -f and -C.

      Example:
        enpire completion bash > ~/.local/share/bash-completion/completions/enpire
      """)

  @Argument(help: "bash, zsh or fish.") var shell: Shell

  func run() { Terminal.print(Enpire.completionScript(for: CompletionShell(rawValue: shell.rawValue)!)) }
}

extension CompletionKind {
  /// Steps of the manifest.
  static let steps = CompletionKind.custom { words, _, prefix in Completion(words).steps(prefix) }
  /// Steps and variables.
  static let goals = CompletionKind.custom { words, _, prefix in Completion(words).steps(prefix) + Completion(words).variables }
  /// Stations of the fleet, and variables.
  static let stations = CompletionKind.custom { words, _, _ in Completion(words).stations + Completion(words).variables }
  /// What `taint` takes: a kind of thing, then its name.
  static let marked = CompletionKind.custom { words, _, prefix in
    switch words.compactMap(Taint.What.init).last {
    case nil: Taint.What.allCases.map(\.rawValue)
    case .step: Completion(words).steps(prefix)
    case .station: Completion(words).stations
    case .file, .run: []
    }
  }
  static let kinds = CompletionKind.custom { _, _, _ in (try? Catalogue.kinds(state: Machine.cacheDirectory))?.keys.sorted() ?? [] }
}

/// Names of the manifest that a command line is about; none if there is no such manifest, for a shell must not see errors.
private struct Completion {
  private let file: String
  private let manifest: Manifest?

  init(_ words: [String]) {
    func value(_ short: String, _ long: String) -> String? {
      for (index, word) in words.enumerated() {
        if word == short || word == long { return index + 1 < words.count ? words[index + 1] : nil }
        if word.hasPrefix(long + "=") { return String(word.dropFirst(long.count + 1)) }
        if word.hasPrefix(short), !word.hasPrefix("--") { return String(word.dropFirst(2)) }
      }
      return nil
    }
    if let directory = value("-C", "--directory") { chdir(directory) }
    file = value("-f", "--file") ?? "enpire.json"
    manifest = try? Manifest(path: file)
  }

  var variables: [String] { manifest.map { $0.variables.keys.map { $0 + "=" } } ?? [] }

  var stations: [String] { manifest?.fleet.flatMap { try? Fleet(path: $0) }?.stations.map(\.name) ?? [] }

  /// Instances of a matrix only once the step is written out: there may be thousands.
  func steps(_ prefix: String) -> [String] {
    guard let manifest else { return [] }
    guard let bracket = prefix.firstIndex(where: { "[/".contains($0) }) else { return Array(manifest.steps.keys) }
    guard let session = try? Session(manifestPath: file) else { return [] }
    return session.graph.names.filter { $0.hasPrefix(prefix[...bracket]) }
  }
}
