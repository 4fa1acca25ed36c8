// Takes published outputs away, where they still hold what was recorded: whatever somebody edited is theirs, and stays.
// The store keeps everything, so that the next run restores and runs nothing.

internal import Glibc

extension Session {
  public struct Cleaning: Sendable {
    /// Paths relative to the manifest.
    public var removed: [String] = []
    public var kept: [(path: String, reason: String)] = []
  }

  /// Removes the published outputs of the named steps, of all if none is named. `force`: also what is not as recorded.
  public func clean(_ names: [String], force: Bool, dryRun: Bool, waiting: (String) -> Void) throws -> Cleaning {
    let lock = try WorkspaceLock(state: state.directory, patience: true, waiting: waiting)
    defer { withExtendedLifetime(lock) {} }
    try makeInstances(of: names)
    // What steps appended publishes too, and so does what stands for elements of lists.
    if graph.steps.contains(where: { $0.mayAppend || $0.isSpread }) { _ = try plan(graph.steps) }
    var cleaning = Cleaning()
    for step in names.isEmpty ? graph.steps : try names.flatMap(steps(named:)) {
      let record = try state.latest(manifest.workflow, step.name).flatMap(state.action)
      for (name, path) in step.publishes {
        let full = Files.absolute(Files.withoutSlash(path), in: manifest.directory)
        guard Files.exists(full) else { continue }
        if !force, try !decider.isInPlace(record?.outputs[name], at: full) {
          cleaning.kept.append((path, record == nil ? "it is not recorded" : "it is not what was recorded"))
          continue
        }
        if !dryRun { Files.removeTree(full) }
        cleaning.removed.append(path)
      }
    }
    return cleaning
  }

  /// Removes the state directory: records, store, logs, finished trials, the hub. Waits for a run to end first.
  public func removeState(waiting: (String) -> Void) throws {
    let lock = try WorkspaceLock(state: state.directory, patience: true, waiting: waiting)
    defer { withExtendedLifetime(lock) {} }
    Files.removeTree(state.directory)
  }
}
