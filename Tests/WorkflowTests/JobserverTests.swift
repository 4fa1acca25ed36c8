// What MAKEFLAGS says of a jobserver.

import Testing

@testable import Workflow

@Suite struct `MAKEFLAGS` {
  @Test(arguments: [
    ("", Jobserver.Invitation.none), (" -j4 --jobserver-auth=3,4", .pipe(3, 4)), ("kw -j --jobserver-fds=5,6 -j", .pipe(5, 6)),
    (" -j4 --jobserver-auth=fifo:/tmp/GMfifo12", .fifo("/tmp/GMfifo12")), ("n -j4 --jobserver-auth=3,4", .none),
    ("-j4 --jobserver-auth=3,4 --jobserver-auth=fifo:/x", .fifo("/x")), (" -j4 --jobserver-auth=-2,-2", .unusable),
    (" -j4 --jobserver-auth=x", .unusable), ("CONTINUE=n", .none), (" -- A=--jobserver-auth=3,4 --jobserver-auth=3,4", .none),
  ]) func `what it says`(makeflags: String, expected: Jobserver.Invitation) {
    #expect(Jobserver.invitation(makeflags) == expected)
  }

  @Test func `a load limit lets one step run in any case, and counts what was just started`() {
    var limit = LoadLimit(2.5)
    let asked: [(running: Int, load: Double, now: Double)] = [(0, 9, 10), (1, 2.5, 10), (1, 1, 10.1), (2, 1, 10.2), (2, 1, 11)]
    #expect(asked.map { limit.admits(running: $0.running, load: $0.load, now: $0.now) } == [true, false, true, false, true])
  }
}
