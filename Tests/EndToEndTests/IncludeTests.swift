// Manifests that include others, patterns, and matrices with exceptions.

import Foundation
import JSON
import Testing

@Suite struct `Includes, patterns and matrices` {
  private let library = #"""
    {"manifest": 1, "vars": {"n": 1, "data": "in.csv"}, "steps": {
      "head": {"run": ["sh", "-c", "head -n ${var.n} ${in.data} > head.csv"], "in": {"data": "${var.data}"}, "out": {"rows": "head.csv"}},
      "count": {"run": ["sh", "-c", "wc -l < \"$1\" > count.json", "sh", "${in.rows}"], "in": {"rows": "${step.head.rows}"},
        "after": ["head"], "out": {"count": "count.json"}}}}
    """#

  @Test func `an included file keeps its names, variables and paths, also twice`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "vars": {"n": 2},
       "include": {"a": "lib/lines.json", "b": {"file": "lib/lines.json", "vars": {"n": "${var.n}", "data": "${step.make.o}"}, "out": "out/b"}},
       "steps": {
        "make": {"run": ["sh", "-c", "seq 5 > m"], "out": {"o": "m"}},
        "sum": {"run": ["sh", "-c", "cat ${in.c} > s"], "in": {"c": ["${step.a:count.count}", "${step.b:count}"]}, "out": {"o": "s"}}}}
      """#, files: ["lib/lines.json": library, "lib/in.csv": "x\ny\nz\n"])
    let first = try workspace.enpire()
    #expect(first.code == 0, "\(first.errors)")
    #expect(
      workspace.read("s") == "1\n2\n" && workspace.read("lib/count.json")?.hasPrefix("1") == true && workspace.read("out/b/head.csv") == "1\n2\n")
    #expect(try workspace.summary()["upToDate"] == 6)
    #expect(try workspace.summary("b:n=3", "b:count")["ran"] == 2)
    #expect(workspace.read("out/b/count.json") == "3\n")
    #expect(try workspace.enpire("c:n=3").errors.contains("nothing is included as 'c'"))
    #expect(try workspace.enpire("b:m=3").errors.contains("did you mean 'n'?"))
    // A change of an included file is noticed, and only what it concerns runs.
    try workspace.write(library.replacingOccurrences(of: "\"n\": 1", with: "\"n\": 3"), to: "lib/lines.json")
    #expect(try workspace.summary()["ran"] == 3)
    #expect(workspace.read("s") == "3\n2\n")
  }

  @Test func `an included file can be run alone, with the same keys`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "default": ["a:count"], "include": {"a": "lib/lines.json"}}"#, files: ["lib/lines.json": library, "lib/in.csv": "x\n"])
    let state = ["ENPIRE_STATE": workspace.path(".enpire").path()]
    #expect(try workspace.enpire(environment: state).code == 0)
    #expect(try workspace.enpire("-f", "lib/lines.json", "-q", environment: state).code == 0)
  }

  @Test func `an include may not publish over a manifest, nor outside`() throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "default": ["a:count"], "include": {"a": "lib/count.json"}}"#,
      files: ["lib/count.json": library, "lib/in.csv": "x\n", "sub/enpire.json": #"{"manifest": 1, "include": {"a": "../lib/count.json"}}"#])
    #expect(try workspace.enpire("check").errors.contains("step 'a:count' would overwrite lib/count.json"))
    let outside = try workspace.enpire("check", "-C", "sub")
    #expect(outside.code == 65 && outside.errors.hasPrefix("error: enpire.json:1:34: step 'a:head' would publish outside"), "\(outside.errors)")
    try workspace.write(#"{"manifest": 1, "default": "a:count", "include": {"a": {"file": "../lib/count.json", "out": "r"}}}"#, to: "sub/enpire.json")
    #expect(try workspace.enpire("-C", "sub").code == 0)
    #expect(workspace.read("sub/r/count.json") == "1\n")
  }

  @Test func `what is wrong in an included file has its place there, what is wrong with including it has it here`() throws {
    let workspace = try Workspace(
      files: [
        "loop.json": #"{"manifest": 1, "include": {"x": "sub/back.json"}}"#,
        "sub/back.json": #"{"manifest": 1, "include": {"y": "../loop.json"}}"#,
        "typo.json": "{\"manifest\": 1, \"steps\": {\n  \"a\": {\"rum\": []}}}", "lib.json": library, "in.csv": "",
        "missing.json": "{\"manifest\": 1, \"steps\": {\n  \"a\": {\"run\": [\"x\"], \"phony\": true, \"after\": \"b\"}}}",
      ])
    func complaint(_ include: String) throws -> String {
      try workspace.write("{\"manifest\": 1, \"include\": {\"n\": \(include)}, \"steps\": {\"b\": {\"phony\": true}}}", to: "enpire.json")
      let outcome = try workspace.enpire("check")
      #expect(outcome.code == 65)
      return outcome.errors
    }
    #expect(
      try complaint("\"loop.json\"").hasPrefix("error: sub/back.json:1:34: manifests include each other: loop.json → sub/back.json → loop.json"))
    #expect(try complaint("\"typo.json\"").hasPrefix("error: typo.json:2:9: unknown key 'rum'"))
    #expect(try complaint("\"missing.json\"").hasPrefix("error: missing.json:2:47: no step 'n:b'"))
    #expect(try complaint("\"none.json\"").hasPrefix("error: enpire.json:1:34: no file none.json to include"))
    #expect(try complaint("{\"file\": \"lib.json\", \"vars\": {\"m\": 1}}").contains("no variable 'm' in lib.json"))
  }

  @Test func `a pattern is the step that somebody names`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["sum"], "steps": {
        "train-%": {"run": ["sh", "-c", "echo ${stem} > ${out.o}"], "in": {"d": "${step.data-${stem}.o}"}, "out": {"o": "t-${stem}"}},
        "data-%": {"run": ["sh", "-c", "echo any ${stem} > ${out.o}"], "out": {"o": "d-${stem}"}},
        "data-x%": {"run": ["sh", "-c", "echo x ${stem} > ${out.o}"], "out": {"o": "dx-${stem}"}},
        "data-5": {"run": ["sh", "-c", "cat ${in.i} > ${out.o}"], "in": {"i": "5.txt"}, "out": {"o": "five"}},
        "sum": {"run": ["sh", "-c", "cat ${in.i} > s"], "in": {"i": ["${step.train-3.o}", "${step.train-x7.o}"]}, "after": "train-5", "out": {"o": "s"}}}}
      """#, files: ["5.txt": "five\n"])
    #expect(try workspace.enpire("check").output.contains(": 7 steps"))
    #expect(try workspace.summary()["ran"] == 7)
    #expect(workspace.read("s") == "3\nx7\n")
    #expect(
      workspace.read("d-3") == "any 3\n" && workspace.read("dx-7") == "x 7\n" && workspace.read("five") == "five\n" && workspace.read("d-5") == nil)
    #expect(try workspace.summary()["upToDate"] == 7)
    #expect(try workspace.summary("train-9")["ran"] == 2)
    try workspace.write("other\n", to: "5.txt")
    #expect(try workspace.summary()["ran"] == 2)
    #expect(try workspace.enpire("train-").errors.contains("no step 'train-'"))
    try workspace.write(
      #"{"manifest": 1, "default": "a-1", "steps": {"a-%": {"run": ["x"], "phony": true, "after": "a-${stem}x"}}}"#, to: "enpire.json")
    #expect(try workspace.enpire("check").errors.contains("pattern 'a-%' has no end"))
  }

  @Test func `every verb knows a step of a pattern that is named, and those that the manifest's goals name`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["p-1"], "steps": {
        "p-%": {"run": ["sh", "-c", "echo ${stem} > ${out.o}"], "out": {"o": "out-${stem}"}},
        "ask-%": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": "${step.p-${stem}.o}"}, "out": {"o": "asked-${stem}"}, "approval": "go?"}}}
      """#)
    #expect(try workspace.enpire("why", "p-9").output == "p-9: would run\n  it has not run before\n")
    #expect(try workspace.enpire("status").output.hasPrefix("p-1  run  to run"))
    #expect(try workspace.enpire("run", "p-1", "p-9").code == 0)
    #expect(try workspace.enpire("why", "p-9").output.hasPrefix("p-9: up to date\n"))
    #expect(try workspace.enpire("reproduce", "p-9").output.hasPrefix("same   p-9.o"))
    #expect(try workspace.enpire("approve", "ask-9").output == "approved: ask-9 (go?)\n")
    #expect(try workspace.enpire("why", "q-9").code == 64 && workspace.enpire("reproduce", "q-9").code == 64)
    #expect(try workspace.enpire("clean").output == "removed out-1\n")
    #expect(try workspace.enpire("clean", "p-9").output == "removed out-9\n")
  }

  @Test func `a matrix leaves combinations out and takes others in`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "vars": {"seeds": [0, 1]}, "steps": {
        "t": {"run": ["sh", "-c", "echo ${matrix.seed} ${matrix.size} ${matrix.note} > ${out.o}"],
          "matrix": {"seed": "${var.seeds}", "size": ["s", "m"],
            "exclude": [{"seed": 0, "size": "m"}],
            "include": [{"note": "plain"}, {"size": "m", "note": "big"}, {"seed": 9, "size": "l", "note": "odd"}]},
          "out": {"o": "t-${matrix.seed}-${matrix.size}"}},
        "all": {"run": ["sh", "-c", "cat ${in.i} > all"], "in": {"i": "${step.t[*].o}"}, "out": {"o": "all"}},
        "one": {"run": ["sh", "-c", "cat ${in.i} > one"], "in": {"i": "${step.t[seed=9,size=l,note=odd].o}"}, "out": {"o": "one"}}}}
      """#)
    #expect(try workspace.enpire("all", "one").code == 0)
    #expect(workspace.read("all") == "0 s plain\n1 s plain\n1 m big\n9 l odd\n" && workspace.read("one") == "9 l odd\n")
    #expect(try workspace.enpire("status").output.contains("t[seed=1,size=m]"))
    #expect(try workspace.enpire("seeds=[5]", "all").code == 0)
    #expect(workspace.read("all") == "5 s plain\n5 m big\n9 l odd\n")
  }

  @Test(arguments: [
    (#"{"x": [1], "exclude": [{"y": 1}]}"#, "the matrix has no 'y'"),
    (#"{"x": [1], "exclude": [{"x": 1}]}"#, "the matrix excludes all its combinations"),
    (#"{"x": [1], "include": {}}"#, "'include' must be a list of objects"),
    (#"{"x": "${var.n}"}"#, "matrix 'x' must be a list with at least one value"),
    (#"{"x": "${var.l}", "y": "${var.l}"}"#, "the matrix has more than 100000 combinations"),
  ]) func `a wrong matrix is refused`(matrix: String, sentence: String) throws {
    let list = (0..<400).map(String.init).joined(separator: ",")
    let workspace = try Workspace(
      #"{"manifest": 1, "vars": {"n": 1, "l": [\#(list)]}, "steps": {"a": {"run": ["x"], "phony": true, "matrix": \#(matrix)}}}"#)
    let outcome = try workspace.enpire("check")
    #expect(outcome.code == 65 && outcome.errors.contains(sentence), "\(outcome.errors)")
  }

  @Test func `a file that a command names in its words is the included step's, whatever the outer ones are called`() throws {
    let included = #"""
      {"manifest": 1, "steps": {
        "head": {"run": ["sh", "-c", "echo inner > h"], "out": {"rows": "h"}},
        "use": {"run": ["sh", "-c", "cat ${step.head.rows} > u"], "out": {"u": "u"}}}}
      """#
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "include": {"s": "sub/m.json"}, "default": ["s:use", "head"],
       "steps": {"head": {"run": ["sh", "-c", "echo outer > h"], "out": {"rows": "h"}}}}
      """#, files: ["sub/m.json": included])
    #expect(try workspace.enpire("run", "head", "s:head").code == 0)
    #expect(try workspace.enpire().code == 0)
    #expect(workspace.read("sub/u") == "inner\n")
    let state = ["ENPIRE_STATE": workspace.path(".enpire").path()]
    #expect(try workspace.enpire("-f", "sub/m.json", "-q", "use", environment: state).code == 0)
  }

  @Test func `an element of a pattern's list is a goal`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["l"], "steps": {"l": {"run": ["sh", "-c", "echo '[1, 2]' > l.json"], "out": {"o": "l.json"}},
        "p-%": {"run": ["sh", "-c", "echo ${stem} > ${out.o}"], "foreach": {"e": "${step.l}"}, "out": {"o": "p-${stem}-${matrix.e}"}}}}
      """#)
    #expect(try workspace.enpire().code == 0)
    #expect(try workspace.summary("p-9[e=1]")["ran"] == 1)
    #expect(workspace.read("p-9-1") == "9\n" && workspace.read("p-9-2") == nil)
  }
}
