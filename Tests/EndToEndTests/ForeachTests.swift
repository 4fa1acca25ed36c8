// A step for each element of a list that another step gives.

import Foundation
import JSON
import Testing

@Suite struct `A step for each element` {
  /// `list` copies a file of the workspace; each element has a step; `sum` reads all of them; `shared` is needed by the instances alone.
  private func workspace(_ list: String, more: String = "") throws -> Workspace {
    let workspace = try Workspace(files: ["list.json": list])
    let ran = workspace.path("ran").path()
    try workspace.write(
      #"""
      {"manifest": 1, "default": ["sum"], "steps": {
        "list": {"run": ["cp", "${in.l}", "${out.items}"], "in": {"l": "list.json"}, "out": {"items": "l.json"}},
        "shared": {"run": ["sh", "-c", "echo + > ${out.o}"], "out": {"o": "shared"}},
        "sum": {"run": ["sh", "-c", "cat \"$@\" < /dev/null > sum", "sh", "${in.all}"], "in": {"all": "${step.each[*].o}"}, "out": {"o": "sum"}},
        "each": {"run": ["sh", "-c", "echo ${matrix.item} >> \#(ran); echo ${matrix.item} > ${out.o}"], "foreach": {"item": "${step.list.items}.names"},
          "in": {"s": "${step.shared.o}"}, "out": {"o": "out/${matrix.item}"}}\#(more)}}
      """#, to: "enpire.json")
    return workspace
  }

  @Test func `what reads all of them waits for them and sees exactly them`() throws {
    let workspace = try workspace(#"{"names": ["a", "b"]}"#)
    #expect(try workspace.enpire("plan").output.contains("then     sum\n           waits for each"))
    let first = try workspace.summary("-j", "4")
    #expect(first["ran"] == 5 && first["exit"] == 0, "\(first)")
    #expect(workspace.read("sum") == "a\nb\n" && workspace.read("out/b") == "b\n")
    // From the cache: nothing runs, and every verb knows the instances.
    let second = try workspace.summary()
    #expect(second["ran"] == 0 && second["restored"] == 0 && second["exit"] == 0)
    #expect(try workspace.enpire("-q").code == 0)
    #expect(try workspace.enpire("why", "each[item=b]").output.hasPrefix("each[item=b]: up to date\n"))
    #expect(try workspace.enpire("status").output.contains("each[item=a]  run  up to date"))
    #expect(try workspace.enpire("plan", "each[item=a]").output.contains("nothing to do"))
    try workspace.write("{\"names\": [\"a\", \"c\"]}", to: "list.json")
    #expect(try workspace.summary("list")["ran"] == 1)
    #expect(try workspace.summary("each[item=c]")["ran"] == 1)
    #expect(workspace.read("sum") == "a\nb\n")
  }

  @Test func `what is asked of all of them is answered for each`() throws {
    let workspace = try workspace(#"{"names": ["a", "b"]}"#)
    #expect(try workspace.summary()["ran"] == 5)
    let why = try workspace.enpire("why", "each").output
    #expect(why.contains("each[item=a]: up to date\n") && why.contains("each[item=b]: up to date\n"), "\(why)")
    #expect(
      try workspace.enpire("why", "--last", "each").output
        == "each[item=a]: ran\n  it has not run before\neach[item=b]: ran\n  it has not run before\n")
    let history = try JSON(parsing: try workspace.enpire("history", "each", "--json").output)
    #expect(history["executions"]?.array?.map { $0["step"] } == ["each[item=a]", "each[item=b]"], "\(history)")
    let reproduce = try workspace.enpire("reproduce", "each")
    #expect(reproduce.code == 64 && reproduce.errors.contains("no step, key or output 'each'"), "\(reproduce.errors)")
    #expect(!reproduce.errors.contains("did you mean 'each'"))
    #expect(try workspace.enpire("clean", "each").output == "removed out/a\nremoved out/b\n")
    #expect(try workspace.summary("each")["restored"] == 2)
    let all = try workspace.enpire("clean").output
    #expect(all.contains("removed out/a\n") && all.contains("removed out/b\n") && all.contains("removed sum\n"), "\(all)")
    #expect(workspace.read("out/b") == nil)
  }

  @Test func `a changed list runs only what is new`() throws {
    let workspace = try workspace(#"{"names": ["a", "b"]}"#)
    #expect(try workspace.summary()["ran"] == 5)
    try workspace.write(#"{"names": ["b", "c"]}"#, to: "list.json")
    let changed = try workspace.summary()
    #expect(changed["ran"] == 3)
    #expect(workspace.ran.sorted() == ["a", "b", "c"] && workspace.read("sum") == "b\nc\n")
    try workspace.write(#"{"names": []}"#, to: "list.json")
    #expect(try workspace.summary()["exit"] == 0)
    #expect(workspace.read("sum") == "")
    try workspace.write(#"{"names": ["a", "b"]}"#, to: "list.json")
    #expect(try workspace.summary()["exit"] == 0)
    #expect(workspace.ran.sorted() == ["a", "b", "c"] && workspace.read("sum") == "a\nb\n")
  }

  @Test func `elements are what they are, whatever text they hold`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["all"], "steps": {
        "list": {"run": ["cp", "${in.l}", "${out.items}"], "in": {"l": "list.json"}, "out": {"items": "l.json"}},
        "each": {"run": ["sh", "-c", "printf '%s %s %s' \"$1\" \"$E\" \"$2\" > \"$3\"", "sh", "${matrix.e}", "${with.w}", "${out.o}"],
          "in": {"f": "${matrix.e}"}, "foreach": {"e": "${step.list.items}"}, "env": {"E": "${matrix.e}"}, "with": {"w": "${matrix.e}!"},
          "when": "${matrix.e} != 'never'", "out": {"o": "out/${matrix.e}"}},
        "all": {"run": ["true"], "phony": true, "after": ["each"]}}}
      """#,
      files: ["list.json": ##"["a$$b", "${with.w}", "${nonsense", "${matrix.e}", "$${x}", "never"]"##])
    let names = ["a$$b", "${with.w}", "${nonsense", "${matrix.e}", "$${x}"]
    for name in names { try workspace.write(name, to: name) }
    let first = try workspace.summary()
    #expect(first["exit"] == 0 && first["skipped"] == 1, "\(first)")
    for name in names { #expect(workspace.read("out/" + name) == "\(name) \(name) \(name)!") }
    #expect(try workspace.summary()["ran"] == 0)
  }

  @Test func `an element is a path, never a pattern`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["all"], "steps": {
        "list": {"run": ["cp", "${in.l}", "${out.items}"], "in": {"l": "list"}, "out": {"items": "l.json"}},
        "each": {"run": ["sh", "-c", "cat \"$1\" \"$2\" > \"$3\"", "sh", "${in.f}", "${in.p}", "${out.o}"], "foreach": {"e": "${step.list}"},
          "in": {"f": "${matrix.e}", "p": "?/${matrix.e}"}, "out": {"o": "out/${matrix.e}"}},
        "all": {"phony": true, "after": "each"}}}
      """#, files: ["list": #"["a[1]", "b*", "c?", "d\\e", "f\\[g]$"]"#])
    let names = ["a[1]", "b*", "c?", #"d\e"#, #"f\[g]$"#]
    for name in names + ["a1", "bb", "cc", "de", "fg$", "f[g]$"] {
      try workspace.write(name, to: name)
      try workspace.write("-" + name, to: "x/" + name)
    }
    let first = try workspace.enpire()
    #expect(first.code == 0, "\(first.errors)")
    for name in names { #expect(workspace.read("out/" + name) == name + "-" + name) }
    #expect(try workspace.summary()["ran"] == 0)
    try FileManager.default.removeItem(at: workspace.path("a[1]"))
    #expect(try workspace.enpire().code == 66)
  }

  @Test func `two lists are paired element by element, whatever the elements are called`() throws {
    let list = #"["plain", "sub/b", "b=c", "c,d", "", "$x", [1, 2], 3]"#
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["all"], "steps": {
        "list": {"run": ["cp", "${in.l}", "${out.items}"], "in": {"l": "list"}, "out": {"items": "l.json"}},
        "first": {"run": ["sh", "-c", "printf %s \"$E\" > \"$1\"", "sh", "${out.o}"], "foreach": {"e": "${step.list}"}, "env": {"E": "${matrix.e}"},
          "out": {"o": "o-${matrix.e}x"}},
        "second": {"run": ["cp", "${in.i}", "${out.o}"], "foreach": {"e": "${step.list}"}, "in": {"i": "${step.first[e=${matrix.e}].o}"},
          "after": "first[e=${matrix.e}]", "out": {"o": "p-${matrix.e}x"}},
        "all": {"run": ["sh", "-c", "cat \"$@\" > all", "sh", "${in.i}"], "in": {"i": "${step.second[*].o}"}, "out": {"o": "all"}}}}
      """#, files: ["list": list])
    let first = try workspace.enpire()
    #expect(first.code == 0 && workspace.read("all") == "plainsub/bb=cc,d$x[1,2]3", "\(first.errors)")
    #expect(try workspace.enpire("status").output.contains("second[e=plain]"))
    #expect(try workspace.summary()["ran"] == 0)
  }

  @Test func `one element runs again if it is asked for with -B`() throws {
    let workspace = try workspace(#"{"names": ["a", "b"]}"#)
    #expect(try workspace.summary()["ran"] == 5)
    #expect(try workspace.summary("-B", "each[item=a]")["ran"] == 1)
    #expect(try workspace.enpire("plan", "-B", "each[item=b]").output.hasPrefix("run      each[item=b]\n"))
    #expect(try workspace.summary("-B", "each[item=b]", "sum", "shared")["ran"] == 3)
    #expect(workspace.ran == ["a", "b", "a", "b"] || workspace.ran == ["b", "a", "a", "b"])
    let both = try workspace.enpire("run", "-B", "list", "each[item=b]")
    #expect(both.code == 64 && both.errors.contains("no step 'each[item=b]' as long as -B has the other goals run again"), "\(both.errors)")
    #expect(try workspace.summary()["ran"] == 0)
  }

  @Test func `lists combine with a matrix, chain element by element, and hold any value`() throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "default": ["end", "all"], "steps": {
        "list": {"run": ["sh", "-c", "echo '[{\"n\": 1}, \"x y\", 3]' > l.json"], "out": {"items": "l.json"}},
        "one": {"run": ["sh", "-c", "echo \"$ITEM ${matrix.seed}\" > ${out.o}"], "matrix": {"seed": [7, 8]}, "foreach": {"item": "${step.list.items}"},
          "env": {"ITEM": "${matrix.item}"}, "out": {"o": "dir/"}, "when": "${matrix.item} != 3"},
        "num": {"run": ["sh", "-c", "echo '[1, 2]' > n.json"], "out": {"n": "n.json"}},
        "first": {"run": ["sh", "-c", "echo ${matrix.n} > f${matrix.n}"], "foreach": {"n": "${step.num}"}, "out": {"o": "f${matrix.n}"}},
        "second": {"run": ["sh", "-c", "cat ${in.i} ${in.i} > ${out.o}"], "foreach": {"n": "${step.num}"}, "in": {"i": "${step.first[n=${matrix.n}].o}"},
          "out": {"o": "s${matrix.n}"}},
        "end": {"run": ["sh", "-c", "cat ${in.all} > end"], "in": {"all": "${step.second[*].o}"}, "out": {"o": "end"}},
        "all": {"phony": true, "after": ["first"]}}}
      """#.replacingOccurrences(
        of: #""env": {"ITEM": "${matrix.item}"}, "out": {"o": "dir/"}"#, with: #""env": {"ITEM": "${matrix.item}"}, "phony": true"#
      )
      .replacingOccurrences(of: " > ${out.o}\"], \"matrix\"", with: "\"], \"matrix\""))
    #expect(try workspace.summary()["exit"] == 0)
    #expect(workspace.read("end") == "1\n1\n2\n2\n")
    let all = try workspace.summary("one")
    #expect(all["ran"] == 5 && all["skipped"] == 2, "\(all)")
    let status = try workspace.enpire("status").output
    #expect(status.contains("one[seed=7,item=x y]") && status.contains("one[seed=8,item=3]"))
    #expect(try workspace.summary("one")["ran"] == 0)
  }

  @Test func `a step that cannot be made so fails with its place, and the rest is left alone`() throws {
    let workspace = try workspace(#"{"names": 3}"#)
    let number = try workspace.enpire()
    #expect(number.code == 65 && number.errors.contains("${step.list.items}.names is no list, but 3"), "\(number.errors)")
    try workspace.write(#"{"names": ["a", "a"]}"#, to: "list.json")
    #expect(try workspace.enpire().errors.contains("${step.list.items}.names holds a value twice"))
    try workspace.write("{\"names\": [\((0...100_000).map(String.init).joined(separator: ","))]}", to: "list.json")
    #expect(try workspace.enpire().errors.contains("the lists make more than 100000 steps"))
    try workspace.write(#"{"names": ["x/../../y"]}"#, to: "list.json")
    #expect(try workspace.enpire().errors.contains("would publish to 'out/x/../../y', which is not below the manifest's directory"))
    #expect(workspace.ran == [])
  }

  @Test(arguments: [
    (#"{"run": ["x"], "phony": true, "foreach": {"i": [1]}}"#, "foreach 'i' must name a list"),
    (#"{"run": ["x"], "phony": true, "foreach": {"i": "${step.nope}"}}"#, "no step 'nope'"),
    (#"{"run": ["x"], "phony": true, "foreach": {"i": "${step.f}"}}"#, "'f.o' is no list"),
    (#"{"run": ["x"], "phony": true, "matrix": {"i": [1]}, "foreach": {"i": "${step.l}"}}"#, "'i' is in 'matrix' and in 'foreach'"),
    (#"{"run": ["x", "${in.i}"], "phony": true, "in": {"i": "${step.e.o}"}}"#, "step 'e' stands for one step for each element of a list"),
  ]) func `a wrong foreach is refused before anything runs`(step: String, sentence: String) throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "steps": {"l": {"run": ["true"], "out": {"o": "l.json"}}, "f": {"run": ["true"], "out": {"o": "f"}},
        "e": {"run": ["true"], "foreach": {"i": "${step.l}"}, "out": {"o": "e${matrix.i}"}}, "a": \#(step)}}
      """#)
    let outcome = try workspace.enpire("check")
    #expect(outcome.code == 65 && outcome.errors.contains(sentence), "\(outcome.errors)")
  }

  @Test func `an element that waits for what waits for it is refused`() throws {
    let workspace = try workspace(#"{"names": ["a"]}"#, more: #", "late": {"run": ["true"], "phony": true, "after": "sum"}"#)
    try workspace.write(
      workspace.read("enpire.json")!.replacingOccurrences(of: #""in": {"s": "#, with: #""after": "late", "in": {"s": "#), to: "enpire.json")
    let outcome = try workspace.enpire()
    #expect(outcome.code == 65 && outcome.errors.contains("steps wait for each other"), "\(outcome.errors)")
  }

  /// Each comes when what it needs has ended already: not well, or only what came after it has to be kept from starting.
  @Test(arguments: [
    (#""run": ["sh", "-c", "exit 1"]"#, #""in": {"b": "${step.bad.o}"}"#, Int32(1)),
    (#""run": ["sh", "-c", "exit 1"]"#, #""after": "bad""#, Int32(1)),
    (#""run": ["true"], "when": "false""#, #""in": {"b": "${step.bad.o}"}"#, Int32(0)),
  ]) func `what comes of a list after its need has failed is skipped`(bad: String, need: String, code: Int32) throws {
    let workspace = try Workspace(
      #"""
      {"manifest": 1, "steps": {
        "bad": {\#(bad), "out": {"o": "bad"}},
        "list": {"run": ["sh", "-c", "sleep 0.3; echo '[1, 2]' > list.json"], "out": {"o": "list.json"}},
        "each": {"run": ["sh", "-c", "echo + > ${out.o}"], "foreach": {"e": "${step.list}"}, \#(need), "out": {"o": "each${matrix.e}"}},
        "sum": {"run": ["sh", "-c", "echo + > sum"], "in": {"all": "${step.each[*].o}"}, "out": {"o": "sum"}},
        "any": {"run": ["sh", "-c", "echo + > any"], "in": {"all": "${step.each[*].o?}"}, "out": {"o": "any"}}}}
      """#)
    for _ in 0..<2 {
      let outcome = try workspace.enpire("run", "-k", "-j", "4")
      #expect(outcome.code == code, "\(outcome.errors)")
      for name in ["each1", "each2", "sum"] { #expect(workspace.read(name) == nil) }
    }
    #expect(workspace.read("any") != nil)
    #expect(try workspace.enpire("plan").code == 0)
  }

  @Test func `-B runs all of them`() throws {
    let workspace = try workspace(#"{"names": ["a", "b"]}"#)
    #expect(try workspace.enpire().code == 0)
    #expect(try workspace.summary("-B", "each")["ran"] == 2)
    #expect(workspace.ran.sorted() == ["a", "a", "b", "b"])
    #expect(try workspace.summary("each")["ran"] == 0)
  }
}
