// The scene as the camera above it sees it.

public import Vision

extension PushTSimulation {
  public func render(size: Int) throws -> Image { throw RenderError() }
}

private struct RenderError: Error, CustomStringConvertible {
  var description: String { "this build has no renderer for Push-T" }
}
