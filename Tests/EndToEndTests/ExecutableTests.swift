// Programs that steps make: the executable bit is part of an output, as in Git. It comes through the store, a shared cache and a restore, counts in
// the keys of those that read it, and is put back where somebody changed it.

import Foundation
import JSON
import Testing

@Suite struct `Executable outputs` {
  /// `build` makes a program and a directory with one, `use` and `direct` run them. Each notes that it ran.
  private func workspace(mark: String = "chmod +x") throws -> Workspace {
    let workspace = try Workspace()
    try write(workspace, mark: mark)
    return workspace
  }

  private func write(_ workspace: Workspace, mark: String) throws {
    let ran = workspace.path("ran").path()
    try workspace.write(
      """
      {"manifest": 1, "default": ["use", "direct", "kit-use"], "steps": {
        "build": {"run": ["sh", "-c", "echo build >> \(ran); printf '#!/bin/sh\\necho hello > $1\\n' > bin/tool; \(mark) bin/tool"],
                  "out": {"o": "bin/tool"}},
        "kit": {"run": ["sh", "-c", "echo kit >> \(ran); cd kit; echo x > a; mkdir b; printf '#!/bin/sh\\necho kit > $1\\n' > b/t; \(mark) b/t"],
                "out": {"o": "kit/"}},
        "use": {"run": ["sh", "-c", "echo use >> \(ran); test -x ${in.t} && echo yes > used || echo no > used"], "in": {"t": "${step.build}"},
                "out": {"o": "used"}},
        "direct": {"run": ["${in.t}", "${out.o}"], "in": {"t": "${step.build}"}, "out": {"o": "said"}},
        "kit-use": {"run": ["sh", "-c", "${in.k}/b/t kit-said; ! test -x ${in.k}/a"], "in": {"k": "${step.kit}"}, "out": {"o": "kit-said"}}}}
      """, to: "enpire.json")
  }

  private func setMode(_ workspace: Workspace, _ path: String, _ mode: Int) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: workspace.path(path).path())
  }

  private func isExecutable(_ workspace: Workspace, _ path: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: workspace.path(path).path())
  }

  @Test(arguments: ["none", "auto"]) func `a later step runs the program that a step built`(sandbox: String) throws {
    let workspace = try workspace()
    // Outside of its sandbox nothing can note that it ran.
    if sandbox != "none" {
      try workspace.write((workspace.read("enpire.json") ?? "").replacing(workspace.path("ran").path(), with: "/dev/null"), to: "enpire.json")
    }
    let outcome = try workspace.enpire("run", environment: ["ENPIRE_SANDBOX": sandbox])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(workspace.read("used") == "yes\n" && workspace.read("said") == "hello\n" && workspace.read("kit-said") == "kit\n")
    #expect(isExecutable(workspace, "bin/tool") && isExecutable(workspace, "kit/b/t"))
    #expect(!isExecutable(workspace, "used") && !isExecutable(workspace, "kit/a"))
    #expect(try workspace.summary()["upToDate"] == 5)
  }

  @Test func `a published file whose bit was changed is put back, and one that is gone comes back with it`() throws {
    let workspace = try workspace()
    #expect(try workspace.summary()["ran"] == 5)
    try setMode(workspace, "bin/tool", 0o644)
    try setMode(workspace, "used", 0o755)
    try setMode(workspace, "kit/a", 0o755)
    #expect(try workspace.summary()["restored"] == 3)
    #expect(isExecutable(workspace, "bin/tool") && !isExecutable(workspace, "used") && !isExecutable(workspace, "kit/a"))
    try FileManager.default.removeItem(at: workspace.path("bin"))
    try FileManager.default.removeItem(at: workspace.path("kit"))
    #expect(try workspace.summary()["restored"] == 2)
    #expect(isExecutable(workspace, "bin/tool") && isExecutable(workspace, "kit/b/t"))
    #expect(workspace.ran == ["build", "kit", "use"] || workspace.ran == ["kit", "build", "use"] || workspace.ran == ["build", "use", "kit"])
  }

  @Test func `the same bytes with another bit are another output: what reads it runs, and the way back takes what is recorded`() throws {
    let workspace = try workspace()
    #expect(try workspace.summary()["ran"] == 5)
    try write(workspace, mark: "chmod -x")
    let outcome = try workspace.enpire("use")
    #expect(outcome.code == 0 && workspace.read("used") == "no\n" && !isExecutable(workspace, "bin/tool"), "\(outcome.errors)")
    #expect(workspace.ran.count { $0 == "use" } == 2)
    try write(workspace, mark: "chmod +x")
    let why = try workspace.enpire("why", "use").output
    #expect(why.contains("waits for build") || why.contains("up to date") || why.contains("restore"), "\(why)")
    #expect(try workspace.summary()["ran"] == 0)
    #expect(workspace.read("used") == "yes\n" && isExecutable(workspace, "bin/tool") && workspace.ran.count { $0 == "use" } == 2)
  }

  @Test func `the bit of a source file is part of a key, and why says so`() throws {
    let workspace = try Workspace(files: ["s.sh": "#!/bin/sh\necho ran\n"])
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "test -x s.sh; echo $? > o"], "in": {"s": "s.sh"}, "out": {"o": "o"}}}}"#,
      to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 1)
    try setMode(workspace, "s.sh", 0o755)
    #expect(try workspace.enpire("why", "a").output.contains("input s: s.sh is executable now"))
    #expect(try workspace.summary()["ran"] == 1)
    try setMode(workspace, "s.sh", 0o744)
    #expect(try workspace.summary()["upToDate"] == 1, "who else may run it does not count")
    try setMode(workspace, "s.sh", 0o644)
    #expect(try workspace.summary()["ran"] == 0, "A to B to A")
  }

  @Test func `a shared cache carries it, in the form of Bazel's`() throws {
    let cache = try Workspace()
    let (first, second) = (try workspace(), try Workspace())
    try second.write(first.read("enpire.json") ?? "", to: "enpire.json")
    #expect(try first.summary("--cache", cache.directory.path())["ran"] == 5)
    #expect(try second.summary("--cache", cache.directory.path())["restored"] == 5)
    #expect(isExecutable(second, "bin/tool") && isExecutable(second, "kit/b/t") && !isExecutable(second, "kit/a"))
    #expect(second.read("said") == "hello\n")
    // OutputFile { …, is_executable = 4 } in the entries of the two that make programs.
    let files = FileManager.default.enumerator(at: cache.path("ac"), includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
    let entries = files.compactMap { try? Data(contentsOf: $0) }.filter { !$0.isEmpty }
    let marked = entries.filter { entry in
      // The last member of a file's message, before the next file or our own record.
      entry.indices.dropLast(2).contains { entry[$0] == 0x20 && entry[$0 + 1] == 1 && [0x12, 0x2a].contains(entry[$0 + 2]) }
    }
    #expect(entries.count == 5 && marked.count == 2, "\(marked.count) of \(entries.count)")
  }

  @Test func `a state of before is taken over, and a newer one is refused`() throws {
    let workspace = try workspace()
    #expect(try workspace.summary()["ran"] == 5)
    func set(_ version: Int) throws {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = [
        "python3", "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version = ' + sys.argv[2]); c.commit()",
        workspace.path(".enpire/state.db").path(), "\(version)",
      ]
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      try? FileManager.default.removeItem(at: workspace.path(".enpire/snapshots"))
    }
    try set(3)
    #expect(try workspace.summary()["upToDate"] == 5)
    try set(5)
    #expect(try workspace.enpire("run").errors.contains("is of format 5, from a newer enpire"))
  }
}
