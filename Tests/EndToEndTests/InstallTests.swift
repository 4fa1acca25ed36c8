// Schedules in a crontab of their own, kept by the real crontab in a mount name space, and as systemd units that systemd reads.

import Foundation
import JSON
import Testing

@Suite struct `Installed schedules` {
  /// A directory whose name means something to shells, cron and systemd.
  private func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.write(
      #"{"manifest": 1, "workflow": "w", "vars": {"word": {"env": "WORD", "default": "none"}, "x": 1}, "steps": {"a": {"run": ["sh", "-c", "echo ${var.word} ${var.x} > a"], "out": {"o": "a"}}}}"#,
      to: "50% of 'it'/night.json")
    return workspace
  }

  private func manifest(_ workspace: Workspace) -> String { workspace.directory.path() + "/50% of 'it'/night.json" }

  /// Runs a script with an empty crontab of its own; nil where that is not allowed.
  private func inside(_ workspace: Workspace, _ script: String) throws -> Outcome? {
    let script = """
      mount -t tmpfs none /var/spool/cron/crontabs || exit 99
      E=\(Workspace.program.path())
      cd "50% of 'it'" || exit 98
      \(script)
      """
    let outcome = workspace.outcome(
      of: try workspace.start(
        ["-rm", "sh", "-c", script], environment: ["WORD": "a b%c", "HOME": workspace.path("home").path(), "XDG_CONFIG_HOME": ""],
        program: URL(filePath: "/usr/bin/unshare")))
    if outcome.code == 99 || !FileManager.default.isExecutableFile(atPath: "/usr/bin/crontab") {
      withKnownIssue("no crontab of its own is to be had here: \(outcome.errors)") { Issue.record("skipped") }
      return nil
    }
    return outcome
  }

  @Test func `a crontab gets one block, whoever else's lines stay, and removal leaves it as it was`() throws {
    let workspace = try workspace()
    let outcome = try inside(
      workspace,
      """
      printf 'MAILTO=me\\n# mine\\n5 4 * * * date +\\\\%F\\n' > ../mine
      crontab ../mine
      $E schedule install -f night.json --at 02:30 --for 6h -k -- x=2 a > ../shown
      $E schedule install -f night.json --at 03:15 --at 13:15 --on sat,sun -- x=2 > /dev/null
      printf '# below\\n' | cat ../mine - > ../both
      crontab -l > ../installed
      (crontab -l; echo '# below') | crontab -
      $E schedule install -f night.json --every 15m -- x=2 > /dev/null
      crontab -l > ../again
      $E schedule list --json > ../list
      $E schedule install -n -f night.json > ../dry
      crontab -l | cmp - ../again || echo dry run wrote
      $E schedule remove -f night.json
      crontab -l | cmp - ../both || echo not as before
      $E schedule remove -f night.json
      crontab -r
      $E schedule install -f night.json >/dev/null && $E schedule remove -f night.json
      crontab -l
      """)
    guard let outcome else { return }
    #expect(!outcome.output.contains("dry run wrote") && !outcome.output.contains("not as before"), "\(outcome.output) \(outcome.errors)")
    #expect(outcome.errors.contains("is not installed") && outcome.errors.hasSuffix("no crontab for root\n"), "\(outcome.errors)")
    let installed = try #require(workspace.read("installed"))
    #expect(installed.hasPrefix(try #require(workspace.read("mine")) + "# >>> enpire night "))
    let lines = installed.split(separator: "\n").dropFirst(3)
    #expect(
      lines.count == 4 && lines.dropFirst().first?.hasPrefix("15 3 * * 0,6 ") == true && lines.dropFirst(2).first?.hasPrefix("15 13 * * 0,6 ") == true
    )
    let again = try #require(workspace.read("again"))
    #expect(again.components(separatedBy: ">>> enpire").count == 2 && again.contains("\n*/15 * * * * ") && again.hasSuffix("# below\n"))
    let list = try JSON(parsing: try #require(workspace.read("list")))["schedules"]
    #expect(list?.array?.count == 1 && list?[0]?["place"] == "cron" && list?[0]?["when"] == ["*/15 * * * *"] && list?[0]?["last"] == nil)
    #expect(workspace.read("dry")?.contains("30 2 * * * ") == true)
  }

  @Test func `its line runs in the poor environment of cron, whatever the path holds`() throws {
    let workspace = try workspace()
    guard try inside(workspace, "$E schedule install -f night.json -- x=2 >/dev/null && crontab -l > ../installed") != nil else { return }
    let line = try #require(workspace.read("installed")?.split(separator: "\n").first { $0.hasPrefix("30 2 ") })
    // As cron does: five fields off, % with a backslash is one.
    let command = line.split(separator: " ", maxSplits: 5).last!.replacingOccurrences(of: "\\%", with: "%")
    let process = try workspace.start(
      ["-i", "HOME=/", "LOGNAME=root", "SHELL=/bin/sh", "PATH=/usr/bin:/bin", "/bin/sh", "-c", command],
      program: URL(filePath: "/usr/bin/env"))
    let outcome = workspace.outcome(of: process)
    #expect(outcome.code == 0 && outcome.output == "", "\(command) \(outcome.output) \(outcome.errors)")
    let made = FileManager.default.contents(atPath: workspace.directory.path() + "/50% of 'it'/a")
    #expect(made.map { String(decoding: $0, as: UTF8.self) } == "a b%c 2\n")
  }

  @Test func `half of a block is not guessed at`() throws {
    let workspace = try workspace()
    guard
      let outcome = try inside(
        workspace,
        "printf '# >>> enpire night /x\\n1 1 * * * true\\n' > ../half; crontab ../half; $E schedule install -f night.json; echo $?; crontab -l | cmp - ../half"
      )
    else { return }
    #expect(outcome.output.hasPrefix("76\n") && outcome.errors.contains("line 1 of the crontab is half of enpire's marks"), "\(outcome.errors)")
  }

  @Test func `systemd takes the units, and they are removed`() throws {
    let workspace = try workspace()
    let environment = ["HOME": workspace.path("home").path(), "XDG_CONFIG_HOME": "", "WORD": "a \"b\" $c %d"]
    let file = manifest(workspace)
    let arguments = ["schedule", "install", "--systemd", "-f", file, "--every", "2h", "--on", "mon-fri", "--for", "6h", "--", "x=2"]
    let outcome = workspace.outcome(of: try workspace.start(arguments, environment: environment))
    #expect(outcome.code == 0, "\(outcome.errors)")
    let directory = "home/.config/systemd/user/"
    let service = try #require(workspace.read(directory + "enpire-night.service"))
    #expect(service.contains(#"Environment="WORD=a \"b\" $c %%d""#), "\(service)")
    #expect(workspace.read(directory + "enpire-night.timer")?.contains("OnCalendar=Mon,Tue,Wed,Thu,Fri *-*-* 0/2:00:00\n") == true)
    #expect(try workspace.enpire("schedule", "list", "--json", environment: environment).output.contains("\"systemd\""))
    if FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze") {
      let paths = ["service", "timer"].map { workspace.path(directory + "enpire-night." + $0).path() }
      let verified = workspace.outcome(
        of: try workspace.start(
          ["verify", "--user", "--man=no"] + paths, environment: environment, program: URL(filePath: "/usr/bin/systemd-analyze"), number: 2),
        number: 2)
      #expect(!(verified.output + verified.errors).contains("enpire-night"), "\(verified.errors)")
      let calendar = workspace.outcome(
        of: try workspace.start(["calendar", "Mon,Tue,Wed,Thu,Fri *-*-* 0/2:00:00"], program: URL(filePath: "/usr/bin/systemd-analyze"), number: 3),
        number: 3)
      #expect(calendar.code == 0)
    }
    #expect(workspace.outcome(of: try workspace.start(["schedule", "remove", "-f", file], environment: environment)).code == 0)
    #expect(workspace.read(directory + "enpire-night.service") == nil && workspace.read(directory + "enpire-night.timer") == nil)
  }

  @Test(arguments: [
    ["--every", "7m"], ["--at", "25:00"], ["--on", "someday"], ["--at", "02:30", "--every", "1h"], ["--name", "a b"], ["--for", "soon"],
    ["--env", "NOT_SET_HERE"],
  ]) func `what cannot be is refused and nothing is written`(words: [String]) throws {
    let workspace = try workspace()
    let outcome = workspace.outcome(
      of: try workspace.start(["schedule", "install", "-n", "-f", manifest(workspace)] + words))
    #expect(outcome.code == 64, "\(outcome.output) \(outcome.errors)")
  }
}
