// A secret reaches the step that names it, and is found nowhere afterwards.

import Foundation
import JSON
import Testing

@Suite struct `Secrets` {
  private let value = "s3cr3t-\(UUID().uuidString)"

  /// Every file below the directory that holds the text.
  private func files(holding text: String, in directory: URL) throws -> [String] {
    let needle = Data(text.utf8)
    return (FileManager.default.enumerator(atPath: directory.path()) ?? FileManager.DirectoryEnumerator()).compactMap { $0 as? String }.filter {
      name in
      FileManager.default.contents(atPath: directory.appending(path: name).path())?.range(of: needle) != nil
    }
  }

  private func workspace(_ script: String, secrets: JSON = ["TOKEN"]) throws -> Workspace {
    let workspace = try Workspace()
    let step: JSON = ["run": ["sh", "-c", .string(script)], "out": ["o": "o"], "secrets": secrets]
    try workspace.write((["manifest": 1, "steps": ["a": step]] as JSON).compact, to: "enpire.json")
    return workspace
  }

  @Test(arguments: ["bwrap", "none"]) func `it is in the step's environment and nowhere else`(mode: String) throws {
    let script = """
      test ${#TOKEN} = \(value.count) || exit 3
      echo "printed $TOKEN twice $TOKEN"; echo "on stderr: $TOKEN" >&2
      printf %s "$TOKEN" | cut -c 1-9 | tr -d '\\n'; sleep 0.1; printf %s "$TOKEN" | cut -c 10-
      printf '{"done": 1, "total": 2, "word": "%s"}\\n{"telemetry": "t-%s", "value": ["%s"]}\\n' "$TOKEN" "$TOKEN" "$TOKEN" >&3
      echo "$TOKEN" | wc -c > o
      """
    let workspace = try workspace(script.replacingOccurrences(of: "${#", with: "$${#"))
    let environment = ["TOKEN": value, "ENPIRE_SANDBOX": mode]
    let first = try workspace.enpire("run", "--json", environment: environment)
    #expect(first.code == 0, "\(first.errors)")
    #expect(workspace.read("o") == "\(value.count + 1)\n")
    let log = try workspace.enpire("log", "a", environment: environment).output
    #expect(log == "printed *** twice ***\non stderr: ***\n***\n")
    for arguments in [["why", "a"], ["status", "--json"], ["plan", "--json"], ["history", "--json"]] {
      let outcome = workspace.outcome(of: try workspace.start(arguments, environment: environment, number: 7), number: 7)
      #expect(!(outcome.output + outcome.errors).contains(value))
    }
    #expect(try files(holding: value, in: workspace.directory) == [])
    // Another value is no reason to run again: only the name counts.
    #expect(try workspace.enpire("run", environment: ["TOKEN": "other"]).errors.hasPrefix("nothing to do"))
  }

  @Test func `a failure tells the end of the log without it`() throws {
    let workspace = try workspace("echo \"error: cannot log in with $TOKEN\"; exit 1")
    let outcome = try workspace.enpire("run", environment: ["TOKEN": value])
    #expect(outcome.code == 1 && outcome.errors.contains("cannot log in with ***"), "\(outcome.errors)")
    #expect(try files(holding: value, in: workspace.directory) == [])
  }

  @Test func `lines of a secret file are kept out one by one`() throws {
    let workspace = try workspace("echo \"$KEY\" | tail -n 1; true > o", secrets: ["KEY": ["file": "key.pem"]])
    try workspace.write("BEGIN KEY\n\(value)\n", to: "key.pem")
    #expect(try workspace.enpire().code == 0)
    #expect(try workspace.enpire("log", "a").output == "***\n")
    #expect(try files(holding: value, in: workspace.path(".enpire")) == [])
  }

  @Test func `an output that holds it fails the step and is not kept`() throws {
    let workspace = try workspace("printf 'x%.0s' $(seq 70000) > o; echo $TOKEN >> o")
    let outcome = try workspace.enpire("run", environment: ["TOKEN": value])
    #expect(outcome.code == 1 && outcome.errors.contains("a: its output 'o' holds a secret"), "\(outcome.errors)")
    #expect(try files(holding: value, in: workspace.directory) == [])
  }

  @Test func `one that is not there fails its step`() throws {
    let workspace = try workspace("true > o", secrets: ["ENPIRE_NO_SUCH"])
    #expect(try workspace.enpire().errors.contains("the secret 'ENPIRE_NO_SUCH' is not there: ENPIRE_NO_SUCH is not set"))
    let file = try self.workspace("true > o", secrets: ["A": ["file": "missing"]])
    #expect(try file.enpire().errors.contains("the secret 'A' is not there: missing cannot be read"))
  }

  @Test func `lines that end as Windows ends them are kept out too`() throws {
    let workspace = try workspace("printf '%s' \"$TOKEN\" | tr -d '\\r' | while read -r line; do echo \"line $line\"; done; echo > o")
    let environment = ["TOKEN": "BEGIN-\(value)\r\nMIDDLE-\(value)\r\nlast"]
    #expect(try workspace.enpire(environment: environment).code == 0)
    let log = try workspace.enpire("log", "a").output
    #expect(log.contains("line ***") && !log.contains(value), "\(log)")
  }

  @Test func `a file that is called by it is no output`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "mkdir -p d; echo x > \"d/$TOKEN\""], "secrets": ["TOKEN"], "out": {"o": "d/"}}}}
      """#)
    let run = try workspace.enpire(environment: ["TOKEN": value])
    #expect(run.code != 0 && run.errors.contains("holds a secret") && !run.errors.contains(value), "\(run.errors)")
    #expect(try files(holding: value, in: workspace.directory) == [] && workspace.read("d/\(value)") == nil)
  }
}
