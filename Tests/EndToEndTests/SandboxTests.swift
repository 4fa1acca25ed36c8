// What a step sees in its sandbox, and what a step without one may not do to the workspace either.

import Foundation
import JSON
import Testing

@Suite struct `Sandbox` {
  /// One step `a` that runs a shell script, reads `in.txt` and writes `o`. WORKSPACE in the script is this directory.
  private func workspace(_ script: String, more: String = "", files: [String: String] = [:]) throws -> Workspace {
    let workspace = try Workspace(files: files.merging(["in.txt": "one\n", "other.txt": "not declared\n"]) { $1 })
    let step: JSON = ["run": ["sh", "-c", .string(script)], "in": ["i": "in.txt"], "out": ["o": "o"]]
    let text = step.compact.dropLast() + (more.isEmpty ? "" : ", " + more) + "}"
    let manifest = "{\"manifest\": 1, \"steps\": {\"a\": \(text)}}".replacingOccurrences(of: "WORKSPACE", with: workspace.directory.path())
    try workspace.write(manifest, to: "enpire.json")
    return workspace
  }

  private func run(_ workspace: Workspace, _ arguments: String..., mode: String = "bwrap") throws -> Outcome {
    workspace.outcome(of: try workspace.start(["run"] + arguments, environment: ["ENPIRE_SANDBOX": mode]))
  }

  @Test(arguments: [
    ("the input", "cat in.txt > o", "one\n"),
    ("the input by its name in the command", "cat $${PWD}/in.txt > o", "one\n"),
    ("no file that is not declared", "cat other.txt > o || echo none > o", "none\n"),
    ("none by its absolute path", "cat WORKSPACE/other.txt > o || echo none > o", "none\n"),
    ("not the state", "ls -A WORKSPACE/.enpire > o; ls WORKSPACE/.enpire/secret || true", "work\n"),
    ("no home", "ls -A $${HOME} > l; grep -v enpire- l > o || true", ""),
    ("a /tmp of its own", "echo x > /tmp/enpire-test-own && cp /tmp/enpire-test-own o", "x\n"),
    ("no other process", "echo /proc/[0-9]* | wc -w > n; test $(cat n) -lt 6 && echo few > o", "few\n"),
    ("no network", "test $(wc -l < /proc/net/dev) = 3 && echo lo > o", "lo\n"),
    ("no account of this machine", "wc -l < /etc/passwd > n; test $(cat n) -lt 4 && echo few > o", "few\n"),
    ("no privileges", "grep CapEff /proc/self/status | cut -f 2 > o", "0000000000000000\n"),
  ]) func `a step sees`(what: String, script: String, expected: String) throws {
    let workspace = try workspace(script)
    let outcome = try run(workspace)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(workspace.read("o") == expected, "\(what)")
    #expect(!FileManager.default.fileExists(atPath: "/tmp/enpire-test-own"))
  }

  @Test func `inputs cannot be written`() throws {
    let workspace = try workspace("echo more >> in.txt || echo refused > o")
    #expect(try run(workspace).code == 0)
    #expect(workspace.read("o") == "refused\n" && workspace.read("in.txt") == "one\n")
  }

  @Test func `the network is there for a step that says so`() throws {
    let workspace = try workspace("test $(readlink /proc/self/ns/net) = NET && echo same > o", more: #""network": true"#)
    let net = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    try workspace.write((workspace.read("enpire.json") ?? "").replacingOccurrences(of: "NET", with: net), to: "enpire.json")
    let outcome = try run(workspace)
    #expect(outcome.code == 0 && workspace.read("o") == "same\n", "\(outcome.errors)")
  }

  @Test func `outputs of steps, directories and many files are inputs too`() throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "steps": {
        "a": {"run": ["sh", "-c", "mkdir d/sub; echo 1 > d/sub/x; echo 2 > d/y"], "out": {"o": "d/"}},
        "b": {"run": ["sh", "-c", "cat ${in.d}/sub/x ${in.d}/y tree/deep/f parts/* > o/b; ! echo z > ${in.d}/y"], "in": {"d": "${step.a.o}", "t": "tree", "p": "parts/*"}, "out": {"o": "o/b"}}}}
      """, files: ["tree/deep/f": "3\n"])
    for index in 0..<150 { try workspace.write("\(index)\n", to: "parts/\(1000 + index)") }
    let outcome = try run(workspace)
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(workspace.read("o/b") == "1\n2\n3\n" + (0..<150).map { "\($0)\n" }.joined())
  }

  @Test func `a step that needs a sandbox fails where there is none, one that refuses it has none`() throws {
    let needs = try workspace("true > o", more: #""sandbox": true"#)
    let outcome = try run(needs, mode: "none")
    #expect(outcome.code == 1 && outcome.errors.contains("a must run in a sandbox, and this run has none"))
    let refuses = try workspace("cat WORKSPACE/other.txt > o", more: #""sandbox": false"#)
    #expect(try run(refuses).code == 0)
    #expect(try run(needs, "--sandbox", "maybe").code == 64)
    #expect(try run(needs, mode: "maybe").errors.contains("ENPIRE_SANDBOX=maybe is no kind of sandbox"))
  }

  @Test func `without bubblewrap auto runs without a sandbox and bwrap does not run`() throws {
    let workspace = try workspace("/bin/true && true > o")
    let empty = workspace.path("empty").path()
    try FileManager.default.createDirectory(atPath: empty + "/bin", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: empty + "/bin/sh", withDestinationPath: "/bin/sh")
    for (mode, code) in [("bwrap", Int32(1)), ("auto", 0)] {
      let outcome = workspace.outcome(of: try workspace.start(["--sandbox", mode], environment: ["PATH": empty + "/bin"]))
      #expect(outcome.code == code, "\(outcome.errors)")
      #expect(outcome.errors.contains("there is no bubblewrap") == (mode == "bwrap"))
    }
  }

  @Test(arguments: ["bwrap", "none"]) func `how a step ended is told alike`(mode: String) throws {
    let killed = try run(try workspace("kill -9 $$$$"), mode: mode)
    #expect(killed.errors.contains("a: killed by signal 9"), "\(killed.errors)")
    #expect(try run(try workspace("exit 7"), mode: mode).errors.contains("exit code 7"))
    let missing = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["no-such-program"], "out": {"o": "o"}}}}"#)
    #expect(try run(missing, mode: mode).errors.contains("cannot start 'no-such-program': No such file or directory"))
  }

  @Test func `a step that takes too long can still end in good order`() throws {
    let workspace = try workspace(
      "trap 'echo asked to end; exit 3' TERM; echo begun; while true; do sleep 0.05; done", more: #""timeout": 2"#)
    let outcome = try run(workspace)
    #expect(outcome.code == 124)
    #expect(try workspace.enpire("log", "a").output.contains("asked to end"))
  }

  @Test(arguments: ["bwrap", "none"]) func `an output that is a link gives no more than the step could read, and moves nothing`(mode: String) throws {
    let outside = try workspace("ln -s WORKSPACE/other.txt o")
    #expect(try run(outside, mode: mode).errors.contains("is a link to what is none of its inputs"))
    let inside = try workspace("ln -s in.txt o")
    #expect(try run(inside, mode: mode).code == 0)
    #expect(inside.read("o") == "one\n" && inside.read("in.txt") == "one\n")
    try inside.write("two\n", to: "o")
    #expect(inside.read("in.txt") == "one\n")

    let directory = try Workspace(files: ["precious/p": "p\n"])
    try directory.write(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "rmdir d; ln -s \#(directory.path("precious").path()) d"], "out": {"o": "d/"}}}}"#,
      to: "enpire.json")
    #expect(try run(directory, mode: mode).code == 1)
    #expect(directory.read("precious/p") == "p\n")
  }

  @Test func `a hard link to a file of the workspace is copied, not taken`() throws {
    let workspace = try workspace("ln WORKSPACE/other.txt o")
    #expect(try run(workspace, mode: "none").code == 0)
    try workspace.write("changed\n", to: "other.txt")
    try FileManager.default.removeItem(at: workspace.path("o"))
    #expect(try run(workspace, mode: "none").code == 0)
    #expect(workspace.read("o") == "not declared\n")
  }

  @Test func `a damaged blob that nobody vouches for is not taken for the output`() throws {
    let workspace = try workspace("cat in.txt > o")
    // SHA-256 of "one\n".
    let blob = ".enpire/store/2c/8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806"
    try workspace.write("", to: blob)
    #expect(try run(workspace).code == 0)
    #expect(workspace.read("o") == "one\n" && workspace.read(blob) == "one\n")
  }
}
