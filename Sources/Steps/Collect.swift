// collect: rolls a policy out in the nominal simulation and keeps what was seen and done as a dataset. With an expert, the policy acts and
// the expert says what it would have done there (DAgger; Ross, Gordon and Bagnell, 2011); with noise, what is done strays from what is said
// and the data shows how to come back (DART; Laskey et al., 2017). Only the nominal physics is used: a station's is nobody's to learn in.

import Foundation
import Hashing
import JSON
import Learning
import Robot
import Workflow

enum Collect: StepKind {
  static let kind = Kind(
    "collect", summary: "Roll a policy out in the nominal simulation and keep the episodes as a dataset.", effect: .pure, revision: 2,
    inputs: [
      Input("policy", "What acts; what is kept is what it said."),
      Input("expert", "What says the actions that are kept, where 'policy' acts.", required: false),
      Input("demos", "A dataset that the episodes are added to.", required: false),
    ],
    outputs: [Output("dataset", .directory, path: "dataset", "The episodes: dataset.json, observation.npy, action.npy, episode_ends.npy.")],
    parameters: [
      Parameter("episodes", .integer(1...1_000_000), "How many are rolled out."),
      Parameter("seed", .integer(0...1_000_000), default: 0, "Of the starts and the noise; the starts are those of no evaluation."),
      Parameter("steps", .integer(1...300), default: 300, "Control steps after which an episode is ended."),
      Parameter("noise", .number(0...100), default: 0, "Spread of what is done about what was said, px; redrawn at each control step."),
      Parameter("share", .number(0...1), default: 0, "Share of control steps at which the expert acts too."),
      Parameter("keep", .oneOf(["all", "solved"]), default: "all", "Which episodes."),
    ])

  static func run(_ step: StepContext) throws {
    let policy = try PolicyLoader.policy(at: step.input("policy").path)
    let expert = try step.inputs("expert").first.map { try PolicyLoader.policy(at: $0.path) }
    var data = try step.demonstrations() ?? DataSet()
    let before = data.episodes.count
    let simulation = PushTSimulation()
    var solved = 0, frames = 0
    let episodes = step.int("episodes")
    for episode in 0..<episodes {
      var stream = RandomStream("collect", "\(step.int("seed"))", "\(episode)")
      var observation = simulation.reset(seed: LearningEnvironment.start(from: &stream))
      policy.reset()
      expert?.reset()
      var (observations, actions): ([[Double]], [[Double]]) = ([], [])
      var ended = false
      while !ended, actions.count < step.int("steps") {
        let own = try policy.act(observation), said = try expert?.act(observation) ?? own
        var done = expert != nil && stream.uniform() < step.double("share") ? said : own
        let noise = step.double("noise")
        if noise > 0 { done = done.map { min(max($0 + noise * stream.normal(), 0), 512) } }
        observations.append(observation)
        actions.append(said)
        for case let observer as any ActionObserver in [policy, expert] { observer.carriedOut(done) }
        let result = simulation.step(done)
        observation = result.observation
        ended = result.terminated
      }
      frames += actions.count
      if ended { solved += 1 }
      if ended || step.string("keep") == "all" { data.append(observations: observations, actions: actions) }
      if episode % max(1, episodes / 100) == 0 { step.progress(episode, of: episodes, "\(solved) solved, \(frames) frames") }
    }
    guard data.episodes.count > 0 else { throw StepFailure("step \(step.name): no episode was solved, so none is kept") }
    let directory = step.output("dataset")
    try data.write(directory: directory)
    let json: JSON = [
      "dataset": 1, "task": "push-t", "fps": .number(1 / PushTSimulation.controlPeriod), "actions": "said",
      "episodes": .array(
        data.episodes.enumerated().map { index, frames in
          ["name": .string(index < before ? "before \(index)" : "episode \(index - before)"), "frames": .integer(frames.count)]
        }),
    ]
    try Data(json.pretty.utf8).write(to: URL(filePath: directory + "/dataset.json"))
    step.log("\(solved) of \(episodes) episodes solved; \(data.episodes.count) episodes, \(data.frames) frames in the dataset")
    step.telemetry("solved", .integer(solved))
    step.telemetry("simulated_steps", .integer(frames))
  }
}
