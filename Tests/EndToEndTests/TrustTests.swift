// The twelve cases in which workflow engines give wrong results or do needless work, through the command line; `make bench-trust` runs the same
// twelve on enpire's peers. A step notes that it ran in `ran`, which no step declares.

import Foundation
import JSON
import Testing

@Suite struct `The trust matrix` {
  /// Two steps in a chain that have run: `a` copies the input's first line, `b` copies that.
  private func chain() throws -> Workspace {
    let workspace = try Workspace(files: ["in.txt": "one\nnoise\n"])
    try workspace.write(
      """
      {"manifest": 1, "vars": {"word": "x"}, "steps": {
        "a": {"run": ["sh", "-c", "echo a >> \(workspace.path("ran").path()); head -n 1 in.txt > a.txt"], "in": {"i": "in.txt"}, "out": {"o": "a.txt"}},
        "b": {"run": ["sh", "-c", "echo b >> \(workspace.path("ran").path()); cat $1 > b.txt", "${var.word}", "${in.i}"], "in": {"i": "${step.a.o}"}, "out": {"o": "b.txt"}}
      }}
      """, to: "enpire.json")
    let first = try workspace.summary()
    #expect(first["ran"] == 2)
    return workspace
  }

  /// One step that does `command`, in which BEGUN and GO stand for files that tell the test, and are told by it, how far it is.
  private func step(_ command: String) throws -> Workspace {
    let workspace = try Workspace(files: ["in.txt": "one\n"])
    let command = command.replacing("BEGUN", with: workspace.path("begun").path()).replacing("GO", with: workspace.path("go").path())
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a >> \#(workspace.path("ran").path()); \#(command)"], "in": {"i": "in.txt"}, "out": {"o": "o"}}}}"#,
      to: "enpire.json")
    return workspace
  }

  private static let wait = "touch BEGUN; while ! test -e GO; do sleep 0.01; done"

  /// Writes `in.txt` and sets its modification time back.
  private func rewrite(_ workspace: Workspace, _ text: String) throws {
    let path = workspace.path("in.txt").path()
    let time = try #require(try FileManager.default.attributesOfItem(atPath: path)[.modificationDate])
    try workspace.write(text, to: "in.txt")
    try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
  }

  @Test func `1: touched with the same content, nothing runs`() throws {
    let workspace = try chain()
    try workspace.write("one\nnoise\n", to: "in.txt")
    #expect(try workspace.summary()["upToDate"] == 2)
  }

  @Test func `2: content changed with the old modification time is noticed`() throws {
    let workspace = try chain()
    try rewrite(workspace, "two\nnoise and more\n")
    #expect(try workspace.summary()["ran"] == 2)
    #expect(workspace.read("b.txt") == "two\n")
  }

  @Test func `3: the same size and modification time with other bytes is noticed`() throws {
    let workspace = try chain()
    try rewrite(workspace, "two\nnoise\n")
    #expect(try workspace.summary()["ran"] == 2)
    #expect(workspace.read("b.txt") == "two\n")
  }

  @Test func `4: an edited command runs again, and only that step`() throws {
    let workspace = try chain()
    #expect(try workspace.summary("word=y")["ran"] == 1)
    #expect(workspace.ran == ["a", "b", "b"])
  }

  @Test func `5: an older file added to the inputs is noticed`() throws {
    let workspace = try Workspace(files: ["old.txt": "old", "new.txt": "new"])
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: workspace.path("old.txt").path())
    let manifest = #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "cat *.txt > o"], "in": {"i": ["INPUTS"]}, "out": {"o": "o"}}}}"#
    try workspace.write(manifest.replacing("INPUTS", with: "new.txt"), to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 1)
    try workspace.write(manifest.replacing("INPUTS", with: "*.txt"), to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.read("o") == "newold")
  }

  @Test func `6: a tampered or deleted output is put back, not trusted and not rebuilt`() throws {
    let workspace = try chain()
    try workspace.write("tampered", to: "b.txt")
    try FileManager.default.removeItem(at: workspace.path("a.txt"))
    let summary = try workspace.summary()
    #expect(summary["restored"] == 2 && summary["ran"] == 0)
    #expect(workspace.read("b.txt") == "one\n" && workspace.read("a.txt") == "one\n")
  }

  @Test func `7: the same output again cuts off what follows`() throws {
    let workspace = try chain()
    try workspace.write("one\nother noise\n", to: "in.txt")
    let summary = try workspace.summary()
    #expect(summary["ran"] == 1 && summary["upToDate"] == 1)
  }

  @Test func `8: there and back again runs nothing`() throws {
    let workspace = try chain()
    try workspace.write("two\n", to: "in.txt")
    #expect(try workspace.summary()["ran"] == 2)
    try workspace.write("one\nnoise\n", to: "in.txt")
    let summary = try workspace.summary()
    #expect(summary["restored"] == 2 && summary["ran"] == 0)
    #expect(workspace.read("b.txt") == "one\n")
  }

  @Test func `9: a failed step publishes nothing, and runs again`() throws {
    let workspace = try step("echo half > o; test -e GO || exit 7; echo whole > o")
    let outcome = try workspace.enpire()
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("FAILED a: exit code 7"))
    #expect(workspace.read("o") == nil)
    try workspace.write("", to: "go")
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.read("o") == "whole\n")
  }

  @Test func `10: killed in the middle of a step, the next run does it whole`() throws {
    let workspace = try step("echo half > o; \(Self.wait); echo whole > o")
    let first = try workspace.start([])
    workspace.wait(for: "begun")
    kill(first.processIdentifier, SIGKILL)
    first.waitUntilExit()
    #expect(workspace.read("o") == nil)
    try workspace.write("", to: "go")
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.read("o") == "whole\n")
  }

  @Test func `11: an input that changes while its step runs makes it fail, and the next run is right`() throws {
    let workspace = try step("read line < in.txt; \(Self.wait); echo $line > o")
    let first = try workspace.start([])
    workspace.wait(for: "begun")
    try workspace.write("two\n", to: "in.txt")
    try workspace.write("", to: "go")
    let outcome = workspace.outcome(of: first)
    #expect(outcome.code == 1)
    #expect(outcome.errors.contains("its input in.txt changed while it ran"))
    #expect(workspace.read("o") == nil)
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.read("o") == "two\n")
  }

  @Test func `12: of two runs at once the second waits and finds everything done`() throws {
    let workspace = try step("\(Self.wait); cat in.txt > o")
    let first = try workspace.start(["run"], number: 1)
    workspace.wait(for: "begun")
    #expect(try workspace.enpire("run", "--no-wait").code == 75)
    let second = try workspace.start(["run"], number: 2)
    try workspace.write("", to: "go")
    #expect(workspace.outcome(of: first, number: 1).code == 0)
    #expect(workspace.outcome(of: second, number: 2).code == 0)
    #expect(workspace.ran == ["a"])
  }
}

@Suite struct `Trust beyond the matrix` {
  @Test func `what changes while its step waits is read as it is then, and recorded as that`() throws {
    let workspace = try Workspace(files: ["in.txt": "old\n", "in/a": "old\n", "tool": "#!/bin/sh\necho old > $1\n"])
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: workspace.path("tool").path())
    try workspace.write(
      """
      {"manifest": 1, "default": ["first", "file", "names", "tool"], "steps": {
        "first": {"run": ["sh", "-c", "touch BEGUN; while ! test -e GO; do sleep 0.01; done"], "phony": true, "priority": 1},
        "file": {"run": ["cp", "in.txt", "${out.o}"], "in": {"i": "in.txt"}, "out": {"o": "file"}},
        "names": {"run": ["sh", "-c", "ls in | tr '\\n' ' ' > $1", "sh", "${out.o}"], "in": {"i": "in/*"}, "out": {"o": "names"}},
        "tool": {"run": ["TOOL", "${out.o}"], "tools": ["TOOL"], "out": {"o": "made"}}}}
      """.replacing("BEGUN", with: workspace.path("begun").path()).replacing("GO", with: workspace.path("go").path())
        .replacing("TOOL", with: workspace.path("tool").path()), to: "enpire.json")
    let first = try workspace.start(["run", "-j1"])
    workspace.wait(for: "begun")
    try workspace.write("new\n", to: "in.txt")
    try workspace.write("new\n", to: "in/b")
    try workspace.write("#!/bin/sh\necho new > $1\n", to: "tool")
    try workspace.write("", to: "go")
    #expect(workspace.outcome(of: first).code == 0)
    func published() -> [String?] { ["file", "names", "made"].map { workspace.read($0) } }
    #expect(published() == ["new\n", "a b ", "new\n"])
    let again = try workspace.enpire("run", "file", "names", "tool")
    #expect(again.errors == "nothing to do: all 3 steps are up to date\n")
    // Nothing of it is on record as made of the old.
    try workspace.write("old\n", to: "in.txt")
    try FileManager.default.removeItem(at: workspace.path("in/b"))
    try workspace.write("#!/bin/sh\necho old > $1\n", to: "tool")
    #expect(try workspace.enpire("run", "file", "names", "tool").code == 0)
    #expect(published() == ["old\n", "a ", "old\n"])
  }

  @Test func `a tool that changes while its step runs makes it fail`() throws {
    let workspace = try Workspace(files: ["tool": "#!/bin/sh\n"])
    let tool = workspace.path("tool").path()
    let (begun, go) = (workspace.path("begun").path(), workspace.path("go").path())
    try workspace.write("#!/bin/sh\ntouch \(begun); while ! test -e \(go); do sleep 0.01; done\necho > $1\n", to: "tool")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool)
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": ["\#(tool)", "${out.o}"], "tools": ["\#(tool)"], "out": {"o": "o"}}}}"#, to: "enpire.json")
    let first = try workspace.start([])
    workspace.wait(for: "begun")
    // As an installation does; the old file goes on running.
    try FileManager.default.removeItem(at: workspace.path("tool"))
    try workspace.write("#!/bin/sh\necho > $1\n", to: "tool")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool)
    try workspace.write("", to: "go")
    let outcome = workspace.outcome(of: first)
    #expect(outcome.code == 1 && outcome.errors.contains("changed while it ran"), "\(outcome.errors)")
    #expect(workspace.read("o") == nil)
    #expect(try workspace.summary()["ran"] == 1)
  }

  @Test func `what is damaged in the store is made anew rather than put back`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo good > o; mkdir -p d; echo well > d/x"], "out": {"o": "o", "d": "d/"}}}}"#)
    for (published, text) in [("o", "good\n"), ("d/x", "well\n")] {
      #expect(try workspace.enpire().code == 0)
      let store = workspace.path(".enpire/store")
      for name in FileManager.default.subpaths(atPath: store.path())! where workspace.read(".enpire/store/" + name) == text {
        let blob = store.appending(path: name)
        try FileManager.default.removeItem(at: blob)
        try Data("evil\n".utf8).write(to: blob)
      }
      try FileManager.default.removeItem(at: workspace.path(published))
      #expect(try workspace.summary()["ran"] == 1)
      #expect(workspace.read("o") == "good\n" && workspace.read("d/x") == "well\n")
      #expect(try workspace.enpire("check", "--store").code == 0)
    }
  }

  @Test func `what is damaged in the store is shown to no step`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "vars": {"w": "z"}, "default": ["c"], "steps": {
        "a": {"run": ["sh", "-c", "echo ONE > a"], "out": {"o": "a"}},
        "c": {"run": ["sh", "-c", "cat $1 > c; echo ${var.w} >> c", "sh", "${in.i}"], "in": {"i": "${step.a}"}, "out": {"o": "c"}}}}
      """#)
    #expect(try workspace.enpire().code == 0)
    let store = workspace.path(".enpire/store")
    for name in FileManager.default.subpaths(atPath: store.path())! where workspace.read(".enpire/store/" + name) == "ONE\n" {
      try FileManager.default.removeItem(at: store.appending(path: name))
      try Data().write(to: store.appending(path: name))
    }
    let outcome = try workspace.enpire("run", "w=q")
    #expect(outcome.code == 1 && outcome.errors.contains("is damaged, and was removed"), "\(outcome.errors)")
    #expect(try workspace.enpire("run", "w=q").code == 0 && workspace.read("c") == "ONE\nq\n")
    #expect(try workspace.enpire("check", "--store").code == 0)
  }

  /// A named pipe, and a link in a directory, are no outputs; neither must keep the run waiting.
  @Test func `whatever stands in place of an output is put right`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > o; echo x > d/x"], "out": {"o": "o", "d": "d/"}}}}"#)
    #expect(try workspace.enpire().code == 0)
    for spoil in ["rm o; mkfifo o", "rm d/x; mkfifo d/x", "ln -s x d/link", "rm -r d; ln -s . d"] {
      let shell = Process()
      (shell.executableURL, shell.arguments, shell.currentDirectoryURL) = (URL(filePath: "/bin/sh"), ["-c", spoil], workspace.directory)
      try shell.run()
      shell.waitUntilExit()
      #expect(try workspace.summary()["restored"] == 1, "\(spoil)")
      #expect(workspace.read("o") == "a\n" && workspace.read("d/x") == "x\n", "\(spoil)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.path("d").path()) == ["x"])
    }
    try workspace.write(
      #"{"manifest": 1, "steps": {"b": {"run": ["cp", "${in.p}", "b"], "in": {"p": "pipe"}, "out": {"o": "b"}}}}"#, to: "enpire.json")
    #expect(mkfifo(workspace.path("pipe").path(), 0o644) == 0)
    let outcome = try workspace.enpire()
    #expect(outcome.code == 66 && outcome.errors.contains("neither a file nor a directory"), "\(outcome.errors)")
  }

  @Test func `directories that cannot be read are not empty ones`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "steps": {
        "i": {"run": ["sh", "-c", "cat in/sub/f > i"], "in": {"i": "in"}, "out": {"o": "i"}},
        "u": {"run": ["sh", "-c", "mkdir -p u/sub x/y; echo s > u/sub/f; chmod 111 u/sub; chmod 555 u; echo t > x/y/f; chmod 111 x"],
          "out": {"o": "u/"}}}}
      """#, files: ["in/sub/f": "1\n"])
    // As a user whom permissions bind.
    let program = workspace.path("program")
    try FileManager.default.copyItem(at: Workspace.program, to: program)
    try FileManager.default.setAttributes([.posixPermissions: 0o311], ofItemAtPath: workspace.path("in/sub").path())
    let isRoot = getuid() == 0
    let paths = FileManager.default.subpaths(atPath: workspace.path("").path())!
    if isRoot { for path in [""] + paths { chown(workspace.path(path).path(), 65534, 65534) } }
    func run(_ arguments: String...) throws -> Outcome {
      let user = isRoot ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : []
      return workspace.outcome(of: try workspace.start(user + [program.path()] + arguments, program: URL(filePath: "/usr/bin/env")))
    }
    let outcome = try run("run", "i")
    #expect(outcome.code == 66 && outcome.errors.contains("Permission denied"), "\(outcome.errors)")
    #expect(try run("run", "u").code == 0)
    #expect(workspace.read("u/sub/f") == "s\n")
    #expect(!FileManager.default.fileExists(atPath: workspace.path(".enpire/work").path()))
  }

  @Test func `a run goes on when nobody reads what it says`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "sleep 0.3; echo a > o"], "out": {"o": "o"}}}}"#)
    let shell = Process()
    shell.executableURL = URL(filePath: "/bin/sh")
    shell.arguments = ["-c", "{ \(Workspace.program.path()) run --json --sandbox=none; echo $? > code; } | head -n 1 > first"]
    shell.currentDirectoryURL = workspace.directory
    try shell.run()
    shell.waitUntilExit()
    #expect(workspace.read("code") == "0\n" && workspace.read("o") == "a\n")
    #expect(try workspace.enpire("run", "-q").code == 0)
  }

  @Test func `no file takes the place of a person's directory`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > o"], "out": {"o": "o"}}}}"#, files: ["o/notes": "precious"])
    let outcome = try workspace.enpire()
    #expect(outcome.code == 74 && outcome.errors.contains("a directory is there, with files that no step made"), "\(outcome.errors)")
    #expect(workspace.read("o/notes") == "precious")
    try FileManager.default.moveItem(at: workspace.path("o"), to: workspace.path("mine"))
    #expect(try workspace.enpire().code == 0 && workspace.read("o") == "a\n")
    // What a step made, even another one, is in the store.
    try workspace.write(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > o/x"], "out": {"o": "o/"}}}}"#, to: "enpire.json")
    #expect(try workspace.enpire().code == 0 && workspace.read("o/x") == "a\n")
    try workspace.write(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo b > o"], "out": {"o": "o"}}}}"#, to: "enpire.json")
    #expect(try workspace.enpire().code == 0 && workspace.read("o") == "b\n")
  }

  @Test func `nothing changed, nothing runs`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "default": ["a", "b"], "steps": {"a": {"run": ["sh", "-c", "echo a > a"], "out": {"o": "a"}}, "b": {"run": ["sh", "-c", "echo b > b"], "out": {"o": "b"}}}}"#
    )
    #expect(try workspace.summary()["ran"] == 2)
    #expect(try workspace.enpire().errors == "nothing to do: all 2 steps are up to date\n")
  }

  @Test func `an output that a command names in its words is part of its key`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "vars": {"n": 1}, "steps": {"a": {"run": ["sh", "-c", "echo ${var.n} > n.json"], "out": {"n": "n.json"}}, "b": {"run": ["sh", "-c", "echo ${step.a} > b"], "out": {"o": "b"}}}}"#
    )
    #expect(try workspace.summary()["ran"] == 2)
    #expect(try workspace.summary("n=2")["ran"] == 2)
    #expect(workspace.read("b") == "2\n")
  }

  @Test func `one job at a time or eight give the same keys and outputs`() throws {
    let manifest = """
      {"manifest": 1, "steps": {
        "part": {"run": ["sh", "-c", "echo ${matrix.i} > p-${matrix.i}"], "matrix": {"i": [1, 2, 3, 4, 5, 6]}, "out": {"o": "p-${matrix.i}"}},
        "all": {"run": ["sh", "-c", "cat \\"$@\\" > all", "sh", "${in.i}"], "in": {"i": "${step.part[*].o}"}, "out": {"o": "all"}}}}
      """
    let keys = try ["1", "8"].map { jobs in
      let workspace = try Workspace(manifest)
      #expect(try workspace.summary("-j", jobs)["ran"] == 7)
      #expect(workspace.read("all") == "1\n2\n3\n4\n5\n6\n")
      let status = try JSON(parsing: try workspace.enpire("status", "--json").output)
      return status["steps"]?.array?.map { $0["key"] }
    }
    #expect(keys[0] == keys[1] && keys[0]?.count == 7)
  }
}
