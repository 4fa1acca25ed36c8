// The scene as the camera above it sees it: the true pose, without the noise of the observation.

public import Vision

extension PushTSimulation {
  public func render(_ form: PictureForm) throws -> Image {
    let state = truth.state
    return try PushTRenderer.image(
      agent: (state[0], state[1]), block: (state[2], state[3]), angle: state[4], size: form.size, scale: physics.blockScale,
      radius: physics.agentRadius, drawing: form.drawing)
  }
}
