// NumPy's .npy files, version 1.0 (numpy.lib.format): little-endian float32, float64, int64 and uint8 in C order.
// Values are held as doubles, which keeps float32 exactly and int64 up to 2^53.

import Foundation

public struct NumPyArray: Sendable, Equatable {
  public enum Element: String, Sendable { case float32 = "<f4", float64 = "<f8", int64 = "<i8", uint8 = "|u1" }

  public var shape: [Int]
  public var element: Element
  /// Row by row; as many as the product of the shape.
  public var values: [Double]

  public init(shape: [Int], element: Element = .float64, values: [Double]) {
    precondition(shape.reduce(1, *) == values.count)
    self.shape = shape
    self.element = element
    self.values = values
  }

  /// Row `index` of a two-dimensional array.
  public subscript(row index: Int) -> ArraySlice<Double> { values[index * shape[1]..<(index + 1) * shape[1]] }
}

/// A file that is not an array this reads.
public struct NumPyError: Error, CustomStringConvertible {
  public let path: String
  public let problem: String
  public var description: String { "\(path): \(problem)" }
}

extension NumPyArray {
  public init(contentsOf path: String) throws {
    func fail(_ problem: String) -> NumPyError { NumPyError(path: path, problem: problem) }
    guard let data = FileManager.default.contents(atPath: path) else { throw fail("cannot be read") }
    guard data.count >= 10, data.prefix(6) == Data([0x93] + "NUMPY".utf8) else { throw fail("is not a .npy file") }
    let wide = data[6] >= 2
    let lengthBytes = wide ? 4 : 2
    guard data.count >= 8 + lengthBytes else { throw fail("is cut short in its header") }
    let headerLength = (0..<lengthBytes).reduce(0) { $0 | Int(data[8 + $1]) << (8 * $1) }
    let start = 8 + lengthBytes + headerLength
    guard data.count >= start else { throw fail("is cut short in its header") }
    let header = String(decoding: data[(8 + lengthBytes)..<start], as: UTF8.self)
    guard let descr = header.firstMatch(of: /'descr':\s*'([^']+)'/)?.1, let element = Element(rawValue: String(descr)) else {
      throw fail("has elements other than <f4, <f8, <i8 and |u1; save it with .astype('<f8')")
    }
    guard header.contains(/'fortran_order':\s*False/) else { throw fail("is in Fortran order; save it with numpy.ascontiguousarray") }
    guard let dimensions = header.firstMatch(of: /'shape':\s*\(([^)]*)\)/)?.1 else { throw fail("has no shape") }
    let shape = dimensions.split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    let width =
      switch element {
      case .float32: 4;
      case .float64, .int64: 8;
      case .uint8: 1
      }
    // Whatever the header says, this does not overflow.
    let size = shape.reduce(Double(width)) { $0 * Double($1) }
    guard shape.allSatisfy({ $0 >= 0 }), Double(data.count - start) == size else {
      throw fail("holds \(data.count - start) bytes of data where its shape \(shape) says \(Int(exactly: size) ?? .max)")
    }
    let count = (data.count - start) / width
    self.init(
      shape: shape, element: element,
      values: data.withUnsafeBytes { raw in
        (0..<count).map { index in
          let at = start + index * width
          return switch element {
          case .float32: Double(Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt32.self))))
          case .float64: Double(bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
          case .int64: Double(Int64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: Int64.self)))
          case .uint8: Double(raw[at])
          }
        }
      })
  }

  /// The values as whole numbers; nil if one is none.
  public var wholes: [Int]? {
    let wholes = values.compactMap { Int(exactly: $0) }
    return wholes.count == values.count ? wholes : nil
  }

  public func write(to path: String) throws {
    let dimensions = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
    var header = "{'descr': '\(element.rawValue)', 'fortran_order': False, 'shape': (\(dimensions)), }"
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    var data = Data([0x93] + "NUMPY".utf8 + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: header.utf8)
    for value in values {
      switch element {
      case .float32: withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { data.append(contentsOf: $0) }
      case .float64: withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
      case .int64: withUnsafeBytes(of: Int64(value).littleEndian) { data.append(contentsOf: $0) }
      case .uint8: data.append(UInt8(value))
      }
    }
    try data.write(to: URL(filePath: path))
  }
}
