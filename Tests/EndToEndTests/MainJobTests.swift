// The shipped study, whole and small: every module does its work, a killed run goes on to the same end, a second run has nothing to do.

import Foundation
import JSON
import Testing

@Suite struct `The main job` {
  private static let small = ["trials=16", "baseline_trials=8", "search_trials=8", "pilot_trials=3", "rounds=1"]

  private func git(_ workspace: Workspace, _ arguments: String...) throws -> [String] {
    let hub = workspace.path("workflows/.enpire/hubs/push-t/hub.git").path()
    let process = try workspace.start(["--git-dir", hub] + arguments, program: URL(filePath: "/usr/bin/git"), number: 9)
    return workspace.outcome(of: process, number: 9).output.split(separator: "\n").map(String.init)
  }

  /// A browser shows the page, in light and dark, on a wide and a narrow screen, and prints it, without a word of complaint.
  private func look(at page: URL, in workspace: Workspace) throws {
    func chromium(_ arguments: [String]) throws -> Outcome {
      let common = [
        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
        "--user-data-dir=\(workspace.path("browser").path())",
      ]
      let process = try workspace.start(common + arguments + [page.absoluteString], program: URL(filePath: "/usr/bin/chromium"), number: 8)
      return workspace.outcome(of: process, number: 8)
    }
    let dom = try chromium(["--dump-dom"])
    for section in ["success", "ideas", "graph", "time", "steps", "provenance"] { #expect(dom.output.contains("<section id=\"\(section)\"")) }
    #expect(!dom.errors.contains("CONSOLE"), "\(dom.errors)")
    var pictures: [Data] = []
    for (name, options) in [
      ("light", ["--window-size=1280,1600"]), ("dark", ["--window-size=1280,1600", "--blink-settings=preferredColorScheme=0"]),
      ("narrow", ["--window-size=500,1600"]),
    ] {
      _ = try chromium(options + ["--screenshot=\(workspace.path(name + ".png").path())"])
      pictures.append(FileManager.default.contents(atPath: workspace.path(name + ".png").path()) ?? Data())
    }
    // A page with nothing on it has a few thousand bytes.
    #expect(pictures.allSatisfy { $0.count > 50_000 } && Set(pictures).count == 3, "\(pictures.map(\.count))")
    _ = try chromium(["--print-to-pdf=\(workspace.path("page.pdf").path())"])
    let paper = FileManager.default.contents(atPath: workspace.path("page.pdf").path()) ?? Data()
    #expect(
      paper.starts(with: Data("%PDF".utf8)) && String(decoding: paper, as: Unicode.ASCII.self).components(separatedBy: "/Type /Page\n").count > 3)
  }

  @Test func `runs from videos to a report, also when it was killed, and then has nothing to do`() throws {
    let workspace = try Workspace()
    try FileManager.default.copyItem(at: Workspace.repository.appending(path: "workflows"), to: workspace.path("workflows"))
    for leftover in [".enpire", "push-t.steps", "results"] { try? FileManager.default.removeItem(at: workspace.path("workflows/" + leftover)) }
    let run = ["run", "-f", "workflows/push-t.json"] + Self.small

    let sandboxed = ["ENPIRE_SANDBOX": "auto"]

    let killed = try workspace.start(run, environment: sandboxed)
    while (workspace.read(".errors-0") ?? "").contains("start  train[seed=1]") == false, killed.isRunning { usleep(20_000) }
    kill(killed.processIdentifier, SIGKILL)
    killed.waitUntilExit()

    let outcome = workspace.outcome(of: try workspace.start(run, environment: sandboxed))
    #expect(outcome.code == 0, "\(outcome.errors.suffix(2000))")
    #expect(!outcome.errors.contains("start  reward"), "what was done before the kill is not done again")

    let again = workspace.outcome(of: try workspace.start(run))
    #expect(again.errors.hasPrefix("nothing to do: all "))
    // A reading of everything, in which appended steps come in another order, says the same.
    try FileManager.default.removeItem(at: workspace.path("workflows/.enpire/snapshots"))
    let whole = workspace.outcome(of: try workspace.start(run))
    #expect(whole.errors.hasPrefix("nothing to do: all "), "\(whole.errors)")

    let page = try #require(workspace.read("workflows/results/push-t.html"))
    try look(at: workspace.path("workflows/results/push-t.html"), in: workspace)
    #expect(page.contains("<svg") && page.contains("data:image/png;base64,") && !page.contains("src=\"http"))
    #expect(try git(workspace, "for-each-ref", "--format=%(refname:short)", "refs/heads") == ["agent/a", "agent/b", "main"])
    #expect(try git(workspace, "ls-tree", "--name-only", "main", "experiments/").contains("experiments/adopted-held-out.json"))
    let record = try JSON(parsing: try git(workspace, "show", "agent/a:experiments/a-1.json").joined(separator: "\n"))
    #expect(["keep", "discard"].contains(record["decision"]?.string))
    #expect(record["trials"] == 8)

    // The verifier's program judges every trial, in a sandbox within the step's.
    for shard in 0..<8 {
      let log = try workspace.enpire("log", "-f", "workflows/push-t.json", "confirm[shard=\(shard)]").output
      #expect(!log.contains("without a verdict"), "\(log)")
    }

    // The night takes what the main job made, adds the trials that are missing and looks through each camera.
    let night = workspace.outcome(
      of: try workspace.start(
        ["schedule", "run", "-f", "workflows/nightly.json", "--json", "--"] + Self.small.map { "push-t:" + $0 } + ["trials=32"],
        environment: sandboxed))
    #expect(night.code == 0, "\(night.output)")
    let told = try JSON(parsing: night.output)
    #expect(told["rates"]?.array?.filter { $0["step"] == "more" }.map { $0["trials"] } == [32], "\(told.pretty)")
    let said = workspace.read("workflows/.enpire/schedule/nightly/1.log") ?? ""
    for made in ["demos", "reward", "train", "evaluate", "evolve", "confirm"] { #expect(!said.contains("start  push-t:\(made)"), "\(said)") }

    // One station's light changes: that one's camera is looked through again, and the verifier is not believed there.
    let seen = try workspace.enpire("log", "-f", "workflows/push-t.json", "drift[station=sim-3]").output
    #expect(seen.contains("through this camera, which loses 0 of"), "\(seen)")
    let fleet = try #require(workspace.read("workflows/fleets/sim-8.json"))
    try workspace.write(
      fleet.replacingOccurrences(of: #""name": "sim-3","#, with: #""name": "sim-3", "camera": { "light": 0.4 },"#), to: "workflows/fleets/sim-8.json")
    let dark = workspace.outcome(of: try workspace.start(["run", "-f", "workflows/push-t.json"] + Self.small + ["drift"]))
    #expect(dark.code == 1 && dark.errors.contains("the verifier is not to be believed on station sim-3 any more"), "\(dark.errors)")
    #expect(!dark.errors.contains("start  drift[station=sim-4]"))
  }

  @Test(arguments: ["workflows/push-t.json", "workflows/nightly.json"]) func `every shipped manifest is right`(manifest: String) throws {
    let workspace = try Workspace()
    let outcome = try workspace.enpire(
      "check", "-f", Workspace.repository.appending(path: manifest).path(), environment: ["ENPIRE_STATE": workspace.path("state").path()])
    #expect(outcome.code == 0, "\(outcome.errors)")
  }
}
