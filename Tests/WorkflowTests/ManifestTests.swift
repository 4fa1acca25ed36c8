import Foundation
import JSON
import Testing

@testable import Workflow

@Suite struct `Manifests` {
  private func load(_ text: String, _ overrides: [(String, String)] = []) throws -> Manifest {
    let file = FileManager.default.temporaryDirectory.appending(path: "enpire-\(UUID().uuidString).json")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try Manifest(path: file.path(), overrides: overrides.map { (name: $0.0, value: $0.1) })
  }

  private func complaint(_ text: String) -> String {
    do { _ = try load(text) } catch let problem as Problem {
      // The file's own name is made up.
      return problem.description.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
        index == 0 ? String(line[(line.range(of: ".json:")?.upperBound ?? line.startIndex)...]) : String(line)
      }.joined(separator: "\n")
    } catch {}
    return "no complaint"
  }

  @Test func `variables may use those before them, and the command line overrides them by type`() throws {
    let text = #"{"manifest": 1, "vars": {"n": 4, "name": "run-${var.n}", "list": [1]}, "steps": {"a": {"run": ["x"], "out": {"o": "p"}}}}"#
    #expect(try load(text).variables == ["n": 4, "name": "run-4", "list": [1]])
    #expect(try load(text, [("n", "5")]).variables["name"] == "run-5")
    #expect(problem { _ = try load(text, [("n", "many")]) } == "n=many: the variable holds no string, but 4 | give JSON of the same type")
    #expect(problem { _ = try load(text, [("m", "1")]) }.hasSuffix("| did you mean 'n'?"))
  }

  @Test func `a syntax error has its place and a caret`() {
    #expect(
      complaint("{\n  \"manifest\": 1,\n  \"steps\": {\n    \"a\": {,}\n  }\n}") == """
        4:11: string or '}' expected near ','
              "a": {,}
                    ^
        """)
  }

  @Test func `an unknown key has its place, a caret and the nearest name`() {
    #expect(
      complaint("{\n  \"manifest\": 1,\n  \"steps\": {\n    \"a\": { \"uses\": \"x\", \"wiht\": {} }\n  }\n}") == """
        4:25: unknown key 'wiht'
              "a": { "uses": "x", "wiht": {} }
                                  ^
          hint: did you mean 'with'?
        """)
  }

  @Test(arguments: [
    (" \n", "1:1: the file is empty"), (#"{"steps": {}}"#, #"1:1: "manifest": 1 is missing"#),
    (#"{"manifest": 2, "steps": {}}"#, "1:14: manifest version 2 is not known to this enpire"),
    (#"{"manifest": 1, "steps": {"a": {}}}"#, "1:27: step 'a' has neither 'uses' nor 'run'"),
    (#"{"manifest": 1, "steps": {"a": {"run": "ls", "out": {"o": "p"}}}}"#, "1:40: 'run' must be a list of strings"),
    (#"{"manifest": 1, "steps": {"a": {"run": ["ls"]}}}"#, "1:27: step 'a' has no 'out'"),
    (#"{"manifest": 1, "steps": {"a": {"run": ["ls"], "out": {"o": "../p"}}}}"#, "1:61: output 'o' must be a path below the manifest's directory"),
    (#"{"manifest": 1, "steps": {"a": {"uses": "x", "timeout": "5 parsecs"}}}"#, "1:57: 'timeout' must be a time"),
    (#"{"manifest": 1, "steps": {"a": {"uses": "x", "matrix": {"k": [1, 1]}}}}"#, "1:62: matrix 'k' holds a value twice"),
    (#"{"manifest": 1, "steps": {"a": {"uses": "x", "retries": {"max": 2, "on": ["tiemout"]}}}}"#, #"1:75: "tiemout" is no cause of a failure"#),
    (#"{"manifest": 1, "steps": {"a": {"uses": "x", "retries": {"delay": 1}}}}"#, "1:57: 'max' must be a count from 0 to 100"),
    (#"{"manifest": 1, "steps": {"a": {"uses": "x", "timeout": {"after": "1m", "grase": 2}}}}"#, "1:73: unknown key 'grase'"),
    (#"{"manifest": 1, "steps": {"a": {"uses": "x", "resources": {"memory": "4 gigs"}}}}"#, "1:70: 'memory' must be a size"),
    (#"{"manifest": 1, "steps": {"a": {"uses": "x", "secrets": {"T": {"vault": "x"}}}}}"#, "1:64: unknown key 'vault'"),
    (#"{"manifest": 1, "steps": {"a": {"uses": "x", "network": "yes"}}}"#, "1:57: 'network' must be true or false"),
    (#"{"manifest": 1, "pools": {"p": ["a", "a"]}, "steps": {}}"#, "1:32: pool 'p' must be a count, or a list of different names"),
    (#"{"manifest": 1, "default": ["b"], "steps": {"a": {"uses": "x"}}}"#, "1:29: no step 'b'"),
    (#"{"manifest": 1, "steps": {"a": {"uses": "x"}, "a": {}}}"#, "1:49: duplicate object key near '\"a\"'"),
  ]) func `what is wrong and where`(text: String, expected: String) {
    #expect(complaint(text).split(separator: "\n").first.map(String.init) == expected)
  }

  @Test func `how a step is run is read from the short and the long form`() throws {
    let steps = try load(
      #"""
      {"manifest": 1, "pools": {"licence": 2, "arm": ["left", "right"]}, "steps": {
        "short": {"uses": "x", "retries": 2, "timeout": "2m", "secrets": ["TOKEN"]},
        "long": {"uses": "x", "priority": 5, "network": true, "sandbox": false, "may_fail": true,
          "resources": {"cpu": 1.5, "memory": "2G", "gpu": 1, "arm": 2, "licence": 0},
          "retries": {"max": 3, "on": ["timeout", "exit:75"], "delay": "5s", "limit": "12s"}, "timeout": {"after": 60, "grace": 1},
          "secrets": {"A": {"env": "B"}, "C": {"file": "d"}}},
        "plain": {"uses": "x"}}}
      """#
    ).steps
    #expect(steps["plain"]!.options === StepOptions.none)
    let short = steps["short"]!.options
    #expect(
      short.retry == Retry(max: 2) && short.timeout == TimeLimit(after: 120)
        && short.secrets == [Secret(name: "TOKEN", source: .environment("TOKEN"))])
    #expect(short.retry.covers(.lost) && short.retry.pause(before: 3) == 0)
    let long = steps["long"]!.options
    #expect(long.priority == 5 && long.network && long.sandbox == false && long.mayFail && long.timeout == TimeLimit(after: 60, grace: 1))
    #expect(long.resources == Resources(cpu: 1.5, memory: 2 << 30, units: ["gpu": 1, "arm": 2]))
    #expect(long.secrets == [Secret(name: "A", source: .environment("B")), Secret(name: "C", source: .file("d"))])
    #expect(long.retry.covers(.timeout) && long.retry.covers(.exit(75)) && !long.retry.covers(.exit(1)) && !long.retry.covers(.signal))
    #expect((1...3).map(long.retry.pause) == [5, 10, 12])
  }
}
