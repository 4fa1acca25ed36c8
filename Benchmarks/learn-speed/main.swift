// How fast the learners update, beside the same networks and algorithms in PyTorch, on the same libtorch, in one run: turns alternate, so that
// another load on the machine strikes both; times are of the processor, one thread each. The losses at the end of cloning must agree, or the
// speeds are not of the same work. It also measures two threads here, which is where the recipes' default of one comes from.
// Usage: learn-speed [ROUNDS [cloning | reinforcement]]; prints one JSON object. Needs Debian's python3-torch.

import CLinux
import Foundation
import Hashing
import JSON
import Learning

// As enpire has it for its steps, for both sides; OpenBLAS reads it when it is loaded.
if getenv("OPENBLAS_CORETYPE") == nil, let core = enpire_openblas_core() {
  setenv("OPENBLAS_CORETYPE", core, 1)
  execv("/proc/self/exe", CommandLine.unsafeArgv)
}

let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 3
let cloningUpdates = 300, steps = 200

func seconds(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Push-T's columns, smooth random walks, and an action that can be learnt from them.
let data: DataSet = {
  var data = DataSet()
  for episode in 0..<100 {
    var stream = RandomStream("learn-speed", "\(episode)")
    var row = [stream.uniform(0...512), stream.uniform(0...512), stream.uniform(0...512), stream.uniform(0...512), stream.uniform(0...6)]
    var observations: [[Double]] = [], actions: [[Double]] = []
    for _ in 0..<100 {
      row = row.indices.map { row[$0] + ($0 == 4 ? 0.02 : 3) * stream.normal() }
      observations.append(row)
      actions.append([row[0] + 0.1 * (256 - row[2]), row[1] + 0.1 * (256 - row[3])])
    }
    data.append(observations: observations, actions: actions)
  }
  return data
}()
let features = Features(
  angles: [4], frames: [.init(origin: [2, 3], angle: 4, point: [0, 1])], anchor: [0, 1], history: 2, actionBounds: [0...512, 0...512])

/// Updates a second, by processor time and by the clock on the wall, and the loss at the end.
struct Figure {
  var rate: Double, wallRate: Double, loss: Double
}

/// Of `updates`, which begin when the body says so: a learner's preparations are not what is compared.
func measure(_ updates: Int, _ body: (_ begin: @escaping () -> Void) throws -> Double) rethrows -> Figure {
  var (start, wall) = (seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC))
  let loss = try body { (start, wall) = (seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC)) }
  return Figure(
    rate: Double(updates) / (seconds(CLOCK_PROCESS_CPUTIME_ID) - start), wallRate: Double(updates) / (seconds(CLOCK_MONOTONIC) - wall), loss: loss)
}

func cloning(threads: Int, round: Int) throws -> Figure {
  var settings = BehaviourCloning.Settings()
  // Two threads that wait for each other on a busy machine take long: a few updates tell enough.
  let updates = threads == 1 ? cloningUpdates : 100
  (settings.updates, settings.threads, settings.noise, settings.heldOut) = (updates, threads, [2, 2, 2, 2, 2.0 / 60], 0)
  return try measure(updates) { _ in
    try BehaviourCloning.train(data, task: "push-t", features: features, settings: settings, seed: round).curves["loss"]!.values.suffix(20).reduce(
      0, +) / 20
  }
}

/// A task without physics: what is timed is learning. 100 steps an episode.
func environment() -> LearningEnvironment {
  var row = [0.0], count = 0
  return LearningEnvironment(
    observationSize: 5,
    reset: { seed in
      row = [Double(seed % 512), 100, 256, 256, 1]
      count = 0
      return row
    },
    step: { action in
      row = [row[0] + 0.3 * (action[0] - row[0]), row[1] + 0.3 * (action[1] - row[1]), 256, 256, 1]
      count += 1
      return .init(observation: row, reward: -abs(row[0] - 256) / 256, terminated: false, truncated: count == 100)
    })
}

func reinforcement(threads: Int, round: Int) throws -> Figure {
  var settings = SoftActorCritic.Settings()
  let steps = threads == 1 ? steps : 20
  (settings.steps, settings.warmUp, settings.cloningUpdates, settings.evaluations, settings.threads) = (steps + 300, 300, 0, 0, threads)
  return try measure(2 * steps) { begin in
    // Like the peer's, the time begins when the warm-up is over; progress is told before the first step, and every hundredth of all of them.
    let site = TrainingSite { done, _, _ in if done == settings.warmUp { begin() } }
    return try SoftActorCritic.train(
      in: environment(), demonstrations: data, task: "push-t", features: features, settings: settings, seed: round, at: site
    ).curves["critic loss"]!.values.last ?? .nan
  }
}

/// The same in Python; `what` is cloning or reinforcement.
func peer(_ what: String, round: Int) throws -> Figure {
  let process = Process(), (input, output) = (Pipe(), Pipe())
  process.executableURL = URL(filePath: "/usr/bin/python3")
  process.arguments = [URL(filePath: #filePath).deletingLastPathComponent().path + "/learn_speed.py"]
  process.environment = ProcessInfo.processInfo.environment.merging(["OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"]) { $1 }
  (process.standardInput, process.standardOutput) = (input, output)
  try process.run()
  let request: JSON = [
    "what": .string(what), "seed": .integer(round), "updates": .integer(cloningUpdates), "steps": .integer(steps),
    "observations": .array(data.observations.map { .array($0.map(JSON.number)) }),
    "actions": .array(data.actions.map { .array($0.map(JSON.number)) }),
    "ends": .array(data.episodes.map { .integer($0.upperBound) }),
  ]
  let text = Data(request.compact.utf8)
  DispatchQueue.global().async {
    try? input.fileHandleForWriting.write(contentsOf: text)
    try? input.fileHandleForWriting.close()
  }
  let reply = try JSON(parsing: output.fileHandleForReading.readToEnd() ?? Data())
  process.waitUntilExit()
  return Figure(rate: reply["rate"]?.double ?? .nan, wallRate: reply["wall_rate"]?.double ?? .nan, loss: reply["loss"]?.double ?? .nan)
}

func summary(_ figures: [Figure]) -> JSON {
  func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
  let rates = figures.map(\.rate)
  return [
    "median": .number(median(rates).rounded()), "least": .number(rates.min()!.rounded()), "most": .number(rates.max()!.rounded()),
    "median_by_the_wall": .number(median(figures.map(\.wallRate)).rounded()), "median_loss": .number(median(figures.map(\.loss))),
  ]
}

var result: JSON = [
  "benchmark": "learn-speed", "unit": "updates per processor second", "rounds": .integer(rounds), "updates_per_round": .integer(cloningUpdates),
]
let learners = [("cloning", cloning), ("reinforcement", reinforcement)].filter {
  CommandLine.arguments.count < 3 || CommandLine.arguments[2] == $0.0
}
for (what, mine) in learners {
  var (own, python): ([Figure], [Figure]) = ([], [])
  for round in 0..<rounds {
    own.append(try mine(1, round))
    python.append(try peer(what, round: round))
  }
  let ratios = zip(own, python).map { $0.rate / $1.rate }.sorted()
  result[what] = [
    "enpire": summary(own), "pytorch": summary(python), "ratio_median": .number((ratios[ratios.count / 2] * 100).rounded() / 100),
    "ratio_least": .number((ratios[0] * 100).rounded() / 100),
  ]
}
// Last, because the threads of the pools stay and are in each other's way from then on.
for (what, mine) in learners { result[what]?["enpire_two_threads"] = summary([try mine(2, 0)]) }
print(result.pretty, terminator: "")
