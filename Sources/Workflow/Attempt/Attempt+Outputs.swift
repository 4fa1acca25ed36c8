// What a step left in its private directory, taken into the store. Whatever it is, nothing outside that directory is moved or changed, and
// nothing that the step was not shown is read: a link that it left is followed only to what it might have copied itself.

internal import Glibc
import JSON

extension Attempt {
  /// Stores an output; throws what is wrong with it. Nil if it was left out and may be.
  func store(_ output: Output) throws -> Artifact? {
    let base = step.kind == nil ? directory : directory + "/out"
    let path = base + "/" + output.path
    switch try Store.find(output.path, below: base) {
    case .nothing where step.mayOmit(output.name): return nil
    case .nothing:
      throw Problem(
        .stepFailed, "\(step.name): did not write its output '\(output.name)' (\(output.path))",
        hint: "a command writes to ${out.\(output.name)}, or to that path in its directory")
    case .directory:
      guard output.form == .directory else { throw mismatch(output, "a directory") }
      if let mask, try Files.walk(path).contains(where: { try mask.occurs(in: JSON.string($0)) || mask.occurs(in: path + "/" + $0) }) {
        throw holdsSecret("its output '\(output.name)'")
      }
      return try session.state.store.addDirectory(path)
    case .file(let descriptor, let status):
      guard output.form != .directory else {
        close(descriptor)
        throw mismatch(output, "a file")
      }
      do { try check(output, path) } catch {
        close(descriptor)
        throw error
      }
      return try session.state.store.addFile(path, descriptor, status, form: output.form)
    case .link:
      guard let real = Files.real(path), Files.lies(real, in: Files.real(directory) ?? directory) || exposure.covers(real) else {
        throw Problem(
          .stepFailed, "\(step.name): its output '\(output.name)' (\(output.path)) is a link to what is none of its inputs",
          hint: "copy what it leads to")
      }
      if Files.isDirectory(real) { throw mismatch(output, "a link to a directory") }
      if output.form == .directory { throw mismatch(output, "a link to a file") }
      let copy = directory + "/.copy"
      try Files.copy(real, to: copy, mode: Store.mode(0o444, FileStamp(of: real)?.isExecutable == true))
      try check(output, copy)
      return try session.state.store.addFile(copy, form: output.form)
    }
  }

  func holdsSecret(_ what: String) -> Problem {
    Problem(.stepFailed, "\(step.name): \(what) holds a secret", hint: "outputs are kept, and shown to whoever asks")
  }

  /// A value must be JSON, and no file may hold a secret.
  private func check(_ output: Output, _ path: String) throws {
    if let mask, try mask.occurs(in: path) { throw holdsSecret("its output '\(output.name)'") }
    guard output.form == .value else { return }
    do { _ = try JSON(parsing: try Files.read(path)) } catch let error as JSONSyntaxError {
      throw Problem(
        .stepFailed, "\(step.name): its output '\(output.name)' (\(output.path)) is not JSON: line \(error.line): \(error.message)",
        hint: step.kind == nil ? "a name that ends in .json means one JSON value; call it otherwise if it is something else" : nil)
    }
  }

  private func mismatch(_ output: Output, _ found: String) -> Problem {
    Problem(.stepFailed, "\(step.name): its output '\(output.name)' is \(found)", hint: "end the path in 'out' with / for a directory")
  }
}
