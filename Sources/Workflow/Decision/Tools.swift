// The programs that a step names as its tools: found on the PATH, known by their content. A program's own libraries and modules are not.

internal import Glibc
import Hashing
import JSON

final class Tools {
  private let files: FileDigests
  private var paths: [String: String] = [:]

  init(_ files: FileDigests) { self.files = files }

  /// The digest of a program's file; nil if there is none of that name.
  func digest(of name: String) throws -> Digest? {
    guard let path = path(of: name) else { return nil }
    return try files.digest(of: path)
  }

  func path(of name: String) -> String? {
    if let known = paths[name], access(known, X_OK) == 0 { return known }
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    let found = name.contains("/") ? [name] : path.split(separator: ":").map { $0 + "/" + name }
    paths[name] = found.first { access($0, X_OK) == 0 && !Files.isDirectory($0) }
    return paths[name]
  }
}

extension Decider {
  /// The step's tools with their digests, for its key.
  func tools(of step: Step) throws -> JSON? {
    if step.options.tools.isEmpty { return nil }
    var digests: JSON = [:]
    for (index, name) in step.options.tools.enumerated() {
      guard let digest = try tools.digest(of: name) else {
        var problem = step.declaration.problem(
          "step \(step.name): no program '\(name)'", "tools", String(index), hint: "tools are found on the PATH, or by an absolute path")
        problem.code = .missingInput
        throw problem
      }
      digests[name] = .string(digest.hex)
    }
    return digests
  }
}
