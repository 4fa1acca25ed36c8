// Files that a run leaves when it is killed: private directories, views, and temporary files beside what it stored and published.
// While a run writes, `.enpire/work` is there. Who finds it with the workspace locked knows that a run crashed, and only then looks for more.

internal import Glibc

enum Debris {
  private static func work(_ state: State) -> String { state.directory + "/work" }

  /// Something is about to be written.
  static func expect(_ state: State) { mkdir(work(state), 0o777) }

  /// The run ended in good order.
  static func finish(_ state: State) { rmdir(work(state)) }

  /// Removes what a crashed run left.
  static func clear(_ session: Session) {
    let state = session.state
    guard Files.exists(work(state)) else { return }
    var published: [String: Set<Substring>] = [:]
    for path in session.graph.steps.lazy.flatMap(\.publishes.values) {
      let file = session.manifest.directory + "/" + Files.withoutSlash(path)
      published[Files.parent(of: file)!, default: []].insert(Files.name(of: file)[...])
    }
    for (directory, names) in published {
      for name in Files.list(directory) where isTemporary(name, of: names) { Files.removeTree(directory + "/" + name) }
    }
    for directory in Files.list(state.store.root).map({ state.store.root + "/" + $0 }) {
      for name in Files.list(directory) where isTemporary(name, of: nil) { Files.removeTree(directory + "/" + name) }
    }
    Files.removeTree(state.directory + "/views")
    Files.removeTree(work(state))
  }

  /// `NAME.tmp123`, as `Files.write` and `Store` call what is not complete.
  private static func isTemporary(_ file: String, of names: Set<Substring>?) -> Bool {
    guard let suffix = file.range(of: ".tmp"), file[suffix.upperBound...].allSatisfy(\.isNumber) else { return false }
    return names?.contains(file[..<suffix.lowerBound]) ?? true
  }
}

extension String {
  /// The last place of `text`.
  fileprivate func range(of text: String) -> Range<String.Index>? {
    var end = endIndex
    while let start = self[..<end].lastIndex(of: text.first!) {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      end = start
    }
    return nil
  }
}
