// A training's whole state in one safetensors file, written atomically: named tensors, and numbers as JSON.
// No generator state is in it: every update draws from a stream named by its seed and number. It knows no algorithm.

internal import Foundation
public import JSON
public import Tensor

public struct Checkpoint {
  private var file = SafeTensors()
  /// Counters, curves: anything that is not a tensor.
  public var state: JSON = .object([:])

  public init() {}

  public mutating func put(_ name: String, _ tensors: [Tensor]) {
    for (index, tensor) in tensors.enumerated() { file.entries["\(name).\(index)"] = .init(shape: tensor.shape, values: tensor.values) }
  }

  public mutating func put(_ name: String, _ moments: AdamMoments) {
    put(name + ".first", moments.first)
    put(name + ".second", moments.second)
  }

  public mutating func put(_ name: String, rows values: [Float], width: Int) {
    file.entries[name] = .init(shape: [values.count / max(1, width), width], values: values)
  }

  public func get(_ name: String, into tensors: [Tensor]) throws {
    for (index, tensor) in tensors.enumerated() {
      guard let entry = file.entries["\(name).\(index)"], entry.shape == tensor.shape else {
        throw LearningError("checkpoint: '\(name).\(index)' is missing or has another shape", hint: "remove the checkpoint to start over")
      }
      tensor.values = entry.values
    }
  }

  public func get(_ name: String, into moments: AdamMoments) throws {
    try get(name + ".first", into: moments.first)
    try get(name + ".second", into: moments.second)
  }

  public func rows(_ name: String) throws -> [Float] {
    guard let entry = file.entries[name] else { throw LearningError("checkpoint: '\(name)' is missing") }
    return entry.values
  }

  private static func path(in directory: String) -> String { directory + "/checkpoint.safetensors" }

  public func write(directory: String) throws {
    var file = file
    file.metadata["checkpoint"] = "1"
    file.metadata["state"] = state.canonical
    try file.write(to: Self.path(in: directory))
  }

  /// The checkpoint in `directory`; nil if there is none.
  public init?(directory: String) throws {
    let path = Self.path(in: directory)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    file = try SafeTensors(contentsOf: path)
    guard file.metadata["checkpoint"] == "1", let text = file.metadata["state"], let state = try? JSON(parsing: text) else {
      throw LearningError("\(path) is not a checkpoint of this version", hint: "remove it to start over")
    }
    self.state = state
  }
}
