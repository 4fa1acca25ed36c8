import JSON
import Testing

@testable import Workflow

@Suite struct `Reasons` {
  private func reasons(_ old: JSON, _ new: JSON, step: String? = nil) throws -> [Reason] {
    let declaration = try step.map {
      try StepDeclaration(try JSON(parsing: $0), name: "s", at: JSONPointer(), reader: Reader(file: "test", text: Array($0.utf8)))
    }
    return try Explanation.reasons(from: old, to: new, of: declaration)
  }

  @Test func `a changed, an added and a removed input are told apart, with both digests`() throws {
    let old: JSON = ["inputs": ["i": [["name": "a", "digest": "11"]], "j": [["name": "x", "digest": "33"]]]]
    let new: JSON = ["inputs": ["i": [["name": "a", "digest": "22"]], "j": [["name": "y", "digest": "44"]]]]
    let reasons = try reasons(old, new)
    #expect(reasons.map(\.text) == ["input i: a changed (11 → 22)", "input j: y added", "input j: x removed"])
    #expect(reasons[0].json == ["what": "input", "name": "i: a", "old": "11", "new": "22", "text": "input i: a changed (11 → 22)"])
    #expect(reasons[1].old == nil && reasons[1].new == "44")
    #expect(try self.reasons(["inputs": ["i": []]], ["inputs": [:]]).map(\.text) == ["inputs.i: [] → none"])
  }

  @Test func `a parameter, a word of a command and an environment variable name the manifest's variables`() throws {
    let step = #"{"run": ["echo", "${var.word}-${var.n}"], "env": {"E": "${var.e}"}, "out": {"o": "o"}}"#
    let reasons = try reasons(["command": ["echo", "a-1"], "env": ["E": "x"]], ["command": ["echo", "b-1"], "env": ["E": "y"]], step: step)
    #expect(reasons.map(\.text) == [#"command.1: "a-1" → "b-1" (variable word, n)"#, #"env.E: "x" → "y" (variable e)"#])
    #expect(reasons.map(\.what) == [.command, .environment])
    let kind = #"{"uses": "train", "with": {"seed": "${var.s}", "net": {"width": "${var.w}"}}}"#
    let parameters = try self.reasons(
      ["with": ["seed": 1, "net": ["width": 8]], "revision": 1], ["with": ["seed": 1, "net": ["width": 9]], "revision": 2], step: kind)
    #expect(parameters.map(\.text) == ["with.net.width: 8 → 9 (variable w)", "revision: 1 → 2"])
    #expect(parameters.map(\.what) == [.parameter, .code])
  }

  @Test func `equal fingerprints differ in nothing, long values are cut to where they differ`() throws {
    #expect(try reasons(["with": ["a": 1]], ["with": ["a": 1.0]]).isEmpty)
    let long = String(repeating: "x", count: 5000)
    let reason = try reasons(["with": ["a": .string(long + "1")]], ["with": ["a": .string(long + "2")]])[0]
    #expect(reason.text.hasSuffix("xx2\"") && reason.text.count < 200)
    #expect(reason.json["old"]!.string!.count < 1100)
  }
}
