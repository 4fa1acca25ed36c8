// Rewards of several steps as one transition (n-step returns, Sutton & Barto, 2018, chapter 7): what is won reaches the values before it sooner,
// and a step's own small part of it stands out less from noise. It knows no algorithm.

struct Returns {
  /// A row of experience: after `features` and `action`, `reward` was won, discounted, and then `next` was seen, whose value counts `bootstrap`.
  struct Row {
    var features: [Float], action: [Float], reward: Double, bootstrap: Double, next: [Float]
  }

  /// Steps of one transition.
  let length: Int
  let discount: Double
  private var waiting: [(features: [Float], action: [Float], reward: Double, worth: Double)] = []

  init(length: Int, discount: Double) { (self.length, self.discount) = (length, discount) }

  /// Takes a step of an episode; gives the transitions that are complete by it.
  /// - Parameters:
  ///   - terminated: nothing can be won after it.
  ///   - ended: the episode goes no further, for this or another reason: what waits is given as it is.
  mutating func add(_ features: [Float], action: [Float], reward: Double, next: [Float], terminated: Bool, ended: Bool) -> [Row] {
    waiting.append((features, action, 0, 1))
    for index in waiting.indices {
      waiting[index].reward += waiting[index].worth * reward
      waiting[index].worth *= discount
    }
    // The oldest first; no two began together.
    let complete = ended ? waiting.count : max(0, waiting.count - length + 1)
    defer { waiting.removeFirst(complete) }
    return waiting.prefix(complete).map {
      Row(features: $0.features, action: $0.action, reward: $0.reward, bootstrap: terminated ? 0 : $0.worth, next: next)
    }
  }
}
