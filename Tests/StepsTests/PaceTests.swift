import Steps
import Testing

@Suite struct PaceTests {
  @Test func `rate and time left follow from what was done since the first word`() {
    var pace = Pace()
    #expect(pace.words(done: 4000, total: 20000, at: 100) == "")
    #expect(pace.words(done: 4100, total: 20000, at: 101) == "", "a second is too little to tell")
    #expect(pace.words(done: 6000, total: 20000, at: 110) == "200/s, 70 s left")
    #expect(pace.words(done: 6500, total: 20000, at: 600) == "5.0/s, 45 min left")
    #expect(pace.words(done: 20000, total: 20000, at: 700) == "27/s")
  }

  @Test func `slow work is told by the minute, and a new count begins anew`() {
    var pace = Pace()
    _ = pace.words(done: 0, total: 100, at: 0)
    #expect(pace.words(done: 3, total: 100, at: 90) == "2.0/min, 49 min left")
    #expect(pace.words(done: 1, total: 10, at: 95) == "")
    #expect(pace.words(done: 3, total: 10, at: 99) == "0.5/s, 14 s left")
  }
}
