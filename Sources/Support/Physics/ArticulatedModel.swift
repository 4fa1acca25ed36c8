// Articulated bodies in space, by MuJoCo: a model compiled from MJCF text, and its state in time. It knows no robot and no task.
// A model belongs to one thread.

internal import CMuJoCo

public final class ArticulatedModel {
  private let model: UnsafeMutablePointer<mjModel>
  private let data: UnsafeMutablePointer<mjData>

  /// Compiles MJCF text. The model must be whole in itself: no mesh files, no includes.
  public init(mjcf: String) throws(ModelError) {
    var message = [CChar](repeating: 0, count: 1024)
    guard let spec = mj_parseXMLString(mjcf, nil, &message, Int32(message.count)) else {
      throw ModelError(problem: String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
    defer { mj_deleteSpec(spec) }
    guard let model = mj_compile(spec, nil) else { throw ModelError(problem: String(cString: mjs_getError(spec))) }
    guard let data = mj_makeData(model) else {
      mj_deleteModel(model)
      throw ModelError(problem: "out of memory for the model's state")
    }
    model.pointee.opt.enableflags |= Int32(mjENBL_ENERGY.rawValue)
    mj_forward(model, data)
    (self.model, self.data) = (model, data)
  }

  deinit {
    mj_deleteData(data)
    mj_deleteModel(model)
  }

  /// Seconds since the start.
  public var time: Double { data.pointee.time }
  /// Seconds a step.
  public var timestep: Double { model.pointee.opt.timestep }
  /// Generalised positions [nq]: metres and radians, in the order of the model's joints.
  public var positions: [Double] { Array(UnsafeBufferPointer(start: data.pointee.qpos, count: Int(model.pointee.nq))) }
  /// Generalised velocities [nv].
  public var velocities: [Double] { Array(UnsafeBufferPointer(start: data.pointee.qvel, count: Int(model.pointee.nv))) }
  /// Potential and kinetic energy, joules, as of the last step's start or the last `set`.
  public var energy: (potential: Double, kinetic: Double) { data.pointee.energy }
  public var controlCount: Int { Int(model.pointee.nu) }

  /// Sets the state and works out what follows from it.
  public func set(positions: [Double], velocities: [Double]) throws(ModelError) {
    guard positions.count == Int(model.pointee.nq), velocities.count == Int(model.pointee.nv) else {
      throw ModelError(
        problem: "the model has \(model.pointee.nq) positions and \(model.pointee.nv) velocities, not \(positions.count) and \(velocities.count)")
    }
    for (index, value) in positions.enumerated() { data.pointee.qpos[index] = value }
    for (index, value) in velocities.enumerated() { data.pointee.qvel[index] = value }
    mj_forward(model, data)
  }

  /// Back to the model's initial state, at time 0.
  public func reset() {
    mj_resetData(model, data)
    mj_forward(model, data)
  }

  /// One step under these controls [nu]; none leaves the last ones.
  public func step(controls: [Double] = []) throws(ModelError) {
    guard controls.isEmpty || controls.count == controlCount else {
      throw ModelError(problem: "the model has \(controlCount) controls, not \(controls.count)")
    }
    for (index, value) in controls.enumerated() { data.pointee.ctrl[index] = value }
    mj_step(model, data)
  }
}

/// What is wrong with a model or with what it was asked.
public struct ModelError: Error, CustomStringConvertible {
  public let problem: String
  public var description: String { problem }
}
