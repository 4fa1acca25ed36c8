import Foundation
import NumPy
import Testing

@Suite struct `NumPy's files` {
  @Test(arguments: [NumPyArray.Element.float32, .float64, .int64, .uint8]) func `arrays come back as they were written`(element: NumPyArray.Element)
    throws
  {
    let path = NSTemporaryDirectory() + "enpire-\(UUID().uuidString).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let array = NumPyArray(shape: [2, 3], element: element, values: [0, 1, 2, 3, 4, 255])
    try array.write(to: path)
    #expect(try NumPyArray(contentsOf: path) == array)
  }

  @Test func `NumPy's own files are read`() throws {
    // numpy.save of numpy.arange(3, dtype='<i8'), version 1.0.
    let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }"
    var data = Data([0x93] + "NUMPY".utf8 + [1, 0, 118, 0])
    data.append(Data((header + String(repeating: " ", count: 117 - header.count) + "\n").utf8))
    for value in 0..<3 { withUnsafeBytes(of: Int64(value).littleEndian) { data.append(contentsOf: $0) } }
    let path = NSTemporaryDirectory() + "enpire-\(UUID().uuidString).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try data.write(to: URL(filePath: path))
    #expect(try NumPyArray(contentsOf: path) == NumPyArray(shape: [3], element: .int64, values: [0, 1, 2]))
    try data.dropLast(3).write(to: URL(filePath: path))
    #expect { try NumPyArray(contentsOf: path) } throws: { "\($0)" == "\(path): holds 21 bytes of data where its shape [3] says 24" }
  }

  @Test func `a shape beyond all counting is refused`() throws {
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }"
    let path = NSTemporaryDirectory() + "enpire-\(UUID().uuidString).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let start = Data([0x93] + "NUMPY".utf8 + [1, 0, UInt8(header.utf8.count), 0])
    try (start + Data(header.utf8) + Data(count: 32)).write(to: URL(filePath: path))
    #expect { try NumPyArray(contentsOf: path) } throws: {
      "\($0)".hasPrefix("\(path): holds 32 bytes of data where its shape [4611686018427387904, 4] says ")
    }
  }
}
