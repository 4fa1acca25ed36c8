// Plans a chain of pushes by simulating many: a beam over drawn pushes, longer chains where the goal is not yet reached, and variations of the best.
// It knows a model, a goal and a start; not where they come from. All buffers are made once, and budgets are counts: the same seed plans the same.

internal import Hashing

final class BeamSearch {
  struct Budget: Sendable, Hashable {
    /// First pushes drawn at each decision; at the first decision of an episode this many times more.
    var width = 80
    var firstFactor = 3
    /// Chains kept at each depth, and pushes drawn to follow each.
    var beam = 8
    var branches = 10
    var depth = 3
    /// Tries to lengthen the best chain while it misses the goal.
    var extensions = 20
    /// Variations of the best chain.
    var mutations = 30
  }

  struct Weights: Sendable, Hashable {
    /// px a control step.
    var step = 0.6
    /// px taken off for a predicted success.
    var success = 30.0
  }

  /// A push that was simulated: its references lie in the pool at `base`, and the best prefix has `count` control steps.
  private struct Node {
    var parent: Int
    var push: Push?
    var base: Int
    var count: Int
    var steps: Int
    var cost: Double
    var isSuccess: Bool
    var state: PushTModel.State
  }

  private(set) var model: PushTModel
  private(set) var goal: PushTGoal
  private var outline: TeeOutline
  private var slides: Bool
  /// Seconds of its velocity that a sliding block goes on in the next three seconds.
  private var restTime: Double
  private let weights: Weights
  private let budget: Budget
  /// How fast the disc goes round the T, px a control step.
  private let transit: Double

  static let horizon = 100
  private static let longestApproach = 40
  private static let longestPush = 24
  private static let room = longestApproach + longestPush
  private let pool: UnsafeMutablePointer<PlaneVector>
  private let way: UnsafeMutablePointer<PlaneVector>
  private let most: Int
  private var used = 0
  private var nodes: [Node] = []

  /// The plan: where the disc shall be after each of the coming control steps, and how it is cut into pushes.
  private(set) var references: [PlaneVector] = []
  private var parts: [(push: Push?, count: Int)] = []
  private(set) var predictsSuccess = false
  /// Control steps simulated so far.
  private(set) var simulated = 0

  init(model: PushTModel, budget: Budget, weights: Weights, transit: Double) {
    self.model = model
    goal = PushTGoal(model)
    outline = TeeOutline(model.parameters)
    slides = model.keep > 0
    restTime = model.slideTime(steps: 30)
    self.weights = weights
    self.budget = budget
    self.transit = transit
    let expansions = budget.width * budget.firstFactor + budget.depth * budget.beam * budget.branches + budget.extensions + 4 * budget.mutations + 64
    most = expansions * Self.room + 2 * (budget.mutations + 4) * Self.horizon
    pool = .allocate(capacity: most)
    way = .allocate(capacity: 8)
    nodes.reserveCapacity(expansions + 64)
  }

  deinit {
    pool.deallocate()
    way.deallocate()
  }

  /// Goes on with another model; the plan stays, to be tried on it.
  func use(_ model: PushTModel) {
    self.model = model
    goal = PushTGoal(model)
    outline = TeeOutline(model.parameters)
    slides = model.keep > 0
    restTime = model.slideTime(steps: 30)
  }

  /// Drops the plan.
  func forget() {
    references.removeAll(keepingCapacity: true)
    parts.removeAll(keepingCapacity: true)
    predictsSuccess = false
  }

  /// One control step has been taken along the plan.
  func advance() {
    guard !references.isEmpty else { return }
    references.removeFirst()
    parts[0].count -= 1
    parts[0].push = nil
    if parts[0].count == 0 { parts.removeFirst() }
  }

  /// Plans from `state`. The old plan stays unless a new one is better.
  func plan(from state: PushTModel.State, isFirst: Bool, _ random: inout RandomStream, search: Bool = true) {
    used = 0
    nodes.removeAll(keepingCapacity: true)
    // Doing nothing is no plan: any push is better than that.
    nodes.append(Node(parent: -1, push: nil, base: 0, count: 0, steps: 0, cost: .infinity, isSuccess: false, state: state))
    var best = replay() ?? 0
    if search {
      best = cheaper(best, beam(width: budget.width * (isFirst ? budget.firstFactor : 1), &random))
      for _ in 0..<budget.extensions where !nodes[best].isSuccess {
        if let longer = expand(best, draw(best, &random)) { best = cheaper(best, longer) }
      }
      for round in 0..<budget.mutations { best = cheaper(best, mutated(best, round, &random)) }
    }
    store(best)
  }

  private func cheaper(_ a: Int, _ b: Int?) -> Int {
    guard let b, nodes[b].cost < nodes[a].cost - 1e-9 else { return a }
    return b
  }

  private func draw(_ node: Int, _ random: inout RandomStream) -> Push {
    if slides && nodes[node].state.velocity != .zero && random.uniform() < 0.1 { return .wait }
    return Push.draw(&random, nodes[node].state, outline, model, goal, freely: 0.25, choices: 2)
  }

  /// Depth by depth: every kept chain is followed by drawn pushes, and the best of them all are kept. Returns the best chain of any depth.
  private func beam(width: Int, _ random: inout RandomStream) -> Int? {
    var kept = [0]
    var best: Int?
    for depth in 0..<budget.depth {
      var grown: [Int] = []
      let draws = depth == 0 ? width : budget.branches
      for node in kept where !nodes[node].isSuccess {
        for _ in 0..<draws {
          if let child = expand(node, draw(node, &random)) { grown.append(child) }
        }
      }
      grown.sort { (nodes[$0].cost, $0) < (nodes[$1].cost, $1) }
      if let first = grown.first, best == nil || nodes[first].cost < nodes[best!].cost { best = first }
      kept = Array(grown.prefix(budget.beam))
    }
    return best
  }

  // MARK: - Simulation

  /// What it costs to be in a state after so many steps. A sliding block is judged where it will come to rest, walls or not.
  @inline(__always) private func judge(_ s: PushTModel.State, steps: Int, _ success: inout Bool) -> Double {
    let distance = goal.distance(s)
    success = goal.isReached(s, distance: distance)
    let price = weights.step * Double(steps)
    if success { return distance + price - weights.success }
    if !slides || s.velocity == .zero { return distance + price }
    let angle = s.angle + s.spin * restTime
    let block = (s.block + s.velocity * restTime).clamped(lowerBound: PlaneVector(repeating: 30), upperBound: PlaneVector(repeating: 482))
    return goal.distance(block, PlaneVector(cosine(angle), sine(angle))) + price
  }

  /// Simulates a push from where `parent` ends; nil if it leads nowhere or the plan would be too long.
  private func expand(_ parent: Int, _ push: Push) -> Int? {
    guard used + Self.room <= most else { return nil }
    let base = used
    var s = nodes[parent].state
    let already = nodes[parent].steps
    var count = 0
    var heading = push.direction
    var at = s.agent
    if let along = push.along {
      let begin = approach(s, along)
      count = begin.count
      guard already + count < Self.horizon else { return nil }
      heading += begin.inward
      if count > 0 { at = pool[base + count - 1] }
    }
    let approachSteps = count
    var bestCost = Double.infinity
    var bestCount = 0
    var bestState = s
    var success = false
    var t = 0
    var hasMoved = false
    let before = s.block
    let patience = push.speed == 0 ? Self.longestPush : 4
    while t < approachSteps + Self.longestPush && already + t < Self.horizon {
      if t >= approachSteps {
        at += PlaneVector(cosine(heading), sine(heading)) * push.speed
        heading += push.bend * push.speed
        pool[base + t] = at.clamped(lowerBound: PlaneVector(repeating: 0), upperBound: PlaneVector(repeating: 512))
      }
      model.step(&s, toward: model.target(reaching: pool[base + t], from: s))
      simulated += 1
      t += 1
      if s.wallDepth > PushTModel.deepest { break }
      let cost = judge(s, steps: already + t, &success)
      if cost < bestCost {
        bestCost = cost
        bestCount = t
        bestState = s
      }
      if success { break }
      hasMoved = hasMoved || s.block != before
      // Past its best, or it has missed the block.
      if hasMoved && cost > bestCost + 12 && push.speed > 0 { break }
      if t > approachSteps + patience && !hasMoved { break }
    }
    guard hasMoved, bestCount > 0 else { return nil }
    used += bestCount
    nodes.append(Node(parent: parent, push: push, base: base, count: bestCount, steps: already + bestCount, cost: bestCost, isSuccess: success,
                      state: bestState))
    return nodes.count - 1
  }

  /// Writes the way round the T to the place where the push sets on. Returns its control steps and the world's direction of the inward normal.
  private func approach(_ s: PushTModel.State, _ along: Double) -> (count: Int, inward: Double) {
    let (point, inward) = outline.point(along)
    let moves = slides && s.velocity != .zero
    let found = approach(s, point, inward, after: moves ? Int((s.agent - s.block).length / transit) + 1 : 0)
    // A sliding block is met where it will be: once more, now that the length of the way is known.
    return moves ? approach(s, point, inward, after: found.count) : found
  }

  private func approach(_ s: PushTModel.State, _ point: PlaneVector, _ inward: PlaneVector, after steps: Int) -> (count: Int, inward: Double) {
    var block = s.block
    var rotation = s.rotation
    if !s.isAtRest {
      let time = model.slideTime(steps: max(1, steps))
      block += s.velocity * time
      let angle = s.angle + s.spin * time
      rotation = PlaneVector(cosine(angle), sine(angle))
    }
    func world(_ p: PlaneVector) -> PlaneVector { block + p.rotated(by: rotation) }
    let begin = outline.cleared((s.agent - block).unrotated(by: rotation))
    let end = outline.cleared(point - inward * (outline.radius + 3))
    let turns = outline.way(from: begin, to: end, into: way) { p in
      let q = world(p)
      return q.min() >= 0 && q.max() <= 512
    }
    let base = used
    var count = 0
    var at = s.agent
    func go(to next: PlaneVector) {
      let whole = next - at
      let steps = max(1, Int((whole.length / transit).rounded(.up)))
      for step in 1...steps where count < Self.longestApproach {
        let p = at + whole * (Double(step) / Double(steps))
        pool[base + count] = p.clamped(lowerBound: PlaneVector(repeating: 0), upperBound: PlaneVector(repeating: 512))
        count += 1
      }
      at = next
    }
    let first = world(begin)
    if (first - at).length > 1 { go(to: first) }
    for i in 0..<turns {
      let next = world(way[i])
      if (next - at).length > 1e-6 { go(to: next) }
    }
    let normal = inward.rotated(by: rotation)
    return (count, angleOf(normal))
  }

  /// Simulates references in the pool at `base`; the node's best prefix becomes a chain of the given parts. Returns the last node.
  private func follow(base: Int, parts: [(push: Push?, count: Int)]) -> Int? {
    var parent = 0
    var best: Int?
    var offset = base
    var s = nodes[0].state
    var steps = 0
    for part in parts {
      var bestCost = Double.infinity
      var bestCount = 0
      var bestState = s
      var success = false
      for t in 0..<part.count {
        model.step(&s, toward: model.target(reaching: pool[offset + t], from: s))
        simulated += 1
        steps += 1
        let cost = judge(s, steps: steps, &success)
        if cost < bestCost {
          bestCost = cost
          bestCount = t + 1
          bestState = s
        }
        if success { break }
      }
      // The prefix that is best, and the whole part for what follows it.
      if best == nil || bestCost < nodes[best!].cost {
        nodes.append(Node(parent: parent, push: part.push, base: offset, count: bestCount, steps: steps - (success ? 0 : part.count - bestCount),
                          cost: bestCost, isSuccess: success, state: bestState))
        best = nodes.count - 1
      }
      if success { break }
      nodes.append(Node(parent: parent, push: part.push, base: offset, count: part.count, steps: steps, cost: .infinity, isSuccess: false, state: s))
      parent = nodes.count - 1
      offset += part.count
    }
    return best
  }

  /// The old plan from the present state.
  private func replay() -> Int? {
    guard !references.isEmpty else { return nil }
    let base = used
    for (i, reference) in references.enumerated() { pool[base + i] = reference }
    used += references.count
    return follow(base: base, parts: parts)
  }

  // MARK: - Variation

  private func chain(_ node: Int) -> [Int] {
    var list: [Int] = []
    var at = node
    while at > 0 {
      list.append(at)
      at = nodes[at].parent
    }
    return list.reversed()
  }

  private func mutated(_ best: Int, _ round: Int, _ random: inout RandomStream) -> Int? {
    let list = chain(best)
    guard !list.isEmpty else { return nil }
    let redo = list.indices.filter { nodes[list[$0]].push != nil }
    if round % 2 == 0, let pick = redo.isEmpty ? nil : redo[random.index(below: redo.count)] {
      // One push differently, and the later ones as they were, relative to the block.
      var at = nodes[list[pick]].parent
      for i in pick..<list.count {
        guard let push = nodes[list[i]].push else { return nil }
        guard let next = expand(at, i == pick ? push.varied(&random, spread: random.uniform()) : push) else { return i == pick ? nil : at }
        at = next
        if nodes[at].isSuccess { break }
      }
      return at
    }
    // The references shifted smoothly around one moment.
    let steps = nodes[best].steps
    guard steps > 0, used + steps <= most else { return nil }
    let base = used
    let width = 1 + random.uniform() * 6
    let middle = random.uniform() * Double(steps)
    let size = 12 * random.uniform()
    let shift = PlaneVector(random.normal(), random.normal()) * size
    var t = 0
    for node in list {
      for i in 0..<nodes[node].count {
        let away = (Double(t) - middle) / width
        pool[base + t] = pool[nodes[node].base + i] + shift * max(0, 1 - away * away)
        t += 1
      }
    }
    used += steps
    return follow(base: base, parts: list.map { (nodes[$0].push, nodes[$0].count) })
  }

  private func store(_ best: Int) {
    let list = chain(best)
    references = list.flatMap { node in (0..<nodes[node].count).map { pool[nodes[node].base + $0] } }
    parts = list.map { (nodes[$0].push, nodes[$0].count) }
    predictsSuccess = nodes[best].isSuccess
  }
}
