// A policy of a person's or an agent's own: from a source file through the store to trials, as a manifest says it.

import Foundation
import JSON
import Testing

@Suite struct `Programs in a workflow` {
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
