// A manifest as it was written: variables, steps, defaults. It does not know what steps expand to, nor whether they ran.

public import JSON
public import OrderedCollections

public struct Manifest: Sendable {
  /// Absolute path of the file.
  public let path: String
  public let text: [UInt8]
  public var workflow: String
  public var description: String?
  /// Resolved, after overrides.
  public var variables: OrderedDictionary<String, JSON>
  /// Absolute path of the fleet file, if one is named.
  public var fleet: String?
  public var defaults: [String]
  public var steps: OrderedDictionary<String, StepDeclaration>

  /// The directory of the manifest: relative paths start here, and `.enpire` lies here.
  public var directory: String { Files.parent(of: path) ?? "." }

  /// Where appended steps are kept: `push-t.steps/` beside `push-t.json`.
  public var appendedDirectory: String { (path.hasSuffix(".json") ? String(path.dropLast(5)) : path) + ".steps" }
}

/// One step of a manifest, before matrix and shards.
public struct StepDeclaration: Sendable {
  public enum Action: Sendable, Hashable {
    /// A step kind, run by the worker.
    case kind(String)
    /// A command, as argv.
    case command([String])
  }

  public var name: String
  /// The file it stands in and its JSON pointer there, for errors.
  public var origin: Origin
  /// The step as it is written.
  public var source: JSON
  public var description: String?
  public var action: Action
  /// Port to patterns and references.
  public var inputs: OrderedDictionary<String, [String]>
  /// Output to the path it is published at, relative to the manifest.
  public var outputs: OrderedDictionary<String, String>
  public var with: JSON
  public var environment: OrderedDictionary<String, String>
  public var after: [String]
  public var matrix: OrderedDictionary<String, [JSON]>
  /// A count, or a reference to a variable that holds one.
  public var shards: JSON?
  /// What the step wants of a station: `task`.
  public var station: JSON?
  /// Nil: may not append. Empty: every kind. Else the kinds it may append (`run` for commands).
  public var appends: [String]?
  public var retries: Int
  /// Seconds; nil for no limit.
  public var timeout: Double?
  /// A failure is a result: others go on, and the run does not fail by it.
  public var mayFail: Bool
}

/// Where a step is written: for errors, looked up only when there is one.
public struct Origin: Sendable {
  public var file: String
  public var pointer: JSONPointer

  public func place(_ more: String..., key: Bool = false) -> Place? {
    guard let text = try? Files.read(file) else { return nil }
    let pointer = JSONPointer(pointer.tokens + more)
    let place = pointer.place(in: text, key: key)
    return Place(file: Files.display(file), line: place.line, column: place.column, text: text)
  }
}

extension Files {
  /// The path as a person would write it: relative to the current directory if it lies below.
  static func display(_ path: String) -> String {
    let prefix = currentDirectory + "/"
    return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
  }
}
