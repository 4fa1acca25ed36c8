// The study's steps gathered into what a person can look at: shards with their gather, a large matrix as one, an agent's rounds as one.

struct StepClusters {
  struct Cluster {
    let name: String
    /// Without shards; in the study's order.
    var steps: [StudyStep] = []
    var shards: [StudyStep] = []
    /// Whether it grew while the workflow ran: one agent's rounds.
    var isFamily = false

    /// The worst of its steps' states: failed, then not done, then done.
    var state: String {
      let states = (steps + shards).map(\.state)
      return states.contains("failed") ? "failed" : states.first { $0 != "done" } ?? "done"
    }

    /// A family's steps by round, the first of them the round's proposal.
    var rounds: [[StudyStep]] {
      let numbered = Dictionary(grouping: steps) { step in
        let parts = step.name.split(separator: "/")
        return parts.count > 1 ? Int(parts[1]) ?? 1 : 1
      }
      return numbered.sorted { $0.key < $1.key }.map(\.value)
    }
  }

  private(set) var clusters: [Cluster] = []
  /// From the one needed to the one that needs it; those implied by others are left out.
  private(set) var edges: [(from: Int, to: Int)] = []

  init(_ study: Study) {
    let families = Set(study.steps.filter { $0.name.contains("/") }.map(\.family))
    let instances = Dictionary(grouping: study.steps.filter { !$0.isShard && !families.contains($0.family) }, by: \.declaration)
    var indices: [String: Int] = [:], clusterOf: [String: Int] = [:]
    for step in study.steps {
      let name =
        families.contains(step.family) ? step.family : instances[step.declaration]?.count ?? 0 > 6 ? "\(step.declaration)[*]" : step.gather
      let index = indices[name] ?? clusters.count
      if index == clusters.count {
        indices[name] = index
        clusters.append(Cluster(name: name, isFamily: families.contains(step.family)))
      }
      if step.isShard { clusters[index].shards.append(step) } else { clusters[index].steps.append(step) }
      clusterOf[step.name] = index
    }
    var needs = clusters.map { _ in Set<Int>() }
    for step in study.steps {
      guard let to = clusterOf[step.name] else { continue }
      // Agents wait for each other round by round; between two of them there is no before and after.
      needs[to].formUnion(step.needs.compactMap { clusterOf[$0] }.filter { $0 != to && !(clusters[$0].isFamily && clusters[to].isFamily) })
    }
    edges = Self.reduced(needs)
  }

  /// Without the edges that a longer way implies.
  private static func reduced(_ needs: [Set<Int>]) -> [(from: Int, to: Int)] {
    var above: [Int: Set<Int>] = [:]
    func ancestors(_ node: Int, _ path: Set<Int>) -> Set<Int> {
      if let known = above[node] { return known }
      let open = needs[node].subtracting(path)
      let all = open.reduce(into: open) { $0.formUnion(ancestors($1, path.union([node]))) }
      above[node] = all
      return all
    }
    return needs.indices.flatMap { to in
      needs[to].sorted().filter { from in !needs[to].contains { $0 != from && ancestors($0, [to]).contains(from) } }.map { (from: $0, to: to) }
    }
  }
}
