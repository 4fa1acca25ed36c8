// Why a step runs: what its record was made of against what it would be made of now, for people and for programs.
// It compares two fingerprints; it does not know how they come about, nor what follows from the difference.

public import JSON
import OrderedCollections

/// One reason why a step runs.
public struct Reason: Sendable, Hashable {
  public enum What: String, Sendable {
    /// It has no record.
    case first
    /// It was asked for by -B.
    case forced
    /// It says that it always runs.
    case always
    /// A recorded output is gone from the store.
    case lost
    /// What was recorded came of something that is marked as bad.
    case tainted
    /// It cannot run: an input is missing, or a parameter is wrong.
    case failure
    /// What differs from the record.
    case input, parameter, command, code, environment, station, other
  }

  public let what: What
  /// What differs: `demos: episode_003.mp4`, `with.trials`.
  public let name: String
  /// Digests of an input, values of anything else; nil for what was or is not there.
  public let old: JSON?
  public let new: JSON?
  /// The manifest's variables that the differing value is made of.
  public let variables: [String]
  /// The whole reason as a line of text.
  public let text: String

  init(_ what: What, _ text: String, name: String = "", old: JSON? = nil, new: JSON? = nil, variables: [String] = []) {
    (self.what, self.name, self.old, self.new, self.variables) = (what, name, old, new, variables)
    self.text = text + (variables.isEmpty ? "" : " (variable \(variables.joined(separator: ", ")))")
  }

  static let first = Reason(.first, "it has not run before")
  static let forced = Reason(.forced, "it was asked for")
  static let always = Reason(.always, "it runs in every run")
  static let lost = Reason(.lost, "its recorded output is gone from the store")

  /// Long values are cut.
  public var json: JSON {
    var json: JSON = ["what": .string(what.rawValue), "text": .string(text)]
    if !name.isEmpty { json["name"] = .string(name) }
    if old != nil || new != nil {
      json["old"] = old.map(Self.bounded) ?? .null
      json["new"] = new.map(Self.bounded) ?? .null
    }
    if !variables.isEmpty { json["variables"] = .array(variables.map { .string($0) }) }
    return json
  }

  private static func bounded(_ json: JSON) -> JSON {
    let text = json.compact
    return text.utf8.count <= 1000 ? json : .string(text.prefix(1000) + "…")
  }
}

/// Finds what differs between a recorded fingerprint and a new one.
struct Explanation {
  /// Of the inputs of one port, no more are named.
  private static let mostInputs = 100

  private let declaration: StepDeclaration?
  private let lists: InputLists?
  private(set) var reasons: [Reason] = []

  /// The reasons for which a step has to run again. `lists` knows the inputs that the fingerprints name by a digest.
  static func reasons(from old: JSON, to new: JSON, of declaration: StepDeclaration? = nil, lists: InputLists? = nil) throws -> [Reason] {
    var explanation = Explanation(declaration: declaration, lists: lists)
    try explanation.compare(old, new, [])
    return explanation.reasons
  }

  private init(declaration: StepDeclaration?, lists: InputLists?) { (self.declaration, self.lists) = (declaration, lists) }

  private mutating func compare(_ old: JSON?, _ new: JSON?, _ path: [String]) throws {
    if old == new { return }
    if path.first == "inputs", path.count == 2, let a = try entries(old), let b = try entries(new), a != b {
      let found = lists?.differences(of: declaration?.name ?? "", path[1], old, new) { inputReasons(path[1], a, b) }
      reasons += found ?? inputReasons(path[1], a, b)
    } else if case .object(let a)? = old, case .object(let b)? = new {
      for key in OrderedSet(Array(a.keys) + Array(b.keys)) { try compare(a[key], b[key], path + [key]) }
    } else if case .array(let a)? = old, case .array(let b)? = new, a.count == b.count {
      for (index, pair) in zip(a, b).enumerated() { try compare(pair.0, pair.1, path + ["\(index)"]) }
    } else {
      let name = path.joined(separator: ".")
      let (before, after) = Self.brief(old, new)
      reasons.append(Reason(Self.what(path), "\(name): \(before) → \(after)", name: name, old: old, new: new, variables: variables(at: path)))
    }
  }

  private func entries(_ print: JSON?) throws -> [JSON]? { try lists.map { try $0.entries(print) } ?? (print.map(\.array) ?? []) }

  private func inputReasons(_ port: String, _ old: [JSON], _ new: [JSON]) -> [Reason] {
    var reasons: [Reason] = []
    func name(_ entry: JSON) -> String { entry["name"]?.string ?? "" }
    if old.map(name) == new.map(name) {
      for (old, new) in zip(old, new) where old != new {
        let (before, after) = (old["digest"], new["digest"])
        if before == after, old["executable"] != new["executable"] {
          let text = "input \(port): \(name(new)) \(new["executable"] == true ? "is executable now" : "is executable no more")"
          reasons.append(
            Reason(.input, text, name: "\(port): \(name(new))", old: old["executable"] ?? false, new: new["executable"] ?? false))
          continue
        }
        let change = "(\(before?.string?.prefix(12) ?? "") → \(after?.string?.prefix(12) ?? ""))"
        reasons.append(Reason(.input, "input \(port): \(name(new)) changed \(change)", name: "\(port): \(name(new))", old: before, new: after))
      }
    } else {
      let variables = variables(at: ["in", port])
      let (before, after) = (Set(old.map(name)), Set(new.map(name)))
      for entry in new where !before.contains(name(entry)) {
        let name = name(entry)
        reasons.append(Reason(.input, "input \(port): \(name) added", name: "\(port): \(name)", new: entry["digest"], variables: variables))
      }
      for entry in old where !after.contains(name(entry)) {
        let name = name(entry)
        reasons.append(Reason(.input, "input \(port): \(name) removed", name: "\(port): \(name)", old: entry["digest"], variables: variables))
      }
      if before == after { reasons.append(Reason(.input, "input \(port): another order", name: port, variables: variables)) }
    }
    guard reasons.count > Self.mostInputs else { return reasons }
    return reasons.prefix(Self.mostInputs) + [Reason(.input, "input \(port): \(reasons.count - Self.mostInputs) more", name: port)]
  }

  private static func what(_ path: [String]) -> Reason.What {
    switch path.first {
    case "inputs", "references": .input
    case "with": .parameter
    case "command": .command
    case "kind", "revision", "tools": .code
    case "env": .environment
    case "station", "stations": .station
    default: .other
    }
  }

  /// The variables that the value at this place is written with.
  private func variables(at path: [String]) -> [String] {
    guard let declaration else { return [] }
    var written: JSON?
    switch path.first {
    case "with": written = path.dropFirst().reduce(declaration.with) { json, key in json?[key] ?? Int(key).flatMap { json?[$0] } }
    case "in": written = declaration.inputs[path[1]].map { .array($0.map { .string($0) }) }
    case "env": written = path.count > 1 ? declaration.environment[path[1]].map { .string($0) } : nil
    case "station": written = declaration.station
    case "command":
      if case .command(let argv) = declaration.action {
        let index = path.count > 1 ? Int(path[1]) : nil
        written = .array(index.map { argv.indices.contains($0) ? [.string(argv[$0])] : [] } ?? argv.map { .string($0) })
      }
    default: break
    }
    let references = written.flatMap { try? Template.references(in: $0) } ?? []
    return Array(OrderedSet(references.compactMap { if case .variable(let name) = $0 { name } else { nil } }))
  }

  /// Both values, long ones cut to where they differ.
  private static func brief(_ old: JSON?, _ new: JSON?) -> (String, String) {
    let (a, b) = (old?.compact ?? "none", new?.compact ?? "none")
    let common = zip(a, b).prefix { $0 == $1 }.count
    func cut(_ text: String) -> String {
      let start = text.count > 60 && common > 20 ? common - 15 : 0
      let part = text.dropFirst(start)
      return (start > 0 ? "…" : "") + part.prefix(57) + (part.count > 57 ? "…" : "")
    }
    return (cut(a), cut(b))
  }
}
