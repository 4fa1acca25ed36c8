// How fast Push-T is simulated here, beside gym-pusht itself, in one run: the same starts, the same actions, the same 300 steps an episode,
// everything that a step gives included (observation, coverage, reward, ends). Turns alternate, so that another load on the machine
// strikes both; times are of the processor, one thread each. Both must end in the same states, or the speeds are not of the same work.
// Usage: push-t-speed [ROUNDS]; prints one JSON object. Needs gym-pusht as the station driver `gym` does (ENPIRE_PYTHON).

import Foundation
import Hashing
import JSON
import Robot

let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5
let episodes = 10
let stepsPerRound = episodes * PushTSimulation.stepLimit

func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

func actions(round: Int) -> [[Double]] {
  var random = RandomStream("push-t-speed", String(round))
  return (0..<stepsPerRound).map { _ in [random.uniform(0...512), random.uniform(0...512)] }
}

/// Steps a second of a round here, and the last state of each episode.
func ours(_ actions: [[Double]], round: Int) -> (rate: Double, ends: [[Double]]) {
  let simulation = PushTSimulation()
  var ends: [[Double]] = []
  let start = processorSeconds()
  for episode in 0..<episodes {
    var seen = simulation.reset(seed: UInt64(round * episodes + episode))
    for step in 0..<PushTSimulation.stepLimit { seen = simulation.step(actions[episode * PushTSimulation.stepLimit + step]).observation }
    ends.append(seen)
  }
  return (Double(stepsPerRound) / (processorSeconds() - start), ends)
}

/// The same in gym-pusht.
func gyms(_ actions: [[Double]], round: Int, python: String) throws -> (rate: Double, ends: [[Double]]) {
  let process = Process()
  let (input, output) = (Pipe(), Pipe())
  process.executableURL = URL(filePath: python)
  process.arguments = [URL(filePath: #filePath).deletingLastPathComponent().path + "/gym_speed.py"]
  (process.standardInput, process.standardOutput) = (input, output)
  try process.run()
  let request: JSON = [
    "first_seed": .integer(round * episodes), "episodes": .integer(episodes), "steps": .integer(PushTSimulation.stepLimit),
    "actions": .array(actions.map { .array($0.map(JSON.number)) }),
  ]
  try input.fileHandleForWriting.write(contentsOf: Data(request.compact.utf8))
  try input.fileHandleForWriting.close()
  let reply = try JSON(parsing: output.fileHandleForReading.readToEnd() ?? Data())
  process.waitUntilExit()
  return (Double(stepsPerRound) / (reply["seconds"]?.double ?? .nan), (reply["ends"]?.array ?? []).map { ($0.array ?? []).compactMap(\.double) })
}

guard let python = GymStation.pythonPath() else {
  FileHandle.standardError.write(Data("push-t-speed: no Python with gym-pusht; set ENPIRE_PYTHON\n".utf8))
  exit(1)
}
var rates: (ours: [Double], gym: [Double]) = ([], [])
var worst = 0.0
for round in 0..<rounds {
  let actions = actions(round: round)
  let (a, b) = (ours(actions, round: round), try gyms(actions, round: round, python: python))
  rates = (rates.ours + [a.rate], rates.gym + [b.rate])
  worst = max(worst, zip(a.ends.joined(), b.ends.joined()).map { abs($0 - $1) }.max() ?? .infinity)
}
func summary(_ rates: [Double]) -> JSON {
  let sorted = rates.sorted()
  return [
    "median": .number(sorted[sorted.count / 2].rounded()), "least": .number(sorted[0].rounded()), "most": .number(sorted[sorted.count - 1].rounded()),
  ]
}
let result: JSON = [
  "benchmark": "push-t-speed", "unit": "control steps per processor second", "rounds": .integer(rounds), "steps_per_round": .integer(stepsPerRound),
  "enpire": summary(rates.ours), "gym_pusht": summary(rates.gym), "worst_difference_of_last_states": .number(worst),
]
print(result.pretty, terminator: "")
