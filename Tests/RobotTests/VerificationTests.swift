import Foundation
import JSON
import Testing

import Robot

private let atGoal: Observation = [100, 100, 256, 256, .pi / 4]
private let away: Observation = [100, 100, 300, 300, 1]

@Suite("Verifiers")
struct VerificationTests {
  private let strict = VerifierDescription(
    task: "push-t", criterion: "benchmark", conditions: [.init(.overlap, 0.95), .init(.stillness, 1)], hits: 2, window: 3)

  @Test("a verifier says done only when all conditions held in enough of the last frames, the newest among them")
  func debounce() throws {
    let program = VerifierProgram(strict)
    // The first frame has no predecessor, so nothing is known to stand still.
    let verdicts = try [atGoal, atGoal, away, away, atGoal, atGoal, atGoal].map { try program.verify($0) }
    #expect(verdicts == [false, false, false, false, false, false, true])
    program.reset()
    #expect(try !program.verify(atGoal))
  }

  @Test("what the camera lost never counts as done")
  func lost() throws {
    let program = VerifierProgram(VerifierDescription(task: "push-t", criterion: "human", conditions: [.init(.angle, 3)]))
    #expect(try program.verify(atGoal))
    #expect(try !program.verify(Array(repeating: .nan, count: 5)))
    #expect(throws: VerifierError.self) { try program.verify([1, 2]) }
  }

  @Test("a verifier is read as it was written, and one that is not understood is refused")
  func json() throws {
    #expect(try VerifierDescription(json: strict.json) == strict)
    let broken: [(JSON) -> JSON] = [
      {
        var j = $0; j["verifier"] = 2; return j
      },
      {
        var j = $0; j["conditions"] = []; return j
      },
      {
        var j = $0; j["conditions"] = [["predicate": "colour", "at_least": 1]]; return j
      },
      {
        var j = $0; j["conditions"] = [["predicate": "overlap", "at_most": 0.9]]; return j
      },
      {
        var j = $0; j["debounce"] = ["hits": 3, "window": 2]; return j
      },
    ]
    for change in broken { #expect(throws: VerifierError.self) { try VerifierDescription(json: change(strict.json)) } }
  }

  @Test("filmed clips have the wanted kinds, the same for the same seed")
  func clips() throws {
    var (one, two) = (try PushTClips(seed: 3, size: 96), try PushTClips(seed: 3, size: 96))
    let (clips, again) = (try one.make(9), try two.make(9))
    #expect(clips.map(\.observations) == again.map(\.observations))
    #expect(clips.map(\.kind) == (0..<3).flatMap { _ in VerifierClip.Kind.allCases })
    for clip in clips {
      switch clip.kind {
      case .success: #expect(clip.coverage > 0.95 && clip.done.last == true)
      case .nearMiss: #expect((0.85...0.95).contains(clip.coverage) && !clip.done.contains(true))
      case .failure: #expect(clip.coverage < 0.85)
      }
      // The eyes, not the truth, made the observations; but they are good.
      let seen = TeePose(try #require(clip.observations.last)).coverage
      #expect(abs(seen - clip.coverage) < 0.06)
    }
  }

  @Test("the search finds a verifier that is right on clips it has not seen")
  func search() throws {
    var studio = try PushTClips(seed: 1, size: 96)
    let clips = try studio.make(60)
    let search = VerifierSearch(Array(clips[..<30]))
    let (candidates, tried) = search.best(task: "push-t", criterion: "benchmark", bars: .init(precision: 0.9, recall: 0.8))
    #expect(tried > 1000 && candidates.count == VerifierSearch.sets.count)
    let score = try VerifierScore(of: candidates[0].verifier, on: Array(clips[30...]))
    #expect(score.successes == 10 && score.precision.successes >= 7)
    #expect(score.count.trueNegatives >= 17)
    // The program agrees with the search's own quick judgement.
    #expect(try VerifierScore(of: candidates[0].verifier, on: Array(clips[..<30])).count == candidates[0].count)
  }

  @Test("saying done before it is so is a false alarm, also in a clip that ends well")
  func tooEarly() {
    let clip = VerifierClip(
      name: "a", source: "simulator", episode: "a", kind: .success, observations: [away, atGoal], done: [false, true], coverage: 1)
    #expect(clip.verdict(first: 0) == .falsePositive && clip.verdict(first: 1) == .truePositive && clip.verdict(first: nil) == .falseNegative)
  }
}

@Suite("Frozen environments")
struct FrozenEnvironmentTests {
  private func environment() throws -> FrozenEnvironment {
    let verifier = VerifierDescription(task: "push-t", criterion: "benchmark", conditions: [.init(.overlap, 0.955)])
    return try .freeze(task: "push-t", limits: .pushT, verifier: verifier, cameraSize: 96)
  }

  @Test("a frozen environment is loaded as it was frozen, under the same hash")
  func roundTrip() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let frozen = try environment()
    try frozen.write(to: directory.path)
    let loaded = try FrozenEnvironment(directory: directory.path)
    #expect(loaded.hash == frozen.hash && loaded.limits == .pushT && loaded.verifier == frozen.verifier && loaded.cameraSize == 96)
    #expect(try loaded.makeVerifier().verify(atGoal))
  }

  @Test("one changed value anywhere stops it from being used", arguments: ["limits", "verifier", "scorer", "reset", "camera", "task"])
  func tampered(member: String) throws {
    var json = try environment().json
    json[member] =
      json[member]?.object.map { members in
        var members = members
        members[members.keys[0]] = "changed"
        return .object(members)
      } ?? "changed"
    #expect(throws: FrozenEnvironmentError.self) { try FrozenEnvironment(json: json) }
  }
}
