// Steps that come to be when something names them: `train-%` is `train-3` for whoever asks for that. An explicit step is taken before a
// pattern, then the pattern with the shortest stem, then the one written first, as in make.

internal import Glibc
import JSON

enum Pattern {
  /// A pattern that names a longer stem of its own would go on for ever.
  private static let longestStem = 200

  static func isPattern(_ name: String) -> Bool { name.utf8.contains(UInt8(ascii: "%")) }

  static func check(_ name: String, _ pointer: JSONPointer, _ reader: Reader) throws {
    guard name.utf8.count(where: { $0 == UInt8(ascii: "%") }) == 1,
      name.utf8.allSatisfy({ isalnum(Int32($0)) != 0 || "_-%".utf8.contains($0) })
    else { throw reader.problem("'\(name)' cannot be a pattern", pointer, key: true, hint: "use letters, digits, _ and -, and one %") }
  }

  /// What `%` stands for if the pattern means this name.
  static func stem(of name: String, in pattern: String) -> Substring? {
    guard let percent = pattern.firstIndex(of: "%") else { return nil }
    let (head, tail) = (pattern[..<percent], pattern[pattern.index(after: percent)...])
    guard name.utf8.count > head.utf8.count + tail.utf8.count, name.hasPrefix(head), name.hasSuffix(tail) else { return nil }
    let stem = name.dropFirst(head.count).dropLast(tail.count)
    return stem.utf8.allSatisfy { isalnum(Int32($0)) != 0 || "_-".utf8.contains($0) } ? stem : nil
  }

  /// The step that a name means by one of the patterns; the name may be that of a matrix's instance.
  static func instance(of name: String, among patterns: [StepDeclaration], root: Manifest) throws -> StepDeclaration? {
    let name = name.firstIndex(of: "[").map { String(name[..<$0]) } ?? name
    var best: (pattern: StepDeclaration, stem: Substring)?
    for pattern in patterns {
      guard let stem = stem(of: name, in: pattern.name) else { continue }
      if best.map({ stem.utf8.count < $0.stem.utf8.count }) ?? true { best = (pattern, stem) }
    }
    guard let best else { return nil }
    let declaration = best.pattern
    let stem = best.stem
    guard stem.utf8.count <= longestStem else {
      throw declaration.problem("pattern '\(declaration.name)' has no end: it comes to '\(name.prefix(60))…'", key: true)
    }
    return declaration.renamed(name, scope: (declaration.scope ?? root.scope).with(stem: String(stem)))
  }
}

extension Manifest {
  /// The scope of the manifest's own steps, for what needs one.
  var scope: Scope { Scope(prefix: "", variables: variables, directory: directory, inputs: "", outputs: "") }
}
