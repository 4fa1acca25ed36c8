// A rate whose trials come in clusters, such as clips of one episode: the interval is that of as many independent trials as they are worth
// (Kish's design effect, from the variance between clusters; Korn and Graubard, Survey Methodology 24, 1998, for the exact bounds).

extension Rate {
  /// - Parameter outcomes: each trial's cluster and whether it succeeded.
  package init(clustered outcomes: [(episode: String, right: Bool)], confidence: Double = 0.95) {
    let clusters = Dictionary(grouping: outcomes, by: \.episode).values.map { (trials: $0.count, successes: $0.count { $0.right }) }
    let (trials, successes) = (outcomes.count, outcomes.count { $0.right })
    self.init(
      successes: successes, trials: trials, confidence: confidence, worth: Self.worth(clusters, trials: trials, successes: successes))
  }

  /// How many independent trials the clusters are worth: at most the trials; where nothing varies, the clusters.
  private static func worth(_ clusters: [(trials: Int, successes: Int)], trials: Int, successes: Int) -> Double {
    let (n, k) = (Double(trials), Double(clusters.count))
    guard clusters.count > 1, clusters.count < trials else { return min(n, k) }
    guard successes > 0, successes < trials else { return k }
    let rate = Double(successes) / n
    let between = clusters.reduce(0.0) { sum, cluster in
      let difference = Double(cluster.successes) - rate * Double(cluster.trials)
      return sum + difference * difference
    }
    let variance = k / (k - 1) * between / (n * n)
    return max(1, min(n, rate * (1 - rate) / max(variance, 1e-12)))
  }
}
