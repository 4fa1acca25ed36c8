// Many that read many: a step that reads all instances of another shares their list with all who do so too, and that changes nothing.

import Foundation
import JSON
import Testing

@Suite struct `Fans` {
  @Test func `readers of the same instances run when one of these changes, and are told which`() throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "default": ["all", "more"], "steps": {
        "part": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "in/${matrix.i}"}, "matrix": {"i": [1, 2, 3]}, "out": {"o": "p/${matrix.i}"}},
        "all": {"run": ["sh", "-c", "cat \\"$@\\" > all-${matrix.k}", "sh", "${in.i}"], "in": {"i": "${step.part[*].o}"}, "matrix": {"k": [1, 2]},
          "out": {"o": "all-${matrix.k}"}},
        "more": {"run": ["sh", "-c", "cat \\"$@\\" > more", "sh", "${in.i}"], "in": {"i": ["${step.part[*].o}", "${step.all[*].o}", "in/1"]},
          "after": ["part[i=2]"], "out": {"o": "more"}}}}
      """, files: ["in/1": "a", "in/2": "b", "in/3": "c"])
    #expect(try workspace.summary()["ran"] == 6)
    #expect(workspace.read("all-2") == "abc" && workspace.read("more") == "abcabcabca")
    #expect(try workspace.summary()["upToDate"] == 6)
    try workspace.write("B", to: "in/2")
    #expect(try workspace.enpire("run", "-k", "part[i=2]").code == 0)
    #expect(try workspace.enpire("why", "all[k=1]").output.contains("input i: 2 changed"))
    #expect(try workspace.summary()["ran"] == 3)
    #expect(workspace.read("more") == "aBcaBcaBca")
  }

  @Test func `an instance that may fail is left out, and one that must not stops its readers`() throws {
    let workspace = try Workspace(
      """
      {"manifest": 1, "default": ["any", "all"], "steps": {
        "part": {"run": ["sh", "-c", "test ${matrix.i} != 2 && echo ${matrix.i} > ${out.o}"], "may_fail": true, "matrix": {"i": [1, 2, 3]},
          "out": {"o": "p/${matrix.i}"}},
        "any": {"run": ["sh", "-c", "cat \\"$@\\" > any", "sh", "${in.i}"], "in": {"i": "${step.part[*].o?}"}, "out": {"o": "any"}},
        "all": {"run": ["sh", "-c", "cat \\"$@\\" > all", "sh", "${in.i}"], "in": {"i": "${step.part[*].o}"}, "out": {"o": "all"}}}}
      """)
    let summary = try workspace.summary()
    #expect(summary["ran"] == 3 && summary["tolerated"] == 1 && summary["skipped"] == 1)
    #expect(workspace.read("any") == "1\n3\n" && workspace.read("all") == nil)
  }

  @Test func `a long list is kept once, and why still tells which of it changed`() throws {
    let many = (1...40).map { "\($0)" }
    let workspace = try Workspace(
      """
      {"manifest": 1, "default": ["all"], "steps": {
        "part": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "in/${matrix.i}"}, "matrix": {"i": [\(many.joined(separator: ", "))]},
          "out": {"o": "p/${matrix.i}"}},
        "all": {"run": ["sh", "-c", "cat \\"$@\\" > all-${matrix.k}", "sh", "${in.i}"], "in": {"i": "${step.part[*].o}"}, "matrix": {"k": [1, 2]},
          "out": {"o": "all-${matrix.k}"}}}}
      """, files: Dictionary(uniqueKeysWithValues: many.map { ("in/\($0)", "\($0) ") }))
    #expect(try workspace.summary()["ran"] == 42)
    func listed() throws -> JSON? { try JSON(parsing: try workspace.enpire("why", "--json", "all[k=2]").output)["fingerprint"]?["inputs"]?["i"] }
    let first = try listed()
    #expect(first?["count"] == 40 && first?["list"]?.string?.count == 64)
    try workspace.write("changed ", to: "in/7")
    #expect(try workspace.enpire("run", "part[i=7]").code == 0)
    let why = try workspace.enpire("why", "all[k=2]").output
    #expect(why.contains("input i: 7 changed") && !why.contains("8 changed"), "\(why)")
    #expect(try workspace.summary()["ran"] == 2)
    #expect(try listed() != first)
    // What an old record needs of lists goes with it; what is needed stays.
    #expect(try workspace.enpire("gc", "--older-than", "0").code == 0)
    try workspace.write("8 again ", to: "in/8")
    #expect(try workspace.enpire("run", "part[i=8]").code == 0)
    #expect(try workspace.enpire("why", "all[k=1]").output.contains("input i: 8 changed"))
  }
}
