// `${…}` in a manifest's strings: rooted references. It knows the grammar, not what a name means.
//
//   ${var.NAME} ${matrix.NAME} ${stem}         replaced when steps are expanded, also inside other references
//   ${step.NAME} ${step.NAME.OUTPUT} ${step.NAME[*].OUTPUT}   an output, or all instances'; a ? at the end makes it optional
//   ${station.FIELD} ${with.NAME} ${in.NAME} ${out.NAME} ${progress} ${append}    known when the step runs
//   $${…}                                      the text ${…} itself

import JSON

/// A reference to a step's output.
struct StepReference: Hashable {
  /// `train`, `train[seed=0]` or `train[*]`.
  var step: String
  /// Nil: the primary output.
  var output: String?
  /// May be absent: the step failed or was skipped.
  var optional: Bool
}

enum Reference: Hashable {
  case variable(String), matrix(String), stem, station(String), parameter(String), input(String), output(String), progress, append
  case step(StepReference)
}

/// Text that is not a reference of the grammar.
struct TemplateError: Error { let sentence: String; let hint: String }

enum Template {
  enum Segment { case text(String), reference(Reference) }

  /// Splits a string into text and references; `$$` becomes `$`.
  static func parse(_ text: String) throws -> [Segment] {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return [.text(text)] }
    if let inner = only(text) { return [.reference(try reference(inner))] }
    var segments: [Segment] = []
    var literal = ""
    try scan(text) { piece in
      switch piece {
      case .literal(let part): literal += part
      case .escape: literal += "$"
      case .reference(let inner):
        if !literal.isEmpty { segments.append(.text(literal)) }
        literal = ""
        segments.append(.reference(try reference(inner)))
      }
    }
    if !literal.isEmpty { segments.append(.text(literal)) }
    return segments
  }

  /// All references of a JSON value's strings.
  static func references(in json: JSON) throws -> [Reference] {
    switch json {
    case .string(let text): try parse(text).compactMap { if case .reference(let reference) = $0 { reference } else { nil } }
    case .array(let elements): try elements.flatMap(references)
    case .object(let members): try members.values.flatMap(references)
    default: []
    }
  }

  /// Replaces `${var.…}` and `${matrix.…}` for good, wherever they stand, and leaves everything else as it is written. Inside of another reference
  /// `lookup` gets what stands before it there, as `step.clip[episode=`.
  static func expand(_ json: JSON, _ lookup: (Reference, String?) throws -> JSON) throws -> JSON {
    switch json {
    case .string(let text): try expand(text, lookup)
    case .array(let elements): .array(try elements.map { try expand($0, lookup) })
    case .object(let members): .object(try members.mapValues { try expand($0, lookup) })
    default: json
    }
  }

  private static func expand(_ text: String, isInside: Bool = false, _ lookup: (Reference, String?) throws -> JSON) throws -> JSON {
    guard mayExpand(text) else { return .string(text) }
    var out = ""
    var whole: JSON?
    var pieces = 0
    try scan(text) { piece in
      pieces += 1
      switch piece {
      case .literal(let part): out += part
      case .escape: out += "$$"
      case .reference(let inner):
        if inner.hasPrefix("var.") || inner.hasPrefix("matrix.") || inner == "stem" {
          let value = try lookup(try reference(inner), isInside ? out : nil)
          whole = value
          out += value.string ?? value.canonical
        } else {
          out += "${" + (try expand(inner, isInside: true, lookup).string ?? inner) + "}"
        }
      }
    }
    if pieces == 1, let whole { return whole }
    return .string(out)
  }

  /// Replaces the remaining references: a string that is one reference takes the value's type, others its text.
  static func resolve(_ json: JSON, _ lookup: (Reference) throws -> JSON) throws -> JSON {
    switch json {
    case .string(let text) where text.utf8.contains(UInt8(ascii: "$")):
      let segments = try parse(text)
      if segments.count == 1, case .reference(let reference) = segments[0] { return try lookup(reference) }
      return .string(
        try segments.map { segment in
          switch segment {
          case .text(let text): return text
          case .reference(let reference):
            let value = try lookup(reference)
            return value.string ?? value.canonical
          }
        }.joined())
    case .array(let elements): return .array(try elements.map { try resolve($0, lookup) })
    case .object(let members): return .object(try members.mapValues { try resolve($0, lookup) })
    default: return json
    }
  }

  /// What stands where nothing is filled in later: `$$` is a dollar sign, and a reference a mistake.
  static func settle(_ json: JSON) throws -> JSON {
    try resolve(json) { _ in
      throw TemplateError(
        sentence: "what is known only when the step runs cannot stand here", hint: "${var.NAME} and ${matrix.NAME} can; $${ is the text ${")
    }
  }

  /// A value in which nothing is to be filled in any more, written so that it comes out as it is.
  static func escaped(_ json: JSON) -> JSON {
    switch json {
    case .string(let text) where text.utf8.contains(UInt8(ascii: "$")): .string(text.replacing("$", with: "$$"))
    case .array(let elements): .array(elements.map(escaped))
    case .object(let members): .object(members.mapValues(escaped))
    default: json
    }
  }

  /// The inside of the `${…}` that `text` starts with, and what follows it.
  static func reference(at text: Substring) -> (inner: String, rest: Substring)? {
    guard text.hasPrefix("${"), let end = closing(text.utf8.dropFirst()) else { return nil }
    return (String(text[text.index(text.startIndex, offsetBy: 2)..<end]), text[text.index(after: end)...])
  }

  /// `train` of every `${step.train[…]…}`, whatever stands in the brackets.
  static func instanceBases(in text: String) -> [String] {
    var bases: [String] = []
    try? scan(text) { piece in
      guard case .reference(let inner) = piece, inner.hasPrefix("step."), let bracket = inner.firstIndex(of: "[") else { return }
      bases.append(String(inner[..<bracket].dropFirst(5)))
    }
    return bases
  }

  /// Puts `prefix` before the names of steps that are referred to, so that they mean the same in another file.
  static func qualify(_ json: JSON, _ prefix: String) -> JSON {
    switch json {
    case .string(let text):
      guard text.utf8.contains(UInt8(ascii: "$")) else { return json }
      var out = ""
      try? scan(text) { piece in
        switch piece {
        case .literal(let part): out += part
        case .escape: out += "$$"
        case .reference(let inner):
          out += inner.hasPrefix("step.") && !inner.hasPrefix("step.:") ? "${step.\(prefix)\(inner.dropFirst(5))}" : "${\(inner)}"
        }
      }
      return .string(out)
    case .array(let elements): return .array(elements.map { qualify($0, prefix) })
    case .object(let members): return .object(members.mapValues { qualify($0, prefix) })
    default: return json
    }
  }

  /// The inside of a text that is one plain reference: of most that are long lists of inputs.
  private static func only(_ text: String) -> String? {
    var text = text
    return text.withUTF8 { bytes in
      guard bytes.count > 3, bytes.starts(with: "${".utf8), bytes[bytes.count - 1] == UInt8(ascii: "}") else { return nil }
      let inner = bytes[2..<bytes.count - 1]
      guard !inner.contains(where: { $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else { return nil }
      return String(decoding: inner, as: UTF8.self)
    }
  }

  /// Whether there is a `${var.`, `${matrix.` or `${stem}` in it, or what begins like one.
  static func mayExpand(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      guard bytes.count > 2 else { return false }
      return (0..<bytes.count - 2).contains { index in
        guard bytes[index] == UInt8(ascii: "$"), bytes[index + 1] == UInt8(ascii: "{") else { return false }
        let root = bytes[index + 2]
        return root == UInt8(ascii: "v") || root == UInt8(ascii: "m") || root == UInt8(ascii: "s") && bytes[index...].starts(with: "${stem".utf8)
      }
    }
  }

  private enum Piece { case literal(String), escape, reference(String) }

  private static func scan(_ text: String, _ found: (Piece) throws -> Void) throws {
    let bytes = text.utf8
    var start = bytes.startIndex
    while let dollar = bytes[start...].firstIndex(of: UInt8(ascii: "$")) {
      if dollar > start { try found(.literal(String(text[start..<dollar]))) }
      start = bytes.index(after: dollar)
      switch start < bytes.endIndex ? bytes[start] : 0 {
      case UInt8(ascii: "$"):
        try found(.escape)
        start = bytes.index(after: start)
      case UInt8(ascii: "{"):
        guard let end = closing(bytes[start...]) else { throw TemplateError(sentence: "'${' without '}'", hint: "write $${ for the text ${") }
        try found(.reference(String(text[bytes.index(after: start)..<end])))
        start = bytes.index(after: end)
      default:
        try found(.literal("$"))
      }
    }
    if start < bytes.endIndex { try found(.literal(String(text[start...]))) }
  }

  /// Where the brace that the bytes begin with is closed.
  private static func closing(_ bytes: Substring.UTF8View) -> String.Index? {
    var (depth, index) = (0, bytes.startIndex)
    while index < bytes.endIndex {
      if bytes[index] == UInt8(ascii: "{") { depth += 1 } else if bytes[index] == UInt8(ascii: "}") { depth -= 1 }
      if depth == 0 { return index }
      bytes.formIndex(after: &index)
    }
    return nil
  }

  private static func reference(_ text: String) throws -> Reference {
    if text == "stem" { return .stem }
    if text == "progress" { return .progress }
    if text == "append" { return .append }
    let roots = ["var", "step", "matrix", "stem", "station", "with", "in", "out", "progress", "append"]
    guard let dot = text.utf8.firstIndex(of: UInt8(ascii: ".")), dot < text.index(before: text.endIndex) else {
      throw TemplateError(sentence: "'${\(text)}' has no root", hint: "write ${var.\(text)} for a variable, ${step.\(text)} for a step's output")
    }
    let rest = String(text[text.index(after: dot)...])
    switch text[..<dot] {
    case "var": return .variable(rest)
    case "matrix": return .matrix(rest)
    case "station": return .station(rest)
    case "with": return .parameter(rest)
    case "in": return .input(rest)
    case "out": return .output(rest)
    case "step":
      let optional = rest.hasSuffix("?")
      let name = optional ? String(rest.dropLast()) : rest
      var depth = 0
      let bytes = name.utf8
      let split = bytes.indices.last { index in
        if bytes[index] == UInt8(ascii: "]") { depth += 1 } else if bytes[index] == UInt8(ascii: "[") { depth -= 1 }
        return depth == 0 && bytes[index] == UInt8(ascii: ".")
      }
      guard let split else { return .step(StepReference(step: name, output: nil, optional: optional)) }
      return .step(StepReference(step: String(name[..<split]), output: String(name[name.index(after: split)...]), optional: optional))
    default:
      throw TemplateError(sentence: "'${\(text)}' has an unknown root '\(text[..<dot])'", hint: suggestion(for: String(text[..<dot]), among: roots))
    }
  }
}
