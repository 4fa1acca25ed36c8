// What every verb takes: which manifest, and variables.

import ArgumentParser
import Glibc
import Workflow

struct ManifestOptions: ParsableArguments {
  @Option(name: [.customShort("f"), .customLong("file")], help: "The manifest.", completion: .file(extensions: ["json"]))
  var file = "enpire.json"

  @Option(name: [.customShort("C"), .customLong("directory")], help: "Change to this directory first.", completion: .directory)
  var directory: String?

  /// The workflow, walked by nobody yet; `overrides` are the arguments of the form NAME=value.
  func session(_ arguments: [String] = [], withKinds: Bool = false) throws -> (session: Session, names: [String]) {
    let (overrides, names) = try split(arguments)
    return (try Session(manifestPath: file, overrides: overrides, withKinds: withKinds), names)
  }

  func request(_ arguments: [String]) throws -> Request {
    let (overrides, names) = try split(arguments)
    return Request(manifest: file, overrides: overrides, goals: names)
  }

  private func split(_ arguments: [String]) throws -> (overrides: [(name: String, value: String)], names: [String]) {
    if let directory, chdir(directory) != 0 { throw Problem(.usage, "cannot change to directory \(directory): \(String(cString: strerror(errno)))") }
    var overrides: [(name: String, value: String)] = []
    var names: [String] = []
    for argument in arguments {
      // Goals may hold = in their brackets.
      if let equals = argument.firstIndex(of: "="), !argument[..<equals].contains("[") {
        overrides.append((String(argument[..<equals]), String(argument[argument.index(after: equals)...])))
      } else {
        names.append(argument)
      }
    }
    return (overrides, names)
  }
}
