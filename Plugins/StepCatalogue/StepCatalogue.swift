// Lists every step kind of Sources/Steps in one generated file, so that a new kind is one new file and nothing else.
// A kind is a type declared as `enum Name: StepKind` or `struct Name: StepKind` at the start of a line.

import Foundation
import PackagePlugin

@main struct StepCatalogue: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let sources = (target as? SourceModuleTarget)?.sourceFiles(withSuffix: ".swift").map(\.url) else { return [] }
    let output = context.pluginWorkDirectoryURL.appending(path: "StepCatalogue.swift")
    let script = """
      out="$1"; shift
      { echo 'var stepKinds: [any StepKind.Type] { ['
        sed -nE 's/^(public |package )?(enum|struct) ([A-Za-z0-9]+): StepKind .*/  \\3.self,/p' "$@" | LC_ALL=C sort
        echo '] }'; } > "$out"
      """
    return [
      .buildCommand(
        displayName: "Listing step kinds", executable: URL(filePath: "/bin/sh"),
        arguments: ["-c", script, "sh", output.path()] + sources.map { $0.path() }.sorted(),
        inputFiles: sources, outputFiles: [output])
    ]
  }
}
