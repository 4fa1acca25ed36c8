// evaluate: draws trials of policies on a station, and tells the success rate with its interval. The unit of its cache is the trial:
// those already in the samples file are not run again, so that an interrupted or enlarged evaluation goes on where it was.

import Foundation
import JSON
import Robot
import Workflow

enum Evaluate: StepKind {
  static let kind = Kind(
    "evaluate", summary: "Run trials of policies on a station and report the success rate with its interval.", effect: .sample, revision: 5,
    inputs: [
      Input("policy", "The policies; trial i runs policy i mod their number.", many: true),
      Input("env", "The frozen environment: limits and verifier. Without it, the benchmark's own limits and no verifier.", required: false),
    ],
    outputs: [
      Output("result", .value, path: "result.json", "Success rate, its interval and what it was counted from."),
      Output("trials", .file, path: "trials.jsonl", "One line a trial."),
      Output("films", .directory, path: "films", "Film strips of a few successes and failures."),
    ],
    parameters: [
      Parameter("trials", .integer(1...1_000_000), "How many trials in all, over all shards.", affectsResult: false),
      Parameter(
        "purpose", .oneOf(Purpose.allCases.map(\.rawValue)), default: "search",
        "What the trials are for: 'search' uses public seeds, the others seeds that nobody knows before."),
      Parameter("films", .integer(0...100), default: 3, "At most so many successes, and so many failures, are drawn."),
      Parameter("confidence", .number(0.5...0.9999), default: 0.95, "Of the intervals, two-sided."),
      Parameter(
        "paired", .bool, default: false,
        "Whether every policy meets the same seeds on the same stations; the rate is then the first policy's, compared with each other one's."),
      Parameter(
        "attempts", .integer(2...100), optional: true,
        "When a trial's time is up, its policy begins anew from where things are, so many times in all. That rate is told apart, as retry-k; a trial's "
          + "outcome and all other rates are the first attempt's."),
      Parameter(
        "bar", .number(0.001...0.999), optional: true,
        "A success rate: trials stop early once a sequential test tells at this confidence on which side of it the rate lies. Not with shards.",
        affectsResult: false, withShards: false),
    ],
    usesStation: true, shardable: true)

  static func run(_ step: StepContext) throws {
    guard let entry = step.station else { throw StepFailure("step \(step.name): no station", hint: "add \"station\": {\"task\": \"push-t\"}") }
    let policies = step.inputs("policy")
    guard !policies.isEmpty else { throw StepFailure("step \(step.name): input 'policy' is empty") }
    let plan = try EvaluationPlan(step, policies: policies.count)
    let environment = try step.inputs("env").first.map { try FrozenEnvironment(directory: $0.path) }
    let samples = try SamplesFile(path: step.samplesFile, lease: step.leases.first)
    try samples.takeLost(on: entry, seed: plan.seed, policy: plan.policy, withSeed: !plan.purpose.isSecret)
    let wanted = plan.trials(ofShard: step.shard)
    // Fixed beforehand is a count that was asked for before the first trial, and no other one ever: their outcomes are seen while they run.
    let count = step.value("bar") == nil ? wanted.count : 0, looks = samples.looks.union(step.looks)
    if !looks.isEmpty { step.telemetry("looks", .array(looks.sorted().map { .integer($0) })) }
    var stop = EarlyStop(step, plan)
    stop?.look(at: samples)
    let missing = wanted.filter { samples[$0] == nil }
    if !missing.isEmpty, stop?.isDecided != true {
      let session = try TrialSession(
        station: entry, policies: policies.map { try PolicyLoader.policy(at: $0.path) }, environment: environment, plan: plan, samples: samples,
        step: step)
      try samples.look(at: count)
      try session.run(missing, of: wanted.count, step) {
        stop?.look(at: samples)
        return stop?.isDecided == true
      }
    }
    try samples.look(at: count)
    let trials = wanted.prefix(stop?.end ?? wanted.count).compactMap { samples[$0] }
    let header = EvaluationResult.Header(
      purpose: plan.purpose, environment: environment?.hash, policies: policies.map(\.digest), paired: plan.paired,
      confidence: step.double("confidence"), attempts: plan.attempts, seedCommitment: plan.commitment)
    let isFixed = stop == nil && looks.allSatisfy { $0 == count }
    try write(EvaluationResult(header: header, trials: trials, isFixed: isFixed, stop: stop), step)
    try Films.draw(trials, count: step.int("films"), into: step.output("films"))
  }

  static func gather(_ step: StepContext) throws {
    let results = try step.inputs("result").map { try StepContext.json(at: $0.path) }
    let header = try EvaluationResult.Header(joining: results)
    let trials = try step.inputs("trials").flatMap { try SamplesFile.records(at: $0.path) }.sorted { $0.index < $1.index }
    for (a, b) in zip(trials, trials.dropFirst()) where a.index == b.index {
      throw StepFailure("step \(step.name): trial \(a.index) was run by two shards")
    }
    let isFixed = results.allSatisfy { $0["rate"]?["method"]?.string == Rate.Method.clopperPearson.rawValue }
    try write(EvaluationResult(header: header, trials: trials, isFixed: isFixed), step)
    try Films.gather(step.inputs("films").map(\.path), count: step.int("films"), into: step.output("films"))
  }

  private static func write(_ result: EvaluationResult, _ step: StepContext) throws {
    try step.write(result.json, to: "result")
    try Data(result.trialLines.utf8).write(to: URL(filePath: step.output("trials")))
  }
}
