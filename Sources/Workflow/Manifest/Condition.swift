// `when`: an expression over values that says whether a step runs. It knows how to read and evaluate, not what a reference means.
//
//   or        and ("or" and)*
//   and       not ("and" not)*
//   not       "not" not | comparison
//   compare   value (("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not" "in") value)?
//   value     (number | 'text' | true | false | null | ${reference} | "[" values "]" | "(" or ")") ("." name | "[" number "]")*
//
// A reference is a value of its own, never text that is parsed again. A member that is not there is null; null is equal to null alone,
// and neither more nor less than anything.

import JSON

public struct Condition: Sendable {
  /// As it was written.
  public let text: String
  private let root: Node

  indirect enum Node: Sendable {
    case value(JSON)
    /// The inside of `${…}`, which may hold further ones.
    case reference(String)
    case list([Node])
    case member(Node, String)
    case element(Node, Int)
    case not(Node)
    case and(Node, Node)
    case or(Node, Node)
    case compare(Node, Operator, Node)
  }

  enum Operator: String, Sendable, CaseIterable {
    case equal = "==", unequal = "!=", atMost = "<=", atLeast = ">=", less = "<", more = ">"
    case within = "in", without = "not in"
  }

  /// `member` is the manifest's word for it, for errors.
  init(_ text: String, of member: String = "when") throws(TemplateError) {
    self.text = text
    guard text.utf8.count <= 10_000 else {
      throw TemplateError(sentence: "'\(member)' is longer than 10000 characters", hint: "let a step compute it")
    }
    var reader = ConditionReader(text, member)
    root = try reader.whole()
  }

  private init(_ text: String, _ root: Node) { (self.text, self.root) = (text, root) }

  /// Every reference in it.
  func references() throws -> [Reference] {
    var found: [Reference] = []
    _ = try Self.map(root) { inner in
      found += try Template.references(in: .string("${\(inner)}"))
      return .reference(inner)
    }
    return found
  }

  /// With `${var.…}` and `${matrix.…}` filled in.
  func expanded(_ lookup: (Reference, String?) throws -> JSON) throws -> Condition {
    Condition(
      text,
      try Self.map(root) { inner in
        let value = try Template.expand(.string("${\(inner)}"), lookup)
        if let text = value.string, inner.hasPrefix("step.") || inner.hasPrefix("station.") {
          return .reference(String(text.dropFirst(2).dropLast()))
        }
        return .value(try Template.settle(value))
      })
  }

  private static func map(_ node: Node, _ change: (String) throws -> Node) rethrows -> Node {
    switch node {
    case .value: node
    case .reference(let inner): try change(inner)
    case .list(let nodes): .list(try nodes.map { try map($0, change) })
    case .member(let node, let name): .member(try map(node, change), name)
    case .element(let node, let index): .element(try map(node, change), index)
    case .not(let node): .not(try map(node, change))
    case .and(let a, let b): .and(try map(a, change), try map(b, change))
    case .or(let a, let b): .or(try map(a, change), try map(b, change))
    case .compare(let a, let sign, let b): .compare(try map(a, change), sign, try map(b, change))
    }
  }

  // MARK: Evaluating

  /// Whether it holds. `lookup` gives a reference's value.
  func holds(_ lookup: (Reference) throws -> JSON) throws -> Bool { try truth(root, lookup) }

  /// What it is whatever any step gives; nil if that matters, or if it cannot be told.
  var constant: Bool? { try? holds { _ in throw TemplateError(sentence: "", hint: "") } }

  /// What it comes to.
  func value(_ lookup: (Reference) throws -> JSON) throws -> JSON { try value(of: root, lookup) }

  private func truth(_ node: Node, _ lookup: (Reference) throws -> JSON) throws -> Bool {
    let value = try value(of: node, lookup)
    guard let truth = value.bool else {
      throw TemplateError(sentence: "\(value.compact) in 'when' is neither true nor false", hint: "compare it, as with == or >=")
    }
    return truth
  }

  private func value(of node: Node, _ lookup: (Reference) throws -> JSON) throws -> JSON {
    switch node {
    case .value(let value): return value
    case .reference(let inner):
      guard let reference = try Template.references(in: .string("${\(inner)}")).first else { return .null }
      return try lookup(reference)
    case .list(let nodes): return .array(try nodes.map { try value(of: $0, lookup) })
    case .member(let node, let name): return try value(of: node, lookup)[name] ?? .null
    case .element(let node, let index): return try value(of: node, lookup)[index] ?? .null
    case .not(let node): return .bool(!(try truth(node, lookup)))
    case .and(let a, let b): return .bool(try truth(a, lookup) && truth(b, lookup))
    case .or(let a, let b): return .bool(try truth(a, lookup) || truth(b, lookup))
    case .compare(let a, let sign, let b):
      return .bool(try Self.compare(try value(of: a, lookup), sign, try value(of: b, lookup)))
    }
  }

  private static func compare(_ a: JSON, _ sign: Operator, _ b: JSON) throws -> Bool {
    switch sign {
    case .equal: return a == b
    case .unequal: return a != b
    case .within, .without:
      let isWithin: Bool
      switch b {
      case .array(let elements): isWithin = elements.contains(a)
      case .object(let members): isWithin = a.string.map { members[$0] != nil } ?? false
      case .null: isWithin = false
      default: throw TemplateError(sentence: "\(b.compact) in 'when' is no list", hint: "'in' looks in a list, or among the keys of an object")
      }
      return isWithin == (sign == .within)
    case .less, .atMost, .more, .atLeast:
      if let x = a.double, let y = b.double { return order(x, sign, y) }
      if let x = a.string, let y = b.string { return order(x, sign, y) }
      if a == .null || b == .null { return false }
      throw TemplateError(
        sentence: "'when' cannot compare \(a.compact) with \(b.compact)", hint: "\(sign.rawValue) takes two numbers or two texts")
    }
  }

  private static func order<T: Comparable>(_ x: T, _ sign: Operator, _ y: T) -> Bool {
    switch sign {
    case .less: x < y
    case .atMost: x <= y
    case .more: x > y
    default: x >= y
    }
  }
}

/// Reads the grammar above, by recursive descent.
private struct ConditionReader {
  private var rest: Substring
  private var depth = 0
  private let member: String

  init(_ text: String, _ member: String) { (rest, self.member) = (Substring(text), member) }

  mutating func whole() throws(TemplateError) -> Condition.Node {
    let node = try or()
    skipSpace()
    guard rest.isEmpty else { throw unexpected("the end") }
    return node
  }

  private mutating func or() throws(TemplateError) -> Condition.Node {
    // Bounded, so that no text can exhaust the stack.
    depth += 1
    defer { depth -= 1 }
    guard depth <= 100 else { throw TemplateError(sentence: "'\(member)' is nested more than 100 deep", hint: "let a step compute it") }
    var node = try and()
    while word("or") { node = .or(node, try and()) }
    return node
  }

  private mutating func and() throws(TemplateError) -> Condition.Node {
    var node = try not()
    while word("and") { node = .and(node, try not()) }
    return node
  }

  private mutating func not() throws(TemplateError) -> Condition.Node {
    var negations = 0
    while word("not") { negations += 1 }
    let node = try comparison()
    return negations % 2 == 0 ? (negations == 0 ? node : .not(.not(node))) : .not(node)
  }

  private mutating func comparison() throws(TemplateError) -> Condition.Node {
    let left = try value()
    let before = rest
    if word("not") {
      if word("in") { return .compare(left, .without, try value()) }
      rest = before
    }
    if word("in") { return .compare(left, .within, try value()) }
    for sign in [Condition.Operator.equal, .unequal, .atMost, .atLeast, .less, .more] where token(sign.rawValue) {
      return .compare(left, sign, try value())
    }
    return left
  }

  private mutating func value() throws(TemplateError) -> Condition.Node {
    var node = try primary()
    while true {
      if rest.first == ".", let name = name(after: rest.dropFirst()) {
        rest = rest.dropFirst(1 + name.count)
        node = .member(node, name)
      } else if rest.first == "[" {
        rest = rest.dropFirst()
        skipSpace()
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let index = Int(digits) else { throw unexpected("an index") }
        rest = rest.dropFirst(digits.count)
        guard token("]") else { throw unexpected("']'") }
        node = .element(node, index)
      } else {
        return node
      }
    }
  }

  private mutating func primary() throws(TemplateError) -> Condition.Node {
    skipSpace()
    guard let first = rest.first else { throw unexpected("a value") }
    switch first {
    case "(":
      rest = rest.dropFirst()
      let node = try or()
      guard token(")") else { throw unexpected("')'") }
      return node
    case "[":
      rest = rest.dropFirst()
      depth += 1
      defer { depth -= 1 }
      guard depth <= 100 else { throw TemplateError(sentence: "'\(member)' is nested more than 100 deep", hint: "let a step compute it") }
      var nodes: [Condition.Node] = []
      if token("]") { return .list([]) }
      repeat { nodes.append(try value()) } while token(",")
      guard token("]") else { throw unexpected("']'") }
      return .list(nodes)
    case "'", "\"":
      let inner = rest.dropFirst()
      guard let end = inner.firstIndex(of: first) else {
        throw TemplateError(sentence: "a text in '\(member)' has no end", hint: "close it with \(first)")
      }
      rest = inner[inner.index(after: end)...]
      return .value(.string(String(inner[..<end])))
    case "$":
      guard let (inner, after) = Template.reference(at: rest) else {
        throw TemplateError(sentence: "'${' without '}' in '\(member)'", hint: "as ${step.evaluate.rate} >= 0.9")
      }
      rest = after
      return .reference(inner)
    default:
      for (text, value) in [("true", JSON.bool(true)), ("false", .bool(false)), ("null", .null)] where word(text) { return .value(value) }
      let number = rest.prefix { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
      guard let value = try? JSON(parsing: String(number)), value.double != nil else { throw unexpected("a value") }
      rest = rest.dropFirst(number.count)
      return .value(value)
    }
  }

  // MARK: Words

  private mutating func skipSpace() { rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "\n" } }

  private mutating func token(_ text: String) -> Bool {
    skipSpace()
    guard rest.hasPrefix(text) else { return false }
    rest = rest.dropFirst(text.count)
    return true
  }

  /// A word, not the beginning of a longer one.
  private mutating func word(_ text: String) -> Bool {
    skipSpace()
    guard name(after: rest) == text else { return false }
    rest = rest.dropFirst(text.count)
    return true
  }

  private func name(after text: Substring) -> String? {
    let name = text.prefix { $0.isLetter || $0 == "_" || ($0.isASCII && $0.isNumber) || $0 == "-" }
    return name.isEmpty || name.first!.isNumber || name.first == "-" ? nil : String(name)
  }

  private func unexpected(_ wanted: String) -> TemplateError {
    TemplateError(
      sentence: "'\(member)' has \(rest.isEmpty ? "its end" : "'\(rest.prefix(20))'") where \(wanted) should be",
      hint: "as \"${step.evaluate.rate} >= 0.9 and not ${var.quick}\"; texts stand in single quotes")
  }
}
