// A step as it was written, before matrix and shards, and where that is.

public import JSON
public import OrderedCollections

/// One step of a manifest, before matrix and shards.
public struct StepDeclaration: Sendable {
  public enum Action: Sendable, Hashable {
    /// A step kind, run by the worker.
    case kind(String)
    /// A command, as argv.
    case command([String])
    /// Nothing: it stands for the steps it comes after.
    case group
  }

  public var name: String
  /// The file it stands in and its JSON pointer there, for errors.
  public var origin: Origin
  /// What names and paths mean here; nil in the manifest itself.
  var scope: Scope?
  /// The step as it is written.
  public var source: JSON
  public var description: String?
  public var action: Action
  /// Port to patterns and references.
  public var inputs: OrderedDictionary<String, [String]>
  /// Output to the path it is published at, relative to the manifest.
  public var outputs: OrderedDictionary<String, String>
  /// Outputs that it may leave out.
  public var optionalOutputs: Set<String> = []
  public var with: JSON
  public var environment: OrderedDictionary<String, String>
  public var after: [String]
  var matrix: Matrix?
  /// Lists that are known only while the workflow runs: one step for each of their elements.
  var foreach: OrderedDictionary<String, Condition> = [:]
  /// A count, or a reference to a variable that holds one.
  public var shards: JSON?
  /// What the step wants of a station: `task`.
  public var station: JSON?
  /// Nil: may not append. Empty: every kind. Else the kinds it may append (`run` for commands).
  public var appends: [String]?
  /// Whether it runs at all.
  public var when: Condition?
  /// How it is run; steps whose options use variables have them in `Step.options` alone.
  public var options: StepOptions
}

/// Where a step is written: for errors, looked up only when there is one.
public struct Origin: Sendable {
  public var file: String
  public var pointer: JSONPointer

  public func place(_ more: String..., key: Bool = false) -> Place? {
    if Self.last?.file != file || Self.last?.stamp != FileStamp(of: file) {
      guard let stamp = FileStamp(of: file), let text = try? Files.read(file) else { return nil }
      Self.last = (file, stamp, PlaceFinder(text))
    }
    let place = Self.last!.finder.place(of: JSONPointer(pointer.tokens + more), key: key)
    return Place(file: Files.display(file), line: place.line, column: place.column, source: Self.last!.finder.line(place.line))
  }

  /// The file of the last error: of a hundred thousand steps that fail, each tells its place.
  nonisolated(unsafe) private static var last: (file: String, stamp: FileStamp, finder: PlaceFinder)?  // one thread reads manifests
}

extension Files {
  /// The path as a person would write it: relative to the current directory if it lies below.
  static func display(_ path: String) -> String {
    let prefix = currentDirectory + "/"
    return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
  }
}
