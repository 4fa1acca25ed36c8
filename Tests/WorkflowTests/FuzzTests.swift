// Damaged manifests, snapshots, records and directory listings: none may crash or hang the reader, and what is accepted must make sense. Inputs are
// drawn in a process of their own, which leaves the input it had in hand if it dies. `make study-fuzz` draws a million of each.

import Foundation
import Hashing
import JSON
import Testing

@testable import Workflow

@Suite(.serialized) struct `Damaged files` {
  enum Subject: String, CaseIterable, Sendable { case manifest, snapshot, record, listing }

  /// The child's part: what to read, how often, and where to leave what it finds.
  struct Draw: Codable, Sendable {
    var subject: String
    var count: Int
    var seed: Int
    var directory: String
  }

  @Test(arguments: Subject.allCases) func `no damage crashes or hangs a reader, and nothing senseless is accepted`(subject: Subject) async throws {
    let environment = ProcessInfo.processInfo.environment
    // In memory where that can be: every input is a file.
    let memory = URL(filePath: "/dev/shm")
    let place = access(memory.path(), W_OK) == 0 ? memory : FileManager.default.temporaryDirectory
    let directory = place.appending(path: "enpire-fuzz-" + UUID().uuidString).resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    #if DEBUG
      let usual = 4000
    #else
      let usual = 20_000
    #endif
    let count = environment["ENPIRE_FUZZ"].flatMap { Int($0) } ?? usual
    let seed = environment["ENPIRE_SEED"].flatMap { Int($0) } ?? 1
    let draw = Draw(subject: subject.rawValue, count: count, seed: seed, directory: directory.path())
    let result = await #expect(processExitsWith: .success) { [draw = draw as Draw] in try Fuzz.run(draw) }
    if result == nil {
      let kept = FileManager.default.temporaryDirectory.appending(path: "enpire-fuzz-\(subject.rawValue)-\(seed)")
      try? FileManager.default.removeItem(at: kept)
      try? FileManager.default.copyItem(at: directory.appending(path: "input"), to: kept)
      Issue.record("the input in hand is kept in \(kept.path())")
    }
    if let report = try? String(contentsOf: directory.appending(path: "report"), encoding: .utf8) {
      #expect(!report.contains("SENSELESS"), "\(report)")
      if environment["ENPIRE_STUDY"] != nil { print(report) }
    }
    try? FileManager.default.removeItem(at: directory)
  }
}

/// What a child does.
enum Fuzz {
  static func run(_ draw: `Damaged files`.Draw) throws {
    var limit = rlimit(rlim_cur: 4 << 30, rlim_max: 4 << 30)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    let begin = Date()
    let reader: any FuzzReader =
      switch `Damaged files`.Subject(rawValue: draw.subject)! {
      case .manifest: try ManifestFuzz(draw.directory)
      case .snapshot: try SnapshotFuzz(draw.directory)
      case .record: try RecordFuzz(draw.directory)
      case .listing: ListingFuzz()
      }
    var mutator = Mutator(seed: draw.seed, corpus: reader.corpus, words: reader.words)
    // What it starts from must be right, or it would only ever draw refusals.
    for seed in reader.corpus.prefix(reader.right) {
      guard case .accepted = try reader.read(seed) else {
        return try Data("SENSELESS: a seed gives \(try reader.read(seed))".utf8).write(to: URL(filePath: draw.directory + "/report"))
      }
    }
    var accepted = 0
    var senseless: [String] = []
    let input = open(draw.directory + "/input", O_RDWR | O_CREAT, 0o644)
    for _ in 0..<draw.count {
      let bytes = mutator.next()
      _ = bytes.withUnsafeBytes { pwrite(input, $0.baseAddress, $0.count, 0) }
      ftruncate(input, bytes.count)
      alarm(20)
      switch try reader.read(bytes) {
      case .refused(let sentence): mutator.keep(bytes, refused: sentence)
      case .accepted:
        accepted += 1
        mutator.keep(bytes, refused: nil)
      case .senseless(let why):
        if senseless.count < 5 { senseless.append("SENSELESS, \(why):\n" + String(decoding: bytes.prefix(4000), as: UTF8.self)) }
      }
    }
    alarm(0)
    let seconds = Date().timeIntervalSince(begin)
    let report =
      "\(draw.subject): \(draw.count) inputs in \(Int(seconds)) s, \(accepted) accepted, \(mutator.classCount) kinds of refusal\n"
      + senseless.joined(separator: "\n")
    try Data(report.utf8).write(to: URL(filePath: draw.directory + "/report"))
  }
}

enum FuzzOutcome {
  case refused(String)
  case accepted
  case senseless(String)
}

extension FuzzReader { var right: Int { corpus.count } }

protocol FuzzReader {
  var corpus: [[UInt8]] { get }
  /// So many of the first are accepted.
  var right: Int { get }
  var words: [String] { get }
  func read(_ bytes: [UInt8]) throws -> FuzzOutcome
}

// MARK: Manifests

private struct ManifestFuzz: FuzzReader {
  let directory: String
  let path: String
  let corpus: [[UInt8]]
  let words: [String]
  var right: Int { Self.features.count }
  private let kinds: [String: Kind]
  private let fleet: Fleet

  private static let features = [
    """
    {"manifest": 1, "workflow": "w", "description": "d", "fleet": "f.json", "vars": {"n": 3, "name": "x-${var.n}", "e": {"env": "NONE", "default": "h"}},
     "pools": {"licence": 2, "arm": ["left", "right"]}, "default": ["c", "e"], "steps": {
      "a": {"run": ["cp", "${in.i}", "${out.o}"], "in": {"i": ["in-*.txt", "dir"]}, "out": {"o": "out/${var.name}"}, "env": {"V": "${var.e}"}},
      "b": {"uses": "make", "matrix": {"x": [1, 2], "y": ["p", "q"], "exclude": [{"x": 2, "y": "q"}], "include": [{"x": 1, "z": "t"}]},
        "with": {"size": "${matrix.x}"}, "out": {"it": "b-${matrix.x}-${matrix.y}"}},
      "c": {"run": ["cat", "${in.all}", "${step.v}"], "in": {"all": "${step.b[*].it}", "m": "${step.a.o?}"}, "after": ["a", "b[x=1,y=p]"],
        "out": {"o": "c/", "j": "c.json"}, "retries": {"max": 2, "on": ["timeout", "exit:75"], "delay": 1}, "timeout": {"after": "10m", "grace": "3s"},
        "may_fail": true, "priority": 3, "resources": {"cpu": 2, "memory": "1G", "licence": 1, "arm": 1}, "secrets": ["TOKEN"], "network": true,
        "sandbox": false},
      "v": {"run": ["sh", "-c", "echo 3 > v.json"], "out": {"n": "v.json"}},
      "t-%": {"run": ["sh", "-c", "echo ${stem} > ${out.o}"], "out": {"o": "t-${stem}.txt"}},
      "e": {"uses": "evaluate", "in": {"policy": "${step.b[x=1,y=p].it}"}, "station": {"task": "push-t", "count": 2}, "shards": "${var.n}",
        "with": {"trials": "${step.v}", "purpose": "search"}, "out": {"result": "e.json"}},
      "p": {"uses": "propose", "appends": ["make", "run"], "after": ["e", "t-7"]},
      "q": {"run": ["true"], "after": ["p/1/make?"], "out": {"o": "q"}, "when": "${step.v.n} >= 2 and not ${step.e.result}.rate == true"}}}
    """,
    #"{"manifest": 1, "steps": {"a": {"run": ["x"], "out": {"o": "p"}}}}"#,
  ]

  init(_ directory: String) throws {
    self.directory = directory
    path = directory + "/m.json"
    let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    // The shipped manifests, and the examples of the reference.
    var corpus = Self.features.map { Array($0.utf8) }
    for name in try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "workflows").path()) where name.hasSuffix(".json") {
      corpus.append(Array(try Data(contentsOf: root.appending(path: "workflows/" + name))))
    }
    let reference = try String(contentsOf: root.appending(path: "docs/manifest.md"), encoding: .utf8)
    corpus += reference.components(separatedBy: "```json\n").dropFirst().map { Array($0.components(separatedBy: "```")[0].utf8) }
    self.corpus = corpus
    var words: Set<String> = [
      "${", "}", "[*]", "?", "..", "/", ".", ".json", "\u{0}", "ä", "${var.n}", "${matrix.x}", "${step.a}", "${step.b[*].it}", "${in.i}",
    ]
    func collect(_ json: JSON) {
      for (key, value) in json.object ?? [:] {
        words.insert(key)
        collect(value)
      }
      (json.array ?? []).forEach(collect)
      if let text = json.string, text.utf8.count < 40 { words.insert(text) }
    }
    for text in corpus { if let json = try? JSON(parsing: text) { collect(json) } }
    self.words = words.sorted()
    let made = [
      Kind(
        "make", summary: "", effect: .pure, revision: 1, outputs: [Output("it", .file, path: "it", "")],
        parameters: [Parameter("size", .integer(0...9), default: 1, "")]),
      Kind(
        "evaluate", summary: "", effect: .sample, revision: 1, inputs: [Input("policy", "", many: true)],
        outputs: [Output("result", .value, path: "r.json", "")],
        parameters: [Parameter("trials", .integer(1...1000), default: 10, ""), Parameter("purpose", .string, default: "search", "")],
        usesStation: true, shardable: true),
      Kind("propose", summary: "", effect: .external, revision: 1, outputs: [Output("it", .file, path: "it", "")], appends: true),
    ]
    kinds = Dictionary(uniqueKeysWithValues: made.map { ($0.name, $0) })
    var fleet = Fleet()
    fleet.stations = ["s1", "s2"].map { FleetStation(name: $0, tasks: ["push-t"], entry: ["name": .string($0)]) }
    self.fleet = fleet
  }

  func read(_ bytes: [UInt8]) throws -> FuzzOutcome {
    do {
      let graph = try load(bytes)
      _ = graph.want(graph.steps)
      _ = graph.topologicalOrder()
      if let fault = fault(in: graph) { return .senseless(fault) }
      // In another form it is the same.
      let formatted = try Format.format(bytes, file: path)
      guard try Format.format(formatted, file: path) == formatted else { return .senseless("formatting twice gives another text") }
      guard try picture(load(formatted)) == picture(graph) else { return .senseless("formatted, it means something else") }
      // Every sixteenth that needs no worker is planned, as `enpire plan` would.
      if bytes.count % 16 == 0, !graph.steps.contains(where: { $0.kind != nil }) {
        let session = try Session(Manifest(path: path), appended: [])
        let plan = try session.plan(session.goals([]))
        if !session.manifest.defaults.isEmpty, plan.isEmpty { return .senseless("there are goals, and nothing is planned") }
      }
      return .accepted
    } catch let problem as Problem {
      if problem.sentence.isEmpty || problem.code == .internalError { return .senseless("refused with '\(problem.sentence)', \(problem.code)") }
      _ = problem.description
      return .refused(problem.sentence)
    }
  }

  private func load(_ bytes: [UInt8]) throws -> Graph {
    try bytes.withUnsafeBytes { bytes in
      let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
      defer { close(file) }
      guard write(file, bytes.baseAddress, bytes.count) == bytes.count else { throw CocoaError(.fileWriteUnknown) }
    }
    return try Graph(try Manifest(path: path), kinds: kinds, fleet: fleet)
  }

  /// What a manifest that is accepted must not say.
  private func fault(in graph: Graph) -> String? {
    var published: [String: String] = [:]
    for step in graph.steps where !step.isShard {
      for path in step.publishes.values {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if path.isEmpty || path.hasPrefix("/") || parts.contains("..") { return "step '\(step.name)' publishes '\(path)'" }
        if path.utf8.contains(0) { return "step '\(step.name)' publishes a path with a zero byte" }
        let plain = parts.filter { $0 != "." && $0 != "" }.joined(separator: "/")
        if plain.isEmpty { return "step '\(step.name)' publishes '\(path)', which is the workspace" }
        if plain == ".enpire" || plain.hasPrefix(".enpire/") { return "step '\(step.name)' publishes '\(path)' into the state" }
        if plain == "m.json" { return "step '\(step.name)' publishes over the manifest" }
        if let other = published.updateValue(step.name, forKey: plain) { return "'\(other)' and '\(step.name)' both publish '\(plain)'" }
      }
      for (path, name) in published {
        for (index, byte) in path.utf8.enumerated() where byte == UInt8(ascii: "/") {
          if let other = published[String(decoding: path.utf8.prefix(index), as: UTF8.self)] {
            return "'\(name)' publishes '\(path)' below what '\(other)' does"
          }
        }
      }
      if step.name.utf8.contains(0) || step.argv.contains(where: { $0.utf8.contains(0) }) {
        return "step '\(step.name)' has a zero byte in its words"
      }
    }
    return nil
  }

  private func picture(_ graph: Graph) -> [JSON] {
    graph.steps.map { step in
      [
        .string(step.name), .array(step.argv.map { .string($0) }), step.with, .array(step.publishes.values.map { .string($0) }),
        .array(step.needs.map { .integer($0.step) }),
      ]
    }
  }
}

// MARK: Snapshots

private struct SnapshotFuzz: FuzzReader {
  let path: String
  let corpus: [[UInt8]]
  let words = ["\u{0}", "\u{1}", "src", "ÿÿÿÿ", "\u{0}\u{0}\u{0}\u{0}"]
  private let originals: Set<[UInt8]>

  init(_ directory: String) throws {
    path = directory + "/snapshot"
    var draft = Snapshot.Draft()
    draft.identity = Array(#"{"environment":{}}"#.utf8)
    draft.header = Array(#""manifest": 1"#.utf8)
    draft.steps = 3
    for (index, name) in ["m.json", "in.txt", "out"].enumerated() {
      let stamp = FileStamp(size: 1, modified: index, changed: 2, inode: 3, mode: 4)
      draft.watches.append(Snapshot.Watch(path: draft.add(name), kind: UInt32(index % 2), stamp: stamp, isTrusted: 1, digest: Digest(of: name)))
    }
    var (needs, files, results): ([Int: [UInt32]], [Int: [UInt32]], [Int: [Snapshot.Result]]) = ([:], [:], [:])
    for (index, name) in ["a", "b", "c"].enumerated() {
      draft.declarations.append(Snapshot.Declaration(source: 0, length: 10, offset: 20, name: draft.add(name), isOpen: 0, mark: 7))
      (needs[index], files[index]) = ([0], [1, 2])
      let step = draft.declarations.last!.name
      results[index] = [Snapshot.Result(step: step, output: draft.add("o"), file: draft.add("out"), watch: 2, form: 2, isExecutable: 1)]
    }
    draft.needs.put(needs, count: 3)
    draft.files.put(files, count: 3)
    draft.results.put(results, count: 3)
    try draft.write(to: path)
    let whole = try Files.read(path)
    try Snapshot.Draft().write(to: path)
    corpus = [whole, try Files.read(path)]
    originals = Set(corpus)
  }

  func read(_ bytes: [UInt8]) throws -> FuzzOutcome {
    var bytes = bytes
    // Half of them get a right length and checksum, or the rest would never be looked at.
    let isSealed = bytes.count >= 256 && bytes.count % 8 == 0 && bytes[100] & 1 == 0
    if isSealed { Snapshot.seal(&bytes) }
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    _ = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    close(file)
    guard let snapshot = Snapshot(path: path) else { return .refused(isSealed ? "sealed" : "not sealed") }
    if !isSealed, !originals.contains(bytes) { return .senseless("accepted with a wrong checksum") }
    // All that a look reads.
    var sum = snapshot.steps + snapshot.identity.count + snapshot.header.count
    for watch in snapshot.watches { sum &+= snapshot.string(watch.path).utf8.count }
    for (index, declaration) in snapshot.declarations.enumerated() {
      sum &+= snapshot.string(declaration.name).utf8.count + snapshot.needs[index].reduce(0) { $0 &+ Int($1) }
      for file in snapshot.files[index] { sum &+= Int(snapshot.watches[Int(file)].kind) }
      for step in snapshot.recalled(index)?.steps ?? [] {
        sum &+= step.name.utf8.count + step.outputs.reduce(0) { $0 &+ $1.output.name.utf8.count &+ $1.output.path.utf8.count }
      }
    }
    try Snapshot.Draft(snapshot).write(to: path)
    return Snapshot(path: path) == nil ? .senseless("accepted, but not when written again") : .accepted
  }
}

// MARK: Records

private struct RecordFuzz: FuzzReader {
  let right = 1
  let corpus: [[UInt8]]
  let words = ["file", "directory", "value", "digest", "form", "[]", "{}", "steps", "name", "step"]
  private let state: State
  private let key = Digest(of: "key")

  init(_ directory: String) throws {
    state = try State(directory: directory + "/state")
    let digest = Digest(of: "x").hex
    corpus = [
      #"{"o":{"digest":"\#(digest)","form":"file"},"d":{"digest":"\#(digest)","form":"directory"},"v":{"digest":"\#(digest)","form":"value"}}"#,
      #"{"o":{"digest":"\#(digest)","executable":true,"form":"file"}}"#,
      #"[{"name":"a/1","step":{"run":["x"],"out":{"o":"p"}}}]"#, "{}", "[]",
    ].map { Array($0.utf8) }
    try state.record(
      ActionRecord(key: key, step: "s", outputs: [:], appended: [], started: 0, seconds: 0, station: nil),
      ActionDetails(fingerprint: [:], telemetry: [:]))
  }

  func read(_ bytes: [UInt8]) throws -> FuzzOutcome {
    let text = String(decoding: bytes, as: UTF8.self)
    try state.database.execute("UPDATE action SET outputs = ?, appended = ? WHERE key = ?", .text(text), .text(text), .text(key.hex))
    try state.database.execute("UPDATE details SET fingerprint = ?, telemetry = ? WHERE key = ?", .text(text), .text(text), .text(key.hex))
    _ = try state.details(key)
    guard let record = try state.action(key) else { return .refused("no record") }
    for artifact in record.outputs.values { _ = state.store.has(artifact) }
    // What is accepted is what would be written.
    let again = JSON.object(record.outputs.mapValues(\.json))
    guard let json = try? JSON(parsing: text), json.object?.keys.elementsEqual(record.outputs.keys) == true else {
      return .senseless("accepted with other outputs: \(again.compact)")
    }
    return .accepted
  }
}

// MARK: Listings of directories

private struct ListingFuzz: FuzzReader {
  let corpus: [[UInt8]]
  let words = ["..", "/", ".", "", "a", "tree", "files", "x", "\u{0}", "../../x", "//", "a/b"]

  init() {
    let digest = Digest(of: "x").hex
    corpus = [
      #"{"files":[["a","\#(digest)"],["b/c","\#(digest)"],["b/d","\#(digest)"]],"tree":1}"#, #"{"files":[],"tree":1}"#,
      #"{"files":[["a","\#(digest)","x"],["b/c","\#(digest)"]],"tree":2}"#,
    ].map { Array($0.utf8) }
  }

  func read(_ bytes: [UInt8]) throws -> FuzzOutcome {
    guard let entries = Store.entries(in: bytes) else { return .refused("") }
    var paths: Set<String> = []
    for path in entries.map(\.path) {
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      if path.utf8.contains(0) || parts.contains(where: { ["", ".", ".."].contains($0) }) { return .senseless("a file at '\(path)'") }
      if !paths.insert(path).inserted { return .senseless("'\(path)' twice") }
      for count in 1..<max(1, parts.count) where paths.contains(parts.prefix(count).joined(separator: "/")) {
        return .senseless("'\(path)' below a file")
      }
    }
    let again = Store.listing(entries)
    return again.utf8.elementsEqual(bytes) ? .accepted : .senseless("it is written otherwise")
  }
}

// MARK: The store

@Suite struct `Damaged stores` {
  @Test func `a listing of another content is not taken for the directory, and its output counts as gone`() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "enpire-" + UUID().uuidString).path()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = try State(directory: directory).store
    let file = try store.addBytes(Array("x".utf8))
    let listing = Store.listing([Store.Entry(path: "a", digest: file, isExecutable: false)])
    let artifact = Artifact(digest: try store.addBytes(Array(listing.utf8)), form: .directory)
    #expect(store.has(artifact))
    let path = store.path(of: artifact.digest)
    chmod(path, 0o644)
    try Data(Store.listing([Store.Entry(path: "../../a", digest: file, isExecutable: false)]).utf8).write(to: URL(filePath: path))
    #expect(!store.has(artifact))
    #expect(problem { _ = try store.entries(of: artifact) } == "\(path) is damaged | delete it and run again")
  }
}
