// The JSON Schemas and the documents against what there is: every shipped manifest, fleet and recipe conforms to its schema, by a real validator,
// and every example of docs/manifest.md that is a whole manifest is accepted by the program and by the schema.

import Foundation
import JSON
import Testing

@Suite struct `Schemas and examples` {
  private static let workflows = Workspace.repository.appending(path: "workflows")
  private static let schemas = workflows.appending(path: "schemas")

  /// A Python with jsonschema: that of `scripts/setup --test`, or the system's.
  private static let python: URL? = {
    let candidates =
      [Workspace.repository.appending(path: ".deps/python/bin/python3"), URL(filePath: "/usr/bin/python3")]
      + (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { URL(filePath: String($0)).appending(path: "python3") }
    return candidates.first { python in
      guard FileManager.default.isExecutableFile(atPath: python.path()) else { return false }
      let process = Process()
      process.executableURL = python
      process.arguments = ["-c", "import jsonschema"]
      process.standardError = FileHandle.nullDevice
      guard (try? process.run()) != nil else { return false }
      process.waitUntilExit()
      return process.terminationStatus == 0
    }
  }()

  /// What is wrong with documents by their schemas, a line each. `pairs` are schema and document, one after the other.
  private func complaints(_ pairs: [(schema: String, document: URL)]) throws -> String {
    let script = """
      import json, sys, jsonschema
      for schema, document in zip(sys.argv[1::2], sys.argv[2::2]):
          with open(schema) as s, open(document) as d: s, d = json.load(s), json.load(d)
          jsonschema.Draft202012Validator.check_schema(s)
          for e in jsonschema.Draft202012Validator(s).iter_errors(d): print(f"{document}: {e.json_path}: {e.message[:200]}")
      """
    let workspace = try Workspace()
    let python = try #require(Self.python, "jsonschema is missing: run scripts/setup --test")
    let arguments = pairs.flatMap { [Self.schemas.appending(path: $0.schema).path(), $0.document.path()] }
    let outcome = workspace.outcome(of: try workspace.start(["-c", script] + arguments, program: python))
    return outcome.output + outcome.errors
  }

  /// Every JSON block of the document that is a whole manifest.
  private static func blocks(_ language: String) -> [String] {
    let text = (try? String(contentsOf: Workspace.repository.appending(path: "docs/manifest.md"), encoding: .utf8)) ?? ""
    return text.components(separatedBy: "```\(language)\n").dropFirst().map { $0.components(separatedBy: "\n```")[0] }
  }

  private static let examples = blocks("json").filter { (try? JSON(parsing: $0))?["manifest"] != nil }

  @Test func `everything that is shipped conforms to its schema`() throws {
    let files = try FileManager.default.subpathsOfDirectory(atPath: Self.workflows.path())
    var pairs: [(String, URL)] = []
    for file in files.sorted() where file.hasSuffix(".json") && !file.hasPrefix("schemas/") && !file.contains(".enpire/") {
      let url = Self.workflows.appending(path: file)
      guard let json = try? JSON(parsing: Data(contentsOf: url)) else { continue }
      // Each format says its version under its own name.
      for format in ["manifest", "fleet", "recipe"] where json[format]?.int != nil { pairs.append(("\(format).schema.json", url)) }
    }
    #expect(Set(pairs.map(\.0)) == ["manifest.schema.json", "fleet.schema.json", "recipe.schema.json"])
    #expect(try complaints(pairs) == "")
  }

  @Test func `every example that is a whole manifest is accepted, by the program and by the schema`() throws {
    #expect(Self.examples.count >= 7)
    let library = try JSON(
      parsing: #"{"manifest": 1, "vars": {"seed": 1, "data": "d"}, "steps": {"train": {"run": ["true"], "out": {"model": "m"}}}}"#)
    var workspaces: [Workspace] = []
    for example in Self.examples {
      let workspace = try Workspace(example, files: ["vision/train.json": library.compact])
      let outcome = try workspace.enpire("check")
      #expect(outcome.code == 0, "\(example)\n\(outcome.errors)")
      workspaces.append(workspace)
    }
    #expect(try complaints(workspaces.map { ("manifest.schema.json", $0.path("enpire.json")) }) == "")
  }

  @Test func `the examples that need nothing else run`() throws {
    let script = try #require(Self.blocks("python").first)
    for example in Self.examples where !example.contains("vision/train.json") && !example.contains("\"gripper\"") {
      let workspace = try Workspace(example, files: ["in.csv": "a\nb\n", "sweep.py": script])
      let outcome = try workspace.enpire()
      #expect(outcome.code == 0, "\(example)\n\(outcome.errors)")
    }
  }

  /// What the program refuses by form the schema refuses too.
  @Test(arguments: [
    #"{"uses": "x", "run": ["y"]}"#, #"{}"#, #"{"run": []}"#, #"{"run": ["x"]}"#, #"{"run": ["x"], "out": {"o": "../p"}}"#,
    #"{"uses": "x", "retries": -1}"#,
    #"{"uses": "x", "retries": {"delay": 1}}"#, #"{"uses": "x", "timeout": "5 parsecs"}"#, #"{"uses": "x", "timeout": {"grace": 1}}"#,
    #"{"uses": "x", "resources": {"memory": "4 gigs"}}"#, #"{"uses": "x", "secrets": {"T": {"vault": "x"}}}"#, #"{"uses": "x", "network": "yes"}"#,
    #"{"phony": true, "out": {"o": "p"}}"#, #"{"run": ["x"], "phony": true, "out": {"o": "p"}}"#, #"{"uses": "x", "phony": true}"#,
    #"{"uses": "x", "matrix": {"k": []}}"#, #"{"uses": "x", "matrix": {"k": [1], "exclude": [1]}}"#, #"{"uses": "x", "foreach": {"i": [1]}}"#,
    #"{"run": ["x"], "out": {"o": {"path": "p", "optional": "yes"}}}"#, #"{"uses": "x", "when": 3}"#, #"{"uses": "x", "wiht": {}}"#,
    #"{"run": ["x", "${append}"], "phony": true, "appends": true}"#, #"{"uses": "x", "appends": []}"#,
  ]) func `what the program refuses by form the schema refuses too`(step: String) throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": \#(step)}}"#)
    #expect(try workspace.enpire("check").code == 65)
    #expect(try !complaints([("manifest.schema.json", workspace.path("enpire.json"))]).isEmpty)
  }
}
