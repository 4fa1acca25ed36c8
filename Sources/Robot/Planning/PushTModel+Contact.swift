// One substep of the model: motion, contacts, impulses, in Chipmunk's order (position first, then velocity, then the solver).

#if canImport(Glibc)
  internal import Glibc
#endif

func raise(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
func cosine(_ angle: Double) -> Double { cos(angle) }
func sine(_ angle: Double) -> Double { sin(angle) }
func angleOf(_ v: PlaneVector) -> Double { atan2(v.y, v.x) }

extension PushTModel {
  /// A point where something that does not yield presses on the block.
  struct Contact {
    /// Disc on bar and stem, and at most two corners of each rectangle on each of four walls.
    static let most = 18

    /// From the other body into the block.
    var normal: PlaneVector
    /// From the block's centre of gravity to the contact.
    var arm: PlaneVector
    /// Velocity of the other body.
    var surface: PlaneVector
    var depth: Double
    var normalMass: Double
    var tangentMass: Double
    var friction: Double
    var bias: Double
    var biasImpulse = 0.0
    var impulse: PlaneVector
    /// 0 bar, 1 stem, 2... wall corner.
    var slot: Int
    var isNew: Bool
  }

  @inline(__always) func substep(_ s: inout State, toward target: PlaneVector, _ contacts: UnsafeMutablePointer<Contact>) {
    let dt = Self.substep
    s.agentVelocity += (parameters.gain * (target - s.agent) - parameters.derivativeGain * s.agentVelocity) * dt
    s.agent += s.agentVelocity * dt
    if !s.isAtRest {
      s.block += (s.velocity + s.biasVelocity) * dt
      let turn = (s.spin + s.biasSpin) * dt
      s.angle += turn
      s.rotation = s.rotation.rotated(by: Self.smallRotation(turn))
      s.biasVelocity = .zero
      s.biasSpin = 0
    }

    var count = 0
    if s.block.min() < Self.wallLow + reach || s.block.max() > Self.wallHigh - reach {
      count += collectWalls(&s, contacts + count)
    } else if s.touchesWall {
      s.touchesWall = false
      s.wallDepth = 0
      s.wallImpulses = SIMD16(repeating: -1)
    }

    let offset = s.agent - s.block
    let near = reach + parameters.radius
    if offset.dot(offset) < near * near {
      let local = offset.unrotated(by: s.rotation)
      if touch(&s, local, bar, slot: 0, s.touchesBar, s.barImpulse, contacts + count) {
        count += 1
        s.touchesBar = true
      } else {
        s.touchesBar = false
      }
      if touch(&s, local, stem, slot: 1, s.touchesStem, s.stemImpulse, contacts + count) {
        count += 1
        s.touchesStem = true
      } else {
        s.touchesStem = false
      }
    } else {
      s.touchesBar = false
      s.touchesStem = false
    }

    s.velocity *= keep
    s.spin *= keep
    if count == 0 { return }
    if count == 1 && contacts[0].friction == 0 { solveOne(&s, contacts[0]) } else { solve(&s, contacts, count) }
  }

  /// The disc against one rectangle; `local` is the disc's centre in the frame of the centre of gravity.
  @inline(__always) private func touch(
    _ s: inout State, _ local: PlaneVector, _ box: (centre: PlaneVector, half: PlaneVector), slot: Int, _ wasTouching: Bool,
    _ impulse: PlaneVector, _ contact: UnsafeMutablePointer<Contact>
  ) -> Bool {
    let q = local - box.centre
    let nearest = q.clamped(lowerBound: -box.half, upperBound: box.half)
    let outside = q - nearest
    let squared = outside.dot(outside)
    if squared > parameters.radius * parameters.radius { return false }
    var normal: PlaneVector
    var point = nearest
    let distance: Double
    if squared > 0 {
      distance = squared.squareRoot()
      normal = outside / -distance
    } else {
      // The centre is inside: out by the nearest face.
      let room = box.half - PlaneVector(abs(q.x), abs(q.y))
      if room.x < room.y {
        let side: Double = q.x < 0 ? -1 : 1
        distance = -room.x
        normal = PlaneVector(-side, 0)
        point.x = side * box.half.x
      } else {
        let side: Double = q.y < 0 ? -1 : 1
        distance = -room.y
        normal = PlaneVector(0, -side)
        point.y = side * box.half.y
      }
    }
    normal = normal.rotated(by: s.rotation)
    let arm = (point + box.centre).rotated(by: s.rotation)
    contact.pointee = makeContact(normal, arm, s.agentVelocity, distance - parameters.radius, parameters.friction, impulse, slot, !wasTouching)
    return true
  }

  @inline(__always) private func makeContact(
    _ normal: PlaneVector, _ arm: PlaneVector, _ surface: PlaneVector, _ depth: Double, _ friction: Double,
    _ impulse: PlaneVector, _ slot: Int, _ isNew: Bool
  ) -> Contact {
    let lever = arm.cross(normal)
    let side = arm.cross(normal.turned)
    return Contact(
      normal: normal, arm: arm, surface: surface, depth: depth, normalMass: 1 / (1 + lever * lever * inverseInertia),
      tangentMass: 1 / (1 + side * side * inverseInertia), friction: friction,
      bias: -Self.biasRate * min(0, depth + Self.slop) / Self.substep, impulse: impulse, slot: slot, isNew: isNew)
  }

  /// The corners of both rectangles that lie behind a wall, on the edge that faces it most. Returns how many.
  private func collectWalls(_ s: inout State, _ contacts: UnsafeMutablePointer<Contact>) -> Int {
    var count = 0
    let old = s.wallImpulses
    s.wallImpulses = SIMD16(repeating: -1)
    s.wallDepth = 0
    for axis in 0..<2 {
      for high in [false, true] {
        let plane = high ? -Self.wallHigh : Self.wallLow
        var inward = PlaneVector.zero
        inward[axis] = high ? -1 : 1
        if s.block.dot(inward) - reach > plane { continue }
        let local = inward.unrotated(by: s.rotation)
        for part in 0..<2 {
          let box = part == 0 ? bar : stem
          let alongX = abs(local.x) > abs(local.y)
          // Chipmunk takes the end that comes last when going round the rectangle first.
          let last: Double = (alongX ? local.x < 0 : local.y > 0) ? 1 : -1
          for end in 0..<2 {
            let tip = end == 0 ? last : -last
            let sign = alongX ? PlaneVector(local.x > 0 ? -1 : 1, tip) : PlaneVector(tip, local.y > 0 ? -1 : 1)
            let arm = (box.centre + sign * box.half).rotated(by: s.rotation)
            let depth = (s.block + arm).dot(inward) - plane
            if depth > 0 { continue }
            s.wallDepth = max(s.wallDepth, -depth)
            let slot = axis * 8 + part * 4 + (sign.x > 0 ? 2 : 0) + (sign.y > 0 ? 1 : 0)
            contacts[count] = makeContact(
              inward, arm, .zero, depth, parameters.friction, PlaneVector(max(0, old[slot]), s.wallFriction[slot]), slot + 2, old[slot] < 0)
            s.wallFriction[slot] = 0
            count += 1
          }
        }
      }
    }
    s.touchesWall = count > 0
    return count
  }

  /// One frictionless contact needs no iteration: its impulse is the one that stops the approach.
  @inline(__always) private func solveOne(_ s: inout State, _ c: Contact) {
    let lever = c.arm.cross(c.normal) * inverseInertia
    s.biasVelocity += c.normal * (c.bias * c.normalMass)
    s.biasSpin += lever * (c.bias * c.normalMass)
    let approach = (s.velocity + c.arm.turned * s.spin - c.surface).dot(c.normal)
    let impulse = max(0, -approach * c.normalMass)
    s.velocity += c.normal * impulse
    s.spin += lever * impulse
    store(&s, PlaneVector(impulse, 0), c.slot)
  }

  private func solve(_ s: inout State, _ contacts: UnsafeMutablePointer<Contact>, _ count: Int) {
    for i in 0..<count where !contacts[i].isNew {
      let c = contacts[i]
      apply(&s, c.arm, c.normal * c.impulse.x + c.normal.turned * c.impulse.y)
    }
    for _ in 0..<Self.iterations {
      for i in 0..<count {
        let c = contacts[i]
        let tangent = c.normal.turned
        let relative = s.velocity + c.arm.turned * s.spin - c.surface
        let push = (s.biasVelocity + c.arm.turned * s.biasSpin).dot(c.normal)
        let biasImpulse = max(0, c.biasImpulse + (c.bias - push) * c.normalMass)
        let normalImpulse = max(0, c.impulse.x - relative.dot(c.normal) * c.normalMass)
        let limit = c.friction * normalImpulse
        let sideImpulse = min(limit, max(-limit, c.impulse.y - relative.dot(tangent) * c.tangentMass))
        let bias = c.normal * (biasImpulse - c.biasImpulse)
        s.biasVelocity += bias
        s.biasSpin += c.arm.cross(bias) * inverseInertia
        apply(&s, c.arm, c.normal * (normalImpulse - c.impulse.x) + tangent * (sideImpulse - c.impulse.y))
        contacts[i].biasImpulse = biasImpulse
        contacts[i].impulse = PlaneVector(normalImpulse, sideImpulse)
      }
    }
    for i in 0..<count { store(&s, contacts[i].impulse, contacts[i].slot) }
  }

  @inline(__always) private func apply(_ s: inout State, _ arm: PlaneVector, _ impulse: PlaneVector) {
    s.velocity += impulse
    s.spin += arm.cross(impulse) * inverseInertia
  }

  @inline(__always) private func store(_ s: inout State, _ impulse: PlaneVector, _ slot: Int) {
    switch slot {
    case 0: s.barImpulse = impulse
    case 1: s.stemImpulse = impulse
    default:
      s.wallImpulses[slot - 2] = impulse.x
      s.wallFriction[slot - 2] = impulse.y
    }
  }

  /// Cosine and sine of a turn of less than about half a radian, to rounding error.
  @inline(__always) private static func smallRotation(_ turn: Double) -> PlaneVector {
    if abs(turn) > 0.3 { return PlaneVector(cos(turn), sin(turn)) }
    let t = turn * turn
    let cosine = 1 - t / 2 * (1 - t / 12 * (1 - t / 30 * (1 - t / 56 * (1 - t / 90))))
    let sine = turn * (1 - t / 6 * (1 - t / 20 * (1 - t / 42 * (1 - t / 72))))
    return PlaneVector(cosine, sine)
  }
}
