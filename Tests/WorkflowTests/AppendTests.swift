// Appending by a program that has the engine as a library: the same checks, the same files.

import Foundation
import JSON
import Testing
import Workflow

@Suite struct `Appending by a library call` {
  @Test func `steps are appended with who wanted what, or refused with a reason`() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "append-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let manifest = directory.appending(path: "study.json").path()
    try Data(#"{"manifest": 1, "append": {"kinds": ["run"], "steps": 1}, "steps": {"a": {"run": ["true"], "phony": true}}}"#.utf8)
      .write(to: URL(filePath: manifest))

    var request = AppendRequest(text: Array(#"{"steps": {"b": {"run": ["true"], "after": ["a"], "phony": true}}}"#.utf8), source: "an agent")
    request.note = AppendNote(author: "ann", hypothesis: "b is better", parent: "a")
    request.dryRun = true
    #expect(try Session.append(request, to: manifest).cost?.steps == 1)
    #expect(!FileManager.default.fileExists(atPath: directory.appending(path: "study.steps").path()))
    request.dryRun = false
    let result = try Session.append(request, to: manifest)
    let file = directory.appending(path: "study.steps/" + (try #require(result.entries.first?.file)))
    let json = try JSON(parsing: Data(contentsOf: file))
    #expect(json["name"] == "b" && json["author"] == "ann" && json["hypothesis"] == "b is better" && json["parent"] == "a")
    #expect(try Session(manifestPath: manifest).revision == result.revision)

    request.text = Array(#"{"steps": {"c": {"run": ["true"], "after": ["non"], "phony": true}}}"#.utf8)
    let problem = #expect(throws: Problem.self) { try Session.append(request, to: manifest) }
    #expect(problem?.code == .manifest && problem?.sentence.contains("no step 'non'") == true, "\(String(describing: problem))")
    request.text = Array(#"{"steps": {"c": {"run": ["true"], "phony": true}}}"#.utf8)
    #expect(#expect(throws: Problem.self) { try Session.append(request, to: manifest) }?.code == .budget)
    request.revision = "0"
    #expect(#expect(throws: Problem.self) { try Session.append(request, to: manifest) }?.code == .conflict)
  }
}
