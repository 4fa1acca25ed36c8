// What there is to tell of one run, as a value: for a person's mail, for programs and for a webhook. Made when a run has ended, from what it
// said while it ran (ScheduledRun) or from what is recorded of it (Summary+State). It knows neither layout nor transport.

public import JSON

public struct Summary: Sendable {
  /// What became of it, seen from the one before.
  public enum Transition: String, Sendable, CaseIterable {
    case failure, recovery, success, unfinished, skipped
    case stillFailing = "still-failing"

    public var isFailure: Bool { self == .failure || self == .stillFailing }
  }

  public struct Failure: Sendable, Equatable {
    public var step: String
    public var station: String?
    public var name: String
    /// One sentence, and what belongs to it on further lines.
    public var problem: String
    /// The last lines that the step printed; secrets were kept out of the log.
    public var log: [String]
    /// What repeats it.
    public var command: String
  }

  /// A rate of success with its interval, as an evaluation gives it.
  public struct Rate: Sendable, Equatable {
    public var step: String
    public var trials: Int
    public var estimate: Double
    public var lower: Double
    public var upper: Double
  }

  /// Something between the last summary and this one.
  public struct Earlier: Sendable, Equatable {
    public enum What: String, Sendable { case cutOff = "cut-off", skipped, byHand = "by-hand", undelivered }
    public var what: What
    public var call: Int?
    public var run: Int?
    /// Seconds since 1970.
    public var started: Double
    public var words: String
  }

  /// Whether a webhook or a mail got it.
  public struct Delivery: Sendable, Equatable {
    public var to: String
    public var tries: Int
    /// Nil if it was taken.
    public var problem: String?
  }

  public var workflow = ""
  /// Absolute path.
  public var manifest = ""
  public var host = ""
  /// The schedule's name and the number of this call; nil for a run by hand.
  public var schedule: String?
  public var call: Int?
  /// The run's number in `history`; nil if it found nothing to do or did not begin.
  public var run: Int?
  /// Seconds since 1970.
  public var started = 0.0
  /// Nil if nobody recorded its end, as its exit code.
  public var seconds: Double? = 0
  public var exit: Int? = 0
  /// Of the exit code, or `killed`, or `cut-off` for one whose end nobody recorded.
  public var name = ExitCode.success.name
  public var transition = Transition.success
  /// Of a row of failures, this one included, or of those that this one ends.
  public var failing: (count: Int, since: Double)?
  /// As `RunSummary.counts`.
  public var counts: JSON?
  public var failures: [Failure] = []
  /// Failures beside those.
  public var moreFailures = 0
  /// What ended the run, beside its steps.
  public var problem: String?
  /// Steps that wait for a person: what is asked, and the command that agrees.
  public var held: [(step: String, question: String, command: String)] = []
  /// When its time was used up, in seconds since 1970, if it was.
  public var deadline: Double?
  public var rates: [Rate] = []
  /// What the same steps gave before.
  public var earlierRates: [Rate] = []
  public var earlier: [Earlier] = []
  public var warnings: [String] = []
  /// What the run said.
  public var log: String?
  public var deliveries: [Delivery] = []
  /// Skipped like the call before it: whoever was told once knows.
  public var isRepeated = false

  /// Whether it says how the work stands: neither passed over nor out of time.
  public var isDecided: Bool { transition != .skipped && transition != .unfinished }

  /// No more failures than this are told in full, so that a summary stays small.
  static let mostFailures = 10
  static let mostLines = 8
  static let mostBytes = 400
}

// MARK: - JSON

extension Summary {
  public var json: JSON {
    var json: JSON = [
      "summary": 1, "workflow": .string(workflow), "manifest": .string(manifest), "host": .string(host), "transition": .string(transition.rawValue),
    ]
    json["exit"] = exit.map { .integer($0) }
    json["name"] = .string(name)
    json["started"] = .number(started)
    json["seconds"] = seconds.map { .number($0) }
    json["schedule"] = schedule.map { .string($0) }
    json["call"] = call.map { .integer($0) }
    json["run"] = run.map { .integer($0) }
    json["failing"] = failing.map { ["count": .integer($0.count), "since": .number($0.since)] }
    json["counts"] = counts
    json["problem"] = problem.map { .string($0) }
    json["failures"] = .array(failures.map(\.json))
    if moreFailures > 0 { json["moreFailures"] = .integer(moreFailures) }
    json["held"] = .array(held.map { ["step": .string($0.step), "question": .string($0.question), "command": .string($0.command)] })
    json["deadline"] = deadline.map { .number($0) }
    json["rates"] = .array(
      rates.map { rate in
        var entry = rate.json
        entry["before"] = earlierRates.first { $0.step == rate.step }?.json
        entry["change"] = change(of: rate).map { .string($0) }
        return entry
      })
    json["earlier"] = .array(earlier.map(\.json))
    json["warnings"] = .array(warnings.map { .string($0) })
    json["log"] = log.map { .string($0) }
    json["deliveries"] = .array(deliveries.map(\.json))
    return json
  }

  /// `lower` or `higher` than before, where the two intervals do not meet.
  public func change(of rate: Rate) -> String? {
    guard let before = earlierRates.first(where: { $0.step == rate.step }) else { return nil }
    return rate.upper < before.lower ? "lower" : rate.lower > before.upper ? "higher" : nil
  }

  public init?(json: JSON) {
    guard json["summary"] == 1, let transition = json["transition"]?.string.flatMap(Transition.init) else { return nil }
    self.transition = transition
    workflow = json["workflow"]?.string ?? ""
    manifest = json["manifest"]?.string ?? ""
    host = json["host"]?.string ?? ""
    exit = json["exit"]?.int
    name = json["name"]?.string ?? ""
    started = json["started"]?.double ?? 0
    seconds = json["seconds"]?.double
    schedule = json["schedule"]?.string
    call = json["call"]?.int
    run = json["run"]?.int
    if let count = json["failing"]?["count"]?.int, let since = json["failing"]?["since"]?.double { failing = (count, since) }
    counts = json["counts"]
    problem = json["problem"]?.string
    failures = (json["failures"]?.array ?? []).compactMap(Failure.init)
    moreFailures = json["moreFailures"]?.int ?? 0
    held = (json["held"]?.array ?? []).map { ($0["step"]?.string ?? "", $0["question"]?.string ?? "", $0["command"]?.string ?? "") }
    deadline = json["deadline"]?.double
    rates = (json["rates"]?.array ?? []).compactMap { $0["step"]?.string == nil ? nil : Rate(step: $0["step"]!.string!, $0) }
    earlierRates = (json["rates"]?.array ?? []).compactMap { entry in entry["before"].flatMap { Rate(step: entry["step"]?.string ?? "", $0) } }
    earlier = (json["earlier"]?.array ?? []).compactMap(Earlier.init)
    warnings = (json["warnings"]?.array ?? []).compactMap(\.string)
    log = json["log"]?.string
    deliveries = (json["deliveries"]?.array ?? []).compactMap(Delivery.init)
  }
}

extension Summary.Failure {
  var json: JSON {
    var json: JSON = ["step": .string(step), "name": .string(name), "problem": .string(problem)]
    json["station"] = station.map { .string($0) }
    json["log"] = .array(log.map { .string($0) })
    json["command"] = .string(command)
    return json
  }

  init?(_ json: JSON) {
    guard let step = json["step"]?.string else { return nil }
    self.init(
      step: step, station: json["station"]?.string, name: json["name"]?.string ?? "", problem: json["problem"]?.string ?? "",
      log: (json["log"]?.array ?? []).compactMap(\.string), command: json["command"]?.string ?? "")
  }
}

extension Summary.Rate {
  var json: JSON {
    [
      "step": .string(step), "trials": .integer(trials),
      "rate": ["estimate": .number(estimate), "lower": .number(lower), "upper": .number(upper)],
    ]
  }

  /// Of a value with `trials` and `rate`, as evaluations give it; nil of any other.
  init?(step: String, _ json: JSON) {
    guard let rate = json["rate"], let estimate = rate["estimate"]?.double, let lower = rate["lower"]?.double, let upper = rate["upper"]?.double,
      let trials = json["trials"]?.int
    else { return nil }
    self.init(step: step, trials: trials, estimate: estimate, lower: lower, upper: upper)
  }
}

extension Summary.Earlier {
  var json: JSON {
    var json: JSON = ["what": .string(what.rawValue), "started": .number(started), "words": .string(words)]
    json["call"] = call.map { .integer($0) }
    json["run"] = run.map { .integer($0) }
    return json
  }

  init?(_ json: JSON) {
    guard let what = json["what"]?.string.flatMap(What.init) else { return nil }
    self.init(
      what: what, call: json["call"]?.int, run: json["run"]?.int, started: json["started"]?.double ?? 0, words: json["words"]?.string ?? "")
  }
}

extension Summary.Delivery {
  var json: JSON {
    var json: JSON = ["to": .string(to), "tries": .integer(tries)]
    json["problem"] = problem.map { .string($0) }
    return json
  }

  init?(_ json: JSON) {
    guard let to = json["to"]?.string else { return nil }
    self.init(to: to, tries: json["tries"]?.int ?? 0, problem: json["problem"]?.string)
  }
}
