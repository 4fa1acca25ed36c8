// What may differ between the nominal Push-T and the one at hand. Identification searches over these numbers.

extension PushTModel {
  package struct Parameters: Sendable, Hashable {
    /// Radius of the agent's disc, workspace units (px).
    package var radius = 15.0
    /// Size of the T (and of its goal) relative to the nominal one.
    package var blockScale = 1.0
    /// Proportional gain of the agent's drive, 1/s², and its derivative gain, 1/s.
    package var gain = 100.0
    package var derivativeGain = 20.0
    /// Moment of inertia per mass about the centre of gravity, px², of the block at scale 1; it grows with the scale squared.
    package var inertia = 3000.0
    /// Coulomb friction between the block and what touches it, disc or wall.
    package var friction = 0.0
    /// Share of its velocity that the block keeps over one second; 0 is quasi-static.
    package var damping = 0.0
    /// Control steps between an action's issue and its effect. Until the first one arrives the agent holds its place.
    package var latency = 0

    package init() {}
  }
}
