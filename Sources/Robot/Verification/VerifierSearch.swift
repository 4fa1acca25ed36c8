// Finds a verifier: every set of predicates in a short list, every threshold on its grid, every debounce, judged on the clips of the search
// split. What meets both bars comes first, and of that what keeps farthest from them, because a candidate on the edge of a bar here falls
// below it on other clips; then precision, recall, speed, simplicity. It never sees the sealed clips.

internal import Foundation

public struct VerifierSearch {
  /// What was best of one set of predicates.
  public struct Candidate: Sendable {
    public var verifier: VerifierDescription
    public var count: VerdictCount
    /// Median frames from done to said, over the clips found.
    public var delay: Int
  }

  public struct Bars: Sendable {
    public var precision: Double
    public var recall: Double
    public init(precision: Double, recall: Double) { (self.precision, self.recall) = (precision, recall) }
  }

  public static let sets: [[Predicate]] = [
    [.overlap], [.overlap, .stillness], [.overlap, .clearance], [.overlap, .angle], [.position, .angle], [.position, .angle, .stillness],
  ]
  public static let debounces = [(hits: 1, window: 1), (hits: 2, window: 2), (hits: 2, window: 3), (hits: 3, window: 3)]

  /// The thresholds tried, from strict to lax.
  public static func grid(_ predicate: Predicate) -> [Double] {
    switch predicate {
    case .overlap: stride(from: 0.990, through: 0.60, by: -0.0025).map { ($0 * 1e4).rounded() / 1e4 }
    case .position: (2...60).map { Double($0) / 2 }
    case .angle: (1...24).map { Double($0) / 100 }
    case .stillness: [0.5, 1, 2, 4]
    case .clearance: [10, 3, 0]
    }
  }

  private let clips: [VerifierClip]
  private let successes: Int
  /// Where each clip's frames begin in the flat arrays; one more at the end.
  private let starts: [Int]
  private let values: [Predicate: [Double]]

  public init(_ clips: [VerifierClip]) {
    self.clips = clips
    successes = clips.count { $0.kind == .success }
    var starts = [0]
    for clip in clips { starts.append(starts.last! + clip.observations.count) }
    self.starts = starts
    values = Dictionary(
      uniqueKeysWithValues: Predicate.allCases.map { predicate in
        (predicate, clips.flatMap { clip in Self.measured(clip, predicate) })
      })
  }

  private static func measured(_ clip: VerifierClip, _ predicate: Predicate) -> [Double] {
    clip.observations.indices.map { index in
      let previous = index == 0 ? nil : clip.observations[index - 1]
      guard clip.observations[index].allSatisfy(\.isFinite) else { return .nan }
      return predicate.measure(clip.observations[index], previous: previous.flatMap { $0.allSatisfy(\.isFinite) ? $0 : nil })
    }
  }

  /// The best of each set of predicates, the best of all first; and how many candidates were judged.
  public func best(task: String, criterion: String, bars: Bars) -> (candidates: [Candidate], tried: Int) {
    var tried = 0
    let candidates = Self.sets.compactMap { set -> Candidate? in
      var best: Candidate?
      for thresholds in combinations(set) {
        let passes = passes(set, thresholds)
        for debounce in Self.debounces {
          tried += 1
          let (count, delay) = judge(passes, debounce.hits, debounce.window)
          let conditions = zip(set, thresholds).map { VerifierDescription.Condition($0, $1) }
          let candidate = Candidate(
            verifier: VerifierDescription(task: task, criterion: criterion, conditions: conditions, hits: debounce.hits, window: debounce.window),
            count: count, delay: delay)
          if best.map({ precedes(candidate, $0, bars) }) ?? true { best = candidate }
        }
      }
      return best
    }
    return (candidates.sorted { precedes($0, $1, bars) }, tried)
  }

  /// What each threshold of the first condition would give, the rest of the verifier kept: the curve a person looks at.
  public func curve(of verifier: VerifierDescription) -> [(threshold: Double, count: VerdictCount)] {
    Self.grid(verifier.conditions[0].predicate).map { threshold in
      let thresholds = [threshold] + verifier.conditions.dropFirst().map(\.threshold)
      return (threshold, judge(passes(verifier.conditions.map(\.predicate), thresholds), verifier.hits, verifier.window).count)
    }
  }

  private func precedes(_ a: Candidate, _ b: Candidate, _ bars: Bars) -> Bool {
    func rank(_ c: Candidate) -> [Double] {
      let (precision, recall) = (c.count.precision.estimate ?? 0, c.count.recall(of: successes).estimate ?? 0)
      let meets = precision >= bars.precision && recall >= bars.recall
      // How much of the way from the bar to perfection, in the worse of the two.
      func margin(_ value: Double, _ bar: Double) -> Double { (value - bar) / max(1e-9, 1 - bar) }
      let room = meets ? min(margin(precision, bars.precision), margin(recall, bars.recall)) : -1
      return [meets ? 1 : 0, room, precision, recall, -Double(c.delay), -Double(c.verifier.conditions.count), -Double(c.verifier.window)]
    }
    return rank(b).lexicographicallyPrecedes(rank(a))
  }

  private func combinations(_ set: [Predicate]) -> [[Double]] {
    set.reduce([[]]) { partial, predicate in partial.flatMap { some in Self.grid(predicate).map { some + [$0] } } }
  }

  private func passes(_ set: [Predicate], _ thresholds: [Double]) -> [Bool] {
    var passes = Array(repeating: true, count: starts.last!)
    for (predicate, threshold) in zip(set, thresholds) {
      let values = values[predicate]!
      for index in passes.indices where passes[index] { passes[index] = predicate.holds(values[index], threshold) }
    }
    return passes
  }

  private func judge(_ passes: [Bool], _ hits: Int, _ window: Int) -> (count: VerdictCount, delay: Int) {
    var count = VerdictCount()
    var delays: [Int] = []
    for (index, clip) in clips.enumerated() {
      let start = starts[index]
      let first = (0..<starts[index + 1] - start).first { frame in
        passes[start + frame] && (max(0, frame - window + 1)...frame).count { passes[start + $0] } >= hits
      }
      let verdict = clip.verdict(first: first)
      count.add(verdict)
      if verdict == .truePositive, let first, let done = clip.done.firstIndex(of: true) { delays.append(max(0, first - done)) }
    }
    return (count, delays.isEmpty ? .max : delays.sorted()[delays.count / 2])
  }
}
