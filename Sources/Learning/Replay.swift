// Transitions to learn from: what was seen, done, won and seen next, as rows of floats in a ring. It knows no algorithm.

internal import Hashing

struct Replay {
  let width: Int, actionSize: Int, capacity: Int
  /// Rows of: features, action, reward, what the value of the features next counts, features next.
  private(set) var rows: [Float] = []
  private(set) var next = 0

  var rowWidth: Int { 2 * width + actionSize + 2 }
  var count: Int { rows.count / rowWidth }

  init(width: Int, actionSize: Int, capacity: Int) { (self.width, self.actionSize, self.capacity) = (width, actionSize, capacity) }

  mutating func append(_ new: Returns.Row) {
    let row = new.features + new.action + [Float(new.reward), Float(new.bootstrap)] + new.next
    if count < capacity { rows += row } else { rows.replaceSubrange(next * rowWidth..<(next + 1) * rowWidth, with: row) }
    next = (next + 1) % capacity
  }

  mutating func restore(rows: [Float], next: Int) { (self.rows, self.next) = (rows, next) }

  /// Adds `count` rows drawn with `stream` to a batch.
  func draw(_ count: Int, into batch: inout Batch, scaling: Scaling, from stream: inout RandomStream) {
    for _ in 0..<count {
      let start = stream.index(below: self.count) * rowWidth
      let actions = start + width, reward = actions + actionSize, following = reward + 2
      for column in 0..<width {
        batch.features.append((rows[start + column] - scaling.mean[column]) / scaling.spread[column])
        batch.next.append((rows[following + column] - scaling.mean[column]) / scaling.spread[column])
      }
      batch.actions += rows[actions..<reward]
      batch.rewards.append(rows[reward])
      batch.bootstraps.append(rows[reward + 1])
    }
  }

  struct Batch {
    var features: [Float] = [], actions: [Float] = [], rewards: [Float] = [], bootstraps: [Float] = [], next: [Float] = []
  }
}
