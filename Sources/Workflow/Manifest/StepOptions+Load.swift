// Reads how a step is run. The same members are read when the manifest is, and again for a step whose members use variables.

internal import Glibc
import JSON
import OrderedCollections

/// Makes the problem of a wrong member: what is wrong, the tokens of its pointer below the step, and a hint.
struct Complaint {
  let make: (_ sentence: String, _ pointer: [String], _ hint: String?, _ key: Bool) -> Problem

  func callAsFunction(_ sentence: String, _ pointer: [String], _ hint: String? = nil, key: Bool = false) -> Problem {
    make(sentence, pointer, hint, key)
  }
}

extension StepOptions {
  static let keys = [
    "priority", "resources", "retries", "timeout", "secrets", "network", "sandbox", "may_fail", "always", "effect", "quiet", "tools", "unkeyed",
    "approval",
  ]

  /// The members of `step` that are options; `none` if it has none.
  static func read(_ step: OrderedDictionary<String, JSON>, _ problem: Complaint) throws -> StepOptions {
    func flag(_ key: String) throws -> Bool? {
      guard let value = step[key] else { return nil }
      guard let flag = value.bool else { throw problem("'\(key)' must be true or false", [key]) }
      return flag
    }
    func names(_ key: String) throws -> [String] {
      guard let value = step[key] else { return [] }
      guard let names = (value.array ?? [value]).map(\.string) as? [String], !names.contains("") else {
        throw problem("'\(key)' must be a list of names", [key])
      }
      return names
    }
    guard keys.contains(where: { step[$0] != nil }) else { return none }
    if let priority = step["priority"], priority.int == nil {
      throw problem("'priority' must be an integer", ["priority"], "0 is usual, more is sooner")
    }
    if let approval = step["approval"], approval.bool == nil, approval.string?.isEmpty != false {
      throw problem("'approval' must be a question, or true", ["approval"], "as \"move the arm of yam-1?\"")
    }
    if let effect = step["effect"] {
      guard let word = effect.string, word == "pure" || word == "motion" else {
        throw problem("'effect' must be \"pure\" or \"motion\"", ["effect"], "a command is pure, unless it moves hardware")
      }
      if word == "motion" {
        if step["retries"] != nil { throw problem("what moves hardware is not tried again by itself", ["retries"], "leave out 'retries'", key: true) }
        if step["always"] != nil { throw problem("what moves hardware runs at most once", ["always"], "leave out 'always'", key: true) }
      }
    }
    return StepOptions(
      priority: step["priority"]?.int ?? 0, resources: try step["resources"].map { try Resources($0, problem) } ?? Resources(),
      retry: try step["retries"].map { try Retry($0, problem) } ?? Retry(), timeout: try step["timeout"].map { try TimeLimit($0, problem) },
      secrets: try step["secrets"].map { try Secret.list($0, problem) } ?? [], network: try flag("network") ?? false, sandbox: try flag("sandbox"),
      mayFail: try flag("may_fail") ?? false, always: try flag("always") ?? false, moves: step["effect"]?.string == "motion",
      quiet: try flag("quiet") ?? false, tools: try names("tools"), unkeyed: try names("unkeyed"),
      approval: step["approval"].flatMap { $0.string ?? ($0.bool == true ? "may it run?" : nil) })
  }
}

extension Resources {
  init(_ json: JSON, _ problem: Complaint) throws {
    guard let members = json.object else { throw problem("'resources' must be an object", ["resources"], "as {\"cpu\": 2, \"memory\": \"4G\"}") }
    for (name, value) in members {
      switch name {
      case "cpu":
        guard let count = value.double, count > 0 else { throw problem("'cpu' must be a number above 0", ["resources", name]) }
        cpu = count
      case "memory":
        guard let bytes = Self.bytes(value) else { throw problem("'memory' must be a size", ["resources", name], "as \"512M\" or \"4G\"") }
        memory = bytes
      default:
        guard let count = value.int, count >= 0 else { throw problem("'\(name)' must be a count", ["resources", name]) }
        if count > 0 { units[name] = count }
      }
    }
  }

  /// Bytes: a count, or with K, M, G or T for powers of 1024.
  static func bytes(_ json: JSON) -> Int? {
    if let count = json.int { return count > 0 ? count : nil }
    guard let text = json.string, let unit = text.last, let power = "KMGT".firstIndex(of: unit), let number = Double(text.dropLast()) else {
      return nil
    }
    let bytes = (0..."KMGT".distance(from: "KMGT".startIndex, to: power)).reduce(number) { size, _ in size * 1024 }
    return bytes >= 1 && bytes < 0x1p62 ? Int(bytes) : nil
  }
}

extension Retry {
  init(_ json: JSON, _ problem: Complaint) throws {
    if let members = json.object {
      for key in members.keys where !["max", "on", "delay", "factor", "limit"].contains(key) {
        throw problem("unknown key '\(key)'", ["retries", key], suggestion(for: key, among: ["max", "on", "delay", "factor", "limit"]), key: true)
      }
      guard let max = members["max"]?.int, (0...100).contains(max) else {
        throw problem("'max' must be a count from 0 to 100", members["max"] == nil ? ["retries"] : ["retries", "max"])
      }
      self.max = max
      if let list = members["on"] {
        let words = list.array ?? [list]
        guard !words.isEmpty else {
          throw problem("'on' must be a list of causes", ["retries", "on"], Self.words)
        }
        causes = try words.enumerated().map { index, word in
          guard let cause = word.string.flatMap(Cause.init) else {
            throw problem("\(word.compact) is no cause of a failure", ["retries", "on"] + (list.array == nil ? [] : ["\(index)"]), Self.words)
          }
          return cause
        }
      }
      func seconds(_ key: String) throws -> Double? {
        guard let value = members[key] else { return nil }
        guard let seconds = TimeLimit.seconds(value) else { throw problem("'\(key)' must be a time", ["retries", key], TimeLimit.hint) }
        return seconds
      }
      delay = try seconds("delay") ?? 0
      limit = try seconds("limit")
      if let value = members["factor"] {
        guard let factor = value.double, factor >= 1, factor <= 100 else {
          throw problem("'factor' must be a number from 1 to 100", ["retries", "factor"])
        }
        self.factor = factor
      }
    } else {
      guard let max = json.int, (0...100).contains(max) else {
        throw problem("'retries' must be a count from 0 to 100", ["retries"], "or {\"max\": 3, \"on\": [\"timeout\"], \"delay\": \"5s\"}")
      }
      self.max = max
    }
  }

  private static let words = "there are: timeout, signal, exit, exit:CODE, station, lost"
}

extension Retry.Cause {
  /// `timeout`, `signal`, `station`, `lost`, `exit` or `exit:75`.
  public init?(_ word: String) {
    switch word {
    case "timeout": self = .timeout
    case "signal": self = .signal
    case "station": self = .station
    case "lost": self = .lost
    case "exit": self = .exit(nil)
    default:
      guard word.hasPrefix("exit:"), let code = Int32(word.dropFirst(5)), (1...255).contains(code) else { return nil }
      self = .exit(code)
    }
  }
}

extension TimeLimit {
  static let hint = "as 90, \"90s\", \"10m\" or \"2h\""

  init(_ json: JSON, _ problem: Complaint) throws {
    guard let members = json.object else {
      guard let seconds = Self.seconds(json) else { throw problem("'timeout' must be a time", ["timeout"], Self.hint) }
      after = seconds
      return
    }
    for key in members.keys where key != "after" && key != "grace" {
      throw problem("unknown key '\(key)'", ["timeout", key], suggestion(for: key, among: ["after", "grace"]), key: true)
    }
    guard let seconds = members["after"].flatMap(Self.seconds) else {
      throw problem("'after' must be a time", members["after"] == nil ? ["timeout"] : ["timeout", "after"], Self.hint)
    }
    after = seconds
    if let value = members["grace"] {
      guard let seconds = Self.seconds(value) ?? (value.double == 0 ? 0 : nil) else {
        throw problem("'grace' must be a time", ["timeout", "grace"], Self.hint)
      }
      grace = seconds
    }
  }

  /// `90`, `"90s"`, `"10m"`, `"2h"`.
  static func seconds(_ json: JSON) -> Double? {
    if let number = json.double { return number > 0 ? number : nil }
    guard let text = json.string, let unit = text.last, let number = Double(text.dropLast()), number > 0, number.isFinite else { return nil }
    return switch unit {
    case "s": number;
    case "m": number * 60;
    case "h": number * 3600;
    default: nil
    }
  }
}

extension Secret {
  static func list(_ json: JSON, _ problem: Complaint) throws -> [Secret] {
    let hint = "[\"TOKEN\"], or {\"TOKEN\": {\"env\": \"NAME\"}} or {\"TOKEN\": {\"file\": \"path\"}}"
    if let names = json.array {
      return try names.enumerated().map { index, name in
        guard let name = name.string, isVariable(name) else {
          throw problem("a secret must be the name of an environment variable", ["secrets", "\(index)"], hint)
        }
        return Secret(name: name, source: .environment(name))
      }
    }
    guard let members = json.object else { throw problem("'secrets' must be a list or an object", ["secrets"], hint) }
    return try members.map { name, value in
      guard isVariable(name), let source = value.object, source.count == 1, let text = source.values[0].string, !text.isEmpty else {
        throw problem("secret '\(name)' has no source", ["secrets", name], hint)
      }
      switch source.keys[0] {
      case "env": return Secret(name: name, source: .environment(text))
      case "file": return Secret(name: name, source: .file(text))
      default: throw problem("unknown key '\(source.keys[0])'", ["secrets", name, source.keys[0]], hint, key: true)
      }
    }
  }

  private static func isVariable(_ name: String) -> Bool {
    !name.isEmpty && !(48...57).contains(name.utf8.first!) && name.utf8.allSatisfy { isalnum(Int32($0)) != 0 || $0 == UInt8(ascii: "_") }
  }
}

extension Pool {
  /// `4`, or the units' identities: `["0", "1"]`.
  init(_ json: JSON, name: String, at pointer: JSONPointer, reader: Reader) throws {
    guard name != "cpu", name != "memory", Reader.isWord(name) else {
      throw reader.problem("'\(name)' cannot be a pool's name", pointer, key: true, hint: "use letters, digits, _ and -; cpu and memory are no pools")
    }
    if let count = json.int, (1...1_000_000).contains(count) {
      self.init(capacity: count)
      return
    }
    let ids = json.array?.compactMap { $0.string ?? $0.int.map(String.init) }
    guard let ids, !ids.isEmpty, ids.count == json.array?.count, ids.allSatisfy({ !$0.isEmpty && !$0.contains(",") }), Set(ids).count == ids.count
    else {
      throw reader.problem("pool '\(name)' must be a count, or a list of different names", pointer, hint: "4, or [\"0\", \"1\"]")
    }
    self.init(capacity: ids.count, units: ids)
  }
}
