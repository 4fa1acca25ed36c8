import Foundation
import JSON
import Testing

import Robot

@Suite struct StationTests {
  private func episode(_ entry: JSON) throws -> [[Double]] {
    let station = try makeStation(entry)
    return try [station.reset(seed: 5).observation] + (0..<30).map { try station.step([200 + Double($0) * 8, 250]).observation }
  }

  @Test func `a station's gap follows from its name alone`() throws {
    let drawn: JSON = ["name": "sim-1", "driver": "push-t-sim"]
    #expect(try episode(drawn) == episode(["name": "sim-1", "driver": "push-t-sim", "gap": ["drawn": true]]))
    #expect(try episode(drawn) != episode(["name": "sim-2", "driver": "push-t-sim"]))
    #expect(try episode(drawn) != episode(["name": "sim-1", "driver": "push-t-sim", "gap": false]))
  }

  @Test func `without a gap, or with the nominal constants, stations are alike`() throws {
    #expect(
      try episode(["name": "a", "driver": "push-t-sim", "gap": false]) == episode(["name": "b", "driver": "push-t-sim", "gap": ["friction": 0]]))
  }

  @Test func `drawn gaps stay in their ranges and cover the kinds`() {
    let fleet = (0..<200).map { PushTPhysics.drawn(forStation: "sim-\($0)") }
    for physics in fleet {
      #expect((0.85...1.15).contains(physics.agentRadius / 15) && (0.85...1.15).contains(physics.gain / 100))
      #expect((0.85...1.15).contains(physics.derivativeGain / 20))
      #expect((0.95...1.1).contains(physics.blockScale / 30) && (0...0.3).contains(physics.friction) && (0...1).contains(physics.observationNoise))
      #expect(physics.damping == 0 || (0.1...0.3).contains(physics.damping))
    }
    #expect((70...130).contains(fleet.count { $0.latencySteps == 1 }))
    #expect((25...75).contains(fleet.count { $0.damping > 0 }))
  }

  @Test(arguments: [
    (["name": "x", "driver": "warp"] as JSON, "station x: has an unknown driver 'warp'\n  hint: drivers are 'push-t-sim' and 'gym'"),
    (["name": "x"] as JSON, "station x: has no driver\n  hint: drivers are 'push-t-sim' and 'gym'"),
    (
      ["name": "x", "driver": "push-t-sim", "gap": ["gain": "high"]] as JSON,
      "station x: gap: 'gain' must be a number in 1.0...1000.0\n  hint: write {\"drawn\": true}, false, or constants such as {\"latency_steps\": 1}"
    ),
  ]) func `a wrong fleet entry is refused with the reason`(entry: JSON, message: String) {
    #expect { try makeStation(entry) } throws: { "\($0)" == message }
  }

  // A process that speaks the protocol for a while and then goes wrong: a stand-in for the environment, not for the driver.
  @Test(arguments: [
    ("exit 3", "station gym-x: its process ended with code 3"),
    ("read line; echo nonsense; read line", "station gym-x: its process wrote what is not JSON: nonsense"),
    ("read line; echo '{}'; read line", "station gym-x: its process replied without an observation: {}"),
    ("read line; echo '{\"error\": \"KeyError: x\"}'; read line", "station gym-x: its process reports: KeyError: x"),
    ("kill -9 $$", "station gym-x: its process ended by signal 9"),
  ]) func `whatever goes wrong in a station's process, the trial is unknown and says why`(fault: String, reason: String) throws {
    let path = NSTemporaryDirectory() + "enpire-station-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    let reading = #"{"observation":[100,100,300,300,0],"state":[100,100,300,300,0],"coverage":0,"terminated":false,"truncated":false}"#
    let script = """
      #!/bin/sh
      echo '{"protocol":1,"versions":{}}'
      for reply in 1 2 3; do read line; echo '\(reading)'; done
      \(fault)
      """
    try script.write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let trial = runTrial(index: 0, policy: PushTPusher(), station: try GymStation(name: "gym-x", entry: ["python": .string(path)]), seed: 1)
    #expect(trial.outcome == .unknown(reason))
    #expect(trial.steps == 2)
  }
}
