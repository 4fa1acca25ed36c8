// Tells the secret seeds of an evaluation that has its result, so that anyone can see that they are those it was bound to beforehand.
// The worker knows how seeds are drawn; it is given the root, by which further ones of the same evaluation stay secret.

import Hashing
public import JSON

/// The seeds of one evaluation, in the order of its trials (of its rounds, if policies were paired).
public struct Revelation: Sendable {
  public let step: String
  public let purpose: String
  public let seeds: [Int]
  /// The commitment is the SHA-256 of the nonce's 64 digits and the seeds, each after a line feed, in decimal.
  public let nonce: String
  public let commitment: String

  public var json: JSON {
    [
      "reveal": 1, "step": .string(step), "purpose": .string(purpose), "commitment": .string(commitment), "nonce": .string(nonce),
      "seeds": .array(seeds.map { .integer($0) }),
    ]
  }
}

extension Session {
  /// Of a step's present result. Throws if it has none, has no secret seeds, or was made with another workspace's secret.
  public func reveal(_ name: String) throws -> Revelation {
    let step = try recordedStep(name)
    // Shards draw the seeds of what gathers them.
    let drawer = step.shards.first.map { graph.steps[$0] } ?? step
    guard let record = step.record, let details = try drawer.record.flatMap({ try state.details($0.key) }) else {
      throw Problem(.usage, "\(step.name) has no result of its present inputs", hint: "run it first")
    }
    guard step.effect == .sample, let artifact = record.outputs["result"],
      let result = try? JSON(parsing: Files.read(state.store.path(of: artifact.digest))), let commitment = result["seed_commitment"]?.string,
      let purpose = result["purpose"]?.string, let trials = details.fingerprint["with"]?["trials"]?.int
    else { throw Problem(.usage, "\(step.name) is no evaluation", hint: "name a step that uses evaluate") }
    guard purpose != "search" else {
      throw Problem(.usage, "the seeds of \(step.name) are public", hint: "its output 'trials' has them, one a line")
    }
    // Paired ones meet the same starts.
    let policies = result["paired"]?.bool == true ? max(1, result["policies"]?.array?.count ?? 1) : 1
    let root = try decider.seedRoot(of: drawer, fingerprint: details.fingerprint)
    let answer = try Catalogue.ask(
      ["seeds", purpose, "\(trials)", "\(policies)"], environment: ["ENPIRE_SEED_ROOT": root.hex], state: state.directory)
    guard let nonce = answer["nonce"]?.string, answer["commitment"]?.string == commitment else {
      throw Problem(
        .usage, "\(step.name) was bound to other seeds than this workspace draws: its result was made with another secret",
        hint: "reveal it where it was made")
    }
    return Revelation(
      step: step.name, purpose: purpose, seeds: (answer["seeds"]?.array ?? []).compactMap(\.int), nonce: nonce, commitment: commitment)
  }
}
