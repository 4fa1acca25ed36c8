// Learning curves as a TensorBoard event file: TFRecord frames (length, masked CRC-32C, data, masked CRC-32C) around `Event` messages of
// protocol buffers, of which scalars need four fields. Sources: tensorflow/core/util/event.proto and summary.proto, record_writer.cc;
// RFC 3720 for the CRC. It knows no learner. Times are the steps themselves, so that the same training writes the same bytes.

internal import Foundation

extension LearningCurves {
  /// Writes `events.out.tfevents.0.enpire` into the directory; `tensorboard --logdir` shows it.
  public func writeEvents(directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try Data(EventFile.bytes(of: self)).write(to: URL(filePath: directory + "/events.out.tfevents.0.enpire"))
  }
}

enum EventFile {
  static func bytes(of curves: LearningCurves) -> [UInt8] {
    // The version comes first: field 3 of Event.
    var out = record(fixed(1, 0.0) + message(3, Array("brain.Event:2".utf8)))
    for series in curves.series {
      for (step, value) in zip(series.at, series.values) {
        let scalar = message(1, Array(series.name.utf8)) + fixed(2, Float(value))
        out += record(fixed(1, Double(step)) + varint(2 << 3) + varint(UInt64(bitPattern: Int64(step))) + message(5, message(1, scalar)))
      }
    }
    return out
  }

  // MARK: Protocol buffers

  private static func varint(_ value: UInt64) -> [UInt8] {
    var (value, out) = (value, [UInt8]())
    while value >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    return out + [UInt8(value)]
  }

  private static func message(_ field: UInt64, _ bytes: [UInt8]) -> [UInt8] { varint(field << 3 | 2) + varint(UInt64(bytes.count)) + bytes }
  private static func fixed(_ field: UInt64, _ value: Double) -> [UInt8] { varint(field << 3 | 1) + little(value.bitPattern) }
  private static func fixed(_ field: UInt64, _ value: Float) -> [UInt8] { varint(field << 3 | 5) + little(value.bitPattern) }
  private static func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }

  // MARK: Records

  private static func record(_ data: [UInt8]) -> [UInt8] {
    let length = little(UInt64(data.count))
    return length + little(masked(length)) + data + little(masked(data))
  }

  /// Rotated and offset, as the format asks, for CRCs of CRCs are poor ones.
  private static func masked(_ data: [UInt8]) -> UInt32 {
    let crc = data.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 } ^ ~0
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }

  private static let table: [UInt32] = (0..<256).map {
    (0..<8).reduce(UInt32($0)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
  }
}
