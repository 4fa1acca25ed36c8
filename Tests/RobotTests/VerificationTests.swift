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

  @Test("what the arm tells is judged by where it is told, and where it is not, no family asks for it")
  func senses() throws {
    let still = VerifierDescription(task: "push-t", criterion: "human", conditions: [.init(.angle, 3), .init(.force, 2)], senses: [.height, .force])
    #expect(try VerifierDescription(json: still.json) == still)
    let program = VerifierProgram(still)
    #expect(try program.verify(atGoal + [50, 1.5]) && !program.verify(atGoal + [50, 2.5]) && !program.verify(atGoal + [50, .nan]))
    #expect(throws: VerifierError.self) { try program.verify(atGoal) }
    var json = still.json
    json["senses"] = ["height"]
    #expect { try VerifierDescription(json: json) } throws: { "\($0)" == "the verifier judges by 'force', which is not among its 'senses'" }
    json["senses"] = ["taste"]
    #expect { try VerifierDescription(json: json) } throws: {
      "\($0)" == "the verifier wants to be told 'taste', which is none of size, height, force"
    }
    #expect(VerifierSearch.sets([.size]) == VerifierSearch.sets([]))
    #expect(!VerifierSearch.sets([.height]).joined().contains(.force) && VerifierSearch.sets([.height]).joined().contains(.height))
  }

  @Test("a success that only the arm can tell is found by what the arm tells")
  func forceTells() throws {
    // The T lies at the goal in all of them; done is when the arm has let go.
    let clips = (0..<24).map { number in
      let lets = number % 2 == 0
      let force = (0..<6).map { lets && $0 >= 3 ? 0.1 * Double($0) : 4 + Double((number + $0) % 3) }
      return VerifierClip(
        name: "\(number)", source: "demonstration", episode: "\(number)", kind: lets ? .success : .nearMiss,
        observations: force.map { atGoal + [120, $0] }, senses: [.height, .force], done: (0..<6).map { lets && $0 >= 3 }, coverage: 1)
    }
    let best = VerifierSearch(clips).best(task: "push-t", criterion: "human", bars: .init(precision: 0.9, recall: 0.9)).candidates[0]
    #expect(best.verifier.conditions.contains { $0.predicate == .force } && best.verifier.senses == [.force])
    #expect(best.count.truePositives == 12 && best.count.falsePositives == 0)
    // The clips tell more than it asks for.
    let score = try VerifierScore(of: VerifierProgram(best.verifier), on: clips)
    #expect(score.count == best.count)
  }

  /// Takes of each kind in turn, as a camera of 384 pixels sees them.
  private func film(_ count: Int, seed: Int) throws -> (takes: [Take], clips: [VerifierClip]) {
    var studio = PlannerClips(seed: seed)
    let eyes = try PushTTracker(PictureForm(size: 384, drawing: .smooth))
    let takes = try (0..<count).map { try studio.take(VerifierClip.Kind.allCases[$0 % 3]) }
    return (takes, try takes.map { try $0.seen(by: eyes) })
  }

  @Test("filmed clips have the wanted kinds, end as a trial's referee would see it, and are the same for the same seed")
  func clips() throws {
    let (takes, clips) = try film(9, seed: 3)
    #expect(try film(9, seed: 3).takes == takes)
    #expect(clips.map(\.kind) == (0..<3).flatMap { _ in VerifierClip.Kind.allCases })
    for (take, clip) in zip(takes, clips) {
      switch clip.kind {
      case .success: #expect(clip.coverage > 0.95 && clip.done.last == true && clip.done[clip.done.count - 5] == true && clip.done.count <= 11)
      case .nearMiss: #expect((0.85...0.95).contains(clip.coverage) && !clip.done.contains(true))
      case .failure: #expect(clip.coverage < 0.85)
      }
      // The eyes, not the truth, made the observations; but they are good, also of a T of another size.
      let (seen, truth) = (TeePose(try #require(clip.observations.last)), TeePose(try #require(take.states.last)))
      #expect(seen.distance(to: truth) < 0.4)
      #expect(clip.senses == [.size] && abs(clip.observations.last![5] - take.scale) < 0.1)
      let again = try #require(Take(json: JSON(parsing: take.json.compact)))
      #expect(again.scale == take.scale && again.radius == take.radius)
      #expect(again.states == take.states && again.done == take.done && again.kind == take.kind)
    }
  }

  @Test("the search finds a verifier that is right on clips it has not seen, and its program says the same")
  func search() throws {
    let clips = try film(48, seed: 1).clips
    let (searched, sealed) = (Array(clips[..<24]), Array(clips[24...]))
    let search = VerifierSearch(searched)
    let (candidates, tried) = search.best(task: "push-t", criterion: "benchmark", bars: .init(precision: 0.9, recall: 0.8))
    #expect(tried > 1000 && candidates.count == VerifierSearch.sets([]).count)
    let verifier = candidates[0].verifier
    let score = try VerifierScore(of: VerifierProgram(verifier), on: sealed)
    #expect(score.successes == 8 && score.precision.successes >= 6)
    #expect(score.count.trueNegatives >= 14)
    // Interpreted, it agrees with the search's own quick judgement.
    #expect(try VerifierScore(of: VerifierProgram(verifier), on: searched).count == candidates[0].count)
    let curve = search.curve(of: verifier).json
    #expect(curve["roc_area"]?.double ?? 0 > 0.9 && curve["pr_area"]?.double ?? 0 > 0.8)
  }

  @Test("clips of one episode count for less than clips of many, and the interval says so")
  func clusters() {
    func rate(_ episodes: Int, _ each: Int, wrong: Int) -> Rate {
      Rate(clustered: (0..<episodes * each).map { ("episode \($0 / each)", $0 / each >= wrong) })
    }
    // Each episode's clips all right or all wrong: worth one trial each.
    let (clustered, independent) = (rate(20, 5, wrong: 2), Rate(successes: 90, trials: 100))
    #expect(clustered.estimate == independent.estimate && clustered.trials == 100)
    #expect(clustered.lower < independent.lower - 0.05 && (clustered.worth ?? 0) < 21)
    // One clip an episode: as ever.
    let single = rate(100, 1, wrong: 10)
    #expect(abs(single.lower - independent.lower) < 1e-9 && abs(single.upper - independent.upper) < 1e-9)
    // Nothing wrong in twenty episodes proves what twenty trials prove.
    #expect(abs(rate(20, 5, wrong: 0).lower - Rate(successes: 20, trials: 20).lower) < 1e-9)
    #expect(Rate(json: clustered.json)?.successes == 90)
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
    return try .freeze(task: "push-t", limits: .pushT, verifier: verifier, pictures: PictureForm(size: 96))
  }

  @Test("a frozen environment is loaded as it was frozen, under the same hash")
  func roundTrip() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let frozen = try environment()
    try frozen.write(to: directory.path)
    let loaded = try FrozenEnvironment(directory: directory.path)
    #expect(loaded.hash == frozen.hash && loaded.limits == .pushT && loaded.verifier == frozen.verifier && loaded.pictures == PictureForm(size: 96))
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
