// enpire fmt: puts manifests into their one form.

import ArgumentParser
import Glibc
import JSON
import Workflow

struct FmtCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt", abstract: "Formats manifests: two spaces, one line for what fits in 150 columns.",
    discussion: """
      Order of keys, words and numbers stay as they are. Fleet files, recipes and any other JSON can be formatted too.

      Examples:
        enpire fmt workflows/*.json
        enpire fmt --check workflows/push-t.json
        enpire fmt - < enpire.json
      """)

  @OptionGroup var manifest: ManifestOptions
  @Flag(help: "Change nothing; show what differs, and exit with 1 if anything does.") var check = false
  @OptionGroup(title: "What is said") var output: OutputOptions
  @Argument(help: "Files (default: the manifest); - for standard input to standard output.", completion: .file(extensions: ["json"]))
  var files: [String] = []

  func run() throws {
    try manifest.enter()
    if files == ["-"] {
      return Terminal.put(String(decoding: try Format.format(readInput("-"), file: "standard input"), as: UTF8.self))
    }
    var changed: [(file: String, difference: [String])] = []
    let all = files.isEmpty ? [manifest.file] : files
    for file in all {
      if let difference = try Format.format(file: file, write: !check) { changed.append((file, difference)) }
    }
    if output.json {
      let entries = all.map { file in ["file": .string(file), "changed": .bool(changed.contains { $0.file == file })] as JSON }
      Terminal.print((["fmt": 1, "written": .bool(!check), "files": .array(entries)] as JSON).pretty)
    } else {
      for (file, difference) in changed {
        Terminal.print(check ? "\(file) is not formatted\n" + difference.joined(separator: "\n") : "formatted \(file)")
      }
    }
    if check, !changed.isEmpty { leave(.stepFailed) }
  }
}

/// A file that the command line names; - for standard input.
func readInput(_ path: String) throws -> [UInt8] {
  let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
  defer { if path != "-", descriptor >= 0 { close(descriptor) } }
  var text: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while descriptor >= 0, case let count = read(descriptor, &buffer, buffer.count), count >= 0 {
    if count == 0 { return text }
    text += buffer[..<count]
  }
  throw Problem(.missingInput, "cannot read \(path == "-" ? "standard input" : path): \(String(cString: strerror(errno)))")
}
