// Finds a verifier: every set of predicates in a short list, every threshold on its grid, every debounce, judged on the clips of the search
// split. Precision comes first, up to half the way from its bar to perfection, for what stands on a bar here falls below it on other clips;
// then recall, then how soon it says so, then simplicity. It never sees the sealed clips.

internal import Foundation

public struct VerifierSearch {
  /// What was best of one set of predicates.
  public struct Candidate: Sendable {
    public var verifier: VerifierDescription
    public var count: VerdictCount
    /// Median frames from done to said, over the clips found.
    public var delay: Int
  }

  /// What a verifier must reach on sealed clips.
  public struct Bars: Sendable {
    public var precision: Double
    public var recall: Double
    public init(precision: Double, recall: Double) { (self.precision, self.recall) = (precision, recall) }
  }

  /// Families of conditions: of the scene, and each of what else is told with the scene's.
  public static func sets(_ senses: [Sense]) -> [[Predicate]] {
    let scene: [[Predicate]] = [
      [.overlap], [.overlap, .stillness], [.overlap, .clearance], [.overlap, .angle], [.position, .angle], [.position, .angle, .stillness],
    ]
    let told = Predicate.allCases.filter { predicate in predicate.sense.map(senses.contains) ?? false }
    return scene + told.flatMap { [[.overlap, $0], [.position, .angle, $0]] }
  }
  public static let debounces = [(hits: 1, window: 1), (hits: 2, window: 2), (hits: 2, window: 3), (hits: 3, window: 3)]

  /// The thresholds tried, from strict to lax.
  private func grid(_ predicate: Predicate) -> [Double] {
    switch predicate {
    case .overlap:
      // Finely where the benchmark's criterion lies.
      return (Array(stride(from: 0.99, through: 0.93, by: -0.0005)) + Array(stride(from: 0.9275, through: 0.4, by: -0.0025))).map {
        ($0 * 1e4).rounded() / 1e4
      }
    case .position: return (2...60).map { Double($0) / 2 }
    case .angle: return (1...24).map { Double($0) / 100 }
    case .stillness: return [0.5, 1, 2, 4]
    case .clearance: return [10, 3, 0]
    case .height, .force:
      // In what unit they were recorded is not known: their own twelfths.
      let sorted = values[predicate]!.filter(\.isFinite).sorted()
      guard !sorted.isEmpty else { return [] }
      let ranks = Set((0...12).map { sorted[$0 * (sorted.count - 1) / 12] }).sorted()
      return predicate.wantsMore ? ranks.reversed() : ranks
    }
  }

  private let clips: [VerifierClip]
  private let senses: [Sense]
  private let successes: Int
  /// Where each clip's frames begin in the flat arrays; one more at the end.
  private let starts: [Int]
  private let values: [Predicate: [Double]]

  /// - Parameter clips: all of which are told the same.
  public init(_ clips: [VerifierClip]) {
    self.clips = clips
    senses = clips.first?.senses ?? []
    precondition(clips.allSatisfy { $0.senses == clips[0].senses })
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
    let sights = clip.observations.map { Sight($0, clip.senses) }
    return sights.indices.map { index in
      sights[index].map { predicate.measure($0, previous: index == 0 ? nil : sights[index - 1]) } ?? .nan
    }
  }

  /// The best of each set of predicates, the best of all first; and how many candidates were judged.
  public func best(task: String, criterion: String, bars: Bars) -> (candidates: [Candidate], tried: Int) {
    var tried = 0
    let candidates = Self.sets(senses).compactMap { set -> Candidate? in
      var best: Candidate?
      for thresholds in combinations(set) {
        let passes = passes(set, thresholds)
        for debounce in Self.debounces {
          tried += 1
          let (count, delay) = judge(passes, debounce.hits, debounce.window)
          let conditions = zip(set, thresholds).map { VerifierDescription.Condition($0, $1) }
          let verifier = VerifierDescription(
            task: task, criterion: criterion, conditions: conditions, hits: debounce.hits, window: debounce.window,
            senses: senses.filter { sense in sense == .size || set.contains { $0.sense == sense } })
          let candidate = Candidate(verifier: verifier, count: count, delay: delay)
          if best.map({ precedes(candidate, $0, bars) }) ?? true { best = candidate }
        }
      }
      return best
    }
    return (candidates.sorted { precedes($0, $1, bars) }, tried)
  }

  /// What each threshold of the first condition would give, the rest of the verifier kept: the curve a person looks at.
  public func curve(of verifier: VerifierDescription) -> VerifierCurve {
    let points = grid(verifier.conditions[0].predicate).map { threshold in
      let thresholds = [threshold] + verifier.conditions.dropFirst().map(\.threshold)
      let passes = passes(verifier.conditions.map(\.predicate), thresholds)
      let called = clips.indices.filter { first(passes, $0, verifier.hits, verifier.window) != nil }
      return VerifierCurve.Point(
        threshold: threshold, count: judge(passes, verifier.hits, verifier.window).count,
        successesCalled: called.count { clips[$0].kind == .success }, othersCalled: called.count { clips[$0].kind != .success })
    }
    return VerifierCurve(points: points, successes: successes, others: clips.count - successes)
  }

  private func precedes(_ a: Candidate, _ b: Candidate, _ bars: Bars) -> Bool {
    let safe = (1 + bars.precision) / 2
    func rank(_ c: Candidate) -> [Double] {
      let (precision, recall) = (c.count.precision.estimate ?? 0, c.count.recall(of: successes).estimate ?? 0)
      return [
        min(precision, safe), recall, precision, -Double(c.delay), -Double(c.verifier.conditions.count), -Double(c.verifier.window),
      ]
    }
    return rank(b).lexicographicallyPrecedes(rank(a))
  }

  private func combinations(_ set: [Predicate]) -> [[Double]] {
    set.reduce([[]]) { partial, predicate in partial.flatMap { some in grid(predicate).map { some + [$0] } } }
  }

  private func passes(_ set: [Predicate], _ thresholds: [Double]) -> [Bool] {
    var passes = Array(repeating: true, count: starts.last!)
    for (predicate, threshold) in zip(set, thresholds) {
      let values = values[predicate]!
      for index in passes.indices where passes[index] { passes[index] = predicate.holds(values[index], threshold) }
    }
    return passes
  }

  /// The frame of a clip at which it says done; nil if it never does.
  private func first(_ passes: [Bool], _ clip: Int, _ hits: Int, _ window: Int) -> Int? {
    let start = starts[clip]
    return (0..<starts[clip + 1] - start).first { frame in
      passes[start + frame] && (max(0, frame - window + 1)...frame).count { passes[start + $0] } >= hits
    }
  }

  private func judge(_ passes: [Bool], _ hits: Int, _ window: Int) -> (count: VerdictCount, delay: Int) {
    var count = VerdictCount()
    var delays: [Int] = []
    for (index, clip) in clips.enumerated() {
      let first = first(passes, index, hits, window)
      let verdict = clip.verdict(first: first)
      count.add(verdict)
      if verdict == .truePositive, let first, let done = clip.done.firstIndex(of: true) { delays.append(max(0, first - done)) }
    }
    return (count, delays.isEmpty ? .max : delays.sorted()[delays.count / 2])
  }
}
