// Long lists of inputs, each kept once for all steps that read it: a thousand readers of a thousand outputs cost two thousand entries in the
// state, not a million. A fingerprint names a list by its digest. It does not know whose lists they are.

internal import Database
import Hashing
import JSON

final class InputLists {
  /// Shorter ones stand in the fingerprint itself.
  static let shortest = 20

  static let table = "CREATE TABLE IF NOT EXISTS list (digest TEXT PRIMARY KEY, entries TEXT) WITHOUT ROWID"

  private struct Pair: Hashable { let step, port, old, new: String }

  private let database: Database
  private var known: [String: [JSON]] = [:]
  private var stored: Set<String> = []
  private var differences: [Pair: [Reason]] = [:]

  init(_ database: Database) { self.database = database }

  /// How a fingerprint tells of these inputs: as they are, or by the list's digest.
  func print(of entries: [JSON]) -> JSON {
    guard entries.count >= Self.shortest else { return .array(entries) }
    let digest = Digest(of: JSON.array(entries).canonical).hex
    known[digest] = entries
    return ["list": .string(digest), "count": .integer(entries.count)]
  }

  /// The inputs that a fingerprint tells of; nil if the list is not here, as when a record came from elsewhere.
  func entries(_ print: JSON?) throws -> [JSON]? {
    guard let print else { return [] }
    guard let digest = print["list"]?.string else { return print.array }
    if let entries = known[digest] { return entries }
    let text = try database.query("SELECT entries FROM list WHERE digest = ?", .text(digest)).first?[0].text
    let entries = text.flatMap { try? JSON(parsing: $0) }?.array
    known[digest] = entries
    return entries
  }

  /// What differs between two lists; looked for once, however many instances of a step read them.
  func differences(of step: String, _ port: String, _ old: JSON?, _ new: JSON?, find: () -> [Reason]) -> [Reason] {
    guard let old = old?["list"]?.string, let new = new?["list"]?.string else { return find() }
    let pair = Pair(step: step, port: port, old: old, new: new)
    if let found = differences[pair] { return found }
    let found = find()
    differences[pair] = found
    return found
  }

  /// Writes down the lists that a fingerprint names, within the caller's transaction.
  func store(namedIn fingerprint: JSON) throws {
    for case let print in fingerprint["inputs"]?.object?.values.elements ?? [] {
      guard let digest = print["list"]?.string, !stored.contains(digest), let entries = known[digest] else { continue }
      try database.execute("INSERT OR IGNORE INTO list (digest, entries) VALUES (?, ?)", .text(digest), .text(JSON.array(entries).canonical))
      stored.insert(digest)
    }
  }

  /// Removes the lists that no record names.
  func collect() throws {
    var named: Set<String> = []
    for row in try database.query("SELECT fingerprint FROM details WHERE fingerprint LIKE '%\"list\":%'") {
      for print in row[0].text.flatMap({ try? JSON(parsing: $0) })?["inputs"]?.object?.values.elements ?? [] {
        if let digest = print["list"]?.string { named.insert(digest) }
      }
    }
    for row in try database.query("SELECT digest FROM list") {
      guard let digest = row[0].text, !named.contains(digest) else { continue }
      try database.execute("DELETE FROM list WHERE digest = ?", .text(digest))
      stored.remove(digest)
    }
  }
}
