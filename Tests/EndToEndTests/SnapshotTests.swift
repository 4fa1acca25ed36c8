// A run begins with the snapshot of the last one: what it finds must be what reading everything would find.

import Foundation
import Testing

@Suite struct `Snapshots` {
  /// Ten chains of three steps; each step copies its input and tells that it ran.
  private func chains() throws -> Workspace {
    let workspace = try Workspace()
    var steps: [String] = []
    for chain in 0..<10 {
      try workspace.write("\(chain)\n", to: "in/\(chain).txt")
      for (index, letter) in ["a", "b", "c"].enumerated() {
        let input = index == 0 ? "in/\(chain).txt" : "${step.\(["a", "b"][index - 1])\(chain).o}"
        steps.append(
          """
          "\(letter)\(chain)": {"run": ["sh", "-c", "echo \(letter)\(chain) >> \(workspace.path("ran").path()); head -n 1 $1 > $2", "sh", "${in.i}", "${out.o}"],
            "in": {"i": "\(input)"}, "out": {"o": "out/\(letter)\(chain)"}}
          """)
      }
    }
    let goals = (0..<10).map { "\"c\($0)\"" }.joined(separator: ", ")
    try workspace.write("{\"manifest\": 1, \"default\": [\(goals)], \"steps\": {\(steps.joined(separator: ",\n"))}}", to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 30)
    return workspace
  }

  private func clearRan(_ workspace: Workspace) throws { try workspace.write("", to: "ran") }

  private func inode(_ workspace: Workspace, _ name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: workspace.path(name).path())[.systemFileNumber] as? Int
  }

  @Test func `a changed input runs its chain and counts all steps`() throws {
    let workspace = try chains()
    try clearRan(workspace)
    try workspace.write("x\nmore\n", to: "in/3.txt")
    let summary = try workspace.summary()
    #expect(summary["ran"] == 3 && summary["upToDate"] == 27)
    #expect(workspace.ran == ["a3", "b3", "c3"])
    #expect(workspace.read("out/c3") == "x\n")
    #expect(try workspace.enpire().errors == "nothing to do: all 30 steps are up to date\n")
  }

  @Test func `what gives the same output ends the chain`() throws {
    let workspace = try chains()
    try clearRan(workspace)
    try workspace.write("3\nanother second line\n", to: "in/3.txt")
    let summary = try workspace.summary()
    #expect(summary["ran"] == 1 && summary["upToDate"] == 29)
    #expect(workspace.ran == ["a3"])
  }

  @Test func `a failed step is open for the next run, and the others are not`() throws {
    let workspace = try chains()
    try FileManager.default.removeItem(at: workspace.path("in/5.txt"))
    #expect(try workspace.enpire().code == 66)
    #expect(try workspace.enpire().code == 66)
    try workspace.write("5 again\n", to: "in/5.txt")
    try clearRan(workspace)
    #expect(try workspace.summary()["ran"] == 3)
    #expect(workspace.ran == ["a5", "b5", "c5"])
  }

  @Test func `an edited manifest, another variable, other goals: each is seen`() throws {
    let workspace = try chains()
    let text = workspace.read("enpire.json")!
    try workspace.write(text.replacingOccurrences(of: "echo b7 ", with: "echo b7 edited "), to: "enpire.json")
    #expect(try workspace.summary()["ran"] == 1)
    #expect(try workspace.enpire("run", "c1").errors == "nothing to do: all 3 steps are up to date\n")
    #expect(try workspace.enpire("run", "c1").errors == "nothing to do: all 3 steps are up to date\n")
    #expect(try workspace.enpire().errors == "nothing to do: all 30 steps are up to date\n")
  }

  @Test func `a damaged snapshot is not believed`() throws {
    let workspace = try chains()
    let folder = workspace.path(".enpire/snapshots")
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path()).first)
    let good = try Data(contentsOf: folder.appending(path: name))
    for cut in [0, 8, 100, good.count / 2, good.count - 8] {
      try good.prefix(cut).write(to: folder.appending(path: name))
      #expect(try workspace.enpire().errors == "nothing to do: all 30 steps are up to date\n")
    }
    for position in stride(from: 0, to: good.count, by: good.count / 7) {
      var bad = good
      bad[position] ^= 0x40
      try bad.write(to: folder.appending(path: name))
      #expect(try workspace.enpire().errors == "nothing to do: all 30 steps are up to date\n")
    }
  }

  @Test func `with a watcher, changes are seen and nothing else is`() throws {
    let workspace = try chains()
    let watcher = try workspace.start(["watch"], number: 7)
    defer {
      watcher.terminate()
      watcher.waitUntilExit()
    }
    workspace.wait(for: ".enpire/watch.sock")
    try clearRan(workspace)
    for round in 0..<3 {
      #expect(try workspace.enpire().errors == "nothing to do: all 30 steps are up to date\n")
      try workspace.write("round \(round)\n", to: "in/4.txt")
      try FileManager.default.removeItem(at: workspace.path("out/b8"))
      let summary = try workspace.summary()
      #expect(summary["ran"] == 3 && summary["restored"] == 1)
    }
    #expect(workspace.ran.count == 9)
    // Renamed over, moved away, and made anew in another directory of the same name.
    try workspace.write("moved\n", to: "in/other")
    try FileManager.default.removeItem(at: workspace.path("in/6.txt"))
    try FileManager.default.moveItem(at: workspace.path("in/other"), to: workspace.path("in/6.txt"))
    #expect(try workspace.summary()["ran"] == 3)
    try FileManager.default.moveItem(at: workspace.path("in"), to: workspace.path("old"))
    try FileManager.default.copyItem(at: workspace.path("old"), to: workspace.path("in"))
    try workspace.write("in the new directory\n", to: "in/2.txt")
    #expect(try workspace.summary()["ran"] == 3)
    #expect(workspace.read("out/c2") == "in the new directory\n")
    // What the last run left is watched too: the next one looks at no file itself.
    let calls = workspace.path("calls").path()
    let look = try workspace.start(
      ["-o", calls, "-e", "trace=file", Workspace.program.path(), "run"], program: URL(filePath: "/usr/bin/strace"), number: 8)
    #expect(workspace.outcome(of: look, number: 8).errors == "nothing to do: all 30 steps are up to date\n")
    let traced = try #require(workspace.read("calls"))
    #expect(traced.contains("watch.sock") && !traced.contains("\"out/") && !traced.contains("\"in/"), "\(traced)")
  }

  @Test func `a variable of the environment that comes to be set is seen`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "vars": {"h": {"env": "ENPIRE_TEST_H", "default": "d"}}, "steps": {"t": {"run": ["sh", "-c", "echo ${var.h} > t"], "out": {"o": "t"}}}}"#
    )
    #expect(try workspace.enpire().code == 0 && workspace.read("t") == "d\n")
    #expect(try workspace.enpire(environment: ["ENPIRE_TEST_H": "set"]).code == 0 && workspace.read("t") == "set\n")
    #expect(try workspace.enpire().code == 0 && workspace.read("t") == "d\n")
  }

  @Test func `an input that changes after its step ended, while the run goes on, is seen by the next run`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["fast", "slow"], "steps": {
        "fast": {"run": ["sh", "-c", "cat in.txt d/* > fast"], "in": {"i": "in.txt", "d": "d"}, "out": {"o": "fast"}},
        "slow": {"run": ["sh", "-c", "until [ -e ${var.flag} ]; do sleep 0.02; done; echo > slow"], "out": {"o": "slow"}, "sandbox": false}},
       "vars": {"flag": "FLAG"}}
      """#, files: ["in.txt": "1\n", "d/a": "a\n"])
    let text = workspace.read("enpire.json")!
    try workspace.write(text.replacingOccurrences(of: "FLAG", with: workspace.path("flag").path()), to: "enpire.json")
    let run = try workspace.start(["run", "--json", "-j", "2"])
    while !(workspace.read(".output-0") ?? "").contains(#""event":"done","step":"fast""#) { usleep(10_000) }
    try workspace.write("2\n", to: "in.txt")
    try workspace.write("b\n", to: "d/b")
    try workspace.write("", to: "flag")
    run.waitUntilExit()
    #expect(try workspace.summary()["ran"] == 1)
    #expect(workspace.read("fast") == "2\na\nb\n")
  }

  @Test func `a program that comes to stand before another of its name is seen`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"t": {"run": ["sh", "-c", "tool > t"], "tools": ["tool"], "out": {"o": "t"}, "sandbox": false}}}"#)
    func tool(_ folder: String, says word: String) throws {
      try workspace.write("#!/bin/sh\necho \(word)\n", to: "\(folder)/tool")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: workspace.path("\(folder)/tool").path())
    }
    let path = ["PATH": workspace.path("b1").path() + ":" + workspace.path("b2").path() + ":/usr/bin:/bin"]
    try tool("b2", says: "two")
    #expect(try workspace.enpire(environment: path).code == 0 && workspace.read("t") == "two\n")
    try tool("b1", says: "one")
    #expect(try workspace.enpire(environment: path).code == 0 && workspace.read("t") == "one\n")
  }

  @Test func `a file that becomes a program is another input`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"t": {"run": ["sh", "-c", "if [ -x s.sh ]; then echo yes; else echo no; fi > t"], "in": {"s": "s.sh"}, "out": {"o": "t"}}}}"#,
      files: ["s.sh": "#!/bin/sh\n"])
    #expect(try workspace.enpire().code == 0 && workspace.read("t") == "no\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: workspace.path("s.sh").path())
    #expect(try workspace.enpire().code == 0 && workspace.read("t") == "yes\n")
  }

  @Test func `what a step publishes is no plain input of another`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["x"], "out": {"o": "a.txt"}}, "b": {"run": ["x"], "in": {"i": "a.txt"}, "out": {"o": "b.txt"}}}}"#)
    let outcome = try workspace.enpire()
    #expect(outcome.code == 65 && outcome.errors.contains("'a.txt' is what step 'a' publishes") && outcome.errors.contains("${step.a.o}"))
  }

  @Test func `a step that ends well after its time-out has failed`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "steps": {"t": {"run": ["sh", "-c", "trap 'exit 0' TERM; echo part > t; sleep 60 & wait"], "timeout": 0.5, "out": {"o": "t"}, "sandbox": false}}}
      """#)
    #expect(try workspace.enpire().code == 124 && workspace.read("t") == nil)
  }

  @Test func `a senseless output fails its step alone`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["bad", "good"], "steps": {
        "bad": {"run": ["sh", "-c", "ln -s nowhere d/l"], "out": {"o": "d/"}, "may_fail": true},
        "good": {"run": ["sh", "-c", "sleep 0.3; echo good > good"], "out": {"o": "good"}}}}
      """#)
    #expect(try workspace.enpire("run", "-k", "-j", "2").code == 0 && workspace.read("good") == "good\n")
  }

  @Test func `what the store lost and is still published comes back to it, and plan and run agree`() throws {
    let workspace = try chains()
    try clearRan(workspace)
    let store = workspace.path(".enpire/store")
    let folders = try FileManager.default.contentsOfDirectory(atPath: store.path())
    for folder in folders { try FileManager.default.removeItem(at: store.appending(path: folder)) }
    #expect(try workspace.enpire().errors == "nothing to do: all 30 steps are up to date\n")
    let plan = try workspace.enpire("plan")
    #expect(plan.output.contains("nothing to do"))
    try FileManager.default.removeItem(at: workspace.path("out/b3"))
    try workspace.write("new\n", to: "in/1.txt")
    let summary = try workspace.summary()
    #expect(summary["ran"] == 3 && workspace.ran.sorted() == ["a1", "b1", "c1"] && summary["failed"] == 0)
    #expect(workspace.read("out/b3") == "3\n")
  }

  /// A step that reads thirty files of a matrix, a program, a value and a directory of others, and a file of its own.
  private func gathering() throws -> Workspace {
    let workspace = try Workspace()
    let note = "echo each >> \(workspace.path("ran").path())"
    try workspace.write(
      #"""
      {"manifest": 1, "default": ["all"], "steps": {
        "each": {"run": ["sh", "-c", "echo $1 > $2; NOTE", "sh", "${matrix.i}", "${out.o}"],
          "matrix": {"i": NUMBERS}, "out": {"o": "out/each/${matrix.i}"}},
        "tool": {"run": ["cp", "largest", "${out.program}"], "in": {"source": "largest"}, "out": {"program": "out/tool"}},
        "value": {"run": ["sh", "-c", "echo '{\"word\": \"last\"}' > $1", "sh", "${out.v}"], "out": {"v": "out/value.json"}},
        "folder": {"run": ["sh", "-c", "mkdir -p $1; echo folder > $1/file", "sh", "${out.d}"], "out": {"d": "out/folder/"}},
        "all": {"run": ["sh", "-c", "out=$1 word=$2 folder=$3 tool=$4; shift 4; { echo $word; cat $folder/file leaf; $tool $*; } > $out", "sh",
            "${out.o}", "${step.value.v}", "${in.folder}", "${in.tool}", "${in.each}"],
          "in": {"each": ["${step.each[*].o}"], "tool": "${step.tool}", "folder": "${step.folder}", "leaf": "leaf"}, "out": {"o": "out/all"}}
      }}
      """#.replacingOccurrences(of: "NOTE", with: note).replacingOccurrences(of: "NUMBERS", with: "\(Array(0..<30))"), to: "enpire.json")
    try workspace.write("#!/bin/sh\ncat $* | sort -n | tail -n 1\n", to: "largest")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: workspace.path("largest").path())
    try workspace.write("one\n", to: "leaf")
    #expect(try workspace.summary()["ran"] == 34)
    #expect(workspace.read("out/all") == Self.gathered("one"))
    return workspace
  }

  private static func gathered(_ leaf: String) -> String { "{\"word\":\"last\"}\nfolder\n\(leaf)\n29\n" }

  @Test func `what reads many others that did not change runs as if all had been read`() throws {
    let workspace = try gathering()
    try clearRan(workspace)
    for text in ["two", "three"] {
      try workspace.write(text + "\n", to: "leaf")
      let summary = try workspace.summary()
      #expect(summary["ran"] == 1 && summary["upToDate"] == 33)
      #expect(workspace.read("out/all") == Self.gathered(text))
      // Reads everything: the record that the part wrote is under the key that the whole gives.
      #expect(try workspace.enpire("plan").output.contains("nothing to do"))
    }
    // Back to the first: restored, not run.
    try workspace.write("one\n", to: "leaf")
    #expect(try workspace.summary()["restored"] == 1 && workspace.read("out/all") == Self.gathered("one"))
    #expect(workspace.ran == [])
  }

  @Test func `what others gave and the store lost is made again before it is read`() throws {
    let workspace = try gathering()
    let store = workspace.path(".enpire/store")
    for folder in try FileManager.default.contentsOfDirectory(atPath: store.path()) {
      try FileManager.default.removeItem(at: store.appending(path: folder))
    }
    try FileManager.default.removeItem(at: workspace.path("out/each/7"))
    try workspace.write("two\n", to: "leaf")
    #expect(try workspace.enpire().code == 0)
    #expect(workspace.read("out/all") == Self.gathered("two") && workspace.read("out/each/7") == "7\n")
  }
}
