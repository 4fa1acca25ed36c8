// Bytes that are nearly right: takes inputs that were good, or led somewhere new, and damages them as bytes, as JSON and by words of the format.

import JSON

struct Mutator {
  private var state: UInt64
  private var good: [[UInt8]]
  private var refused: [[UInt8]] = []
  private let rightCount: Int
  private let words: [String]
  private var classes: Set<String> = []

  /// `words`: what the format is made of.
  init(seed: Int, corpus: [[UInt8]], words: [String]) {
    state = UInt64(bitPattern: Int64(seed)) &* 0xD134_2543_DE82_EF95 &+ 1
    (good, rightCount, self.words) = (corpus, corpus.count, words)
  }

  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int(truncatingIfNeeded: (z ^ (z >> 31)) >> 1) % bound
  }

  /// Keeps an input that was accepted, or refused as none before: the next ones start from it too.
  mutating func keep(_ input: [UInt8], refused sentence: String?) {
    guard input.count < 1 << 16 else { return }
    guard let sentence else {
      if good.count < 500 { good.append(input) } else { good[rightCount + below(good.count - rightCount)] = input }
      return
    }
    // Names and numbers make no class.
    let parts = sentence.filter { !$0.isNumber }.split(separator: "'", omittingEmptySubsequences: false)
    let kind = parts.enumerated().filter { $0.offset % 2 == 0 }.map(\.element).joined(separator: "'").prefix(80)
    if classes.count < 5000, classes.insert(String(kind)).inserted { refused.append(input) }
  }

  var classCount: Int { classes.count }

  mutating func next() -> [UInt8] {
    var bytes = any()
    // Most are changed in one place, so that much of what is right stays so.
    for _ in 0...max(0, below(6) - 3) {
      switch below(8) {
      case 0: damage(&bytes)
      case 1: splice(&bytes)
      default: if let json = try? JSON(parsing: bytes) { bytes = Array(changed(json).compact.utf8) } else { damage(&bytes) }
      }
    }
    return bytes
  }

  private mutating func any() -> [UInt8] {
    refused.isEmpty || below(4) > 0 ? good[below(below(2) == 0 ? rightCount : good.count)] : refused[below(refused.count)]
  }

  // MARK: As bytes

  private mutating func damage(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return bytes.append(UInt8(below(256))) }
    let at = below(bytes.count)
    switch below(6) {
    case 0: bytes[at] ^= 1 << UInt8(below(8))
    case 1: bytes[at] = [0, 9, 10, 34, 39, 44, 46, 47, 58, 91, 92, 93, 123, 125, 127, 255].map { $0 as UInt8 }[below(16)]
    case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(16)))
    case 3: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + below(32))], at: at)
    case 4: bytes.insert(contentsOf: Array(words[below(words.count)].utf8), at: at)
    default: bytes.removeSubrange(at...)
    }
  }

  private mutating func splice(_ bytes: inout [UInt8]) {
    let other = any()
    guard !bytes.isEmpty, !other.isEmpty else { return }
    let (at, from) = (below(bytes.count), below(other.count))
    bytes.replaceSubrange(at..<min(bytes.count, at + below(64)), with: other[from..<min(other.count, from + below(64))])
  }

  // MARK: As JSON

  /// With one of its values changed.
  private mutating func changed(_ json: JSON) -> JSON {
    switch json {
    case .object(var members) where !members.isEmpty && below(16) > 0:
      let index = below(members.count)
      let (key, value) = (members.keys[index], members.values[index])
      switch below(16) {
      case 0: members.remove(at: index)
      case 1: members[words[below(words.count)]] = value
      case 2: members[key] = members.values[below(members.count)]
      case 3: members[key + "2"] = value
      case 4:
        members.remove(at: index)
        members[key] = value
      default: members[key] = changed(value)
      }
      return .object(members)
    case .array(var elements) where !elements.isEmpty && below(8) > 0:
      let index = below(elements.count)
      switch below(6) {
      case 0: elements.remove(at: index)
      case 1: elements.insert(elements[below(elements.count)], at: index)
      default: elements[index] = changed(elements[index])
      }
      return .array(elements)
    case .string(let text) where below(2) == 0:
      var bytes = Array(text.utf8)
      damage(&bytes)
      return .string(String(decoding: bytes, as: UTF8.self))
    default: return fresh(json)
    }
  }

  private mutating func fresh(_ json: JSON) -> JSON {
    switch below(12) {
    case 0: .null
    case 1: .bool(below(2) == 0)
    case 2: .integer([0, 1, -1, 2, 100, 10001, 1 << 31, .max, .min][below(9)])
    case 3: .number([0.5, -0.0, 1e-300, 1e300, 0.1, -7.25][below(6)])
    case 4: .string("")
    case 5: [json]
    case 6: .object([words[below(words.count)]: json])
    case 7: [json, .string(words[below(words.count)])]
    default: .string(words[below(words.count)])
    }
  }
}
