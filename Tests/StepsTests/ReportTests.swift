// The step `report` on small studies written by hand in the form the engine gives them, and on a hub that is a real Git repository.

import Foundation
import JSON
import LLM
import Steps
import Testing

@Suite struct ReportTests {
  @Test func `the verdict is the held-out number, with counts, interval and method, apart from the search's`() throws {
    let page = try StudyDraft.page { study in
      try study.evaluate("search", purpose: "search", successes: 20, trials: 20)
      try study.evaluate("confirm", purpose: "held-out", successes: 187, trials: 200)
    }
    #expect(page.contains("<b>187 of 200</b> trials at the first attempt (pass@1): <b>93.5\u{a0}%</b>"))
    #expect(page.contains("95\u{a0}% interval <b>89.1–96.5\u{a0}%</b> (Clopper–Pearson"), "the exact interval of 187 in 200")
    #expect(
      page.contains("on <b>held-out</b> seeds") && page.contains("On search seeds, which are another thing, <code>search</code> had 100\u{a0}%"))
  }

  @Test func `a study without a held-out evaluation says so`() throws {
    let page = try StudyDraft.page { try $0.evaluate("search", purpose: "search", successes: 3, trials: 4) }
    #expect(page.contains("no held-out number yet"))
  }

  @Test func `an interval is worked out from the counts, whatever the result claims`() throws {
    let page = try StudyDraft.page {
      try $0.evaluate("confirm", purpose: "held-out", successes: 3, trials: 3, claiming: ["lower": 0.999, "upper": 1])
    }
    #expect(page.contains("<b>29.2–100\u{a0}%</b>") && !page.contains("99.9–100"))
  }

  @Test func `names, problems and hypotheses cannot become markup, and nothing comes from elsewhere`() throws {
    let page = try StudyDraft.page { study in
      study.add("<script>alert(1)</script>", "run", state: "failed", ["problem": "bad \"<img src=x>\" & worse"])
      try study.evaluate("confirm", purpose: "held-out", successes: 1, trials: 2)
    }
    #expect(!page.contains("<script") && !page.contains("<img"))
    #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("bad &quot;&lt;img src=x&gt;&quot; &amp; worse"))
    #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("@import") && !page.contains("url(//"))
  }

  @Test func `a study with nothing but a failed step still has its page`() throws {
    let page = try StudyDraft.page { $0.add("demos", "ingest-demos", state: "failed", ["problem": "video.mp4 is no video"]) }
    #expect(page.contains("No success rate") && page.contains("video.mp4 is no video") && page.hasSuffix("</html>\n"))
  }

  @Test func `a result from the cache and a fresh one give the same page`() throws {
    let pages = try ["done", "up to date", "restored"].map { state in
      try StudyDraft.page { study in
        study.add("env", "freeze-environment", state: state)
        try study.evaluate("confirm", purpose: "held-out", successes: 5, trials: 9)
      }
    }
    #expect(Set(pages).count == 1)
  }

  @Test func `what the cache saved is told: for a step that does the same, and from an earlier run`() throws {
    let page = try StudyDraft.page { study in
      study.add("one", "train", ["key": "k", "started": 100, "seconds": 40])
      study.add("two", "train", ["key": "k", "started": 100, "seconds": 40])
      study.add("late", "train", ["key": "l", "started": 9000, "seconds": 10])
    }
    #expect(page.contains("1 step took what another had done already, and saved 40\u{a0}s of work."), "\(page.suffix(3000))")
    #expect(page.contains("What ran after the last pause took 1 result of before it from the cache: 40\u{a0}s of work"))
  }

  @Test func `shards stand in the graph as one box with their count`() throws {
    let page = try StudyDraft.page { study in
      for shard in 0..<8 { study.add("confirm[shard=\(shard)]", "evaluate") }
      try study.evaluate("confirm", purpose: "held-out", successes: 5, trials: 9, needs: (0..<8).map { "confirm[shard=\($0)]" })
    }
    #expect(page.contains("evaluate ×8") && page.contains("<summary>8 shards</summary>"))
  }

  @Test func `films are in the page itself, and a list cannot reach out of its directory`() throws {
    let page = try StudyDraft.page { study in
      let films = try study.directory([
        "a.png": "PNG",
        "films.json": #"{"films": 1, "list": [{"file": "a.png", "index": 4, "success": false}, {"file": "../x", "index": 5, "success": true}]}"#,
      ])
      try study.evaluate("confirm", purpose: "held-out", successes: 5, trials: 9, films: films)
    }
    #expect(page.contains("src=\"data:image/png;base64,\(Data("PNG".utf8).base64EncodedString())\""))
    #expect(page.contains("trial 4") && !page.contains("trial 5"))
  }

  @Test func `ideas come from Git alone: hypotheses, decisions and what was borrowed`() throws {
    let page = try StudyDraft.page { study in
      let hub = try Hub(at: study.root + "/state/hubs/tested/hub.git")
      func record(_ id: String, _ agent: String, _ decision: ExperimentRecord.Decision, borrowing: String? = nil) -> ExperimentRecord {
        var record = ExperimentRecord(
          id: id, study: "s", basis: id, agent: agent, round: agent.isEmpty ? 0 : 1, hypothesis: "A <wide> margin helps \(id).",
          parent: agent.isEmpty ? nil : "baseline", borrowedFrom: borrowing, branch: agent.isEmpty ? Hub.trunk : Hub.branch(of: agent), config: [:])
        record.decision = decision
        return record
      }
      _ = try hub.publishBaseline(record("baseline", "", .keep), recipe: [:])
      for (agent, decision, source) in [("a", ExperimentRecord.Decision.keep, nil), ("b", .crash, "a-1")]
        as [(String, ExperimentRecord.Decision, String?)]
      {
        _ = try hub.openWorktree(of: agent)
        let proposed = try hub.commitProposal(record("\(agent)-1", agent, .pending, borrowing: source))
        var decided = proposed
        decided.decision = decision
        _ = try hub.commit(decided, "decide")
      }
      study.add("evolve[agent=a]", "propose", outputs: ["proposal": try study.value(["proposal": 1, "id": "a-1", "round": 1, "study": "s"])])
    }
    #expect(page.contains("A &lt;wide&gt; margin helps b-1."))
    #expect(page.contains("b-1 borrows from a-1") && page.contains("a-1 changes baseline"))
    #expect(page.contains("● keep") && page.contains("✕ crash"))
  }

  @Test func `provenance names policy, environment and seed commitment in full, and the command that repeats the number`() throws {
    let page = try StudyDraft.page { try $0.evaluate("confirm", purpose: "held-out", successes: 5, trials: 9) }
    for digest in ["p", "e", "c"].map({ String(repeating: $0, count: 64) }) { #expect(page.contains("<code>\(digest)</code>")) }
    #expect(page.contains("enpire reproduce -f tested.json 'confirm' --deep"))
  }
}

/// A study in the making, in a directory of its own.
private final class StudyDraft {
  let root = NSTemporaryDirectory() + "enpire-report-" + UUID().uuidString
  private var steps: [JSON] = []
  private var files = 0

  /// The page of the study that `make` puts together.
  static func page(_ make: (StudyDraft) throws -> Void) throws -> String {
    let draft = StudyDraft()
    try FileManager.default.createDirectory(atPath: draft.root + "/state", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: draft.root) }
    try make(draft)
    let page = draft.root + "/report.html"
    let request: JSON = [
      "request": 1, "step": "report", "kind": "report", "mode": "run", "workflow": "tested", "manifest": "tested.json", "with": ["films": 24],
      "inputs": [:],
      "outputs": ["report": .string(page)], "state": .string(draft.root + "/state"), "study": .array(draft.steps),
    ]
    try Data(request.pretty.utf8).write(to: URL(filePath: draft.root + "/request.json"))
    try Worker.run(requestAt: draft.root + "/request.json")
    return try String(contentsOfFile: page, encoding: .utf8)
  }

  func add(_ name: String, _ kind: String, state: String = "done", needs: [String] = [], outputs: [String: JSON] = [:], _ more: JSON = [:]) {
    var step: JSON = [
      "step": .string(name), "kind": .string(kind), "effect": "pure", "state": .string(state), "needs": .array(needs.map { .string($0) }),
    ]
    step["outputs"] = .object(.init(uniqueKeysWithValues: outputs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    for (key, value) in more.object ?? [:] { step[key] = value }
    steps.append(step)
  }

  func evaluate(
    _ name: String, purpose: String, successes: Int, trials: Int, claiming: JSON = [:], needs: [String] = [], films: JSON? = nil
  ) throws {
    var rate: JSON = ["trials": .integer(trials), "successes": .integer(successes), "unknown": 0, "confidence": 0.95, "method": "clopper-pearson"]
    for (key, value) in claiming.object ?? [:] { rate[key] = value }
    var outputs = [
      "result": try value([
        "result": 1, "purpose": .string(purpose), "rate": rate, "environment": .string(String(repeating: "e", count: 64)),
        "policies": [["digest": .string(String(repeating: "p", count: 64)), "rate": rate]],
        "seed_commitment": .string(String(repeating: "c", count: 64)),
      ])
    ]
    outputs["films"] = films
    add(name, "evaluate", needs: needs, outputs: outputs)
  }

  func value(_ json: JSON) throws -> JSON {
    files += 1
    let path = "\(root)/\(files).json"
    try Data(json.pretty.utf8).write(to: URL(filePath: path))
    return ["path": .string(path), "name": "value.json", "digest": "d"]
  }

  func directory(_ contents: [String: String]) throws -> JSON {
    files += 1
    let path = "\(root)/\(files)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in contents { try Data(text.utf8).write(to: URL(filePath: path + "/" + name)) }
    return ["path": .string(path), "name": "directory", "digest": "d"]
  }
}
