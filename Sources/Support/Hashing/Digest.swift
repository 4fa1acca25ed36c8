// SHA-256, by nettle: the name of every artifact, action and seed commitment.

internal import CNettle

/// 32 bytes of SHA-256.
public struct Digest: Sendable, Hashable, Comparable {
  public let bytes: [UInt8]

  public init(of data: some Sequence<UInt8>) {
    var hasher = SHA256()
    hasher.update(Array(data))
    self = hasher.finish()
  }

  public init(of text: String) { self.init(of: text.utf8) }

  /// From 64 lower-case hexadecimal digits; nil for anything else.
  public init?(hex: some StringProtocol) {
    let digits = Array(hex.utf8)
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    for index in stride(from: 0, to: 64, by: 2) {
      guard let high = Self.value(digits[index]), let low = Self.value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    self.bytes = bytes
  }

  init(bytes: [UInt8]) { self.bytes = bytes }

  public var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The first twelve digits, for people.
  public var short: String { String(hex.prefix(12)) }

  public static func < (a: Digest, b: Digest) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

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
    return Digest(bytes: bytes)
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
  return Digest(bytes: bytes)
}
