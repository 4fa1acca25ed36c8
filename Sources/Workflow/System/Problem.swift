// What went wrong, for a person and for a script: one sentence that names the thing, its place, what to do, and an exit code.

public import JSON

/// Exit codes of `enpire`; disjoint, so that a script can tell them apart. Those from 64 to 77 follow sysexits.h.
public enum ExitCode: Int32, Sendable, CaseIterable {
  case success = 0
  case stepFailed = 1
  case stale = 3
  case usage = 64
  case manifest = 65
  case missingInput = 66
  case station = 69
  case internalError = 70
  case inputOutput = 74
  case locked = 75
  case conflict = 76
  case approval = 77
  case budget = 78
  case timeout = 124
  case interrupted = 130

  /// The code's name in JSON; it stays.
  public var name: String {
    switch self {
    case .success: "success"
    case .stepFailed: "step-failed"
    case .stale: "stale"
    case .usage: "usage"
    case .manifest: "manifest"
    case .missingInput: "missing-input"
    case .station: "station"
    case .internalError: "internal-error"
    case .inputOutput: "input-output"
    case .locked: "locked"
    case .conflict: "conflict"
    case .approval: "approval"
    case .budget: "budget"
    case .timeout: "timeout"
    case .interrupted: "interrupted"
    }
  }

  public var meaning: String {
    switch self {
    case .success: "everything asked for is up to date"
    case .stepFailed: "a step failed, or a check found something"
    case .stale: "something would have to run, and was not to (-q, --from, --only)"
    case .usage: "the command line is wrong"
    case .manifest: "a manifest, fleet file or appended step is wrong"
    case .missingInput: "an input file is missing or unreadable"
    case .station: "no station can run a step"
    case .internalError: "a fault of enpire itself"
    case .inputOutput: "reading or writing failed, as on a full disk"
    case .locked: "another run holds the workspace"
    case .conflict: "the workflow is not at the revision that was expected (append --revision)"
    case .approval: "a step waits for a person's approval"
    case .budget: "a budget is used up"
    case .timeout: "a step took longer than its time-out"
    case .interrupted: "interrupted; what was done is kept"
    }
  }
}

public struct Problem: Error, Sendable, CustomStringConvertible {
  public var code: ExitCode
  public var sentence: String
  public var place: Place?
  public var hint: String?

  public init(_ code: ExitCode, _ sentence: String, at place: Place? = nil, hint: String? = nil) {
    self.code = code
    self.sentence = sentence
    self.place = place
    self.hint = hint
  }

  /// One JSON line for programs: `{"event": "error", …}`.
  public var json: JSON {
    var json: JSON = ["event": "error", "exit": .integer(Int(code.rawValue)), "name": .string(code.name), "problem": .string(sentence)]
    if let place { json["place"] = ["file": .string(place.file), "line": .integer(place.line), "column": .integer(place.column)] }
    json["hint"] = hint.map { .string($0) }
    return json
  }

  /// `file:line:column: sentence`, the source line with a caret below, and the hint.
  public var description: String {
    var text = ""
    if let place { text += "\(place.file):\(place.line):\(place.column): " }
    text += sentence
    if let place, let line = place.sourceLine {
      text += "\n  \(line)\n  \(String(repeating: " ", count: max(0, place.caret)))^"
    }
    if let hint { text += "\n  hint: \(hint)" }
    return text
  }
}

/// A place in a text file.
public struct Place: Sendable, Hashable {
  public var file: String
  public var line: Int
  public var column: Int
  /// The line itself, shortened around the column; nil if the text is not at hand.
  public var sourceLine: String?
  /// Where below `sourceLine` the caret goes.
  public var caret: Int

  public init(file: String, line: Int, column: Int, text: [UInt8]? = nil) {
    let lines = text?.split(separator: 10, maxSplits: line, omittingEmptySubsequences: false) ?? []
    self.init(file: file, line: line, column: column, source: line <= lines.count ? lines[line - 1] : nil)
  }

  /// `source`: the line's bytes.
  init(file: String, line: Int, column: Int, source: ArraySlice<UInt8>?) {
    self.file = file
    self.line = line
    self.column = column
    self.caret = column - 1
    guard let source else { return }
    let cut = max(0, column - 61)
    sourceLine = String(decoding: source.dropFirst(cut).prefix(120), as: UTF8.self)
    caret -= cut
  }
}

/// The name closest to `name` by edit distance, for "did you mean"; nil if more than `limit` changes (a third of the name, at least two) part them.
public func nearest(to name: String, among names: some Sequence<String>, within limit: Int? = nil) -> String? {
  func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = x == y ? diagonal : min(diagonal, above, row[j]) + 1
        diagonal = above
      }
    }
    return row[b.count]
  }
  let wanted = Array(name)
  let best = names.map { ($0, distance(wanted, Array($0))) }.min { $0.1 < $1.1 }
  guard let best, best.1 <= limit ?? max(2, name.count / 3) else { return nil }
  return best.0
}

func suggestion(for name: String, among names: some Sequence<String>) -> String {
  let names = Array(names)
  if let near = nearest(to: name, among: names) { return "did you mean '\(near)'?" }
  return names.isEmpty ? "there are none" : "there are: " + names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
}
