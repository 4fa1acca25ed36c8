// When schedules call, in the words of cron and systemd; crontabs as texts; summaries as JSON; words for other programs.

import JSON
import Testing

@testable import Workflow

@Suite struct `Schedules` {
  @Test(
    arguments: [
      ([], nil, nil, ["30 2 * * *"], ["*-*-* 02:30:00"]),
      (
        ["6:05", "18:00"], nil, "mon-fri", ["5 6 * * 1,2,3,4,5", "0 18 * * 1,2,3,4,5"],
        ["Mon,Tue,Wed,Thu,Fri *-*-* 06:05:00", "Mon,Tue,Wed,Thu,Fri *-*-* 18:00:00"]
      ),
      ([], "1m", nil, ["* * * * *"], ["*-*-* *:*:00"]), ([], "15m", "sat,sun", ["*/15 * * * 0,6"], ["Sat,Sun *-*-* *:0/15:00"]),
      ([], "120m", nil, ["0 */2 * * *"], ["*-*-* 0/2:00:00"]), ([], "1h", nil, ["0 * * * *"], ["*-*-* *:00:00"]),
      ([], "1d", "fri-mon", ["0 0 * * 0,1,5,6"], ["Mon,Fri,Sat,Sun *-*-* 00:00:00"]), ([], "6h", "mon-sun", ["0 */6 * * *"], ["*-*-* 0/6:00:00"]),
    ] as [([String], String?, String?, [String], [String])])
  func `a time is written as cron and systemd have it`(at: [String], every: String?, on: String?, cron: [String], calendar: [String]) throws {
    let timetable = try Timetable(at: at, every: every, on: on)
    #expect(timetable.cron == cron && timetable.calendar == calendar)
  }

  @Test(
    arguments: [(["2:3"], nil, nil), ([], "7m", nil), ([], "90m", nil), ([], "0h", nil), ([], nil, "mon-"), ([], nil, ""), (["1:00"], "1h", nil)]
      as [([String], String?, String?)])
  func `what neither can say is refused`(at: [String], every: String?, on: String?) {
    #expect(throws: Problem.self) { try Timetable(at: at, every: every, on: on) }
  }

  @Test func `a block goes into a crontab and out again, and every other byte stays`() throws {
    let block = Crontab.Block(name: "night", manifest: "/a b/night.json", lines: ["30 2 * * * x"])
    let other = Crontab.Block(name: "night", manifest: "/c/night.json", lines: ["1 1 * * * y"])
    for text in ["", "# mine\n", "\n\n5 4 * * * date +\\%F\n\n"] {
      let once = try Crontab.installing(block, in: text)
      #expect(try Crontab.installing(block, in: once) == once)
      let both = try Crontab.installing(other, in: once) + "# below\n"
      let changed = try Crontab.installing(
        Crontab.Block(name: "night", manifest: "/a b/night.json", lines: ["1 2 * * * x", "3 4 * * * x"]), in: both)
      #expect(try Crontab.blocks(in: changed).map(\.block.lines) == [["1 2 * * * x", "3 4 * * * x"], ["1 1 * * * y"]])
      let one = try #require(try Crontab.removing("night", "/a b/night.json", from: changed))
      #expect(try Crontab.removing("night", "/c/night.json", from: one) == text + "# below\n")
      #expect(try Crontab.removing("night", "/none.json", from: changed) == nil)
    }
    for damaged in [
      "# >>> enpire a /b\n", "# <<< enpire a /b\n", "# >>> enpire a /b\n# >>> enpire c /d\n# <<< enpire c /d\n",
      "# >>> enpire a /b\n# <<< enpire a /c\n",
    ] {
      #expect(throws: Problem.self) { try Crontab.installing(block, in: damaged) }
    }
  }

  @Test func `cron's line escapes its end, and is refused if cron would cut it`() throws {
    #expect(try Crontab.line("* * * * *", "a 50% b") == "* * * * * a 50\\% b")
    #expect(throws: Problem.self) { try Crontab.line("* * * * *", String(repeating: "x", count: 991)) }
    #expect(throws: Problem.self) { try Crontab.line("* * * * *", "a\nb") }
  }

  @Test(arguments: [
    ("plain-1.0/x", "plain-1.0/x", "plain-1.0/x"), ("", "''", "\"\""), ("it's", "'it'\\''s'", "\"it's\""), ("a b", "'a b'", "\"a b\""),
    ("$x%", "'$x%'", "$$x%%"),
    ("q\"\\", "'q\"\\'", "\"q\\\"\\\\\""), ("*", "'*'", "*"), (";", "';'", "\";\""),
  ]) func `words are quoted for a shell and for systemd`(word: String, shell: String, unit: String) {
    #expect(Shell.quote(word) == shell)
    #expect(SystemdUnits.quote(word, command: true) == unit)
  }

  @Test func `a summary is what its JSON says`() throws {
    var summary = Summary()
    (summary.workflow, summary.schedule, summary.call, summary.run, summary.transition) = ("w", "night", 7, 41, .stillFailing)
    (summary.exit, summary.name, summary.started, summary.seconds, summary.failing) = (1, "step-failed", 1000.5, 2.5, (3, 900))
    summary.failures = [.init(step: "a", station: "s", name: "station", problem: "no", log: ["x"], command: "enpire run a")]
    (summary.moreFailures, summary.problem, summary.deadline, summary.log) = (2, "p", 5, "/l")
    summary.held = [("m", "may it?", "enpire approve m")]
    summary.rates = [.init(step: "r", trials: 10, estimate: 0.2, lower: 0.1, upper: 0.4)]
    summary.earlierRates = [.init(step: "r", trials: 10, estimate: 0.8, lower: 0.6, upper: 0.9)]
    summary.earlier = [.init(what: .cutOff, call: 6, run: nil, started: 4, words: "cut off")]
    summary.warnings = ["w"]
    summary.deliveries = [.init(to: "h", tries: 4, problem: "status 500")]
    summary.counts = ["ran": 1]
    let json = summary.json
    #expect(json["rates"]?[0]?["change"] == "lower")
    #expect(try #require(Summary(json: json)).json == json)
    #expect(Summary(json: ["summary": 2, "transition": "success"]) == nil)
  }
}
