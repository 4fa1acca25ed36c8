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
    /// px a control step, for a block that stops at once; less for one that slides, because that takes its time.
    var step = 1.5
    /// px taken off for a predicted success.
    var success = 30.0
  }

  /// A push that was simulated: its references lie in the pool at `base`, and the best prefix has `count` control steps.
  struct Node {
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
  var outline: TeeOutline
  var slides: Bool
  /// Seconds of its velocity that a sliding block goes on in the next three seconds.
  var restTime: Double
  var stepPrice: Double
  let weights: Weights
  private let budget: Budget
  /// How fast the disc goes round the T, px a control step.
  let transit: Double

  static let horizon = 100
  static let longestApproach = 40
  static let longestPush = 24
  static let room = longestApproach + longestPush
  let pool: UnsafeMutablePointer<PlaneVector>
  let way: UnsafeMutablePointer<PlaneVector>
  let most: Int
  var used = 0
  var nodes: [Node] = []

  /// The plan: where the disc shall be after each of the coming control steps, and how it is cut into pushes.
  private(set) var references: [PlaneVector] = []
  var parts: [(push: Push?, count: Int)] = []
  private(set) var predictsSuccess = false
  /// Control steps simulated so far.
  var simulated = 0

  init(model: PushTModel, budget: Budget, weights: Weights, transit: Double) {
    self.model = model
    goal = PushTGoal(model)
    outline = TeeOutline(model.parameters)
    slides = model.keep > 0
    restTime = model.slideTime(steps: 30)
    stepPrice = weights.step / (1 + restTime)
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
    stepPrice = weights.step / (1 + restTime)
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
