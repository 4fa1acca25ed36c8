// Which trial runs which policy on which shard's station from which seed. Fixed before the first trial: a crash, a shard's speed or a later
// enlargement moves no trial elsewhere.

import Hashing
import Robot

struct EvaluationPlan {
  let purpose: Purpose
  let count: Int
  let policies: Int
  let paired: Bool
  /// Attempts within a trial; 1: none after the first.
  let attempts: Int
  let commitment: Digest
  private let seeds: [UInt32]

  init(_ step: StepContext, policies: Int) throws {
    try self.init(
      purpose: Purpose(rawValue: step.string("purpose")) ?? .search, count: step.int("trials"), policies: policies, paired: step.bool("paired"),
      attempts: step.value("attempts")?.int ?? 1, seedRoot: step.seedRoot)
  }

  init(purpose: Purpose, count: Int, policies: Int, paired: Bool, attempts: Int = 1, seedRoot: String) throws {
    (self.purpose, self.count, self.policies, self.paired, self.attempts) = (purpose, count, policies, paired, attempts)
    let plan = try SeedPlan(purpose: purpose, secretRoot: seedRoot)
    let needed = Self.starts(ofTrials: count, paired: paired ? policies : 1)
    seeds = plan.seeds(needed)
    commitment = plan.commitment(needed)
  }

  /// As many policies as are paired share a start.
  static func starts(ofTrials count: Int, paired policies: Int) -> Int { (count + policies - 1) / policies }

  func policy(ofTrial index: Int) -> Int { index % policies }

  func seed(ofTrial index: Int) -> UInt32 { seeds[paired ? index / policies : index] }

  /// Rounds over all policies go to the shards in turn, so that no policy is tied to some of the stations.
  func trials(ofShard shard: (index: Int, count: Int)) -> [Int] { (0..<count).filter { $0 / policies % shard.count == shard.index } }
}
