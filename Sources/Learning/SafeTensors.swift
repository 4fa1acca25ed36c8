// Reads and writes safetensors files (huggingface/safetensors: 8 bytes of header length, a JSON header, raw little-endian data),
// float32 only. `safetensors.numpy.load_file(path)` reads them in Python. It knows no network.

internal import Foundation
internal import JSON

public struct SafeTensors: Sendable {
  public struct Entry: Sendable, Equatable {
    public var shape: [Int]
    public var values: [Float]
    public init(shape: [Int], values: [Float]) { (self.shape, self.values) = (shape, values) }
  }

  /// By name; written in the names' order.
  public var entries: [String: Entry] = [:]
  /// Words for people and programs, as the format allows them.
  public var metadata: [String: String] = [:]

  public init() {}
}

extension SafeTensors {
  /// Writes to a file beside `path` and renames it, so that the file is whole or absent.
  public func write(to path: String) throws {
    var header: JSON = .object([:])
    if !metadata.isEmpty {
      var words: JSON = .object([:])
      for key in metadata.keys.sorted() { words[key] = .string(metadata[key]!) }
      header["__metadata__"] = words
    }
    var offset = 0
    let names = entries.keys.sorted()
    for name in names {
      let entry = entries[name]!
      precondition(entry.shape.reduce(1, *) == entry.values.count)
      let end = offset + 4 * entry.values.count
      header[name] = ["dtype": "F32", "shape": .array(entry.shape.map { .integer($0) }), "data_offsets": [.integer(offset), .integer(end)]]
      offset = end
    }
    var text = Array(header.compact.utf8)
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    var data = Data(capacity: 8 + text.count + offset)
    withUnsafeBytes(of: UInt64(text.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: text)
    for name in names { entries[name]!.values.withUnsafeBytes { data.append(contentsOf: $0) } }
    try data.write(to: URL(filePath: path), options: .atomic)
  }

  public init(contentsOf path: String) throws {
    func fail(_ problem: String) -> LearningError { LearningError("\(path): \(problem)") }
    guard let data = FileManager.default.contents(atPath: path) else { throw fail("cannot be read") }
    guard data.count >= 8 else { throw fail("is too short to be a safetensors file") }
    let length = data.withUnsafeBytes { Int(clamping: UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))) }
    guard length <= data.count - 8, let header = try? JSON(parsing: data[8..<8 + length]), let members = header.object else {
      throw fail("has no safetensors header")
    }
    let start = 8 + length
    for (name, entry) in members where name != "__metadata__" {
      guard entry["dtype"]?.string == "F32" else { throw fail("tensor '\(name)' is not F32") }
      let shape = (entry["shape"]?.array ?? []).compactMap(\.int)
      guard let low = entry["data_offsets"]?[0]?.int, let high = entry["data_offsets"]?[1]?.int, 0 <= low, low <= high, high <= data.count - start,
        shape.allSatisfy({ $0 >= 0 }), Double(high - low) == shape.reduce(4.0, { $0 * Double($1) })
      else { throw fail("tensor '\(name)' does not fit the file") }
      let values = data.withUnsafeBytes { raw in
        (0..<(high - low) / 4).map {
          Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: start + low + 4 * $0, as: UInt32.self)))
        }
      }
      entries[name] = Entry(shape: shape, values: values)
    }
    for (key, value) in members["__metadata__"]?.object ?? [:] { metadata[key] = value.string }
  }
}
