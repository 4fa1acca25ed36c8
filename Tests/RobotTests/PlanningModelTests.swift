// The planner's own model of Push-T against Chipmunk, where they have to agree: the drive, pushes away from walls, sliding, coverage.

import Hashing
import Testing

@testable import Robot

struct PlanningModelTests {
  @Test func `the drive's response over a control step is that of ten substeps, velocity first`() {
    func response(_ x: Double, _ v: Double, _ u: Double) -> Double {
      var (x, v) = (x, v)
      for _ in 0..<10 {
        v += (100 * (u - x) - 20 * v) * 0.01
        x += v * 0.01
      }
      return x
    }
    let model = PushTModel()
    #expect(abs(model.pull - response(0, 0, 1)) < 1e-12)
    #expect(abs(model.coast - response(0, 1, 0)) < 1e-12)
  }

  /// The worst difference of pose (px; the angle times 50) over an open-loop episode.
  private func difference(_ physics: PushTPhysics, _ parameters: PushTModel.Parameters, start: [Double], targets: [SIMD2<Double>]) -> Double {
    let simulation = PushTSimulation(physics: physics)
    let model = PushTModel(parameters)
    var state = model.state(at: simulation.reset(to: start))
    var worst = 0.0
    for target in targets {
      model.step(&state, toward: target)
      let (ours, theirs) = (model.observation(state), simulation.step([target.x, target.y]).observation)
      for index in 0..<4 { worst = max(worst, abs(ours[index] - theirs[index])) }
      worst = max(worst, 50 * abs((ours[4] - theirs[4]).remainder(dividingBy: 2 * .pi)))
    }
    return worst
  }

  /// There, through the block at an angle, and back.
  private let sweep: [SIMD2<Double>] = {
    let there = (0..<30).map { (step: Int) -> SIMD2<Double> in SIMD2(100 + 8 * Double(step), 200 + 2 * Double(step)) }
    let back = (0..<20).map { (step: Int) -> SIMD2<Double> in SIMD2(340 - 10 * Double(step), 260) }
    return there + back
  }()
  private let start = [100.0, 200, 230, 190, 0.5]

  @Test func `a push agrees with Chipmunk to a ten-thousandth`() {
    #expect(difference(.nominal, .init(), start: start, targets: sweep) < 1e-4)
  }

  @Test func `a push with friction on a sliding, bigger block agrees with Chipmunk to a hundredth`() {
    var physics = PushTPhysics()
    (physics.friction, physics.damping, physics.blockScale, physics.agentRadius) = (0.4, 0.3, 33, 12)
    (physics.gain, physics.derivativeGain) = (80, 15)
    var parameters = PushTModel.Parameters()
    (parameters.friction, parameters.damping, parameters.blockScale, parameters.radius) = (0.4, 0.3, 1.1, 12)
    (parameters.gain, parameters.derivativeGain) = (80, 15)
    #expect(difference(physics, parameters, start: start, targets: Array(sweep.prefix(20))) < 1e-2)
  }

  @Test func `coverage is the benchmark's`() {
    let model = PushTModel()
    let goal = PushTGoal(model)
    let geometry = PushTGeometry()
    var random = RandomStream("coverage")
    for _ in 0..<200 {
      let pose = [256 + 10 * random.normal(), 256 + 10 * random.normal(), .pi / 4 + 0.2 * random.normal()]
      let state = model.state(at: [0, 0] + pose)
      #expect(abs(goal.coverage(state) - geometry.coverage(x: pose[0], y: pose[1], angle: pose[2])) < 1e-9)
    }
  }

  @Test func `the way round the T keeps clear of it`() {
    let outline = TeeOutline(.init())
    var random = RandomStream("ways")
    let way = UnsafeMutablePointer<SIMD2<Double>>.allocate(capacity: 8)
    defer { way.deallocate() }
    for _ in 0..<300 {
      let ends = (0..<2).map { _ in outline.cleared(SIMD2(random.uniform(-150...150), random.uniform(-150...150))) }
      let count = outline.way(from: ends[0], to: ends[1], into: way) { _ in true }
      var at = ends[0]
      for turn in 0..<count {
        for share in stride(from: 0.0, through: 1, by: 0.02) {
          let p = at + (way[turn] - at) * share
          // The rectangles about the centre of gravity: bar 120 x 30 about (0, -30), stem 30 x 90 about (0, 30).
          let bar = PlaneVector(max(0, abs(p.x) - 60), max(0, abs(p.y + 30) - 15)).length
          let stem = PlaneVector(max(0, abs(p.x) - 15), max(0, abs(p.y - 30) - 45)).length
          #expect(min(bar, stem) >= 15, "from \(ends[0]) to \(ends[1]) at \(p)")
        }
        at = way[turn]
      }
      #expect(at == ends[1])
    }
  }
}
