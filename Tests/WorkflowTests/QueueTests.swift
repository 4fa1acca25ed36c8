// The queue alone: who may start, in which order, with what. No processes, no clock.

import Testing

@testable import Workflow

@Suite struct `The queue` {
  private func queue(slots: Int = 1, processor: Int = 8000, memory: Int = 100, pools: [String: (count: Int, units: [String]?)] = [:]) -> Queue<String>
  {
    Queue(Capacity(slots: slots, processor: processor, memory: memory, pools: pools))
  }

  /// Starts all that can start.
  private func drain(_ queue: inout Queue<String>) -> [String: Grant] {
    var started: [String: Grant] = [:]
    while let (job, grant) = queue.next() { started[job] = grant }
    return started
  }

  /// The order in which jobs start one by one.
  private func order(_ queue: inout Queue<String>) -> [String] {
    var names: [String] = []
    while let (job, grant) = queue.next() {
      names.append(job)
      queue.giveBack(grant)
    }
    return names
  }

  @Test func `priority comes before the longest path, that before the order of writing`() {
    var queue = queue()
    queue.add("late", rank: Rank(height: 1, order: 3), wants: Demand())
    queue.add("early", rank: Rank(height: 1, order: 2), wants: Demand())
    queue.add("long", rank: Rank(height: 9, order: 4), wants: Demand())
    queue.add("urgent", rank: Rank(priority: 1, order: 5), wants: Demand())
    queue.add("idle", rank: Rank(priority: -1, height: 100, order: 1), wants: Demand())
    #expect(order(&queue) == ["urgent", "long", "early", "late", "idle"])
  }

  @Test func `as many start as there are slots, and a wide job takes several`() {
    var queue = queue(slots: 4)
    queue.add("wide", rank: Rank(priority: 1), wants: Demand(slots: 3))
    for index in 0..<5 { queue.add("\(index)", rank: Rank(order: index), wants: Demand()) }
    let started = drain(&queue)
    #expect(Set(started.keys) == ["wide", "0"])
    queue.giveBack(started["wide"]!)
    #expect(Set(drain(&queue).keys) == ["1", "2", "3"])
  }

  @Test func `more than there is means all there is`() {
    var queue = queue(slots: 2)
    queue.add("huge", rank: Rank(), wants: Demand(slots: 64, processor: 64_000, memory: 1000))
    let grant = drain(&queue)["huge"]!
    #expect(grant.slots == 2)
    queue.add("small", rank: Rank(), wants: Demand(memory: 1))
    #expect(queue.next() == nil)
    queue.giveBack(grant)
    #expect(queue.next()?.job == "small")
  }

  @Test func `nobody of lower rank overtakes a wide job that does not fit yet`() {
    var queue = queue(slots: 2)
    queue.add("a", rank: Rank(priority: 2), wants: Demand())
    let a = queue.next()!.grant
    queue.add("wide", rank: Rank(priority: 1), wants: Demand(slots: 2))
    queue.add("small", rank: Rank(), wants: Demand())
    #expect(queue.next() == nil)
    queue.giveBack(a)
    #expect(queue.next()?.job == "wide")
  }

  @Test func `who waits for a station keeps nobody from the slots`() {
    var queue = queue(slots: 2)
    queue.add("first", rank: Rank(order: 1), wants: Demand(stations: ["s"]))
    queue.add("second", rank: Rank(order: 2), wants: Demand(stations: ["s"]))
    queue.add("other", rank: Rank(order: 3), wants: Demand())
    let started = drain(&queue)
    #expect(Set(started.keys) == ["first", "other"])
    queue.giveBack(started["first"]!)
    #expect(queue.next()?.job == "second")
  }

  @Test func `several stations are taken at once or not at all`() {
    var queue = queue(slots: 4)
    queue.add("left", rank: Rank(order: 1), wants: Demand(stations: ["l"]))
    let left = queue.next()!.grant
    queue.add("both", rank: Rank(order: 2), wants: Demand(stations: ["l", "r"]))
    queue.add("right", rank: Rank(order: 3), wants: Demand(stations: ["r"]))
    // Those that want both come first on each.
    #expect(queue.next() == nil)
    queue.giveBack(left)
    let both = queue.next()
    #expect(both?.job == "both" && queue.next() == nil)
    queue.giveBack(both!.grant)
    #expect(queue.next()?.job == "right")
  }

  @Test func `units of a pool have names, and no two jobs have the same one`() {
    var queue = queue(slots: 4, pools: ["gripper": (3, ["a", "b", "c"])])
    queue.add("one", rank: Rank(order: 1), wants: Demand(pools: ["gripper": 1]))
    queue.add("two", rank: Rank(order: 2), wants: Demand(pools: ["gripper": 2]))
    queue.add("three", rank: Rank(order: 3), wants: Demand(pools: ["gripper": 1]))
    let started = drain(&queue)
    #expect(started.mapValues { $0.units["gripper"] } == ["one": ["a"], "two": ["b", "c"]])
    queue.giveBack(started["two"]!)
    #expect(queue.next()?.grant.units["gripper"] == ["b"])
  }

  @Test func `who holds a station but waits for a slot gives way to a higher rank`() {
    var queue = queue(slots: 1, pools: ["p": (1, ["u"])])
    queue.add("running", rank: Rank(), wants: Demand())
    let running = queue.next()!.grant
    queue.add("low", rank: Rank(order: 1), wants: Demand(stations: ["s"], pools: ["p": 1]))
    queue.add("high", rank: Rank(priority: 1, order: 2), wants: Demand(stations: ["s"]))
    queue.add("pool", rank: Rank(order: 3), wants: Demand(pools: ["p": 1]))
    queue.giveBack(running)
    let high = queue.next()!
    #expect(high.job == "high")
    queue.giveBack(high.grant)
    // What gave way holds its units again, each once.
    let low = queue.next()!
    #expect(low.job == "low" && low.grant.units["p"] == ["u"] && queue.next() == nil)
    queue.giveBack(low.grant)
    #expect(queue.next()?.job == "pool")
  }

  @Test func `who has started gives way to nobody`() {
    var queue = queue(slots: 2)
    queue.add("low", rank: Rank(), wants: Demand(stations: ["s"]))
    let low = queue.next()!.grant
    queue.add("high", rank: Rank(priority: 9), wants: Demand(stations: ["s"]))
    #expect(queue.next() == nil)
    queue.giveBack(low)
    #expect(queue.next()?.job == "high")
  }

  /// Whatever is asked for in whatever order: never more than there is, everything starts in the end, and nothing is lost.
  @Test(arguments: 0..<40) func `random demands`(seed: Int) {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    func random(_ below: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(below))
    }
    let units = ["x", "y", "z"]
    var queue = Queue<Int>(Capacity(slots: 3, processor: 4000, memory: 10, pools: ["p": (3, units), "q": (2, nil)]))
    var demands: [Demand] = []
    var running: [Int: Grant] = [:]
    var ended = 0
    while ended < 200 {
      if demands.count < 200, random(3) > 0 {
        var demand = Demand(slots: 1 + random(4), processor: random(3) * 2000, memory: random(12))
        demand.stations = ["a", "b", "c"].filter { _ in random(4) == 0 }
        if random(3) == 0 { demand.pools["p"] = 1 + random(3) }
        if random(3) == 0 { demand.pools["q"] = 1 + random(2) }
        queue.add(demands.count, rank: Rank(priority: random(3), height: Double(random(5)), order: demands.count), wants: demand)
        demands.append(demand)
      }
      while let (job, grant) = queue.next() { running[job] = grant }
      let now = running.keys.map { demands[$0] }
      #expect(running.values.reduce(0) { $0 + $1.slots } <= 3)
      #expect(now.reduce(0) { $0 + min($1.processor, 4000) } <= 4000 && now.reduce(0) { $0 + min($1.memory, 10) } <= 10)
      #expect(Set(now.flatMap(\.stations)).count == now.flatMap(\.stations).count)
      #expect(now.reduce(0) { $0 + ($1.pools["q"] ?? 0) } <= 2)
      let given = running.values.flatMap { $0.units["p"] ?? [] }
      #expect(Set(given).count == given.count && running.allSatisfy { ($1.units["p"] ?? []).count == demands[$0].pools["p"] ?? 0 })
      guard let job = running.keys.sorted().dropFirst(random(max(running.count, 1))).first else {
        #expect(queue.isEmpty, "someone waits and nobody runs")
        if !queue.isEmpty { return }
        continue
      }
      queue.giveBack(running.removeValue(forKey: job)!)
      ended += 1
    }
    #expect(queue.isEmpty && running.isEmpty)
  }
}
