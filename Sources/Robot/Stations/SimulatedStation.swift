// A Push-T station in this process. Its physics differs from the nominal one by a gap that policies and agents are not told,
// as a robot differs from its model: drawn from the station's name, so that a fleet's stations differ and each stays the same.

internal import Hashing
public import JSON
public import Vision

public final class SimulatedStation: Station {
  public let name: String
  private let simulation: PushTSimulation
  private let camera: CameraModel

  /// `gap` in the fleet entry: `{"drawn": true}` or nothing for the drawn one, false for none, or explicit constants
  /// (`{"latency_steps": 1}`, see `PushTPhysics`); `camera` what its pictures have of their own (see `CameraModel`).
  public init(name: String, entry: JSON) throws(StationFailure) {
    self.name = name
    do { camera = try CameraModel(json: entry["camera"]) } catch { throw StationFailure(name, error.description) }
    let gap = entry["gap"] ?? ["drawn": true]
    switch (gap, gap["drawn"]?.bool) {
    case (.bool(false), _), (_, false?): simulation = PushTSimulation()
    case (.bool(true), _), (_, true?): simulation = PushTSimulation(physics: .drawn(forStation: name))
    case (.object, _):
      do { simulation = PushTSimulation(physics: try PushTPhysics(json: gap)) } catch {
        throw StationFailure(name, "gap: \(error)", hint: "write {\"drawn\": true}, false, or constants such as {\"latency_steps\": 1}")
      }
    default: throw StationFailure(name, "gap is \(gap.typeName)", hint: "write {\"drawn\": true}, false, or constants such as {\"latency_steps\": 1}")
    }
  }

  public init(name: String, physics: PushTPhysics) {
    (self.name, camera) = (name, CameraModel())
    simulation = PushTSimulation(physics: physics)
  }

  public func reset(seed: UInt32) -> Reading { Reading(observation: simulation.reset(seed: UInt64(seed)), truth: simulation.truth) }

  public func step(_ action: Action) -> Reading {
    let result = simulation.step(action)
    return Reading(observation: result.observation, truth: simulation.truth, terminated: result.terminated, truncated: result.truncated)
  }

  public func picture(_ form: PictureForm) throws(StationFailure) -> Image {
    do { return camera.seen(try simulation.render(form)) } catch { throw StationFailure(name, "its camera failed: \(error)") }
  }
}

extension PushTPhysics {
  /// The hidden physics of the station of this name. Half of the stations are late by one control step, a quarter let the T slide.
  package static func drawn(forStation name: String) -> PushTPhysics {
    var random = RandomStream("station", name, "push-t gap")
    var physics = PushTPhysics()
    physics.latencySteps = random.index(below: 2)
    physics.agentRadius *= random.uniform(0.85...1.15)
    physics.gain *= random.uniform(0.85...1.15)
    physics.blockScale *= random.uniform(0.95...1.1)
    physics.friction = random.uniform(0...0.3)
    physics.observationNoise = random.uniform(0...1)
    let damping = random.uniform(0.1...0.3)
    physics.damping = random.index(below: 4) == 0 ? damping : 0
    physics.derivativeGain *= random.uniform(0.85...1.15)
    return physics
  }
}
