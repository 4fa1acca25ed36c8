// Slots shared with make, in both directions, proven with the make of this machine.

import Foundation
import JSON
import Testing

@Suite struct `The jobserver` {
  private static let make = URL(filePath: "/usr/bin/make")

  /// `count` steps or recipes, each of which notes its begin and end, and waits in between until `together` of them have begun.
  private func script(_ path: String, together: Int) -> String {
    "echo + >> \(path)/ran; until test $(grep -c + \(path)/ran) -ge \(together); do sleep 0.01; done; sleep 0.05; echo - >> \(path)/ran"
  }

  private func most(_ workspace: Workspace) -> Int {
    var now = 0
    return workspace.ran.reduce(0) { most, line in
      now += line == "+" ? 1 : -1
      return max(most, now)
    }
  }

  private func manifest(_ workspace: Workspace, steps: Int, together: Int) throws {
    let words = JSON.array(["sh", "-c", .string(script(workspace.directory.path(), together: together) + "; echo ${matrix.i} > ${out.o}")]).compact
    let list = JSON.array((0..<steps).map { .integer($0) }).compact
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": \#(words), "timeout": 30, "matrix": {"i": \#(list)}, "out": {"o": "o-${matrix.i}"}}}}"#,
      to: "enpire.json")
  }

  @Test func `started by make, a run takes its slots from there and gives them back`() throws {
    let workspace = try Workspace(files: ["Makefile": ".PHONY: one two\nall: one two\none two:\n\t+\(Workspace.program.path()) run -C $@\n"])
    // Two runs under one make with three slots: three steps at once, whichever run they are of.
    for name in ["one", "two"] {
      try manifest(workspace, steps: 4, together: 3)
      try workspace.write(workspace.read("enpire.json")!, to: "\(name)/enpire.json")
    }
    let outcome = workspace.outcome(of: try workspace.start(["-j3"], program: Self.make))
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(workspace.ran.count == 16 && most(workspace) == 3)
    // make counts the slots when it ends.
    #expect(!outcome.errors.contains("jobserver"), "\(outcome.errors)")
  }

  @Test func `interrupted, it gives its slots back`() throws {
    let workspace = try Workspace(files: ["Makefile": "all:\n\t+-\(Workspace.program.path()) run\n"])
    try manifest(workspace, steps: 3, together: 4)
    // A step's parent is the run.
    let noted = workspace.read("enpire.json")!.replacingOccurrences(of: "echo + >>", with: "echo $PPID > \(workspace.path("run").path()); echo + >>")
    try workspace.write(noted, to: "enpire.json")
    let make = try workspace.start(["-j3"], program: Self.make)
    while workspace.ran.count < 3 { usleep(2000) }
    kill(Int32(workspace.read("run")!.dropLast())!, SIGINT)
    let outcome = workspace.outcome(of: make)
    #expect(outcome.errors.contains("interrupted") && !outcome.errors.contains("jobserver"), "\(outcome.errors)")
  }

  @Test func `where make does not pass it on, that is said and steps run one at a time`() throws {
    let workspace = try Workspace(files: ["Makefile": "all:\n\t\(Workspace.program.path()) run\n"])
    try manifest(workspace, steps: 3, together: 0)
    let outcome = workspace.outcome(of: try workspace.start(["-j3"], program: Self.make))
    #expect(outcome.code == 0 && most(workspace) == 1)
    #expect(outcome.errors.contains("warning: make's jobserver is not passed on to enpire"), "\(outcome.errors)")
  }

  @Test func `an explicit -j has its own slots`() throws {
    let workspace = try Workspace(files: ["Makefile": "all:\n\t+\(Workspace.program.path()) run -j4\n"])
    try manifest(workspace, steps: 4, together: 4)
    #expect(workspace.outcome(of: try workspace.start(["-j2"], program: Self.make)).code == 0)
    #expect(most(workspace) == 4)
  }

  @Test func `a nested make shares the run's slots`() throws {
    let workspace = try Workspace()
    let recipe = script(workspace.directory.path(), together: 3).replacingOccurrences(of: "$", with: "$$")
    try workspace.write("all: 1 2 3 4\n1 2 3 4:\n\t@\(recipe)\n", to: "Makefile")
    // Two makes with four recipes each, and three slots for all: the makes' own, and one byte.
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "make -f ${in.m} && echo ${matrix.i} > ${out.o}"], "in": {"m": "Makefile"}, "timeout": 30, "matrix": {"i": [1, 2]}, "out": {"o": "o-${matrix.i}"}}}}"#,
      to: "enpire.json")
    let outcome = try workspace.enpire("run", "-j3", "--jobserver", "pipe")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(workspace.ran.count == 16 && most(workspace) == 3)
    for step in ["a[i=1]", "a[i=2]"] { #expect(!(try workspace.enpire("log", step).output.contains("jobserver"))) }
  }

  @Test func `a named pipe holds a byte for each slot but one`() throws {
    let script = "p=$${MAKEFLAGS##*fifo:}; exec 9<>$p; head -c 2 <&9 > ${out.o}; printf ++ >&9"
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": \#(JSON.array(["sh", "-c", .string(script)]).compact), "timeout": 30, "out": {"o": "o"}}}}"#)
    #expect(try workspace.enpire("run", "-j3", "--jobserver", "fifo").code == 0)
    #expect(workspace.read("o") == "++")
    #expect(!FileManager.default.fileExists(atPath: workspace.path(".enpire/jobserver").path()))
  }

  @Test func `under make -n a run says what it would do, and does nothing`() throws {
    let workspace = try Workspace(files: ["Makefile": "all:\n\t+@\(Workspace.program.path()) run\n"])
    try manifest(workspace, steps: 1, together: 0)
    let outcome = workspace.outcome(of: try workspace.start(["-n"], program: Self.make))
    #expect(outcome.output.contains("run      a[i=0]") && workspace.ran == [])
  }
}
