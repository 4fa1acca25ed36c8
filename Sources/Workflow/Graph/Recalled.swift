// A declaration that is up to date and was not read: its steps and what they gave, as the snapshot of the last run tells of them. Steps that are read
// can read from those, so that one that changed costs little however many others it reads.

import Hashing
import OrderedCollections

struct Recalled {
  let name: String
  /// Instances of the declaration in their order.
  var steps: [(name: String, outputs: [(output: Output, artifact: Artifact)])] = []
}

extension Snapshot {
  /// Nil where its text has to be read.
  func recalled(_ declaration: Int) -> Recalled? {
    if results[declaration].isEmpty { return nil }
    var recalled = Recalled(name: string(declarations[declaration].name))
    var last: UInt32?
    for result in results[declaration] {
      if result.step != last { recalled.steps.append((string(result.step), [])) }
      last = result.step
      guard result.output != 0, let form = Output.Form(code: result.form) else { continue }
      recalled.steps[recalled.steps.count - 1].outputs.append(
        (
          Output(string(result.output), form, path: string(result.file), ""),
          Artifact(digest: watches[Int(result.watch)].digest, form: form, isExecutable: result.isExecutable != 0)
        ))
    }
    return recalled
  }
}

extension Step {
  /// Stands for a key that nobody asks for.
  private static let unknownKey = Digest(of: "recalled")

  /// A step of a declaration that was not read, up to date from the beginning.
  convenience init(id: ID, name: String, outputs: [(output: Output, artifact: Artifact)], of declaration: StepDeclaration) {
    self.init(id: id, name: name, wholeName: name, declaration: declaration, kind: nil, matrix: [:], shard: nil, parent: nil)
    recalledOutputs = outputs.map(\.output)
    status = .upToDate
    record = ActionRecord(
      key: Self.unknownKey, step: name, outputs: OrderedDictionary(outputs.map { ($0.output.name, $0.artifact) }) { $1 },
      appended: [], started: 0, seconds: 0, station: nil)
  }
}
