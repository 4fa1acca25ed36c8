// What a person sees of a run on a terminal: a real one, of a size of its own, by a pseudo-terminal.

import Foundation
import Testing

@Suite struct `The terminal` {
  /// The bytes that a run writes to a terminal of this size.
  private func shown(_ columns: Int, _ lines: Int, environment: [String: String] = [:]) throws -> String {
    let work = #"for i in 1 2 3 4 5 6 7 8; do printf '{\"done\": %s, \"total\": 8, \"word\": \"round %s\"}\n' $i $i >&3; sleep 0.15; done"#
    let steps = (0..<9).map {
      #""a-step-with-a-rather-long-name-which-is-number-\#($0)": {"run": ["sh", "-c", "\#(work); : \#($0)"], "phony": true}"#
    }
    let workspace = try Workspace(
      #"{"manifest": 1, "default": ["all"], "steps": {"all": {"phony": true, "after": ["bad"\#((0..<9).map { #", "a-step-with-a-rather-long-name-which-is-number-\#($0)""# }.joined())]}, "#
        + #""bad": {"run": ["sh", "-c", "sleep 0.3; echo why it failed; exit 3"], "phony": true}, \#(steps.joined(separator: ", "))}}"#)
    return try shown(workspace, columns, lines, ["run", "-k", "-j20"], environment: environment)
  }

  /// The bytes that a call writes to a terminal of this size.
  private func shown(_ workspace: Workspace, _ columns: Int, _ lines: Int, _ words: [String], environment: [String: String] = [:]) throws -> String {
    let program = """
      import fcntl, os, pty, struct, sys, termios
      pid, master = pty.fork()
      if pid == 0:
          fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", int(sys.argv[2]), int(sys.argv[1]), 0, 0))
          os.execv(sys.argv[3], sys.argv[3:])
      while True:
          try: data = os.read(master, 65536)
          except OSError: break
          if not data: break
          sys.stdout.buffer.write(data)
      os.waitpid(pid, 0)
      """
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program, "\(columns)", "\(lines)", Workspace.program.path()] + words
    process.currentDirectoryURL = workspace.directory
    process.environment = ProcessInfo.processInfo.environment
      .merging(["TERM": "xterm", "ENPIRE_SANDBOX": "none", "MAKEFLAGS": "", "CI": "", "NO_COLOR": "", "CLICOLOR_FORCE": ""]) { $1 }
      .merging(environment) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  private func plain(_ text: some StringProtocol) -> String {
    text.replacingOccurrences(of: "\u{1B}\\[[0-9;]*[A-Za-z]", with: "", options: .regularExpression)
  }

  @Test(arguments: [(80, 24), (160, 50), (40, 8)])
  func `what runs stands at the bottom, within the terminal, and is gone at the end`(_ columns: Int, _ lines: Int) throws {
    let text = try shown(columns, lines)
    #expect(text.contains("\u{1B}["), "no terminal: \(text.prefix(400))")
    // Blocks end where they are erased.
    let blocks = text.components(separatedBy: "\u{1B}[J").filter { $0.contains(" running") }.map(plain)
    #expect(blocks.count > 5)
    for block in blocks {
      let view = Array(block.split(whereSeparator: \.isNewline).map(String.init).drop { !$0.contains(" running") })
      #expect(view.count <= lines / 2 && view.allSatisfy { line in line.count < columns }, "\(view)")
    }
    let starts = text.split(whereSeparator: \.isNewline).map(plain).filter { $0.hasPrefix("start ") }
    #expect(starts.count == 10 && starts.allSatisfy { $0.count < columns || columns < 80 }, "\(starts)")
    #expect(blocks.contains { $0.contains("█") && $0.contains("/8") } || columns < 60, "\(blocks.last ?? "")")
    #expect(blocks.contains { $0.contains("of 11 steps done") })
    if lines < 20 { #expect(blocks.contains { $0.contains(" more") }) }
    let end = plain(text).split(whereSeparator: \.isNewline).last ?? ""
    #expect(end.contains("11 steps in") && end.contains("9 ran, 1 failed"), "\(end)")
    // The failure is told again, for it has scrolled away.
    #expect(plain(text).components(separatedBy: "FAILED").count == 3, "\(plain(text).suffix(2000))")
  }

  @Test(arguments: [["CI": "1"], ["TERM": "dumb"]])
  func `where a log is kept nothing is drawn over`(_ environment: [String: String]) throws {
    let text = try shown(80, 24, environment: environment)
    #expect(!text.contains("\u{1B}[J") && !text.contains(" running"))
    #expect(text.contains("9 ran, 1 failed"))
  }

  @Test func `without colour the view is drawn in none`() throws {
    let text = try shown(80, 24, environment: ["NO_COLOR": "1"])
    #expect(text.contains("\u{1B}[J") && !text.contains("\u{1B}[2m") && !text.contains("\u{1B}[32m"))
  }

  /// `status`, `plan`, `history` and `stations` with names and reasons that are longer than the terminal is wide.
  @Test(arguments: [80, 60]) func `tables and reasons stay within the terminal`(_ columns: Int) throws {
    let name = "a-step-with-a-rather-long-name-that-goes-on-and-on-and-on-until-nothing-else-fits"
    let manifest = { (word: String) in
      #"{"manifest": 1, "fleet": "fleet.json", "steps": {"\#(name)": {"run": ["sh", "-c", "echo \#(word) of the things that this step says > s"], "#
        + #""out": {"o": "s"}}, "b": {"run": ["sh", "-c", "cat ${in.i} > b"], "in": {"i": "${step.\#(name)}"}, "out": {"o": "b"}}}}"#
    }
    let station = #"{"name": "a-station-somewhere", "driver": "push-t-sim", "tasks": ["push-t"]}"#
    let workspace = try Workspace(manifest("one"), files: ["fleet.json": #"{"fleet": 1, "stations": [\#(station)]}"#])
    #expect(try workspace.enpire("run", name).code == 0)
    try workspace.write(manifest("a hundred and one, or even more than that,"), to: "enpire.json")
    #expect(try workspace.enpire("preempt", "a-station-somewhere", "--reason", String(repeating: "it is being looked at ", count: 6)).code == 0)
    let steps = #"{"steps": {"c": {"run": ["true"], "out": {"o": "c"}}}}"#
    try workspace.write(steps, to: "steps.json")
    let words = ["append", "steps.json", "--author", "ann", "--hypothesis", "a step that does nothing tells more than one would think"]
    #expect(try workspace.enpire(words).code == 0)
    for words in [["status"], ["plan"], ["history"], ["history", name], ["stations"]] {
      let lines = plain(try shown(workspace, columns, 24, words)).split(whereSeparator: \.isNewline).map(String.init)
      #expect(!lines.isEmpty && lines.allSatisfy { $0.count <= columns }, "\(words) \(lines)")
      // Nothing is cut where it goes to a program.
      if words == ["status"] {
        #expect(lines.contains { $0.contains("…") } && lines.joined().contains("by ann: a step"), "\(lines)")
        #expect(try workspace.enpire("status").output.contains(name))
      }
      if words == ["stations"] { #expect(lines.count > 1 && lines.count { $0.contains("looked at") } > 1, "\(lines)") }
    }
  }
}
