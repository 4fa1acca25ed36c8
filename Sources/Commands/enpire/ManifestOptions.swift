// What every verb takes: which manifest, and variables.

import ArgumentParser
import Glibc
import Workflow

struct ManifestOptions: ParsableArguments {
  @Option(
    name: [.customShort("f", allowingJoined: true), .customLong("file")], help: "The manifest.", completion: .file(extensions: ["json"]))
  var file = "enpire.json"

  @Option(
    name: [.customShort("C", allowingJoined: true), .customLong("directory")], help: "Change to this directory first.", completion: .directory)
  var directory: String?

  /// The workflow, walked by nobody yet; `overrides` are the arguments of the form NAME=value.
  func session(_ arguments: [String] = [], withKinds: Bool = false) throws -> (session: Session, names: [String]) {
    try enter()
    let (overrides, names) = Self.sort(arguments)
    return (try Session(manifestPath: file, overrides: overrides, withKinds: withKinds), names)
  }

  /// What to open, of which no more is read than has to be.
  func request(_ arguments: [String]) throws -> Request {
    try enter()
    let (overrides, names) = Self.sort(arguments)
    return Request(manifest: file, overrides: overrides, goals: names)
  }

  /// Changes to the directory of -C.
  func enter() throws {
    if let directory, chdir(directory) != 0 { throw Problem(.usage, "cannot change to directory \(directory): \(String(cString: strerror(errno)))") }
  }

  /// Parts variables from names.
  static func sort(_ arguments: [String]) -> (overrides: [(name: String, value: String)], names: [String]) {
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
