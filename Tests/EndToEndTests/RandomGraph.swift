// A random workflow whose results are known without an engine: each step folds the numbers of what it reads into one number, modulo a small one,
// so that changes often end in the same output. It knows what must be there after a run, and which actions are new.

import Foundation
import JSON

/// SplitMix64: the same seed, the same graph.
struct Chance: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) &* 0xD134_2543_DE82_EF95 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
  mutating func one(in count: Int) -> Bool { below(count) == 0 }
}

struct RandomGraph {
  enum Need: Hashable {
    case source(String)
    /// All sources, by a pattern.
    case sources
    case output(String)
    /// A step's value, in the environment.
    case value(String)
  }
  enum Form: CaseIterable { case file, directory, value }

  struct Node {
    var name: String
    var constant: Int
    /// Changes the command and not what it does.
    var comment = 0
    var modulus: Int
    var needs: [Need]
    var form: Form
    var fails = false
    /// Seconds.
    var sleep = 0.0

    var path: String { form == .directory ? name + "/" : form == .value ? name + ".json" : name }
    /// The files it publishes.
    var files: [String] { form == .directory ? [name + "/x", name + "/deep/y"] : [path] }

    func content(_ number: Int) -> String { form == .value ? "\(number)\n" : "\(number) \(name)\n" }
  }

  struct Source: Equatable {
    var number: Int
    var noise: Int
    var content: String { "\(number)\nnoise \(noise)\n" }
  }

  var nodes: [Node] = []
  var sources: [String: Source] = [:]
  /// A file that no step declares, to which each adds a line when it begins and one when it ends.
  var journal: String?
  private var serial = 0

  init(_ size: Int, using chance: inout Chance) {
    for _ in 0..<max(2, size / 4) { addSource(using: &chance) }
    for _ in 0..<size { addNode(using: &chance) }
  }

  mutating func addSource(using chance: inout Chance) {
    serial += 1
    sources["\(serial).src"] = Source(number: chance.below(100), noise: 0)
  }

  /// Adds a step that needs some of those before it.
  mutating func addNode(using chance: inout Chance) {
    serial += 1
    var node = Node(
      name: "s\(serial)", constant: chance.below(100), modulus: chance.one(in: 3) ? 2 : 97, needs: [],
      form: Form.allCases.randomElement(using: &chance)!)
    for _ in 0...chance.below(4) {
      let earlier = nodes.suffix(8).randomElement(using: &chance)
      let need: Need =
        if let earlier, !chance.one(in: 4) { earlier.form == .value && chance.one(in: 2) ? .value(earlier.name) : .output(earlier.name) } else {
          chance.one(in: 6) ? .sources : .source(sources.keys.sorted().randomElement(using: &chance)!)
        }
      if !node.needs.contains(need) { node.needs.append(need) }
    }
    nodes.append(node)
  }

  mutating func remove(_ name: String) {
    nodes.removeAll { $0.name == name }
    for index in nodes.indices { nodes[index].needs.removeAll { $0 == .output(name) || $0 == .value(name) } }
  }

  // MARK: As a manifest

  func script(_ node: Node) -> String {
    let note = { (word: String) in journal.map { "echo \(word) \(node.name) >> \($0); " } ?? "" }
    let target =
      node.form == .directory
      ? "mkdir -p \(node.name)/deep; echo $s \(node.name) > \(node.name)/deep/y; echo $s \(node.name) > \(node.name)/x"
      : "echo $s\(node.form == .value ? "" : " " + node.name) > \(node.path)"
    return note("begin") + ": \(node.comment); s=\(node.constant); "
      + "for f do [ -d $f ] && f=$f/x; read n rest < $f; s=$(( (s * 31 + n) % \(node.modulus) )); done; "
      + "for n in $VALUES; do s=$(( (s * 31 + n) % \(node.modulus) )); done; "
      + (node.sleep > 0 ? "echo half > half; sleep \(node.sleep); rm half; " : "") + target + (node.fails ? "; exit 3" : "")
      + (journal == nil ? "" : "; ")
      + note("end").dropLast(2)
  }

  var manifest: String {
    var steps: [String] = []
    for node in nodes {
      let inputs = node.needs.compactMap { need -> String? in
        switch need {
        case .source(let name): "\"\(name)\""
        case .sources: "\"*.src\""
        case .output(let name): "\"${step.\(name).o}\""
        case .value: nil
        }
      }
      let values = node.needs.compactMap { if case .value(let name) = $0 { "${step.\(name).o}" } else { nil } }
      steps.append(
        #""\#(node.name)": {"run": ["sh", "-c", "\#(script(node))", "sh", "${in.i}"], "in": {"i": [\#(inputs.joined(separator: ", "))]}, "#
          + #""env": {"VALUES": "\#(values.joined(separator: " "))"}, "out": {"o": "\#(node.path)"}}"#)
    }
    let goals = nodes.map { "\"\($0.name)\"" }.joined(separator: ", ")
    return "{\"manifest\": 1, \"default\": [\(goals)], \"steps\": {\n\(steps.joined(separator: ",\n"))\n}}\n"
  }

  /// Writes the manifest, and the sources that are not as they should be.
  func write(to workspace: Workspace) throws {
    try workspace.write(manifest, to: "enpire.json")
    for (name, source) in sources where workspace.read(name) != source.content { try workspace.write(source.content, to: name) }
  }

  // MARK: What must come of it

  struct Expectation {
    /// The number of each step that succeeds.
    var numbers: [String: Int] = [:]
    /// Steps whose action is new.
    var runs: Set<String> = []
    var failed: Set<String> = []
    var skipped: Set<String> = []
    /// The actions of this walk that succeed, and what each writes.
    var actions: [String: String] = [:]
  }

  /// What a run that keeps going must do if the actions `known` are recorded.
  func expectation(known: some Collection<String>) -> Expectation {
    var result = Expectation()
    for node in nodes {
      var number = node.constant
      var key = script(node)
      var isBlocked = false
      func fold(_ value: Int, _ name: String, _ content: String) {
        number = (number * 31 + value) % node.modulus
        key += "|\(name) \(content)"
      }
      for need in node.needs {
        switch need {
        case .source(let name): fold(sources[name]!.number, name, sources[name]!.content)
        case .sources:
          for name in sources.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            fold(sources[name]!.number, name, sources[name]!.content)
          }
        case .output(let name): if let value = result.numbers[name] { fold(value, name, "\(value)") } else { isBlocked = true }
        case .value: break
        }
      }
      for case .value(let name) in node.needs {
        if let value = result.numbers[name] { fold(value, "value of \(name)", "\(value)") } else { isBlocked = true }
      }
      if isBlocked {
        result.skipped.insert(node.name)
      } else if node.fails {
        result.failed.insert(node.name)
        result.runs.insert(node.name)
      } else {
        result.numbers[node.name] = number
        result.actions[key] = node.content(number)
        if !known.contains(key) { result.runs.insert(node.name) }
      }
    }
    return result
  }

  /// The published files that are not as they must be.
  func faults(in workspace: Workspace, _ expectation: Expectation) -> [String] {
    nodes.flatMap { node -> [String] in
      guard let number = expectation.numbers[node.name] else { return [] }
      return node.files.filter { workspace.read($0) != node.content(number) }.map {
        "\($0) holds \(workspace.read($0) ?? "nothing"), not \(node.content(number))"
      }
    }
  }
}
