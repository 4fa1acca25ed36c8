import Hashing
import Testing

import Robot

@Suite struct SeedPlanTests {
  private let root = Digest(of: "a root").hex

  @Test func `search seeds and secret seeds never meet, whatever the root`() throws {
    let search = try SeedPlan(purpose: .search, secretRoot: "").seeds(2000)
    #expect(search.allSatisfy { $0 < 0x8000_0000 } && Set(search).count == 2000)
    for purpose in Purpose.allCases where purpose.isSecret {
      let seeds = try SeedPlan(purpose: purpose, secretRoot: root).seeds(2000)
      #expect(seeds.allSatisfy { $0 >= 0x8000_0000 } && Set(seeds).count == 2000)
    }
  }

  @Test func `a longer plan begins with the shorter one`() throws {
    let plan = try SeedPlan(purpose: .heldOut, secretRoot: root)
    #expect(Array(plan.seeds(50)[..<12]) == plan.seeds(12))
  }

  @Test func `each purpose and each root has seeds of its own`() throws {
    let lists = try [(Purpose.heldOut, root), (.confirm, root), (.replicate, root), (.heldOut, Digest(of: "b root").hex)]
      .map { try SeedPlan(purpose: $0.0, secretRoot: $0.1).seeds(20) }
    #expect(Set(lists).count == 4)
  }

  @Test func `the commitment is opened by the seeds and the nonce, and by no others`() throws {
    let plan = try SeedPlan(purpose: .heldOut, secretRoot: root)
    var seeds = plan.seeds(10)
    #expect(SeedPlan.commitment(to: seeds, nonce: plan.nonce) == plan.commitment(10))
    seeds.swapAt(0, 1)
    #expect(SeedPlan.commitment(to: seeds, nonce: plan.nonce) != plan.commitment(10))
    #expect(SeedPlan.commitment(to: plan.seeds(10), nonce: Digest(of: "")) != plan.commitment(10))
  }

  @Test func `secret seeds without the engine's root are refused`() {
    #expect { try SeedPlan(purpose: .heldOut, secretRoot: "12") } throws: {
      "\($0)" == "seeds for 'held-out' need the engine's secret root of 64 hexadecimal digits"
    }
  }
}
