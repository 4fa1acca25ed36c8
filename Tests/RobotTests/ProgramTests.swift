// Programs: the examples of docs/programs.md as they stand there, the verifier that a search writes, and programs that misbehave.

import Foundation
import JSON
import Testing

import Robot

private let checkout = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL.path

/// A directory for one test.
private final class Room {
  let path = FileManager.default.temporaryDirectory.appending(path: "program-" + UUID().uuidString).path
  init() throws { try FileManager.default.createDirectory(atPath: path + "/made", withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func make(_ name: String, _ text: String, _ role: Program.Role, senses: [Sense] = []) throws -> ProgramCompiler.Outcome {
    try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    return try ProgramCompiler.make(path + "/" + name, role: role, task: "push-t", senses: senses, in: path + "/made")
  }

  func program(_ name: String, _ text: String, _ role: Program.Role, senses: [Sense] = []) throws -> Program {
    guard case .made(let program) = try make(name, text, role, senses: senses) else { throw CocoaError(.featureUnsupported) }
    return program
  }
}

/// The block of the document in that language.
private func example(_ language: String) throws -> String {
  let text = try String(contentsOfFile: checkout + "/docs/programs.md", encoding: .utf8)
  let start = try #require(text.range(of: "```\(language)\n"))
  return String(text[start.upperBound...].prefix(upTo: try #require(text[start.upperBound...].range(of: "```\n")).lowerBound))
}

private let atGoal: Observation = [100, 100, 256, 256, .pi / 4]
private let away: Observation = [100, 100, 300, 300, 1]

@Suite("Programs")
struct ProgramTests {
  @Test("the document's policy in Swift acts, and is the same to the byte when it is compiled again")
  func swiftExample() throws {
    let (room, other) = (try Room(), try Room())
    let source = try example("swift")
    let program = try room.program("push.swift", source, .policy)
    #expect(try other.program("push.swift", source, .policy).digest == program.digest)
    #expect(source.split(separator: "\n").count <= 10)
    let policy = try ProgramPolicy(Program(directory: room.path + "/made"), in: room.path + "/made")
    for _ in 0..<2 {
      policy.reset()
      let action = try policy.act(atGoal)
      #expect(abs(hypot(action[0] - 256, action[1] - 256) - 100) < 1e-9)
    }
  }

  @Test("the document's verifier in Python judges")
  func pythonExample() throws {
    let room = try Room()
    let verifier = try ProgramVerifier(room.program("near.py", try example("python"), .verifier), in: room.path + "/made")
    #expect(try verifier.verify(atGoal))
    #expect(try !verifier.verify(away))
    #expect(try !verifier.verify(Array(repeating: .nan, count: 5)))
  }

  @Test("the document's shell script acts")
  func shellExample() throws {
    let room = try Room()
    let policy = try ProgramPolicy(room.program("still", try example("sh"), .policy), in: room.path + "/made")
    #expect(try policy.act(away) == [100, 100])
  }

  @Test("a verifier is told what it asks for by name, and that is checked like its files")
  func senses() throws {
    let room = try Room()
    let text = """
      import sys
      told = sys.stdin.readline().split()
      print("ready" if told[4:] == ["7", "force", "height"] else f"fail {told}", flush=True)
      for line in sys.stdin:
          word, *numbers = line.split()
          print("ready" if word == "reset" else "done" if numbers[5:] == ["0.5", "80.0"] else "not-done", flush=True)
      """
    let program = try room.program("told.py", text, .verifier, senses: [.force, .height])
    let verifier = try ProgramVerifier(Program(directory: room.path + "/made"), in: room.path + "/made")
    #expect(verifier.senses == [.force, .height])
    #expect(try verifier.verify(atGoal + [0.5, 80]) && !verifier.verify(atGoal + [0.5, 81]))
    var json = program.json
    json["senses"] = ["smell"]
    #expect { try Program(json: json) } throws: { "\($0)" == "the program wants to be told 'smell', which is none of size, height, force" }
  }

  @Test("what the compiler has against a source is told with lines and columns, and nothing is made")
  func complaints() throws {
    let room = try Room()
    guard case .refused(let complaints) = try room.make("bad.swift", "let a = 1\nlet b: Int = \"two\"\nprint(c)\n", .policy) else {
      Issue.record("compiled")
      return
    }
    #expect(complaints.map { "\($0.line):\($0.column)" } == ["2:14", "3:7"])
    #expect(complaints[1].description == "bad.swift:3:7: cannot find 'c' in scope")
    #expect(!FileManager.default.fileExists(atPath: room.path + "/made/program.json"))
  }

  @Test("a script in Python is looked through before it runs")
  func syntax() throws {
    guard case .refused(let complaints) = try Room().make("bad.py", "import sys\nif sys\n    pass\n", .policy) else {
      Issue.record("taken")
      return
    }
    #expect(complaints.map(\.description) == ["bad.py:2:7: expected ':'"])
  }

  @Test("an answer of two lines is found out before the second one is taken for the next answer")
  func talkative() throws {
    let room = try Room()
    let text = "import sys\nfor line in sys.stdin:\n    print('ready' if line[0] != 'o' else 'act 1 2\\nact 3 4', flush=True)\n"
    let policy = try ProgramPolicy(room.program("two.py", text, .policy), in: room.path + "/made")
    policy.reset()
    #expect(try policy.act(atGoal) == [1, 2])
    #expect { try policy.act(atGoal) } throws: { "\($0)" == "the program said 'act 3 4' without being asked: an answer is one line" }
  }

  @Test("a program's failure is an error that says what it did; the next episode begins anew; after three it is left")
  func failures() throws {
    let room = try Room()
    let text = "import sys\nfor line in sys.stdin:\n    print('ready' if line[0] != 'o' else 'act left right', flush=True)\n"
    let policy = try ProgramPolicy(room.program("wrong.py", text, .policy), in: room.path + "/made")
    func complaint() -> String {
      policy.reset()
      do { return "\(try policy.act(atGoal))" } catch { return "\(error)" }
    }
    for _ in 0..<3 { #expect(complaint() == "the program answered 'act left right' where 'act' and two numbers was wanted") }
    #expect(complaint() == "the program failed three times running and is not started again")
  }

  @Test("a changed byte stops a program, and a role is kept")
  func tampered() throws {
    let room = try Room()
    let program = try room.program("near.py", try example("python"), .verifier)
    #expect(throws: ProgramError.self) { try ProgramPolicy(program, in: room.path + "/made") }
    let verifier = try ProgramVerifier(program, in: room.path + "/made")
    try Data("print('done')\n".utf8).write(to: URL(filePath: room.path + "/made/near.py"))
    #expect(throws: ProgramError.self) { try Program(directory: room.path + "/made") }
    #expect(throws: ProgramError.self) { try verifier.verify(atGoal) }
  }

  @Test(
    "a verifier's source judges as its description does, with every predicate and in every frame",
    arguments: [[Sense](), [.force, .size, .height]])
  func source(senses: [Sense]) throws {
    var description = VerifierDescription(
      task: "push-t", criterion: "benchmark",
      conditions: [.init(.overlap, 0.9), .init(.position, 8), .init(.angle, 0.1), .init(.stillness, 3), .init(.clearance, -2)], hits: 2, window: 3,
      senses: senses)
    if !senses.isEmpty { description.conditions += [.init(.force, 2), .init(.height, 40)] }
    let room = try Room()
    let program = try ProgramVerifier(
      room.program("verifier.swift", description.swiftSource, .verifier, senses: senses), in: room.path + "/made")
    let interpreted = VerifierProgram(description)
    var said = 0
    for episode in 0..<20 {
      program.reset()
      interpreted.reset()
      for frame in 0..<12 {
        let (shift, turn) = (Double((episode * 7 + frame * 3) % 11) - 5, Double((episode + frame) % 7) / 60)
        var seen: Observation =
          frame == 5 && episode % 4 == 0
          ? Array(repeating: .nan, count: 5)
          : [190 + 3 * Double(episode % 5), 256 + Double(frame), 256 + shift / 2, 256 - shift / 3, .pi / 4 + turn - 0.05]
        if !senses.isEmpty { seen += [frame == 7 ? .nan : Double((episode + frame) % 9) / 3, 28 + Double(episode % 7), 60 - Double(frame)] }
        let verdict = try interpreted.verify(seen)
        #expect(try program.verify(seen) == verdict)
        if verdict { said += 1 }
      }
    }
    #expect((20..<220).contains(said))
  }
}
