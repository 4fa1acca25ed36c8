// A shared result as bytes: an ActionResult of Bazel's remote execution API, so that caches which look into entries find their content named
// and do not collect it before them. Our own record stands in its `stdout_raw`, which such caches keep as it is.

import Hashing
import JSON
import OrderedCollections

struct CacheEntry {
  private let json: JSON
  private let blobs: OrderedDictionary<Digest, Int>
  private let executables: Set<Digest>

  init(_ record: ActionRecord, _ details: ActionDetails, blobs: OrderedDictionary<Digest, Int>, executables: Set<Digest>) {
    (self.blobs, self.executables) = (blobs, executables)
    json = [
      "enpire": 1, "step": .string(record.step), "fingerprint": details.fingerprint, "telemetry": details.telemetry,
      "outputs": .object(record.outputs.mapValues(\.json)), "appended": record.appended, "started": .number(record.started),
      "seconds": .number(record.seconds),
    ]
  }

  /// Nil for what is no entry of ours.
  init?(bytes: [UInt8]) {
    guard let text = Self.fields(bytes)?.last(where: { $0.number == 5 })?.bytes, let json = try? JSON(parsing: text), json["enpire"] == 1 else {
      return nil
    }
    self.json = json
    (blobs, executables) = ([:], [])
  }

  /// The record it holds, if it is one of this action and of a step with these outputs.
  func record(_ key: Digest, for step: Step) -> (ActionRecord, ActionDetails)? {
    guard let fingerprint = json["fingerprint"], Digest(of: fingerprint.canonical) == key, let named = json["outputs"]?.object else { return nil }
    var outputs: OrderedDictionary<String, Artifact> = [:]
    for (name, json) in named {
      guard let artifact = Artifact(json: json), step.output(named: name)?.form == artifact.form else { return nil }
      outputs[name] = artifact
    }
    guard step.outputs.allSatisfy({ outputs[$0.name] != nil || step.mayOmit($0.name) }) else { return nil }
    let appended = json["appended"] ?? []
    guard step.mayAppend || appended == [] else { return nil }
    let record = ActionRecord(
      key: key, step: step.name, outputs: outputs, appended: appended, started: json["started"]?.double ?? Clock.now,
      seconds: json["seconds"]?.double ?? 0, station: nil)
    return (record, ActionDetails(fingerprint: fingerprint, telemetry: json["telemetry"] ?? [:]))
  }

  // MARK: The wire format: protocol buffers, of which only bytes and counts are needed

  var bytes: [UInt8] {
    let files = blobs.flatMap { digest, size -> [UInt8] in
      // OutputFile { path = 1, digest = 2 { hash = 1, size_bytes = 2 }, is_executable = 4 }
      let name = Array(digest.hex.utf8)
      let file = Self.field(1, name) + Self.field(2, Self.field(1, name) + [2 << 3] + Self.count(size))
      return Self.field(2, file + (executables.contains(digest) ? [4 << 3, 1] : []))
    }
    return files + Self.field(5, Array(json.compact.utf8))
  }

  private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2] + count(bytes.count) + bytes }

  private static func count(_ value: Int) -> [UInt8] {
    var (value, bytes) = (UInt(value), [UInt8]())
    repeat {
      bytes.append(UInt8(value & 0x7f) | (value > 0x7f ? 0x80 : 0))
      value >>= 7
    } while value > 0
    return bytes
  }

  /// The fields that hold bytes; nil if it is no such message.
  private static func fields(_ bytes: [UInt8]) -> [(number: UInt, bytes: ArraySlice<UInt8>)]? {
    var (rest, found) = (bytes[...], [(number: UInt, bytes: ArraySlice<UInt8>)]())
    func count() -> UInt? {
      var (value, shift): (UInt, UInt) = (0, 0)
      while let byte = rest.popFirst(), shift < 63 {
        value |= UInt(byte & 0x7f) << shift
        if byte & 0x80 == 0 { return value }
        shift += 7
      }
      return nil
    }
    while !rest.isEmpty {
      guard let tag = count() else { return nil }
      switch tag & 7 {
      case 0: guard count() != nil else { return nil }
      case 1, 5:
        let length = tag & 7 == 1 ? 8 : 4
        guard rest.count >= length else { return nil }
        rest = rest.dropFirst(length)
      case 2:
        guard let length = count(), length <= UInt(rest.count) else { return nil }
        found.append((tag >> 3, rest.prefix(Int(length))))
        rest = rest.dropFirst(Int(length))
      default: return nil
      }
    }
    return found
  }
}
