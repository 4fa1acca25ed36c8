// A manifest as it was written: variables, steps, defaults. It does not know what steps expand to, nor whether they ran.

import Hashing
public import JSON
public import OrderedCollections

public struct Manifest: Sendable {
  /// Absolute path of the file.
  public let path: String
  /// Of the file.
  let digest: Digest
  public var workflow: String
  public var description: String?
  /// Variables as the command line gave them.
  let overrides: [(name: String, value: String)]
  /// Resolved, after overrides.
  public var variables: OrderedDictionary<String, JSON>
  /// Absolute path of the fleet file, if one is named.
  public var fleet: String?
  public var pools: OrderedDictionary<String, Pool>
  public var defaults: [String]
  public var steps: OrderedDictionary<String, StepDeclaration>
  /// Steps that come to be when something names them.
  var patterns: [StepDeclaration] = []
  public var appendPolicy = AppendPolicy()
  /// Where summaries of scheduled runs are posted.
  public var notify: [Hook] = []
  /// Every file that was read for it, itself first, and every variable of the environment that it asked for.
  var sources: [String] = []
  var environment: [String] = []

  /// The directory of the manifest: relative paths start here, and `.enpire` lies here.
  public var directory: String { Files.parent(of: path) ?? "." }

  /// Where appended steps are kept: `push-t.steps/` beside `push-t.json`.
  public var appendedDirectory: String { (path.hasSuffix(".json") ? String(path.dropLast(5)) : path) + ".steps" }
}
