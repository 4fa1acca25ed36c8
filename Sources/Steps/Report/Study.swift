// The study as the page reads it: what the steps left, sorted by what it means. Knows the artifacts' forms, draws nothing.
// An output that is missing or cannot be read is absent here; its section then says so or is left out.

import Foundation
import JSON
import LLM
import Robot

struct Study {
  let workflow: String
  /// The manifest's file name.
  let manifest: String
  let steps: [StudyStep]
  let evaluations: [Evaluation]
  /// What people have marked as bad.
  let taints: [JSON]
  /// From Git alone; nil if the study has no evolution, or the hub cannot be read.
  let ideas: IdeaTree?
  /// Why there is no idea tree where one was due.
  let hubProblem: String?
  private let byName: [String: StudyStep]

  init(_ step: StepContext) throws {
    workflow = step.request["workflow"]?.string ?? step.name
    manifest = step.request["manifest"]?.string ?? workflow + ".json"
    let steps = step.study
    self.steps = steps
    taints = step.request["taints"]?.array ?? []
    byName = Dictionary(steps.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let proposals = steps.filter { $0.kind == "propose" }.compactMap { step in step.json("proposal").map { (step, $0) } }
    evaluations = Evaluation.all(in: steps, proposals: proposals)
    guard let named = proposals.first(where: { $0.1["study"]?.string != nil })?.1["study"]?.string else {
      (ideas, hubProblem) = (nil, nil)
      return
    }
    do {
      (ideas, hubProblem) = (try IdeaTree(hubAt: step.hub, study: named), nil)
    } catch { (ideas, hubProblem) = (nil, "\(error)") }
  }

  subscript(name: String) -> StudyStep? { byName[name] }

  func steps(ofKind kind: String) -> [StudyStep] { steps.filter { $0.kind == kind && !$0.isShard } }

  /// The number that the study stands for: the last on seeds that nobody knew before, or else the last of all.
  var final: Evaluation? { evaluations.last { $0.purpose.isSecret } ?? evaluations.last }

  /// All that a step came from, itself the last, in the study's order.
  func ancestry(of step: StudyStep) -> [StudyStep] {
    var seen: Set<String> = []
    var open = [step.name]
    while let name = open.popLast() {
      if seen.insert(name).inserted { open += byName[name]?.needs ?? [] }
    }
    return steps.filter { seen.contains($0.name) }
  }
}

extension StudyStep {
  var needs: [String] { record["needs"]?.array?.compactMap(\.string) ?? [] }
  var seconds: Double? { record["seconds"]?.double }
  var started: Double? { record["started"]?.double }
  var key: String? { record["key"]?.string }
  var problem: String? { record["problem"]?.string }
  var parameters: JSON { record["with"] ?? [:] }
  var station: String? { record["station"]?.string }

  /// Whether a result came from this run or from the cache is not the page's business: both are `done`.
  var state: String {
    switch record["state"]?.string {
    case "done", "restored", "up to date": "done"
    case let state?: state
    case nil: "waiting"
    }
  }

  /// The name without the labels in brackets, and these as pairs: `train[seed=0]` is `train`, seed 0.
  private var labels: (plain: String, pairs: [String]) {
    guard name.hasSuffix("]"), let bracket = name.lastIndex(of: "[") else { return (name, []) }
    return (String(name[..<bracket]), name[name.index(after: bracket)...].dropLast().split(separator: ",").map(String.init))
  }

  var isShard: Bool { labels.pairs.last?.hasPrefix("shard=") ?? false }

  /// Of a shard, the step that gathers it; else the step's own name.
  var gather: String {
    let (plain, pairs) = labels
    guard isShard else { return name }
    return pairs.count == 1 ? plain : "\(plain)[\(pairs.dropLast().joined(separator: ","))]"
  }

  /// `train` of `train[seed=0]`.
  var declaration: String { labels.plain }

  /// The step that a manifest names, from which this one was appended; its own name if it was not.
  var family: String { name.firstIndex(of: "/").map { String(name[..<$0]) } ?? name }

  /// The JSON of a value or file; nil if it is not there.
  func json(_ output: String) -> JSON? { outputs[output].flatMap { try? StepContext.json(at: $0.path) } }

  /// The JSON of a file in a directory output.
  func json(_ output: String, _ file: String) -> JSON? { outputs[output].flatMap { try? StepContext.json(at: $0.path + "/" + file) } }
}
