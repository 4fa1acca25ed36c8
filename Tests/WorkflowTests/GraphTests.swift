import JSON
import Testing

@testable import Workflow

private let evaluate = Kind(
  "evaluate", summary: "", effect: .sample, revision: 1, inputs: [Input("policy", "", many: true)],
  outputs: [Output("result", .value, path: "r.json", "")],
  parameters: [Parameter("trials", .integer(1...1000), default: 10, "how many")], usesStation: true, shardable: true)
private let make = Kind("make", summary: "", effect: .pure, revision: 1, outputs: [Output("it", .file, path: "it", "")])
private let propose = Kind("propose", summary: "", effect: .external, revision: 1, outputs: [Output("it", .file, path: "it", "")], appends: true)

@Suite struct `Graphs` {
  @Test func `a matrix makes one step for each combination, a bracketed star means all of them`() throws {
    let graph = try graph(
      """
      {"a": {"uses": "make", "matrix": {"x": [1, 2], "y": ["p", "q"]}},
       "b": {"run": ["cat", "${in.all}"], "in": {"all": "${step.a[*].it}"}, "out": {"o": "o"}}}
      """, kinds: [make])
    #expect(graph.names == ["a[x=1,y=p]", "a[x=1,y=q]", "a[x=2,y=p]", "a[x=2,y=q]", "b"])
    #expect(graph.step(named: "b")!.needs.map(\.step) == [0, 1, 2, 3])
  }

  @Test func `a matrix's lists of exceptions may be empty`() throws {
    #expect(try graphOf(#"{"a": {"uses": "make", "matrix": {"x": [1, 2], "exclude": [], "include": []}}}"#).names == ["a[x=1]", "a[x=2]"])
  }

  @Test func `shards are pinned to stations by their number, and the gather holds none`() throws {
    let graph = try graph(
      """
      {"p": {"uses": "make"}, "e": {"uses": "evaluate", "in": {"policy": "${step.p}"}, "station": {"task": "push-t"}, "shards": 3}}
      """, kinds: [make, evaluate], fleet: ["s1", "s2"])
    #expect(graph.names == ["p", "e[shard=0]", "e[shard=1]", "e[shard=2]", "e"])
    #expect(graph.steps.map(\.stationName) == [nil, "s1", "s2", "s1", nil])
    #expect(graph.step(named: "e")!.needs.map(\.step) == [0, 1, 2, 3])
  }

  @Test func `several stations at once are those that follow each other`() throws {
    let graph = try graph(
      #"{"p": {"uses": "make"}, "e": {"uses": "evaluate", "in": {"policy": "${step.p}"}, "station": {"task": "push-t", "count": 2}, "shards": 2}}"#,
      kinds: [make, evaluate], fleet: ["s1", "s2", "s3"])
    #expect(graph.steps.map { $0.stations.map(\.name) } == [[], ["s1", "s2"], ["s3", "s1"], []])
  }

  @Test func `how a step is run may use variables and the matrix`() throws {
    let graph = try graph(
      #"{"a": {"uses": "make", "matrix": {"n": [1, 2]}, "resources": {"cpu": "${matrix.n}"}, "timeout": "${var.limit}"}}"#, vars: #"{"limit": "2m"}"#,
      kinds: [make])
    #expect(graph.steps.map { $0.options.resources.cpu } == [1, 2])
    #expect(graph.steps[0].options.timeout == TimeLimit(after: 120))
    #expect(
      problem {
        _ = try self.graphOf(#"{"a": {"uses": "make", "matrix": {"n": [0]}, "resources": {"cpu": "${matrix.n}"}}}"#)
      } == "'cpu' must be a number above 0")
    #expect(
      problem { _ = try self.graphOf(#"{"a": {"uses": "make", "resources": {"cpus": 2}}}"#) } == "no pool 'cpus' | did you mean 'cpu'?")
  }

  private func graphOf(_ steps: String) throws -> Graph { try graph(steps, kinds: [make]) }

  @Test func `what comes first may depend on the matrix`() throws {
    let graph = try graph(
      #"{"a": {"uses": "make", "matrix": {"x": [1, 2]}}, "b": {"uses": "make", "matrix": {"x": [1, 2]}, "after": "a[x=${matrix.x}]"}}"#, kinds: [make]
    )
    #expect(graph.steps.map { $0.needs.map(\.step) } == [[], [], [0], [1]])
    #expect(
      problem { _ = try self.graphOf(#"{"a": {"uses": "make"}, "b": {"uses": "make", "after": "${matrix.x}"}}"#) }.hasPrefix(
        "no 'x' in the step's matrix"))
  }

  @Test func `errors name the thing and suggest`() {
    #expect(problem { _ = try graph(#"{"a": {"uses": "mak"}}"#, kinds: [make]) } == "no step kind 'mak' | did you mean 'make'?")
    #expect(
      problem { _ = try graph(#"{"a": {"uses": "make"}, "b": {"run": ["x"], "in": {"i": "${step.aa}"}, "out": {"o": "o"}}}"#, kinds: [make]) }
        == "no step 'aa' | did you mean 'a'?")
    #expect(
      problem {
        _ = try graph(
          #"{"a": {"uses": "make", "matrix": {"k": [1]}}, "b": {"run": ["x"], "in": {"i": "${step.a.it}"}, "out": {"o": "o"}}}"#, kinds: [make])
      }
        == "step 'a' has a matrix | write ${step.a[*]…} for all of them, ${step.a[k=1]…} for one")
    #expect(
      problem {
        _ = try graph(#"{"e": {"uses": "evaluate", "in": {"policy": "x"}, "with": {"trials": 0}, "station": {}}}"#, kinds: [evaluate], fleet: ["s"])
      }
        == "'trials' must be an integer from 1 to 1000, not 0 | how many")
    #expect(
      problem { _ = try graph(#"{"a": {"run": ["x"], "after": "b", "out": {"o": "o"}}, "b": {"run": ["x"], "after": "a", "out": {"o": "p"}}}"#) }
        == "steps wait for each other: a → b → a")
    #expect(
      problem { _ = try graph(#"{"e": {"uses": "evaluate", "in": {"policy": "x"}, "station": {"task": "fold"}}}"#, kinds: [evaluate], fleet: ["s"]) }
        == #"no station of the fleet can do what step 'e' wants: {"task":"fold"} | the stations do: push-t"#)
  }

  private func declaration(_ name: String, _ text: String) throws -> StepDeclaration {
    try StepDeclaration(try JSON(parsing: text), name: name, at: JSONPointer(), reader: Reader(file: "appended", text: Array(text.utf8)))
  }

  @Test func `after a step that appends means after all that came of it`() throws {
    let graph = try graph(#"{"e": {"uses": "propose", "appends": true}, "r": {"run": ["x"], "after": "e", "out": {"o": "o"}}}"#, kinds: [propose])
    let (e, r) = (graph.step(named: "e")!, graph.step(named: "r")!)
    #expect(graph.want([r]).map(\.name) == ["e"])
    let child = try graph.insert([try declaration("e/1", #"{"run": ["x"], "in": {"i": "${step.e}"}, "out": {"o": "p"}}"#)], parent: e.id)[0]
    #expect(child.isWanted)
    #expect(graph.finish(e, .done).map(\.name) == ["e/1"])
    #expect(r.status == .waiting)
    #expect(graph.finish(child, .done).map(\.name) == ["r"])
  }

  @Test func `a promise is kept, or released when it cannot be kept any more`() throws {
    let graph = try graph(#"{"a": {"uses": "propose", "appends": true}, "b": {"uses": "propose", "appends": true}}"#, kinds: [propose])
    let (a, b) = (graph.step(named: "a")!, graph.step(named: "b")!)
    _ = graph.want([a, b])
    let late = try graph.insert([try declaration("a/2", #"{"run": ["x"], "after": ["b/1?", "b/2?"], "out": {"o": "p"}}"#)], parent: a.id)[0]
    #expect(graph.finish(a, .done).isEmpty)
    let kept = try graph.insert([try declaration("b/1", #"{"run": ["x"], "out": {"o": "q"}}"#)], parent: b.id)[0]
    #expect(graph.finish(b, .done).isEmpty)
    #expect(late.status == .waiting)
    #expect(graph.finish(kept, .done).map(\.name) == ["a/2"])
  }

  @Test func `an appended step may not wait for what waits for its family`() throws {
    let graph = try graph(#"{"e": {"uses": "propose", "appends": true}, "r": {"run": ["x"], "after": "e", "out": {"o": "o"}}}"#, kinds: [propose])
    #expect(
      problem { try graph.insert([try declaration("e/1", #"{"run": ["x"], "after": "r", "out": {"o": "p"}}"#)], parent: 0) }.contains(
        "steps wait for each other: "))
    #expect(graph.names == ["e", "r"])
  }

  @Test func `a failure skips what needs it and leaves the rest`() throws {
    let graph = try graph(
      """
      {"a": {"uses": "make"}, "b": {"run": ["x"], "in": {"i": "${step.a}"}, "out": {"o": "1"}},
       "c": {"run": ["x"], "in": {"i": "${step.a.it?}"}, "out": {"o": "2"}}, "d": {"run": ["x"], "after": "b", "out": {"o": "3"}}}
      """, kinds: [make])
    _ = graph.want(graph.steps)
    let ready = graph.finish(graph.step(named: "a")!, .failed)
    #expect(ready.map(\.name) == ["c"])
    #expect(graph.steps.map(\.status) == [.failed, .skipped, .ready, .skipped])
  }

  @Test(arguments: ["", ".", "./o", "a/../o", "a//o", ".enpire/x", "/o", "../o"]) func `where nothing may be published`(path: String) {
    #expect(
      problem { _ = try graph(#"{"a": {"run": ["x"], "out": {"o": "${var.p}"}}}"#, vars: #"{"p": "\#(path)"}"#) }.hasPrefix(
        "step 'a' would publish to '\(path)'"))
  }

  @Test func `names of outputs leave room for what stands beside them while they are made`() throws {
    for (count, isRefused) in [(240, false), (241, true)] {
      let path = "o/" + String(repeating: "n", count: count) + "/p"
      let said = problem { _ = try graph(#"{"a": {"run": ["x"], "out": {"o": "\#(path)"}}}"#) }
      #expect(said.hasPrefix("step 'a' would publish under a name of more than 240 bytes") == isRefused)
    }
  }

  @Test func `what only the run knows says neither where to publish nor how often to try`() throws {
    for more in [#""out": {"o": "${step.b}"}"#, #""out": {"o": "${var.p}"}, "timeout": "${with.t}""#] {
      #expect(
        problem {
          _ = try graph(#"{"a": {"run": ["x"], "with": {"t": "1s"}, \#(more)}, "b": {"run": ["x"], "out": {"o": "b"}}}"#, vars: #"{"p": "o"}"#)
        }
        .hasPrefix("what is known only when the step runs cannot stand here"), "\(more)")
    }
    #expect(try graph(#"{"a": {"run": ["x"], "out": {"o": "$${step.b} costs $$3 or $4"}}}"#).steps[0].publishes == ["o": "${step.b} costs $3 or $4"])
  }

  @Test(arguments: [
    ("*", "out/o.txt", true), ("*.txt", "all.txt", true), ("./o*", "out/", true), ("*/", "out/o", true), ("d/*", "d/e/f", true), ("*/", "o", false),
    ("*", ".o", false), ("*.txt", "d/all.txt", false), ("d/*", "o", false), ("\\\\*", "o", false),
  ])
  func `a step's output is not what its own pattern matches`(pattern: String, output: String, isRefused: Bool) {
    let said = problem { _ = try graph(#"{"a": {"run": ["x"], "in": {"i": "\#(pattern)"}, "out": {"o": "\#(output)"}}}"#) }
    #expect(said.hasPrefix(isRefused ? "the output 'o' (\(output)) would lie in the input '\(pattern)'" : "no problem"), "\(said)")
  }

  @Test(arguments: [("d", "d"), ("d/", "d"), ("d/", "d/o"), ("d/e/o", "d"), ("d/e/o", "d/")]) func `no two outputs at a place, nor one below another`(
    one: String, other: String
  ) {
    #expect(
      problem { _ = try graph(#"{"a": {"run": ["x"], "out": {"o": "\#(one)"}}, "b": {"run": ["x"], "out": {"o": "\#(other)"}}}"#) }.hasPrefix(
        "steps 'a' and 'b' both publish to '\(other)'"))
  }
}
