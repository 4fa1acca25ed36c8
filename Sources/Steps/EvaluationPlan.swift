// Which trial runs which policy on which shard's station from which seed. Fixed before the first trial: a crash, a shard's speed or a later
// enlargement moves no trial elsewhere.

import Hashing
import Robot

struct EvaluationPlan {
  let purpose: Purpose
  let count: Int
  let policies: Int
  let paired: Bool
  let commitment: Digest
  private let seeds: [UInt32]

  init(_ step: StepContext, policies: Int) throws {
    try self.init(
      purpose: Purpose(rawValue: step.string("purpose")) ?? .search, count: step.int("trials"), policies: policies, paired: step.bool("paired"),
      seedRoot: step.seedRoot)
  }

  init(purpose: Purpose, count: Int, policies: Int, paired: Bool, seedRoot: String) throws {
    (self.purpose, self.count, self.policies, self.paired) = (purpose, count, policies, paired)
    let plan = try SeedPlan(purpose: purpose, secretRoot: seedRoot)
    let needed = paired ? (count + policies - 1) / policies : count
    seeds = plan.seeds(needed)
    commitment = plan.commitment(needed)
  }

  func policy(ofTrial index: Int) -> Int { index % policies }

  func seed(ofTrial index: Int) -> UInt32 { seeds[paired ? index / policies : index] }

  /// Rounds over all policies go to the shards in turn, so that no policy is tied to some of the stations.
  func trials(ofShard shard: (index: Int, count: Int)) -> [Int] { (0..<count).filter { $0 / policies % shard.count == shard.index } }
}
