import Foundation
import JSON
import Learning
import NumPy
import Testing

@Suite struct PolicyPartsTests {
  @Test func `Features show angles as cosine and sine, and a point as a turned body sees it`() {
    let features = Features(
      angles: [4], frames: [.init(origin: [2, 3], angle: 4, point: [0, 1])], anchor: [0, 1], history: 2, showsAction: true,
      actionBounds: [0...512, 0...512])
    let quarter = Double.pi / 2
    let values = features.values(window: [[10, 30, 10, 20, quarter]], lastAction: [15, 28])
    let one: [Float] = [10, 30, 10, 20, 0, 1, 10, 0]
    #expect(values.count == features.size(observation: 5))
    #expect(zip(values, one + one + [5, -2]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func `Differences show older observations as what they are away from the newest`() {
    let features = Features(
      angles: [2], frames: [.init(origin: [0, 1], angle: 2, point: [0, 1])], history: 3, differences: true, actionBounds: [0...512])
    let values = features.values(window: [[10, 30, 0], [9, 32, .pi / 2]], lastAction: nil)
    let (newest, older): ([Float], [Float]) = ([10, 30, 1, 0, 0, 0], [-1, 2, -1, 1, 0, 0])
    #expect(zip(values, newest + older + older).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(values.count == features.size(observation: 3))
    #expect(Features(features.json) == features)
  }

  @Test func `A label and its action are each other's inverse, and actions stay within bounds`() {
    let features = Features(anchor: [0, 1], actionBounds: [0...512, 0...512])
    #expect(features.action(features.label([300, 20], at: [250, 60]), at: [250, 60]) == [300, 20])
    #expect(features.action([100, -100], at: [500, 60]) == [512, 0])
  }

  @Test func `Features and scaling come back from their JSON`() throws {
    let features = Features(
      angles: [4], frames: [.init(origin: [2, 3], angle: 4, point: [0, 1])], anchor: [0, 1], history: 2, actionBounds: [0...512])
    #expect(Features(try JSON(parsing: features.json.pretty)) == features)
    let scaling = Scaling(measuring: [[1, 5], [3, 5]])
    #expect((scaling.mean, scaling.spread) == ([2, 5], [1, 1]))
    #expect(Scaling(try JSON(parsing: scaling.json.pretty)) == scaling)
  }

  @Test func `Safetensors come back bit for bit, and a file cut short is refused by name`() throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var file = SafeTensors()
    file.entries = ["b": .init(shape: [2], values: [.leastNonzeroMagnitude, -0.1]), "a": .init(shape: [1, 1], values: [.infinity])]
    file.metadata = ["state": "{\"x\":1}"]
    try file.write(to: directory + "/w.safetensors")
    let back = try SafeTensors(contentsOf: directory + "/w.safetensors")
    #expect(back.entries == file.entries)
    #expect(back.metadata == file.metadata)
    let bytes = try Data(contentsOf: URL(filePath: directory + "/w.safetensors"))
    try bytes.dropLast(4).write(to: URL(filePath: directory + "/short.safetensors"))
    #expect(throws: LearningError("\(directory)/short.safetensors: tensor 'b' does not fit the file")) {
      _ = try SafeTensors(contentsOf: directory + "/short.safetensors")
    }
    let header = Data(#"{"b":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}}"#.utf8)
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
    try (length + header + Data(count: 16)).write(to: URL(filePath: directory + "/vast.safetensors"))
    #expect(throws: LearningError("\(directory)/vast.safetensors: tensor 'b' does not fit the file")) {
      _ = try SafeTensors(contentsOf: directory + "/vast.safetensors")
    }
  }

  @Test func `A data set comes back from its directory, and one whose episodes end wrongly is refused`() throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let data = PointTask.demonstrations(3)
    try data.write(directory: directory)
    let back = try DataSet(directory: directory)
    #expect(back.observations == data.observations)
    #expect(back.episodes == data.episodes)
    for ends in [[1.5, 3], [.nan], [1e300]] {
      try NumPyArray(shape: [ends.count], values: ends).write(to: directory + "/episode_ends.npy")
      #expect(throws: LearningError.self) { _ = try DataSet(directory: directory) }
    }
    try FileManager.default.removeItem(atPath: directory + "/action.npy")
    #expect(throws: (any Error).self) { _ = try DataSet(directory: directory) }
  }

  @Test(arguments: [1e200, -1e39, Double.infinity, Double.nan])
  func `A data set with a number that is infinite as it is learnt from is refused`(value: Double) throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var data = DataSet()
    data.append(observations: [[1, 2], [3, value]], actions: [[0, 0], [0, 0]])
    try data.write(directory: directory)
    #expect(
      throws: LearningError("data set \(directory): a value is not a finite number", hint: "leave out frames that could not be read")
    ) { _ = try DataSet(directory: directory) }
  }

  @Test func `A symmetry moves rows as it says`() {
    let swap = Symmetry(
      observation: [.init(1, factor: -1, offset: 512), .init(0, factor: -1, offset: 512), .init(2, factor: 1, offset: 0)],
      action: [.init(1, factor: -1, offset: 512), .init(0, factor: -1, offset: 512)])
    #expect(swap.moved(observation: [100, 50, 7]) == [462, 412, 7])
    #expect(swap.moved(action: swap.moved(action: [100, 50])) == [100, 50])
  }

  @Test func `An event file is framed by checksums, and the same curves give the same bytes`() throws {
    var curves = LearningCurves()
    for step in 1...3 { curves.add("loss", at: step * 100, 1 / Double(step)) }
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try curves.writeEvents(directory: directory)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: directory + "/events.out.tfevents.0.enpire")))
    // The first record, byte by byte, as TensorFlow writes it for a version at time 0: length 24, its masked CRC, the message, its CRC.
    #expect(Array(bytes[0..<8]) == [24, 0, 0, 0, 0, 0, 0, 0])
    #expect(Array(bytes[8..<12]) == [0xA3, 0x7F, 0x4B, 0x22])
    #expect(String(decoding: bytes[23..<36], as: UTF8.self) == "brain.Event:2")
    try LearningCurves(json: curves.json).writeEvents(directory: directory)
    #expect([UInt8](try Data(contentsOf: URL(filePath: directory + "/events.out.tfevents.0.enpire"))) == bytes)
  }

  @Test func `A step below zero is written as protocol buffers write negative numbers`() throws {
    var curves = LearningCurves()
    curves.add("loss", at: -1, 2)
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try curves.writeEvents(directory: directory)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: directory + "/events.out.tfevents.0.enpire")))
    // Field 2, and ten bytes of seven bits each.
    let step: [UInt8] = [0x10] + Array(repeating: 0xFF, count: 9) + [0x01]
    #expect(bytes.indices.contains { bytes[$0...].starts(with: step) })
  }
}
