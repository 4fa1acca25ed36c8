// What collection takes and what it never takes; what checking finds in a damaged state, and what repairing leaves.

import Foundation
import JSON
import Testing

@Suite struct `Collection and repair` {
  /// `d` makes a directory that depends on a variable, `e` reads it.
  private func workspace() throws -> Workspace {
    let workspace = try Workspace(
      """
      {"manifest": 1, "vars": {"n": 1}, "steps": {
        "d": {"run": ["sh", "-c", "echo ${var.n} > d/x; head -c 20000 /dev/zero > d/same; echo said ${var.n}"], "out": {"o": "d/"}},
        "e": {"run": ["sh", "-c", "cat ${in.d}/x > e"], "in": {"d": "${step.d.o}"}, "out": {"o": "e"}}}}
      """)
    for n in 1...3 { #expect(try workspace.summary("n=\(n)")["ran"] == 2) }
    return workspace
  }

  private func gc(_ workspace: Workspace, _ arguments: String...) throws -> JSON {
    let outcome = workspace.outcome(of: try workspace.start(["gc", "--json"] + arguments))
    return try JSON(parsing: outcome.output.isEmpty ? #"{"error": "none"}"# : outcome.output)
  }

  private func blobs(_ workspace: Workspace) -> [String] {
    let store = workspace.path(".enpire/store")
    return (FileManager.default.enumerator(atPath: store.path())?.compactMap { $0 as? String } ?? []).filter { $0.count > 3 }.sorted()
  }

  private func unpublish(_ workspace: Workspace) {
    for name in ["d", "e"] { try? FileManager.default.removeItem(at: workspace.path(name)) }
  }

  @Test func `what is young stays, and what is old goes but for the latest`() throws {
    let workspace = try workspace()
    #expect(try gc(workspace)["records"] == 0)
    let before = blobs(workspace)
    let dry = try gc(workspace, "--older-than", "0", "-n")
    #expect(dry["records"] == 4 && dry["written"] == false && blobs(workspace) == before)
    let collected = try gc(workspace, "--older-than", "0")
    #expect(collected["records"] == 4 && collected["keptRecords"] == 2 && collected["blobs"] == dry["blobs"] && collected["bytes"] == dry["bytes"])
    #expect(blobs(workspace).count == 3, "a listing and two files")
    unpublish(workspace)
    #expect(try workspace.summary("n=3")["restored"] == 2)
    #expect(workspace.read("e") == "3\n" && workspace.read("d/same")?.count == 20000)
    #expect(try workspace.enpire("log", "d").output == "said 3\n")
    #expect(try workspace.summary("n=1")["ran"] == 2)
  }

  @Test func `the results of other workflows in the same state stay`() throws {
    let workspace = try workspace()
    try workspace.write(#"{"manifest": 1, "steps": {"f": {"run": ["sh", "-c", "echo f > f"], "out": {"o": "f"}}}}"#, to: "other.json")
    #expect(try workspace.summary("-f", "other.json")["ran"] == 1)
    #expect(try gc(workspace, "--older-than", "0", "-f", "other.json")["keptRecords"] == 3)
    unpublish(workspace)
    #expect(try workspace.summary("n=3")["restored"] == 2)
  }

  @Test func `the oldest go until the rest fits`() throws {
    let workspace = try workspace()
    // The zeros are in all of them.
    let collected = try gc(workspace, "--max-size", "20200")
    #expect(collected["keptRecords"]?.int.map { (2...5).contains($0) } == true && (collected["keptBytes"]?.int ?? .max) <= 20200, "\(collected)")
    #expect(try gc(workspace, "--max-size", "1K")["keptRecords"] == 2)
    #expect(try workspace.enpire("gc", "--max-size", "1K").errors.contains("the latest results alone hold more than 1.0 KiB; they stay"))
    #expect(try workspace.summary("n=3")["upToDate"] == 2)
  }

  @Test func `blobs without records go, and a run that is going on is waited for`() throws {
    let workspace = try workspace()
    let stray = ".enpire/store/00/" + String(repeating: "1", count: 62)
    try workspace.write("left by a crash", to: stray)
    try workspace.write(
      #"{"manifest": 1, "steps": {"w": {"run": ["sh", "-c", "touch \#(workspace.path("begun").path()); while ! test -e \#(workspace.path("go").path()); do sleep 0.01; done; true > w"], "out": {"o": "w"}}}}"#,
      to: "wait.json")
    let run = try workspace.start(["run", "-f", "wait.json"], number: 1)
    workspace.wait(for: "begun")
    #expect(try workspace.enpire("gc", "--no-wait").code == 75)
    #expect(workspace.read(stray) != nil)
    try workspace.write("", to: "go")
    #expect(workspace.outcome(of: run, number: 1).code == 0)
    #expect(try gc(workspace)["blobs"] == 1)
    #expect(workspace.read(stray) == nil)
  }

  @Test(arguments: [["--older-than", "tomorrow"], ["--max-size", "-1"], ["--max-size", "many"]])
  func `what is no time and no size is refused`(arguments: [String]) throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {}}"#)
    #expect(workspace.outcome(of: try workspace.start(["gc"] + arguments)).code == 64)
  }

  @Test(arguments: ["another", "", nil]) func `a damaged, truncated or missing blob is found, and made anew after repair`(text: String?) throws {
    let workspace = try workspace()
    #expect(try workspace.enpire("check", "--store").code == 0)
    let blob = try #require(blobs(workspace).first { workspace.read(".enpire/store/" + $0) == "3\n" })
    try FileManager.default.removeItem(at: workspace.path(".enpire/store/" + blob))
    if let text { try workspace.write(text, to: ".enpire/store/" + blob) }

    let found = try workspace.enpire("check", "--store")
    #expect(found.code == 74 && found.output.contains("\(text == nil ? "missing" : "damaged") \(blob.replacingOccurrences(of: "/", with: ""))"))
    #expect(found.output.contains("affected: d") && found.output.contains("affected: e") && found.output.hasSuffix("not whole\n"))
    let repaired = try JSON(parsing: try workspace.enpire("check", "--repair", "--json").output)
    #expect(repaired["steps"] == ["d", "e"] && repaired["repaired"] == true)
    #expect(try workspace.enpire("check", "--store").output.hasSuffix("whole\n"))
    unpublish(workspace)
    #expect(try workspace.summary("n=3")["ran"] == 2)
    #expect(workspace.read("e") == "3\n")
    #expect(try workspace.summary("n=2")["ran"] == 0, "others were not forgotten")
  }

  @Test func `a database that cannot be read is put aside`() throws {
    let workspace = try workspace()
    for more in ["-wal", "-shm"] { try? FileManager.default.removeItem(at: workspace.path(".enpire/state.db" + more)) }
    try workspace.write(String(repeating: "this is no database ", count: 500), to: ".enpire/state.db")
    #expect(try workspace.enpire("check", "--store").code == 74)
    let repaired = try workspace.enpire("check", "--repair")
    #expect(repaired.code == 0 && repaired.errors.contains("the state database could not be read; it is now "), "\(repaired.errors)")
    #expect(try workspace.summary("n=3")["ran"] == 2)
    #expect(try workspace.enpire("check", "--store").code == 0)
  }

  @Test func `a database that was emptied is told of, and everything runs anew`() throws {
    let workspace = try workspace()
    for more in ["-wal", "-shm"] { try? FileManager.default.removeItem(at: workspace.path(".enpire/state.db" + more)) }
    try workspace.write("", to: ".enpire/state.db")
    let run = try workspace.enpire("run", "n=4")
    #expect(run.errors.contains("the state database is empty though there are results: all runs anew"), "\(run.errors)")
    #expect(try workspace.enpire("run", "n=4").errors.contains("nothing to do"))
  }
}
