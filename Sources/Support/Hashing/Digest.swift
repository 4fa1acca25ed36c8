// SHA-256, by nettle: the name of every artifact, action and seed commitment.

internal import CNettle

/// 32 bytes of SHA-256, held without an allocation of its own: a large graph has hundreds of thousands of them.
public struct Digest: Sendable, Hashable {
  /// Eight bytes each, the first in the highest place. Four numbers and no vector, which would have whatever holds a digest aligned to 32 bytes.
  private let first: UInt64, second: UInt64, third: UInt64, fourth: UInt64

  private init(_ words: SIMD4<UInt64>) { (first, second, third, fourth) = (words[0], words[1], words[2], words[3]) }

  private var words: SIMD4<UInt64> { SIMD4(first, second, third, fourth) }

  public init(of data: some Sequence<UInt8>) {
    var hasher = SHA256()
    hasher.update(Array(data))
    self = hasher.finish()
  }

  public init(of text: String) {
    var hasher = SHA256()
    hasher.update(text)
    self = hasher.finish()
  }

  /// From 64 lower-case hexadecimal digits; nil for anything else.
  public init?(hex: some StringProtocol) {
    var words = SIMD4<UInt64>()
    var count = 0
    for digit in hex.utf8 {
      guard let value = Self.value(digit), count < 64 else { return nil }
      words[count / 16] = words[count / 16] << 4 | UInt64(value)
      count += 1
    }
    guard count == 64 else { return nil }
    self.init(words)
  }

  /// From 32 bytes.
  public init(raw: UnsafeRawBufferPointer) {
    precondition(raw.count == 32)
    var words = SIMD4<UInt64>()
    for index in 0..<4 { words[index] = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)) }
    self.init(words)
  }

  public var bytes: [UInt8] {
    let words = words
    return (0..<32).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> UInt64(56 - 8 * ($0 % 8))) }
  }

  public var hex: String {
    let words = words
    return String(unsafeUninitializedCapacity: 64) { out in
      for index in 0..<64 {
        let digit = UInt8(truncatingIfNeeded: words[index / 16] >> UInt64(60 - 4 * (index % 16))) & 15
        out[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
      }
      return 64
    }
  }

  /// The first twelve digits, for people.
  public var short: String { String(hex.prefix(12)) }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}

extension Digest: CustomStringConvertible { public var description: String { hex } }

/// A running SHA-256.
public struct SHA256 {
  private var context = sha256_ctx()

  public init() { nettle_sha256_init(&context) }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    nettle_sha256_update(&context, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
  }

  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  public mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  public mutating func finish() -> Digest {
    var bytes = [UInt8](repeating: 0, count: 32)
    nettle_sha256_digest(&context, 32, &bytes)
    return bytes.withUnsafeBytes { Digest(raw: $0) }
  }
}

/// HMAC-SHA-256 (RFC 2104): a keyed stream of seeds that nobody without the key can guess.
public func authenticationCode(key: [UInt8], message: String) -> Digest {
  var context = hmac_sha256_ctx()
  nettle_hmac_sha256_set_key(&context, key.count, key)
  let message = Array(message.utf8)
  nettle_hmac_sha256_update(&context, message.count, message)
  var bytes = [UInt8](repeating: 0, count: 32)
  nettle_hmac_sha256_digest(&context, 32, &bytes)
  return bytes.withUnsafeBytes { Digest(raw: $0) }
}
