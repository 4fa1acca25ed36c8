// What an earlier run published at the path of an output that is now left out. It is taken away only if the store holds its content,
// so that nothing a person wrote is ever lost.

internal import Glibc

extension Decider {
  /// Whether such a thing lies at the path.
  func isLeftover(_ path: String) throws -> Bool {
    let path = Files.withoutSlash(path)
    guard Files.exists(path) else { return false }
    let form: Output.Form = Files.isDirectory(path) ? .directory : .file
    return Files.exists(state.store.path(of: try Store.artifact(at: path, form: form, look: state.files.entry).digest))
  }

  func removeLeftover(_ path: String) throws {
    if try isLeftover(path) { Files.removeTree(Files.withoutSlash(path)) }
  }
}
