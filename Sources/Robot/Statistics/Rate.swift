// A success rate with its count and its interval: no rate is told without them.

public import JSON

public struct Rate: Sendable, Equatable {
  public enum Method: String, Sendable {
    /// Exact, for a count of trials fixed beforehand.
    case clopperPearson = "clopper-pearson"
    /// Valid at every count at once, for sampling that may stop early or be topped up.
    case confidenceSequence = "confidence-sequence"
    /// Exact bounds for as many independent trials as clustered ones are worth.
    case clustered
  }

  /// All trials, those with an unknown outcome among them.
  public let trials: Int
  public let successes: Int
  /// Trials whose outcome nobody knows. The lower bound holds if all of them failed, the upper one if all succeeded.
  public let unknown: Int
  public let confidence: Double
  public let method: Method
  /// How many independent trials those of a clustered rate are worth.
  public let worth: Double?
  public let lower: Double
  public let upper: Double

  public init(successes: Int, trials: Int, unknown: Int = 0, confidence: Double = 0.95, method: Method = .clopperPearson) {
    self.trials = trials
    self.successes = successes
    self.unknown = unknown
    self.confidence = confidence
    self.method = method
    worth = nil
    func interval(_ successes: Int) -> (lower: Double, upper: Double) {
      switch method {
      case .clopperPearson, .clustered: Binomial.clopperPearson(successes: successes, trials: trials, confidence: confidence)
      case .confidenceSequence: ConfidenceSequence.interval(successes: successes, trials: trials, confidence: confidence)
      }
    }
    (lower, upper) = (interval(successes).lower, interval(successes + unknown).upper)
  }

  /// Of trials in clusters: the counts are those seen, the interval that of `worth` independent trials.
  init(successes: Int, trials: Int, confidence: Double, worth: Double) {
    (self.trials, self.successes, unknown, self.confidence, method, self.worth) = (trials, successes, 0, confidence, .clustered, worth)
    let share = trials > 0 ? Double(successes) / Double(trials) : 0
    (lower, upper) = Binomial.clopperPearson(successes: share * worth, trials: trials > 0 ? worth : 0, confidence: confidence)
  }

  /// Of the trials whose outcome is known; nil if there is none.
  public var estimate: Double? { trials > unknown ? Double(successes) / Double(trials - unknown) : nil }

  public var json: JSON {
    var json: JSON = [
      "trials": .integer(trials), "successes": .integer(successes), "unknown": .integer(unknown), "estimate": estimate.map(JSON.number) ?? .null,
      "lower": .number(lower), "upper": .number(upper), "confidence": .number(confidence), "method": .string(method.rawValue),
    ]
    if let worth { json["worth"] = .number((worth * 100).rounded() / 100) }
    return json
  }

  /// Nil for what is not a rate. The interval is worked out anew from the counts, never believed.
  public init?(json: JSON) {
    guard let trials = json["trials"]?.int, let successes = json["successes"]?.int, let unknown = json["unknown"]?.int,
      successes >= 0, unknown >= 0, successes + unknown <= trials,
      let confidence = json["confidence"]?.double, confidence > 0, confidence < 1, let method = Method(rawValue: json["method"]?.string ?? "")
    else { return nil }
    if method == .clustered {
      guard let worth = json["worth"]?.double, worth >= 0, worth <= Double(trials) else { return nil }
      self.init(successes: successes, trials: trials, confidence: confidence, worth: worth)
    } else {
      self.init(successes: successes, trials: trials, unknown: unknown, confidence: confidence, method: method)
    }
  }
}
