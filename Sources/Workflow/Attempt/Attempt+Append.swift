// The steps that a step wants appended once it is done: `{"steps": {NAME: STEP, …}}` in a file of its private directory, as `enpire append`
// reads it. A command is told the file by `${append}`, a step kind by its request.

internal import Glibc
import JSON

extension Attempt {
  static let appendFile = ".enpire-append"

  /// `[{"name": NAME, "step": STEP}, …]`, empty if it wrote no such file.
  func appended() throws -> JSON {
    guard let text = try appendedText() else { return [] }
    let root: JSON
    do { root = try JSON(parsing: text) } catch { throw isWrong("is not JSON: line \(error.line): \(error.message)") }
    guard let members = root.object, members.keys == ["steps"], let steps = members["steps"]?.object else { throw isWrong("has no steps") }
    let list = JSON.array(steps.map { ["name": .string($0.key), "step": $0.value] })
    if let mask, mask.occurs(in: list) { throw holdsSecret("what it appends") }
    return list
  }

  private func appendedText() throws -> [UInt8]? {
    switch try Store.find(Self.appendFile, below: directory) {
    case .nothing: return nil
    case .link, .directory: throw isWrong("is no file")
    case .file(let descriptor, let status):
      defer { close(descriptor) }
      // No list of steps is larger.
      guard status.st_size <= 64 << 20 else { throw isWrong("is larger than 64 MB") }
      return try Files.read(descriptor, Self.appendFile)
    }
  }

  private func isWrong(_ what: String) -> Problem {
    Problem(.stepFailed, "\(step.name): what it wants appended \(what)", hint: "{\"steps\": {\"\(step.name)/1\": {…}}}")
  }
}
