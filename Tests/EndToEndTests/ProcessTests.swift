// What becomes of a step's processes: when it is over, takes too long, is interrupted, or its run crashes, nothing of it lives on.

import Foundation
import JSON
import Testing

@Suite struct `Processes` {
  /// Living processes whose command line or environment names the workspace; the environment has TMPDIR.
  private func living(in workspace: Workspace) -> [Int32] {
    let needle = Data(workspace.directory.path().utf8)
    return (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))!.compactMap { Int32($0) }.filter { process in
      let state = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8))?.split(separator: ")").last?.split(separator: " ").first
      guard let state, state != "Z" else { return false }
      return ["cmdline", "environ"].contains { name in
        (try? FileHandle(forReadingFrom: URL(filePath: "/proc/\(process)/\(name)")).readToEnd())?.range(of: needle) != nil
      }
    }
  }

  /// A step that starts a process in a session of its own, as a daemon does, and one without its environment; notes that both are there; goes on.
  private func daemons(_ then: String, more: String = "") throws -> Workspace {
    let workspace = try Workspace()
    let path = workspace.directory.path()
    let script = """
      (setsid sh -c 'touch \(path)/one; sleep 300; :' &)
      (env -i PATH=$PATH sh -c 'touch \(path)/two; sleep 300; :' &)
      until test -e \(path)/one -a -e \(path)/two; do sleep 0.01; done; touch \(path)/begun; \(then)
      """
    let words = JSON.array(["sh", "-c", .string(script.replacingOccurrences(of: "WORKSPACE", with: path))]).compact
    try workspace.write(#"{"manifest": 1, "steps": {"a": {"run": \#(words)\#(more), "out": {"o": "o"}}}}"#, to: "enpire.json")
    return workspace
  }

  /// An OpenBLAS that is older than the processor would take loops of 2004 for it.
  @Test func `a step's matrix products are made for its processor`() throws {
    let script =
      "import ctypes; b = ctypes.CDLL('libopenblas.so.0'); b.openblas_get_corename.restype = ctypes.c_char_p; "
      + "open('o', 'wb').write(b.openblas_get_corename())"
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["/usr/bin/python3", "-c", \#(JSON.string(script).compact)], "out": {"o": "o"}}}}"#)
    #expect(try workspace.summary()["ran"] == 1)
    let flags = try Set(String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split { " \n".contains($0) })
    let core = try #require(workspace.read("o"))
    if flags.isSuperset(of: ["avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"]) {
      #expect(core == "SkylakeX")
    } else if flags.isSuperset(of: ["avx2", "fma"]) {
      #expect(core == "Haswell")
    } else {
      #expect(!core.isEmpty)
    }
  }

  @Test func `what a step leaves behind ends with it`() throws {
    let workspace = try daemons("echo x > o")
    #expect(try workspace.summary()["ran"] == 1)
    #expect(living(in: workspace) == [])
  }

  @Test func `a step that takes too long is ended with its daemons`() throws {
    let workspace = try daemons("sleep 300", more: #", "timeout": {"after": 1.5, "grace": 0.1}"#)
    #expect(try workspace.enpire().code == 124)
    #expect(living(in: workspace) == [])
  }

  @Test func `interrupted, a step is ended with its daemons`() throws {
    let workspace = try daemons("sleep 300")
    let run = try workspace.start([])
    workspace.wait(for: "begun")
    kill(run.processIdentifier, SIGINT)
    #expect(workspace.outcome(of: run).code == 130)
    #expect(living(in: workspace) == [])
  }

  @Test func `what a crashed run leaves behind is ended before the next one runs anything`() throws {
    let workspace = try daemons("test -e WORKSPACE/go || sleep 300; echo x > o")
    let run = try workspace.start([])
    workspace.wait(for: "begun")
    kill(run.processIdentifier, SIGKILL)
    run.waitUntilExit()
    let left = living(in: workspace)
    #expect(left.count >= 2)
    try workspace.write("", to: "go")
    let outcome = try workspace.enpire("run", "--json")
    let events = outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
    #expect(events.first?["event"] == "leftovers" && (events.first?["ended"]?.int ?? 0) >= 2)
    #expect(events.last?["ran"] == 1)
    #expect(living(in: workspace) == [])
    #expect(!FileManager.default.fileExists(atPath: workspace.path(".enpire/running").path()))
  }

  @Test func `asked to end, a step has its grace, and so have its processes`() throws {
    let workspace = try Workspace()
    let path = workspace.directory.path()
    let script = """
      (trap 'sleep 0.2; echo bye > \(path)/bye; exit' TERM; touch \(path)/begun; while :; do sleep 0.02; done) & sleep 300
      """
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": \#(JSON.array(["sh", "-c", .string(script)]).compact), "out": {"o": "o"}}}}"#, to: "enpire.json")
    let run = try workspace.start([])
    workspace.wait(for: "begun")
    kill(run.processIdentifier, SIGTERM)
    #expect(workspace.outcome(of: run).code == 130)
    #expect(workspace.read("bye") == "bye\n")
  }

  @Test func `who does not heed it is killed when the grace is over`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "trap '' TERM; sleep 300; sleep 300"], "timeout": {"after": 0.2, "grace": 0.2}, "out": {"o": "o"}}}}"#
    )
    #expect(try workspace.enpire().code == 124)
    #expect(living(in: workspace) == [])
  }

  @Test func `a step inherits no descriptor but its own`() throws {
    let workspace = try Workspace(#"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "exec > o; ls /proc/$$$$/fd"], "out": {"o": "o"}}}}"#)
    #expect(try workspace.enpire().code == 0)
    #expect(workspace.read("o") == "0\n1\n2\n3\n")
  }

  @Test func `many run at once, however few descriptors are allowed at first`() throws {
    let workspace = try Workspace()
    let path = workspace.directory.path()
    let script = "echo x >> \(path)/ran; until test $(wc -l < \(path)/ran) -ge 60; do sleep 0.1; done; echo ${matrix.i} > ${out.o}"
    let list = JSON.array((0..<60).map { .integer($0) }).compact
    try workspace.write(
      #"{"manifest": 1, "steps": {"a": {"run": \#(JSON.array(["sh", "-c", .string(script)]).compact), "timeout": 60, "matrix": {"i": \#(list)}, "out": {"o": "o/${matrix.i}"}}}}"#,
      to: "enpire.json")
    let outcome = workspace.outcome(
      of: try workspace.start(["-c", "ulimit -Sn 64; exec \(Workspace.program.path()) -j 60"], program: URL(filePath: "/bin/sh")))
    #expect(outcome.code == 0, "\(outcome.errors)")
  }
}
