// How far the block is from its goal, as a planner measures it: corner distances for guidance, and the benchmark's coverage for success.

/// The goal pose of Push-T for a block of the model's size.
package struct PushTGoal: Sendable {
  /// Pose of the goal: position of the block's origin, angle.
  package static let position = SIMD2<Double>(256, 256)
  package static let angle = Double.pi / 4
  /// The benchmark's criterion: coverage above this.
  package static let threshold = 0.95

  private let rotation: PlaneVector
  private let scale: Double
  /// Centre of gravity of the block at the goal.
  let centre: PlaneVector
  /// Six outer corners of the T in the frame of the centre of gravity, x and y apart, and where they are at the goal. (Two lanes are zero.)
  private let cornersX: SIMD8<Double>
  private let cornersY: SIMD8<Double>
  private let goalX: SIMD8<Double>
  private let goalY: SIMD8<Double>

  package init(_ model: PushTModel) {
    rotation = PlaneVector(cosine(Self.angle), sine(Self.angle))
    scale = model.parameters.blockScale
    centre = Self.position + model.centre.rotated(by: rotation)
    cornersX = SIMD8(-60, 60, -60, 60, -15, 15, 0, 0) * scale
    cornersY = SIMD8(-45, -45, -15, -15, 75, 75, 0, 0) * scale
    goalX = centre.x + (rotation.x * cornersX - rotation.y * cornersY)
    goalY = centre.y + (rotation.y * cornersX + rotation.x * cornersY)
  }

  /// Mean distance of six outer corners to their goal, px.
  @inline(__always) public func distance(_ state: PushTModel.State) -> Double { distance(state.block, state.rotation) }

  @inline(__always) func distance(_ block: PlaneVector, _ r: PlaneVector) -> Double {
    let dx = block.x + (r.x * cornersX - r.y * cornersY) - goalX
    let dy = block.y + (r.y * cornersX + r.x * cornersY) - goalY
    let d = (dx * dx + dy * dy).squareRoot()
    return (d[0] + d[1] + d[2] + d[3] + d[4] + d[5]) / 6
  }

  /// The benchmark's success test. `distance` is what `distance(_:)` gave: far ones need no clipping.
  @inline(__always) func isReached(_ state: PushTModel.State, distance: Double) -> Bool {
    distance < 8 * scale && coverage(state) > Self.threshold
  }

  /// The same for a state whose distance is not known yet.
  package func isReached(_ state: PushTModel.State) -> Bool { isReached(state, distance: distance(state)) }

  /// Share of the goal's area that the block covers, 0...1.
  package func coverage(_ state: PushTModel.State) -> Double {
    let s = scale
    // The block in the goal's frame, with the centre of gravity as its origin: then the goal's rectangles are upright.
    let offset = (state.block - centre).unrotated(by: rotation)
    let turn = state.rotation.unrotated(by: rotation)
    let boxes = [(PlaneVector(0, -30) * s, PlaneVector(60, 15) * s), (PlaneVector(0, 30) * s, PlaneVector(15, 45) * s)]
    var area = 0.0
    for mine in boxes {
      for theirs in boxes { area += overlap(mine.0.rotated(by: turn) + offset - theirs.0, mine.1, turn, theirs.1) }
    }
    return area / (6300 * s * s)
  }

  /// Area shared by a turned rectangle and an upright one centred at the origin (Sutherland and Hodgman's clipping).
  private func overlap(_ centre: PlaneVector, _ half: PlaneVector, _ turn: PlaneVector, _ upright: PlaneVector) -> Double {
    withUnsafeTemporaryAllocation(of: PlaneVector.self, capacity: 24) { points in
      var from = points.baseAddress!
      var to = from + 12
      var count = 4
      from[0] = centre + PlaneVector(-half.x, -half.y).rotated(by: turn)
      from[1] = centre + PlaneVector(half.x, -half.y).rotated(by: turn)
      from[2] = centre + PlaneVector(half.x, half.y).rotated(by: turn)
      from[3] = centre + PlaneVector(-half.x, half.y).rotated(by: turn)
      for side in 0..<4 {
        let axis = side >> 1
        let sign: Double = side & 1 == 0 ? 1 : -1
        var kept = 0
        for i in 0..<count {
          let a = from[i]
          let b = from[i + 1 == count ? 0 : i + 1]
          let inA = upright[axis] - sign * a[axis]
          let inB = upright[axis] - sign * b[axis]
          if inA >= 0 {
            to[kept] = a
            kept += 1
          }
          if (inA >= 0) != (inB >= 0) {
            to[kept] = a + (b - a) * (inA / (inA - inB))
            kept += 1
          }
        }
        if kept == 0 { return 0 }
        count = kept
        swap(&from, &to)
      }
      var twice = 0.0
      for i in 0..<count { twice += from[i].cross(from[i + 1 == count ? 0 : i + 1]) }
      return abs(twice) / 2
    }
  }
}
