// How a step is run, beside what it runs: its share of the machine, patience, permissions, and what of it counts. Of all this, the key
// holds the secrets' names and the tools. It knows neither what runs it nor how. Most steps say nothing of this and share one value.

public import OrderedCollections

public final class StepOptions: Sendable {
  /// Higher starts first, whatever the critical path; 0 if not said.
  public let priority: Int
  public let resources: Resources
  public let retry: Retry
  public let timeout: TimeLimit?
  /// Variables given to the step's environment and to nothing else.
  public let secrets: [Secret]
  /// Whether it may use the network.
  public let network: Bool
  /// False: run without a sandbox. True: rather fail than that. Nil: as the run says.
  public let sandbox: Bool?
  /// A failure is a result: others go on, and the run does not fail by it.
  public let mayFail: Bool

  /// It runs in every run, whatever is recorded.
  public let always: Bool
  /// What a command does moves hardware.
  public let moves: Bool
  /// It measures time: nothing else of this user's runs beside it on this machine.
  public let quiet: Bool
  /// Programs whose content is part of the key.
  public let tools: [String]
  /// Parameters that do not affect the result, and environment variables as `env.NAME`: no part of the key.
  public let unkeyed: [String]
  /// What a person is asked before it may run; nil if nobody has to agree.
  public let approval: String?

  public static let none = StepOptions()

  init(
    priority: Int = 0, resources: Resources = Resources(), retry: Retry = Retry(), timeout: TimeLimit? = nil, secrets: [Secret] = [],
    network: Bool = false, sandbox: Bool? = nil, mayFail: Bool = false, always: Bool = false,
    moves: Bool = false, quiet: Bool = false, tools: [String] = [], unkeyed: [String] = [], approval: String? = nil
  ) {
    self.priority = priority
    self.resources = resources
    self.retry = retry
    self.timeout = timeout
    self.secrets = secrets
    self.network = network
    self.sandbox = sandbox
    self.mayFail = mayFail
    self.always = always
    self.moves = moves
    self.quiet = quiet
    self.tools = tools
    self.unkeyed = unkeyed
    self.approval = approval
  }
}

/// What a step holds while it runs.
public struct Resources: Sendable, Hashable {
  /// Processors; nil if not said.
  public var cpu: Double?
  /// Bytes; nil if not said.
  public var memory: Int?
  /// Units of the manifest's pools by name, and `gpu`, whether or not that is a pool.
  public var units: OrderedDictionary<String, Int> = [:]

  public var isEmpty: Bool { cpu == nil && memory == nil && units.isEmpty }
}

/// Something of which there is so much for all steps at once: licences, ports, devices.
public struct Pool: Sendable, Hashable {
  public var capacity: Int
  /// The units' identities, if they have any; a step is told which it got, as `ENPIRE_POOL_NAME`.
  public var units: [String]?

  /// The environment variable that names the units a step got, separated by commas.
  public static func variable(_ name: String) -> String { "ENPIRE_POOL_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined() }
}

/// When a step that failed is tried again.
public struct Retry: Sendable, Hashable {
  public enum Cause: Sendable, Hashable {
    case timeout, signal, station, lost
    /// Any exit code but 0, or that one.
    case exit(Int32?)
  }

  /// How often, after the first time.
  public var max = 0
  /// Empty: whatever the cause.
  public var causes: [Cause] = []
  /// Seconds before the first try again; each later one waits `factor` times longer, up to `limit`.
  public var delay = 0.0
  public var factor = 2.0
  public var limit: Double?

  /// `cause` names an exit code by its number.
  public func covers(_ cause: Cause) -> Bool {
    if causes.isEmpty || causes.contains(cause) { return true }
    if case .exit = cause { return causes.contains(.exit(nil)) }
    return false
  }

  /// Seconds to wait before try `number` (1 for the first after the failure).
  public func pause(before number: Int) -> Double {
    var pause = delay
    for _ in 1..<Swift.max(number, 1) {
      pause *= factor
      if let limit, pause > limit { break }
    }
    return min(pause, limit ?? .infinity)
  }
}

public struct TimeLimit: Sendable, Hashable {
  /// Seconds after which the step is told to end.
  public var after: Double
  /// Seconds it then has to do so, before it is killed with all its processes.
  public var grace = 10.0
}

/// A variable of a step's environment that is never hashed, logged or stored.
public struct Secret: Sendable, Hashable {
  public enum Source: Sendable, Hashable {
    /// A variable of enpire's own environment.
    case environment(String)
    /// A file's content without its last newline; the path starts at the manifest.
    case file(String)
  }

  public var name: String
  public var source: Source
}
