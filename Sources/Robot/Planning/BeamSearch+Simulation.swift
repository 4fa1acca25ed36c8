// How the beam search tries a chain: a push from where another ends, or given references, step by step on the model.

extension BeamSearch {
  /// What it costs to be in a state after so many steps. A sliding block is judged where it will come to rest, walls or not.
  @inline(__always) private func judge(_ s: PushTModel.State, steps: Int, _ success: inout Bool) -> Double {
    let distance = goal.distance(s)
    success = goal.isReached(s, distance: distance)
    let price = stepPrice * Double(steps)
    if success { return distance + price - weights.success }
    if !slides || s.velocity == .zero { return distance + price }
    let angle = s.angle + s.spin * restTime
    let block = (s.block + s.velocity * restTime).clamped(lowerBound: PlaneVector(repeating: 30), upperBound: PlaneVector(repeating: 482))
    return goal.distance(block, PlaneVector(cosine(angle), sine(angle))) + price
  }

  /// Simulates a push from where `parent` ends; nil if it leads nowhere or the plan would be too long.
  func expand(_ parent: Int, _ push: Push) -> Int? {
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
    nodes.append(
      Node(
        parent: parent, push: push, base: base, count: bestCount, steps: already + bestCount, cost: bestCost, isSuccess: success,
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
  func follow(base: Int, parts: [(push: Push?, count: Int)]) -> Int? {
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
        nodes.append(
          Node(
            parent: parent, push: part.push, base: offset, count: bestCount, steps: steps - (success ? 0 : part.count - bestCount),
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
  func replay() -> Int? {
    guard !references.isEmpty else { return nil }
    let base = used
    for (i, reference) in references.enumerated() { pool[base + i] = reference }
    used += references.count
    return follow(base: base, parts: parts)
  }
}
