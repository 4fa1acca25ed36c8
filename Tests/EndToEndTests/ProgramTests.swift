// A policy of a person's or an agent's own: from a source file through the store to trials, as a manifest says it.

import Foundation
import JSON
import Testing

@Suite struct `Programs in a workflow` {
  @Test func `without a sandbox nothing is run, which is the machine's fault and no result`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "fleet": "fleet.json", "steps": {
        "mine": {"uses": "compile-program", "in": {"source": "still.py"}, "with": {"must": false}},
        "rate": {"uses": "evaluate", "in": {"policy": "${step.mine.program}"}, "station": {"task": "push-t"}, "with": {"trials": 1, "purpose": "search"},
          "out": {"trials": "trials.jsonl"}}}}
      """#,
      files: [
        "fleet.json": #"{"fleet": 1, "stations": [{"name": "sim-1", "driver": "push-t-sim", "tasks": ["push-t"], "gap": false}]}"#,
        "still.py": """
        import sys
        for line in sys.stdin:
            words = line.split()
            print("act", words[1], words[2], flush=True) if words[0] == "observe" else print("ready", flush=True)

        """,
        "bin/bwrap": "#!/bin/sh\necho no name spaces here >&2\nexit 1\n",
      ])
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: workspace.path("bin/bwrap").path())
    let broken = ["PATH": workspace.path("bin").path() + ":" + ProcessInfo.processInfo.environment["PATH"]!]
    func run(_ goal: String, _ environment: [String: String]) throws -> Outcome {
      try workspace.enpire("run", "--sandbox", "none", goal, environment: environment)
    }
    let compiled = try run("mine", broken)
    #expect(compiled.code == 1 && compiled.errors.contains("without a sandbox: bubblewrap cannot make a sandbox here: no name spaces here"))
    #expect(try run("mine", [:]).code == 0)
    let rated = try run("rate", broken)
    #expect(rated.code == 1 && rated.errors.contains("is not run without a sandbox"), "\(rated.errors)")
    #expect(try run("rate", [:]).code == 0)
    #expect(try JSON(parsing: workspace.read("trials.jsonl") ?? "")["steps"] == 300)
  }

  @Test(arguments: ["", "none"]) func `an executable becomes a policy and acts, whatever became of its permissions`(sandbox: String) throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "fleet": "fleet.json", "steps": {
        "mine": {"uses": "compile-program", "in": {"source": "still"}, "with": {"role": "policy"}},
        "rate": {"uses": "evaluate", "in": {"policy": "${step.mine.program}"}, "station": {"task": "push-t"}, "with": {"trials": 2, "purpose": "search"},
          "out": {"trials": "trials.jsonl"}}}}
      """#,
      files: [
        "fleet.json": #"{"fleet": 1, "stations": [{"name": "sim-1", "driver": "push-t-sim", "tasks": ["push-t"], "gap": false}]}"#,
        "still": """
        #!/bin/sh
        while read -r word x y rest; do
          case $word in
            observe) echo "act $x $y" ;;
            *) echo ready ;;
          esac
        done

        """,
      ])
    let outcome = try workspace.enpire("run", environment: sandbox.isEmpty ? ["ENPIRE_SANDBOX": "auto"] : [:])
    #expect(outcome.code == 0, "\(outcome.errors)")
    let trials = try (workspace.read("trials.jsonl") ?? "").split(separator: "\n").map { try JSON(parsing: String($0)) }
    #expect(trials.map { $0["steps"] } == [300, 300], "a policy that fails ends its trial at once: \(trials)")
  }
}
