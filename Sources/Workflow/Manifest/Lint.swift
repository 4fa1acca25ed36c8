// What is right and could be better: found in the manifest alone, without running anything.

internal import Glibc
import JSON

public struct Remark: Sendable {
  public let step: String?
  public let sentence: String
  public let place: Place?
  public let hint: String?

  public init(step: String?, _ sentence: String, at place: Place?, hint: String?) {
    (self.step, self.sentence, self.place, self.hint) = (step, sentence, place, hint)
  }
}

extension Session {
  /// Remarks on the manifest's own steps.
  public func lint() -> [Remark] {
    let text = String(decoding: (try? Files.read(manifest.path)) ?? [], as: UTF8.self)
    let origin = Origin(file: manifest.path, pointer: JSONPointer())
    let unused = manifest.variables.keys.filter { !text.contains("${var.\($0)}") }.map {
      Remark(step: nil, "variable '\($0)' is never used", at: origin.place("vars", $0, key: true), hint: "remove it")
    }
    return unused + manifest.steps.values.flatMap(remarks)
  }

  private func remarks(_ step: StepDeclaration) -> [Remark] {
    guard case .command(let argv) = step.action else { return [] }
    var remarks: [Remark] = []
    if argv.count == 3, ["sh", "bash", "/bin/sh", "/bin/bash"].contains(argv[0]), argv[1] == "-c", Self.needsNoShell(argv[2]) {
      let words = JSON.array(argv[2].split(separator: " ").map { .string(String($0)) }).compact
      remarks.append(
        Remark(step: step.name, "step '\(step.name)' starts a shell for one program", at: step.origin.place("run"), hint: "\"run\": \(words)"))
    }
    for (index, word) in argv.enumerated() where word.contains(manifest.directory + "/") {
      remarks.append(
        Remark(
          step: step.name, "step '\(step.name)' names a path of this machine", at: step.origin.place("run", String(index)),
          hint: "declare it under 'in' or 'out' and write the path as seen from the manifest, or ${in.NAME}"))
    }
    return remarks
  }

  /// One program and its words, with nothing that a shell would do.
  private static func needsNoShell(_ script: String) -> Bool {
    let builtins: Set<Substring> = [
      "cd", "export", "exit", "set", "source", ".", "eval", "exec", "trap", "read", "umask", "ulimit", ":", "if", "for", "while",
    ]
    guard let first = script.split(separator: " ").first, !builtins.contains(first) else { return false }
    return !script.contains { "|&;<>()`\\\"'*?[]#~=%!{}$\n".contains($0) }
  }
}
