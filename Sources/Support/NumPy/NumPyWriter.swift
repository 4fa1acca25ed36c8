// A .npy file of float64, of one or two dimensions, written row by row: memory stays that of a buffer, however many rows come. Not readable before it is finished.

import Foundation

public final class NumPyWriter {
  public let path: String
  /// Values of a row; nil for a vector, whose rows are one value.
  public let columns: Int?
  public private(set) var rows = 0
  private let handle: FileHandle
  private var buffer = Data()

  /// Header and padding; room for any count of rows.
  private static let headerSize = 128

  public init(path: String, columns: Int?) throws {
    (self.path, self.columns) = (path, columns)
    guard FileManager.default.createFile(atPath: path, contents: Data(count: Self.headerSize)), let handle = FileHandle(forWritingAtPath: path) else {
      throw NumPyError(path: path, problem: "cannot be written")
    }
    self.handle = handle
    try handle.seekToEnd()
  }

  /// - Parameter row: as many values as there are columns.
  public func append(_ row: [Double]) throws {
    precondition(row.count == columns ?? 1)
    for value in row { withUnsafeBytes(of: value.bitPattern.littleEndian) { buffer.append(contentsOf: $0) } }
    rows += 1
    if buffer.count >= 1 << 16 { try flush() }
  }

  /// Writes what is left, and the header.
  public func finish() throws {
    try flush()
    var header = "{'descr': '<f8', 'fortran_order': False, 'shape': (\(rows),\(columns.map { " \($0)" } ?? "")), }"
    header += String(repeating: " ", count: Self.headerSize - 10 - header.utf8.count - 1) + "\n"
    try handle.seek(toOffset: 0)
    let length = Self.headerSize - 10
    try handle.write(contentsOf: Data([0x93] + "NUMPY".utf8 + [1, 0, UInt8(length & 255), UInt8(length >> 8)]) + Data(header.utf8))
    try handle.close()
  }

  private func flush() throws {
    try handle.write(contentsOf: buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
