// Results shared between clones and machines, by action key: an entry names a record's outputs by their digests, and the outputs lie beside it,
// each under its own. Nothing that comes from there is believed: an entry must hold what its key is the hash of, and a file its digest.
// A cache that fails makes a run slower, never wrong, and after some failures it is left alone. It knows nothing of how things are carried.

internal import Glibc
import Hashing
import JSON
import OrderedCollections

/// Carries files to a cache and back. Names are `ac/HEX` for entries and `cas/HEX` for content.
protocol CacheTransport: AnyObject {
  /// Fetches into a file; false if the cache does not have it.
  func get(_ name: String, to file: String) throws -> Bool
  /// Stores content that is not there; `anew`: whatever is there. May return before it is done. What fails is told by `finish`, or by a
  /// later call.
  func put(_ name: String, from file: String, anew: Bool) throws
  /// Stores an entry once all that was put since the last one is there; if any of that failed, it is left out.
  func commit(_ name: String, from file: String) throws
  var processes: [pid_t] { get }
  /// Waits until everything is stored; says what was not.
  func finish() -> [String]
}

final class SharedCache {
  /// As it may be shown: without a user's name or password.
  let address: String
  private let transport: any CacheTransport
  private let state: State
  private let tell: (String, _ isWarning: Bool) -> Void
  private var failures = 0
  private var isOff = false
  private var offered = 0
  /// Entries that were not whole and sound; they are stored anew with all their content.
  private var damaged: Set<Digest> = []
  private static let patience = 3
  /// Beyond this many bytes an output is not shared.
  static let largest = 256 << 20

  init(_ location: String, state: State, tell: @escaping (String, _ isWarning: Bool) -> Void) {
    let isWeb = location.hasPrefix("http://") || location.hasPrefix("https://")
    address = isWeb ? Self.publicPart(of: location) : location
    transport = isWeb ? WorkerTransport(location) : DirectoryTransport(Files.absolute(location))
    self.state = state
    self.tell = tell
  }

  /// Processes that carry for it.
  var processes: [pid_t] { transport.processes }

  private static func publicPart(of url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return url }
    let rest = url[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" }
    let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
    return String(url[..<scheme.upperBound]) + host + rest[authority.endIndex...].prefix { $0 != "?" }
  }

  /// Only what a key determines is shared, and nothing that was made with a secret.
  static func shares(_ step: Step) -> Bool { step.effect == .pure && !step.moves && !step.options.always && step.options.secrets.isEmpty }

  // MARK: Fetching

  /// The record of an action, with all its outputs in the store; nil if the cache does not have it whole and sound.
  func fetch(_ key: Digest, for step: Step) -> (record: ActionRecord, details: ActionDetails)? {
    if isOff { return nil }
    let file = state.directory + "/work/entry.tmp\(getpid())"
    defer { unlink(file) }
    do {
      guard try get("ac/" + key.hex, to: file) else { return nil }
      guard let entry = CacheEntry(bytes: try Files.read(file)), let (record, details) = entry.record(key, for: step) else {
        throw Damage(what: "the entry of \(step.name)")
      }
      for artifact in record.outputs.values {
        try fetch(artifact.digest, "an output of \(step.name)")
        if artifact.form == .directory { for file in try state.store.entries(of: artifact) { try fetch(file.digest, "a file of \(step.name)") } }
      }
      return (record, details)
    } catch let damage as Damage {
      damaged.insert(key)
      tell("shared cache: \(damage.what) is not what it should be, and is not used", false)
    } catch { failed("\(error)") }
    return nil
  }

  private struct Damage: Error { let what: String }

  /// Brings content into the store; throws if it is missing or is not what its name says.
  func fetch(_ digest: Digest, _ what: String) throws {
    if state.store.isWhole(digest) { return }
    let file = state.directory + "/work/\(digest.hex).tmp\(getpid())"
    defer { unlink(file) }
    guard try get("cas/" + digest.hex, to: file) else { throw Damage(what: "\(what) (missing)") }
    guard try hashFile(file) == digest else {
      throw Damage(what: "\(what) (another content)")
    }
    chmod(file, 0o444)
    try state.store.place(file, digest)
  }

  private func get(_ name: String, to file: String) throws -> Bool {
    try Files.makeDirectory(Files.parent(of: file)!)
    let found = try transport.get(name, to: file)
    failures = 0
    return found
  }

  // MARK: Offering

  /// Offers a recorded result to others.
  func offer(_ record: ActionRecord, _ details: ActionDetails) {
    if isOff { return }
    do {
      var blobs: OrderedDictionary<Digest, Int> = [:]
      let executables = state.store.executables(of: record)
      for digest in state.store.blobs(of: record) {
        var status = stat()
        guard stat(state.store.path(of: digest), &status) == 0 else { throw Files.problem("read", state.store.path(of: digest)) }
        guard status.st_size <= Self.largest else {
          return tell(
            "shared cache: an output of \(record.step) holds \(status.st_size >> 20) MiB; more than \(Self.largest >> 20) are not shared", false)
        }
        blobs[digest] = Int(status.st_size)
      }
      offered += 1
      let file = state.directory + "/work/entry-\(offered)"
      try Files.makeDirectory(Files.parent(of: file)!)
      try Files.write(CacheEntry(record, details, blobs: blobs, executables: executables).bytes, to: file)
      for digest in blobs.keys { try transport.put("cas/" + digest.hex, from: state.store.path(of: digest), anew: damaged.contains(record.key)) }
      try transport.commit("ac/" + record.key.hex, from: file)
    } catch { failed("\(error)") }
  }

  /// Returns when everything that was offered is there, or is known not to be.
  func finish() {
    let missed = transport.finish()
    if let first = missed.first {
      tell("shared cache \(address): \(missed.count) \(missed.count == 1 ? "file" : "files") not stored: \(first)", true)
    }
  }

  private func failed(_ reason: String) {
    failures += 1
    if failures == 1 { tell("shared cache \(address): \(reason)", true) }
    guard failures >= Self.patience else { return }
    isOff = true
    tell("shared cache \(address): left alone for the rest of this run, after \(failures) failures", true)
  }
}
