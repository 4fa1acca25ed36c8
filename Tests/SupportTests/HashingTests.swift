import Hashing
import Testing

@Suite struct `Hashing` {
  @Test func `SHA-256 of FIPS 180-2's example`() {
    #expect(Digest(of: "abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(Digest(hex: Digest(of: "abc").hex) == Digest(of: "abc"))
    #expect(Digest(hex: "ab") == nil)
  }

  @Test func `HMAC-SHA-256 of RFC 4231's second case`() {
    let code = authenticationCode(key: Array("Jefe".utf8), message: "what do ya want for nothing?")
    #expect(code.hex == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  }

  @Test func `the random stream is xoshiro256** begun by SplitMix64, and words name independent streams`() {
    // The first outputs for the state that SplitMix64 makes of 0, computed from the published definitions.
    var stream = RandomStream(seed: 0)
    #expect((0..<3).map { _ in stream.next() } == [11_091_344_671_253_066_420, 13_793_997_310_169_335_082, 1_900_383_378_846_508_768])
    var (a, b) = (RandomStream("x", "yz"), RandomStream("xy", "z"))
    #expect(a.next() != b.next())
    let normals = (0..<20_000).map { _ in a.normal() }
    let mean = normals.reduce(0, +) / 20_000
    #expect(abs(mean) < 0.03 && abs(normals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000 - 1) < 0.05)
  }
}
