// When an evaluation has seen enough: once a sequential test of its rate is decided. It looks at the trials in their order and not as they were
// run, so that an interrupted evaluation, or one that takes trials of an earlier one, ends at the same trial.

import JSON
import Robot

struct EarlyStop {
  private var test: SequentialTest
  private let plan: EvaluationPlan
  /// Trials from the first on that have been looked at.
  private(set) var end = 0

  /// Nil without a bar: the count is fixed then. With shards there is none, for a shard sees only its own station's trials.
  init?(_ step: StepContext, _ plan: EvaluationPlan) {
    guard let bar = step.value("bar")?.double else { return nil }
    (test, self.plan) = (SequentialTest(bar: bar, confidence: step.double("confidence")), plan)
  }

  /// Paired policies end together, though only the first one's rate is tested.
  var isDecided: Bool { test.side != nil && (!plan.paired || end % plan.policies == 0) }

  /// Goes on to the first trial that is not done yet.
  mutating func look(at samples: SamplesFile) {
    while end < plan.count, !isDecided, let sample = samples[end] {
      if !plan.paired || sample.policy == 0 { test.add(sample.success) }
      end += 1
    }
  }

  var json: JSON {
    [
      "bar": .number(test.bar), "side": test.side.map { .string($0.rawValue) } ?? .null, "trials": .integer(end), "most": .integer(plan.count),
    ]
  }
}
