// NumPy's default generator, numpy.random.Generator(PCG64(SeedSequence(seed))), which Gymnasium gives to every environment:
// the same seed gives the same numbers. Only the two draws that gym-pusht makes are here.
// Sources: O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms" (2014), XSL RR 128/64;
// NumPy's SeedSequence, after O'Neill's seed_seq; Lemire, "Fast Random Integer Generation in an Interval" (2019).

package struct NumPyGenerator {
  private var state: UInt128
  private let increment: UInt128
  /// The upper half of the last 64 bits, for the next 32-bit draw.
  private var spare: UInt32?

  package init(seed: UInt64) {
    let words = Self.seedSequence(seed)
    func wide(_ high: Int) -> UInt128 { UInt128(words[high]) << 64 | UInt128(words[high + 1]) }
    increment = wide(2) << 1 | 1
    state = increment &+ wide(0)
    advance()
  }

  /// Uniform integer in `low..<high`.
  package mutating func integer(in range: Range<Int>) -> Int {
    let count = UInt64(range.count)
    var product = UInt64(next32()) * count
    let threshold = (0x1_0000_0000 - count) % count
    while product & 0xFFFF_FFFF < threshold { product = UInt64(next32()) * count }
    return range.lowerBound + Int(product >> 32)
  }

  /// Uniform in `low..<high`.
  package mutating func uniform(from low: Double, to high: Double) -> Double { low + (high - low) * (Double(next64() >> 11) * 0x1p-53) }

  private mutating func advance() { state = state &* 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645 &+ increment }

  private mutating func next64() -> UInt64 {
    advance()
    let folded = UInt64(truncatingIfNeeded: state >> 64) ^ UInt64(truncatingIfNeeded: state)
    let turn = UInt64(truncatingIfNeeded: state >> 122)
    return folded >> turn | folded << ((64 &- turn) & 63)
  }

  private mutating func next32() -> UInt32 {
    if let upper = spare {
      spare = nil
      return upper
    }
    let bits = next64()
    spare = UInt32(truncatingIfNeeded: bits >> 32)
    return UInt32(truncatingIfNeeded: bits)
  }

  /// The four 64-bit words that SeedSequence(seed) generates.
  private static func seedSequence(_ seed: UInt64) -> [UInt64] {
    let high = UInt32(truncatingIfNeeded: seed >> 32)
    let entropy = [UInt32(truncatingIfNeeded: seed), high, 0, 0]
    var hash: UInt32 = 0x43B0_D7E5
    func mixed(_ value: UInt32) -> UInt32 {
      var value = value ^ hash
      hash &*= 0x931E_8875
      value &*= hash
      return value ^ value >> 16
    }
    var pool = entropy.map(mixed)
    for source in 0..<4 {
      for target in 0..<4 where target != source {
        let value = 0xCA01_F9DD &* pool[target] &- 0x4973_F715 &* mixed(pool[source])
        pool[target] = value ^ value >> 16
      }
    }
    hash = 0x8B51_F9DD
    let words = (0..<8).map { index in
      var value = pool[index % 4] ^ hash
      hash &*= 0x58F3_8DED
      value &*= hash
      return UInt64(value ^ value >> 16)
    }
    return (0..<4).map { words[2 * $0] | words[2 * $0 + 1] << 32 }
  }
}
