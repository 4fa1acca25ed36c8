// Which start each trial gets. Search seeds are public and the same for everyone, so that agents' pilots can be compared; all others are
// drawn with a secret root that only the engine has, and published as a commitment until they are retired.
// The two kinds can never meet: search seeds lie below 2³¹, secret ones from there up. All are 32-bit, as NumPy's seeds are.

public import Hashing

public enum Purpose: String, Sendable, CaseIterable {
  case search, confirm
  case heldOut = "held-out"
  case replicate

  /// Whether its seeds are secret while in use.
  public var isSecret: Bool { self != .search }
}

public struct SeedPlan: Sendable {
  public let purpose: Purpose
  private let root: [UInt8]

  /// `secretRoot` is the engine's, ignored for search seeds. Throws if a secret purpose comes without one.
  public init(purpose: Purpose, secretRoot: String) throws(SeedError) {
    self.purpose = purpose
    if purpose.isSecret {
      guard let digest = Digest(hex: secretRoot) else { throw SeedError(purpose: purpose) }
      root = digest.bytes
    } else {
      root = Array("enpire search seeds 1".utf8)
    }
  }

  /// The first `count` seeds, all different; a longer list begins with the shorter one.
  public func seeds(_ count: Int) -> [UInt32] {
    var seeds: [UInt32] = []
    var taken: Set<UInt32> = []
    seeds.reserveCapacity(count)
    var index = 0
    while seeds.count < count {
      let code = authenticationCode(key: root, message: "\(purpose.rawValue)/\(index)")
      let bits = code.bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let seed = purpose.isSecret ? bits | 0x8000_0000 : bits & 0x7FFF_FFFF
      if taken.insert(seed).inserted { seeds.append(seed) }
      index += 1
    }
    return seeds
  }

  /// What keeps the list from being found by trying: revealed with the seeds when they are retired.
  public var nonce: Digest { authenticationCode(key: root, message: "\(purpose.rawValue)/nonce") }

  /// Binds the engine to the first `count` seeds without telling them.
  public func commitment(_ count: Int) -> Digest { Self.commitment(to: seeds(count), nonce: nonce) }

  /// SHA-256 of the nonce's 64 digits and the seeds, each after a line feed, in decimal.
  public static func commitment(to seeds: [UInt32], nonce: Digest) -> Digest {
    Digest(of: nonce.hex + seeds.map { "\n\($0)" }.joined())
  }
}

/// Secret seeds were asked for without the engine's root.
public struct SeedError: Error, CustomStringConvertible {
  let purpose: Purpose
  public var description: String { "seeds for '\(purpose.rawValue)' need the engine's secret root of 64 hexadecimal digits" }
}
