// What this machine has for steps to hold: processors, memory, graphics cards, and the pools of the manifest.

internal import Glibc
import OrderedCollections

extension Capacity {
  /// `slots` is what -j says.
  init(slots: Int, pools: OrderedDictionary<String, Pool>) {
    self.slots = slots
    processor = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) * 1000
    memory = Self.machineMemory
    for (name, pool) in pools { self.pools[name] = (pool.capacity, pool.units) }
    if self.pools["gpu"] == nil {
      let cards = Self.graphicsCards
      self.pools["gpu"] = (cards.count, cards)
    }
  }

  /// Bytes: the machine's, or what a control group leaves of them.
  static var machineMemory: Int {
    let machine = max(1, sysconf(Int32(_SC_PHYS_PAGES))) * sysconf(Int32(_SC_PAGESIZE))
    let limit = (try? Files.read("/sys/fs/cgroup/memory.max")).flatMap { Int(String(decoding: $0.dropLast(), as: UTF8.self)) }
    return min(machine, limit ?? .max)
  }

  /// By number: those of CUDA_VISIBLE_DEVICES if that is set, else those the driver shows.
  static var graphicsCards: [String] {
    if let visible = getenv("CUDA_VISIBLE_DEVICES") { return String(cString: visible).split(separator: ",").map(String.init) }
    return Files.list("/dev").compactMap { name in
      name.hasPrefix("nvidia") && Int(name.dropFirst(6)) != nil ? String(name.dropFirst(6)) : nil
    }.sorted { Int($0)! < Int($1)! }
  }
}

extension Step {
  /// What it holds while it runs. A step that says nothing of processors takes one slot and none of them.
  var demand: Demand {
    let resources = options.resources
    var demand = Demand()
    demand.slots = options.quiet ? .max : max(1, Int((resources.cpu ?? 1).rounded(.up).clamped(to: 1e6)))
    demand.processor = Int(((resources.cpu ?? 0) * 1000).clamped(to: 1e9))
    demand.memory = resources.memory ?? 0
    demand.stations = stations.map(\.name)
    for (name, count) in resources.units { demand.pools[name] = count }
    return demand
  }
}

extension Double {
  fileprivate func clamped(to limit: Double) -> Double { min(self, limit) }
}
