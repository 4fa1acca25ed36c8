// The declared search space: which values of a recipe may be changed, to what, and why that might help. The order is the prior: what is likely to
// help first.

internal import Glibc
public import JSON

public struct SearchSpaceError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

public struct SearchSpace: Sendable, Hashable {
  public var factors: [Factor]

  public init(factors: [Factor]) { self.factors = factors }

  /// From a list of `{"path", "values" or "range", "scale"?, "why"?, "when"?}`.
  public init(json: JSON) throws(SearchSpaceError) {
    guard let list = json.array ?? json["factors"]?.array else { throw SearchSpaceError(description: "a search space is a list of factors") }
    factors = []
    for (index, json) in list.enumerated() { factors.append(try Factor(json: json, at: index)) }
  }
}

/// One value of a recipe that may be changed.
public struct Factor: Sendable, Hashable {
  public enum Values: Sendable, Hashable {
    /// The most promising first.
    case list([JSON])
    case range(ClosedRange<Double>, Scale)
  }

  public enum Scale: String, Sendable, CaseIterable { case linear, log, integer }

  /// A JSON pointer into the recipe.
  public var path: String
  public var values: Values
  /// Why a change might help, to follow "because"; nil if it is not said.
  public var why: String?
  /// What must hold of a recipe for this factor to mean anything: values by JSON pointer, as `{"/regime": "rl"}`.
  public var when: [String: JSON]

  public init(_ path: String, _ values: Values, why: String? = nil, when: [String: JSON] = [:]) {
    self.path = path
    self.values = values
    self.why = why
    self.when = when
  }

  init(json: JSON, at index: Int) throws(SearchSpaceError) {
    func problem(_ text: String) -> SearchSpaceError { SearchSpaceError(description: "factor \(index + 1) of the search space: \(text)") }
    guard let path = json["path"]?.string, path.hasPrefix("/") else { throw problem("'path' must be a JSON pointer, as \"/planner/margin\"") }
    self.init(path, .list([]), why: json["why"]?.string)
    if let conditions = json["when"]?.object { when = Dictionary(uniqueKeysWithValues: conditions.map { ($0.key, $0.value) }) }
    switch (json["values"]?.array, json["range"]?.array?.compactMap(\.double)) {
    case (let list?, nil):
      guard !list.isEmpty else { throw problem("'values' is empty") }
      values = .list(list)
    case (nil, let range?):
      guard range.count == 2, range[0] < range[1] else { throw problem("'range' must be two numbers, the lower first") }
      guard let scale = json["scale"].map({ $0.string.flatMap(Scale.init) }) ?? .linear else {
        throw problem("'scale' must be one of \(Scale.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      if scale == .log, range[0] <= 0 { throw problem("a logarithmic 'range' must be above 0") }
      values = .range(range[0]...range[1], scale)
    default: throw problem("give either 'values' or 'range'")
    }
  }

  func applies(to recipe: JSON) -> Bool { when.allSatisfy { recipe[at: $0.key] == $0.value } }

  /// What to try first: the list's values, or for a range one step up and one step down from `current` (a quarter of the span).
  func firstValues(from current: JSON?) -> [JSON] {
    switch values {
    case .list(let list): list.filter { $0 != current }
    case .range(let range, let scale):
      [0.25, -0.25].map { Self.move(current?.double ?? Self.middle(range, scale), by: $0, in: range, scale) }.filter { $0 != current }
    }
  }

  /// A value `fraction` of the span away from `value`, kept in the range, to four significant digits.
  static func move(_ value: Double, by fraction: Double, in range: ClosedRange<Double>, _ scale: Scale) -> JSON {
    let (low, high) = (range.lowerBound, range.upperBound)
    let moved =
      switch scale {
      case .linear, .integer: value + fraction * (high - low)
      case .log: value * pow(high / low, fraction)
      }
    let kept = min(max(moved, low), high)
    if scale == .integer { return .integer(Int(kept.rounded())) }
    guard kept != 0, kept != low, kept != high else { return .number(kept) }
    let unit = pow(10, log10(abs(kept)).rounded(.down) - 3)
    // Dividing by a whole power of ten gives the nearest number, multiplying by a fraction does not.
    return .number(unit < 1 ? (kept / unit).rounded() / (1 / unit).rounded() : (kept / unit).rounded() * unit)
  }

  private static func middle(_ range: ClosedRange<Double>, _ scale: Scale) -> Double {
    scale == .log ? (range.lowerBound * range.upperBound).squareRoot() : (range.lowerBound + range.upperBound) / 2
  }
}
