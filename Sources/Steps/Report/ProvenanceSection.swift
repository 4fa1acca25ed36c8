// Where the final number comes from, digest by digest, and how to get it again.

import Foundation
import JSON
import Robot

enum ProvenanceSection {
  static func html(_ study: Study) -> Page.Section? {
    guard let final = study.final else { return nil }
    let chain = study.ancestry(of: final.step)
    let facts: [HTML] = facts(study, final, chain).map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>\n" }
    return Page.Section(
      id: "provenance", title: "Provenance of the final number",
      body: """
        <p>\(final.words.counts), evaluation <code>\(final.step.name)</code>. Each name below is the SHA-256 of the thing's content.</p>
        <dl class="facts">
        \(facts)</dl>
        <h3>To repeat it</h3>
        <p>In the manifest's directory. It computes afresh, without cache or finished trials, and compares every output:</p>
        <pre><code>enpire reproduce -f \(study.manifest) '\(final.step.name)'          # the evaluation
        enpire reproduce -f \(study.manifest) '\(final.step.name)' --deep   # and all that it was made from</code></pre>
        <h3>What it was made from</h3>

        """
          + Table(
            nil, [("step", ""), ("kind", "t"), ("action key", "")],
            rows: chain.filter { !$0.isShard }.map { ["<code>\($0.name)</code>", "\($0.kind)", "<code>\($0.key ?? "–")</code>"] }
          ).html)
  }

  private static func facts(_ study: Study, _ final: Evaluation, _ chain: [StudyStep]) -> [(HTML, HTML)] {
    var facts: [(HTML, HTML)] = []
    func add(_ name: HTML, _ values: [HTML]) { if !values.isEmpty { facts.append((name, values.joined("<br>"))) } }
    let trainings = chain.filter { $0.kind == "train" && $0.outputs["policy"] != nil }
    add(
      "policy",
      final.policies.map { policy in
        let maker = trainings.first { $0.outputs["policy"]?.digest == policy.digest }
        return "<code>\(policy.digest)</code>\(maker.map { " made by <code>\($0.name)</code>" as HTML } ?? .none)"
      })
    add("environment hash", final.result["environment"]?.string.map { ["<code>\($0)</code>"] } ?? ["none: the benchmark's own limits, no verifier"])
    add("training seeds", trainings.compactMap { step in seed(of: step).map { "\($0) (<code>\(step.name)</code>)" } })
    add("recipe", recipes(chain))
    add("commit", commits(study, chain))
    add("dataset", chain.compactMap { step in step.outputs["dataset"].map { "<code>\($0.digest)</code>" } })
    add(
      "verifier", chain.compactMap { step in step.kind == "synthesize-reward" ? step.outputs["verifier"].map { "<code>\($0.digest)</code>" } : nil })
    add("trials", final.step.outputs["trials"].map { ["<code>\($0.digest)</code>"] } ?? [])
    add("evaluation seeds", seeds(final))
    add("stations", stations(study, final))
    return facts
  }

  /// The step's own, or the recipe's, which its policy has.
  private static func seed(of training: StudyStep) -> Int? {
    let policy = training.outputs["policy"].flatMap { FileManager.default.contents(atPath: $0.path + "/policy.json") }
    return training.parameters["seed"]?.int ?? policy.flatMap { try? JSON(parsing: $0) }?["seed"]?.int
  }

  /// Of recipes that a step made, and of those that a training names as its input.
  private static func recipes(_ chain: [StudyStep]) -> [HTML] {
    let made: [HTML] = chain.compactMap { step in step.outputs["recipe"].map { "<code>\($0.digest)</code> by <code>\(step.name)</code>" } }
    guard made.isEmpty else { return made }
    return chain.flatMap { step in
      (step.record["inputs"]?["recipe"]?.array ?? []).compactMap { input in
        input["digest"]?.string.map { "<code>\($0)</code> \(input["name"]?.string ?? "") into <code>\(step.name)</code>" }
      }
    }
  }

  private static func commits(_ study: Study, _ chain: [StudyStep]) -> [HTML] {
    // An adoption names the experiment whose recipe it took; without one, the proposals that the number came from.
    let adopted = chain.compactMap { $0.json("adoption")?["experiment"]?.string }
    let ids = adopted.isEmpty ? chain.compactMap { step in step.kind == "propose" ? step.json("proposal")?["id"]?.string : nil } : adopted
    return (study.ideas?.records ?? []).filter { ids.contains($0.id) }.compactMap { record in
      record.code.commit.map {
        "<code>\($0)</code> on <code>\(record.branch)</code> (<code>\(record.id)</code>)\(record.code.tree.map { ", tree <code>\($0)</code>" as HTML } ?? .none)"
      }
    }
  }

  private static func seeds(_ final: Evaluation) -> [HTML] {
    let commitment: HTML = final.result["seed_commitment"]?.string.map { "commitment <code>\($0)</code>" } ?? "no commitment"
    return [commitment + (final.purpose.isSecret ? ", kept secret while in use" : ", public: each trial's line tells its seed")]
  }

  private static func stations(_ study: Study, _ final: Evaluation) -> [HTML] {
    (final.result["stations"]?.array ?? []).compactMap { $0["station"]?.string }.map { name in
      // A step's record may carry the station's whole entry, in which its calibration stands.
      let entry = study.steps.lazy.filter { $0.station == name }.compactMap { $0.record["station_entry"] }.first
      let tokens = leases(of: name, study.ancestry(of: final.step)).map(String.init)
      let leases: HTML = tokens.isEmpty ? .none : ", leases \(tokens.joined(separator: ", "))"
      return "<code>\(name)</code>\(entry?["calibration"].map { ", calibration <code>\($0.string ?? $0.compact)</code>" as HTML } ?? .none)\(leases)"
    }
  }

  /// The tokens under which these steps had a station.
  private static func leases(of station: String, _ chain: [StudyStep]) -> [Int] {
    var tokens: [Int] = []
    for step in chain {
      for entry in step.record["telemetry"]?["stations"]?.array ?? [] where entry["station"]?.string == station {
        if let token = entry["token"]?.int { tokens.append(token) }
      }
    }
    return tokens.sorted()
  }
}
