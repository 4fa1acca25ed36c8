// The values of a Git history: object ids, commits, people, and what changed between two trees. Plain copies; nothing points into libgit2.

internal import CGit2

/// A Git object's name: 40 lower-case hexadecimal digits (SHA-1).
public struct ObjectID: Sendable, Hashable, CustomStringConvertible {
  public let hex: String

  /// Nil for anything but 40 hexadecimal digits.
  public init?(hex: String) {
    guard hex.utf8.count == 40, hex.allSatisfy(\.isHexDigit) else { return nil }
    self.hex = hex.lowercased()
  }

  init(_ oid: git_oid) {
    var oid = oid
    hex = String(cString: git_oid_tostr_s(&oid))
  }

  var oid: git_oid {
    var oid = git_oid()
    git_oid_fromstr(&oid, hex)
    return oid
  }

  public var description: String { hex }
  /// The first ten digits, for people.
  public var short: String { String(hex.prefix(10)) }
}

public struct Commit: Sendable, Hashable {
  public let id: ObjectID
  public let tree: ObjectID
  public let parents: [ObjectID]
  public let author: Person
  public let message: String
  /// Seconds since 1970, of the committer.
  public let time: Int

  /// The message's first line.
  public var subject: String { String(message.prefix { $0 != "\n" }) }

  /// The value of a line `KEY: value` of the message.
  public func trailer(_ key: String) -> String? {
    message.split(separator: "\n").last { $0.hasPrefix(key + ": ") }.map { String($0.dropFirst(key.count + 2)) }
  }
}

public struct Person: Sendable, Hashable {
  public let name: String
  public let email: String
  public init(_ name: String, email: String) { (self.name, self.email) = (name, email) }
}

public struct FileChange: Sendable, Hashable {
  public enum Status: String, Sendable { case added, deleted, modified }
  public let path: String
  public let status: Status
  /// Lines; zero for a binary file.
  public let added: Int
  public let removed: Int

  public init(path: String, status: Status, added: Int, removed: Int) {
    self.path = path
    self.status = status
    self.added = added
    self.removed = removed
  }
}
