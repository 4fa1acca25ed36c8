// What may start next. Everything there is only so much of has a line: each station, each pool, memory, processors, and the slots that -j
// gives. A waiting job stands in one line at a time, in that order, and holds what it got in the lines before. In a line the highest rank
// comes first, and if it does not fit yet nobody of lower rank goes ahead: so a wide job is never starved, and no two can wait for each
// other. A job that waits gives way, with all it holds, to one of higher rank that wants what it has. It knows neither steps nor processes.
//
// Each job passes each of its lines once, by a heap: starting one of n costs O(log n), however many wait and run.

internal import HeapModule

/// Higher is sooner: first what the manifest says, then the longest way to the end of the workflow, then the order they were written.
struct Rank: Comparable {
  var priority = 0
  /// Seconds to the end of the workflow along the longest path.
  var height = 0.0
  var order = 0

  static let lowest = Rank(priority: .min, height: 0, order: .max)
  static func < (a: Rank, b: Rank) -> Bool { (a.priority, a.height, -a.order) < (b.priority, b.height, -b.order) }
}

/// What a job holds while it runs.
struct Demand: Equatable {
  /// How many of -j's slots; more than there are means all.
  var slots = 1
  /// Thousandths of a processor, and bytes; more than there are means all.
  var processor = 0
  var memory = 0
  var stations: [String] = []
  var pools: [String: Int] = [:]
}

/// What there is.
struct Capacity {
  var slots = 1
  var processor = Int.max
  var memory = Int.max
  /// How many of each pool, and the names of its units if they have some.
  var pools: [String: (count: Int, units: [String]?)] = [:]
}

/// What a job got: to be given back when it ends.
struct Grant {
  fileprivate var held: [(line: Int, amount: Int, units: [String])] = []
  /// The names of the units of each pool that has named ones.
  fileprivate(set) var units: [String: [String]] = [:]
  var slots: Int { held.last?.amount ?? 0 }
}

struct Queue<Job> {
  private final class Ticket {
    let job: Job
    let rank: Rank
    /// Slots last.
    let wants: [(line: Int, amount: Int)]
    /// Which of them it stands in; it holds those before.
    var stage = 0
    var units: [[String]] = []
    /// Changes with each move, so that what a heap still holds of earlier ones is known to be stale.
    var move = 0

    init(_ job: Job, _ rank: Rank, _ wants: [(line: Int, amount: Int)]) { (self.job, self.rank, self.wants) = (job, rank, wants) }
  }

  private struct Entry: Comparable {
    let ticket: Ticket
    let move: Int
    var isStale: Bool { ticket.move != move }
    static func < (a: Entry, b: Entry) -> Bool { a.ticket.rank < b.ticket.rank }
    static func == (a: Entry, b: Entry) -> Bool { a.ticket === b.ticket && a.move == b.move }
  }

  private struct Line {
    let pool: String?
    var free: Int
    /// Names of the free units, the next one last.
    var units: [String]?
    var waiting = Heap<Entry>()
    /// Who holds some of it and waits further on.
    var holding = Heap<Entry>()
  }

  let capacity: Capacity
  private var lines: [Line] = []
  private var numbers: [String: Int] = [:]
  private(set) var count = 0
  var isEmpty: Bool { count == 0 }

  /// Numbers of lines; pools follow, then stations as they are named. A job stands in its lines from the highest number down.
  private static var slots: Int { 0 }
  private static var processor: Int { 1 }
  private static var memory: Int { 2 }

  init(_ capacity: Capacity) {
    self.capacity = capacity
    lines = [Line(pool: nil, free: capacity.slots), Line(pool: nil, free: capacity.processor), Line(pool: nil, free: capacity.memory)]
    for (name, pool) in capacity.pools.sorted(by: { $0.key < $1.key }) {
      numbers["pool " + name] = lines.count
      lines.append(Line(pool: name, free: pool.count, units: pool.units.map { $0.reversed() }))
    }
  }

  // MARK: Coming and going

  mutating func add(_ job: Job, rank: Rank, wants demand: Demand) {
    var wants: [(line: Int, amount: Int)] = []
    for station in Set(demand.stations) {
      let number = numbers["station " + station, default: lines.count]
      if number == lines.count {
        numbers["station " + station] = number
        lines.append(Line(pool: nil, free: 1))
      }
      wants.append((number, 1))
    }
    for (name, count) in demand.pools where count > 0 { if let number = numbers["pool " + name] { wants.append((number, count)) } }
    if demand.memory > 0 { wants.append((Self.memory, min(demand.memory, capacity.memory))) }
    if demand.processor > 0 { wants.append((Self.processor, min(demand.processor, capacity.processor))) }
    wants.append((Self.slots, min(max(demand.slots, 1), capacity.slots)))
    wants.sort { $0.line > $1.line }
    count += 1
    enter(Ticket(job, rank, wants))
  }

  /// How many slots the job takes that `next` would give; nil if none can start.
  var slotsOfNext: Int? {
    mutating get {
      guard let amount = head(of: Self.slots)?.wants.last?.amount, amount <= lines[Self.slots].free else { return nil }
      return amount
    }
  }

  /// The rank of the job that waits for a slot and comes first.
  var first: Rank? {
    mutating get { head(of: Self.slots)?.rank }
  }

  /// The job that starts now, if one can.
  mutating func next() -> (job: Job, grant: Grant)? {
    guard let ticket = head(of: Self.slots), take(ticket) else { return nil }
    count -= 1
    ticket.move += 1
    var grant = Grant()
    for ((line, amount), units) in zip(ticket.wants, ticket.units) {
      grant.held.append((line, amount, units))
      if let pool = lines[line].pool, lines[line].units != nil { grant.units[pool] = units }
    }
    return (ticket.job, grant)
  }

  mutating func giveBack(_ grant: Grant) {
    for (line, amount, units) in grant.held { put(line, amount, units) }
    for (line, _, _) in grant.held { advance(line) }
  }

  // MARK: Lines

  private mutating func enter(_ ticket: Ticket) {
    let line = ticket.wants[ticket.stage].line
    lines[line].waiting.insert(Entry(ticket: ticket, move: ticket.move))
    if line == Self.slots { return }
    // Only its first can make others give way.
    if head(of: line) === ticket { displace(for: ticket, at: line) }
    advance(line)
  }

  /// The one of highest rank that waits in a line.
  private mutating func head(of line: Int) -> Ticket? {
    while let entry = lines[line].waiting.max {
      if !entry.isStale { return entry.ticket }
      lines[line].waiting.removeMax()
    }
    return nil
  }

  /// Hands on what is free of a line to those who wait in it.
  private mutating func advance(_ line: Int) {
    if line == Self.slots { return }
    while let ticket = head(of: line), take(ticket) {
      ticket.move += 1
      for (held, _) in ticket.wants[..<ticket.stage] { lines[held].holding.insert(Entry(ticket: ticket, move: ticket.move)) }
      enter(ticket)
    }
  }

  /// Takes what it waits for, if there is enough, and leaves the line.
  private mutating func take(_ ticket: Ticket) -> Bool {
    let (line, amount) = ticket.wants[ticket.stage]
    guard lines[line].free >= amount else { return false }
    lines[line].free -= amount
    lines[line].waiting.removeMax()
    ticket.units.append(lines[line].units == nil ? [] : (0..<amount).compactMap { _ in lines[line].units?.popLast() })
    ticket.stage += 1
    return true
  }

  private mutating func put(_ line: Int, _ amount: Int, _ units: [String]) {
    lines[line].free += amount
    lines[line].units?.append(contentsOf: units.reversed())
  }

  /// Sends those of lower rank who hold some of the line, and wait further on, back to the start, until there is enough.
  private mutating func displace(for ticket: Ticket, at line: Int) {
    var displaced: [Ticket] = []
    while lines[line].free < ticket.wants[ticket.stage].amount, let entry = lines[line].holding.min {
      if !entry.isStale, entry.ticket.rank > ticket.rank { break }
      lines[line].holding.removeMin()
      if entry.isStale { continue }
      let other = entry.ticket
      for ((line, amount), units) in zip(other.wants[..<other.stage], other.units) { put(line, amount, units) }
      displaced.append(other)
    }
    for other in displaced {
      let held = other.wants[..<other.stage].map(\.line).filter { $0 != line }
      other.move += 1
      other.stage = 0
      other.units = []
      lines[other.wants[0].line].waiting.insert(Entry(ticket: other, move: other.move))
      for line in held { advance(line) }
    }
  }
}
