// How fast Push-T is simulated here, beside gym-pusht itself, in one run: the same starts, the same actions, the same 300 steps an episode,
// everything that a step gives included (observation, coverage, reward, ends). Turns alternate, so that another load on the machine
// strikes both; times are of the processor, one thread each. Both must end in the same states, or the speeds are not of the same work.
// The planner's own model takes the same starts and actions too, with the benchmark's test for success at every step, as the planner has it.
// Usage: push-t-speed [ROUNDS]; prints one JSON object. Needs gym-pusht as the station driver `gym` does (ENPIRE_PYTHON).

import Foundation
import Hashing
import JSON
import Robot

let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5
let episodes = 10
let stepsPerRound = episodes * PushTSimulation.stepLimit
/// The model is too fast to be timed once.
let modelRepeats = 50

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

/// The planner's model: steps a second, and how far from the simulation the T ends at the median of the episodes, units.
func models(_ actions: [[Double]], round: Int, ends: [[Double]]) -> (rate: Double, apart: Double) {
  let model = PushTModel()
  let goal = PushTGoal(model)
  // The starts as observed; the model's own first state follows from them.
  let starts = (0..<episodes).map { PushTSimulation().reset(seed: UInt64(round * episodes + $0)) }
  let targets = actions.map { SIMD2($0[0], $0[1]) }
  var finals: [[Double]] = []
  var reached = 0
  let start = processorSeconds()
  for repeated in 0..<modelRepeats {
    finals = []
    for episode in 0..<episodes {
      var state = model.state(at: starts[episode])
      for step in 0..<PushTSimulation.stepLimit {
        model.step(&state, toward: targets[episode * PushTSimulation.stepLimit + step])
        if goal.isReached(state) { reached += 1 }
      }
      if repeated == 0 || repeated == modelRepeats - 1 { finals.append(model.observation(state)) }
    }
  }
  let rate = Double(stepsPerRound * modelRepeats) / (processorSeconds() - start)
  let apart = zip(finals, ends).map { hypot($0[2] - $1[2], $0[3] - $1[3]) }.sorted()
  return (rate + Double(min(reached, 0)), apart[apart.count / 2])
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

/// The planner's time for a control step, ms of the processor, over whole episodes; and the median of their steps.
func planner(_ parameters: PlannerParameters, episodes: Range<UInt64>) throws -> JSON {
  let (planner, simulation) = (PushTPlanner(parameters), PushTSimulation())
  var (seconds, steps, lengths) = (0.0, 0, [Int]())
  for seed in episodes {
    var observation = simulation.reset(seed: seed)
    planner.reset()
    for step in 1...PushTSimulation.stepLimit {
      let start = processorSeconds()
      let action = try planner.act(observation)
      seconds += processorSeconds() - start
      steps += 1
      let result = simulation.step(action)
      observation = result.observation
      if result.terminated { lengths.append(step) }
      if result.terminated || result.truncated { break }
    }
  }
  return [
    "episodes": .integer(episodes.count), "solved": .integer(lengths.count),
    "ms_a_control_step": .number((seconds * 1e5 / Double(steps)).rounded() / 100),
    "median_steps": .integer(lengths.sorted()[lengths.count / 2]),
  ]
}

guard let python = GymStation.pythonPath() else {
  FileHandle.standardError.write(Data("push-t-speed: no Python with gym-pusht; set ENPIRE_PYTHON\n".utf8))
  exit(1)
}
var rates: (ours: [Double], gym: [Double], model: [Double]) = ([], [], [])
var ratios: (ours: [Double], model: [Double]) = ([], [])
var worst = 0.0, apart: [Double] = []
for round in 0..<rounds {
  let actions = actions(round: round)
  let (a, b) = (ours(actions, round: round), try gyms(actions, round: round, python: python))
  let model = models(actions, round: round, ends: b.ends)
  rates = (rates.ours + [a.rate], rates.gym + [b.rate], rates.model + [model.rate])
  ratios = (ratios.ours + [a.rate / b.rate], ratios.model + [model.rate / b.rate])
  apart.append(model.apart)
  worst = max(worst, zip(a.ends.joined(), b.ends.joined()).map { abs($0 - $1) }.max() ?? .infinity)
}
func rounded(_ value: Double) -> Double { value < 1000 ? (value * 10).rounded() / 10 : value.rounded() }
func summary(_ rates: [Double]) -> JSON {
  let sorted = rates.sorted()
  return [
    "median": .number(rounded(sorted[sorted.count / 2])), "least": .number(rounded(sorted[0])), "most": .number(rounded(sorted[sorted.count - 1])),
  ]
}
let result: JSON = [
  "benchmark": "push-t-speed", "unit": "control steps per processor second", "rounds": .integer(rounds), "steps_per_round": .integer(stepsPerRound),
  "enpire": summary(rates.ours), "gym_pusht": summary(rates.gym), "worst_difference_of_last_states": .number(worst),
  "model": summary(rates.model), "model_median_distance_of_last_poses": .number(apart.sorted()[apart.count / 2]),
  "planner_full": try planner(PlannerParameters(), episodes: 400_000..<400_060), "planner_low": try planner(.low, episodes: 400_000..<400_200),
  "ratio": summary(ratios.ours), "model_ratio": summary(ratios.model),
]
print(result.pretty, terminator: "")
