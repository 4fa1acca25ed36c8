import Foundation
import Physics
import Testing

@Suite struct PhysicsTests {
  @Test func `a frictionless pendulum keeps its energy and its period`() throws {
    // A point mass of 1 kg on a weightless rod of 1 m, released at 0.1 rad: T = 2π √(l/g) (1 + θ²/16).
    let pendulum = try ArticulatedModel(
      mjcf: """
        <mujoco><option timestep="0.001" gravity="0 0 -9.81" integrator="RK4"/><worldbody><body>
          <joint type="hinge" axis="0 1 0" damping="0"/>
          <inertial pos="0 0 -1" mass="1" diaginertia="1e-6 1e-6 1e-6"/>
        </body></worldbody></mujoco>
        """)
    try pendulum.set(positions: [0.1], velocities: [0])
    let start = pendulum.energy
    var crossings: [Double] = []
    for _ in 0..<10_000 {
      let before = pendulum.positions[0]
      try pendulum.step()
      if before > 0, pendulum.positions[0] <= 0 { crossings.append(pendulum.time) }
    }
    let end = pendulum.energy
    #expect(abs(end.potential + end.kinetic - start.potential - start.kinetic) < 1e-8)
    #expect(abs(pendulum.time - 10) < 1e-9)
    let period = (crossings.last! - crossings[0]) / Double(crossings.count - 1)
    #expect(abs(period - 2 * .pi * (1 / 9.81).squareRoot() * (1 + 0.01 / 16)) < 2e-3)
  }

  @Test func `a model that is not MJCF is refused with the reason`() {
    #expect(throws: ModelError.self) { try ArticulatedModel(mjcf: "<mujoco><worldbody><body><geom/></worldbody></mujoco>") }
    #expect { try ArticulatedModel(mjcf: "<mujoco><nonsense/></mujoco>") } throws: { "\($0)".contains("nonsense") }
  }

  @Test func `a body without damping keeps its velocity and one with full damping loses it`() {
    // Chipmunk moves bodies before it changes their velocities: one step of 0.01 s at 10 a second passes before damping counts.
    for (damping, expected) in [(1.0, 11.0), (0.0, 1.1)] {
      let space = PlanarSpace(damping: damping)
      let body = space.addBody(mass: 1, moment: 1, centre: Vector(0, 0), parts: [[Vector(0, 0), Vector(1, 0), Vector(0, 1)]])
      body.position = Vector(1, 2)
      body.velocity = Vector(10, 0)
      for _ in 0..<100 { space.step(seconds: 0.01) }
      #expect(abs(body.position.x - expected) < 1e-9)
      #expect(body.position.y == 2)
    }
  }

  @Test func `turning a body leaves its centre of gravity where it is`() {
    let space = PlanarSpace(damping: 0)
    let body = space.addBody(mass: 1, moment: 1, centre: Vector(0, 45), parts: [[Vector(-1, 0), Vector(1, 0), Vector(0, 90)]])
    body.position = Vector(20, 30)
    body.angle = 1
    // p' = p + c - R(θ) c
    #expect(abs(body.position.x - (20 + 45 * sin(1.0))) < 1e-12)
    #expect(abs(body.position.y - (30 + 45 - 45 * cos(1.0))) < 1e-12)
  }
}
