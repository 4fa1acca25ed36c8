// Results shared between clones: over a directory, and over HTTP with a real nginx. Whatever is wrong in the cache is never used.

import Foundation
import JSON
import Testing

/// nginx with WebDAV on a free port of the loopback; its files lie in a directory of ours.
final class CacheServer {
  let directory = FileManager.default.temporaryDirectory.appending(path: "enpire-nginx-" + UUID().uuidString)
  private let process = Process()
  let address: String

  static let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Whether the worker that tests use speaks to caches.
  static let isSpoken: Bool = {
    let worker =
      ProcessInfo.processInfo.environment["ENPIRE_WORKER"] ?? Workspace.program.deletingLastPathComponent().appending(path: "enpire-worker").path()
    let process = Process()
    process.executableURL = URL(filePath: worker)
    process.arguments = ["cache"]
    (process.standardInput, process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice, FileHandle.nullDevice)
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  init() throws {
    try FileManager.default.createDirectory(at: directory.appending(path: "root"), withIntermediateDirectories: true)
    let port = try Self.freePort()
    address = "http://127.0.0.1:\(port)"
    let path = directory.path(percentEncoded: false)
    try Data(
      """
      daemon off; pid \(path)/pid; error_log \(path)/errors; worker_processes 1; \(getuid() == 0 ? "user root;" : "")
      events { worker_connections 64; }
      http {
        access_log \(path)/access; client_body_temp_path \(path)/body; proxy_temp_path \(path)/1; fastcgi_temp_path \(path)/2; uwsgi_temp_path \(path)/3;
        scgi_temp_path \(path)/4;
        server { listen 127.0.0.1:\(port); root \(path)/root; client_max_body_size 0; location / { dav_methods PUT DELETE; create_full_put_path on; } }
      }
      """.utf8
    ).write(to: directory.appending(path: "nginx.conf"))
    process.executableURL = URL(filePath: Self.program!)
    process.arguments = ["-c", path + "/nginx.conf", "-e", path + "/errors", "-p", path]
    try process.run()
    while !FileManager.default.fileExists(atPath: path + "/pid"), process.isRunning { usleep(5000) }
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
  }

  deinit {
    if process.isRunning { stop() }
    try? FileManager.default.removeItem(at: directory)
  }

  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 }
    }
    guard found else { throw CocoaError(.fileReadUnknown) }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

@Suite struct `Shared cache` {
  enum Place: String, CaseIterable { case directory, nginx }

  /// A cache, where it is, and the files it holds: entries under `ac`, content under `cas`.
  private struct Cache {
    let address: String
    let root: URL
    let server: CacheServer?

    init(_ place: Place) throws {
      server = place == .nginx ? try CacheServer() : nil
      root = server?.directory.appending(path: "root") ?? FileManager.default.temporaryDirectory.appending(path: "enpire-cache-" + UUID().uuidString)
      address = server?.address ?? root.path(percentEncoded: false)
    }

    func files(_ kind: String) -> [URL] {
      (FileManager.default.enumerator(at: root.appending(path: kind), includingPropertiesForKeys: [.isRegularFileKey])?.compactMap { $0 as? URL }
        ?? [])
        .filter { (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true }.sorted { $0.path() < $1.path() }
    }

    func remove() { if server == nil { try? FileManager.default.removeItem(at: root) } }
  }

  static let places: [Place] = CacheServer.program != nil && CacheServer.isSpoken ? Place.allCases : [.directory]

  /// A file, a directory made of it, and what reads that.
  private func clone() throws -> Workspace {
    try Workspace(
      """
      {"manifest": 1, "steps": {
        "a": {"run": ["cp", "in.txt", "a"], "in": {"i": "in.txt"}, "out": {"o": "a"}},
        "d": {"run": ["sh", "-c", "mkdir d/s; cp ${in.i} d/s/x; head -c 300000 /dev/zero > d/z"], "in": {"i": "${step.a.o}"}, "out": {"o": "d/"}},
        "j": {"run": ["sh", "-c", "wc -c < ${in.d}/z > j.json"], "in": {"d": "${step.d.o}"}, "out": {"o": "j.json"}}}}
      """, files: ["in.txt": "one\n"])
  }

  private func run(_ workspace: Workspace, _ cache: String) throws -> Outcome {
    workspace.outcome(of: try workspace.start(["run", "--json", "--cache", cache]))
  }

  private func summary(_ outcome: Outcome) -> JSON {
    outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }.last { $0["event"] == "summary" } ?? [:]
  }

  private func told(_ outcome: Outcome) -> [JSON] {
    outcome.output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }.filter { $0["event"] == "cache" }
  }

  @Test(arguments: places) func `a second clone restores everything and runs nothing`(place: Place) throws {
    let cache = try Cache(place)
    defer { cache.remove() }
    let first = try clone()
    let outcome = try run(first, cache.address)
    #expect(summary(outcome)["ran"] == 3 && told(outcome).isEmpty, "\(outcome.output) \(outcome.errors)")
    #expect(cache.files("ac").count == 3 && cache.files("cas").count == 4)
    #expect(cache.files("ac").allSatisfy { $0.lastPathComponent.count == 64 })

    let second = try clone()
    let restored = try run(second, cache.address)
    #expect(summary(restored)["restored"] == 3 && summary(restored)["ran"] == 0 && told(restored).isEmpty, "\(restored.output)")
    #expect(second.read("a") == "one\n" && second.read("d/s/x") == "one\n" && second.read("j.json") == "300000\n")
    #expect(try second.summary()["upToDate"] == 3, "without the cache too")
    #expect(try second.enpire("check", "--store").code == 0)
    // Another input is another key, all the way.
    try second.write("two\n", to: "in.txt")
    #expect(try summary(run(second, cache.address))["ran"] == 3)
  }

  @Test(arguments: places, ["poisoned", "truncated", "missing"]) func `content that is not what its name says is never used`(
    place: Place, fault: String
  ) throws {
    let cache = try Cache(place)
    defer { cache.remove() }
    #expect(try summary(run(try clone(), cache.address))["ran"] == 3)
    for file in cache.files("cas") {
      let bytes = try Data(contentsOf: file)
      try FileManager.default.removeItem(at: file)
      switch fault {
      case "poisoned": try Data(bytes.map { $0 ^ 1 }).write(to: file)
      case "truncated": try bytes.prefix(bytes.count / 2).write(to: file)
      default: break
      }
    }
    let second = try clone()
    let outcome = try run(second, cache.address)
    #expect(summary(outcome)["ran"] == 3 && summary(outcome)["exit"] == 0, "\(outcome.output)")
    #expect(told(outcome).contains { $0["text"]?.string?.contains("is not what it should be, and is not used") == true && $0["warning"] == false })
    #expect(second.read("d/s/x") == "one\n" && second.read("j.json") == "300000\n")
    // What ran was stored again, sound.
    #expect(try summary(run(try clone(), cache.address))["restored"] == 3)
  }

  @Test(arguments: places, ["garbage", "empty", "another"]) func `an entry that is not of its key is never used`(place: Place, fault: String) throws {
    let cache = try Cache(place)
    defer { cache.remove() }
    #expect(try summary(run(try clone(), cache.address))["ran"] == 3)
    let entries = cache.files("ac")
    let contents = try entries.map { try Data(contentsOf: $0) }
    for (index, file) in entries.enumerated() {
      try FileManager.default.removeItem(at: file)
      switch fault {
      case "garbage": try Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 3) }).write(to: file)
      case "empty": try Data().write(to: file)
      default: try contents[(index + 1) % contents.count].write(to: file)
      }
    }
    let second = try clone()
    let outcome = try run(second, cache.address)
    #expect(summary(outcome)["ran"] == 3 && summary(outcome)["exit"] == 0, "\(outcome.output)")
    #expect(second.read("j.json") == "300000\n")
  }

  @Test(arguments: places) func `a cache that cannot be reached is a warning, and is left alone after some failures`(place: Place) throws {
    let workspace = try Workspace(
      #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo ${matrix.i} > a-${matrix.i}"], "matrix": {"i": [1, 2, 3, 4, 5, 6]}, "out": {"o": "a-${matrix.i}"}}}}"#
    )
    var address = "/proc/enpire-cache"
    if place == .nginx {
      let server = try CacheServer()
      address = server.address.replacingOccurrences(of: "http://", with: "http://user:s3cr3t-word@")
      server.stop()
    }
    let outcome = try run(workspace, address)
    #expect(summary(outcome)["ran"] == 6 && outcome.code == 0, "\(outcome.output) \(outcome.errors)")
    let warnings = told(outcome).filter { $0["warning"] == true }
    #expect((1...3).contains(warnings.count), "\(warnings)")
    #expect(warnings.contains { $0["text"]?.string?.contains("left alone for the rest of this run") == true })
    #expect(!(outcome.output + outcome.errors).contains("s3cr3t-word"))
  }

  @Test func `what is made with a secret is not shared, and the cache may be named by the environment or the configuration`() throws {
    let cache = try Cache(.directory)
    defer { cache.remove() }
    let workspace = try Workspace(
      #"{"manifest": 1, "default": ["a", "b"], "steps": {"a": {"run": ["sh", "-c", "echo 1 > a"], "out": {"o": "a"}, "secrets": ["TOKEN"]}, "b": {"run": ["sh", "-c", "echo 2 > b"], "out": {"o": "b"}}}}"#
    )
    #expect(try workspace.enpire("run", environment: ["ENPIRE_CACHE": cache.address, "TOKEN": "value-of-token"]).code == 0)
    #expect(cache.files("ac").count == 1)
    #expect(try workspace.enpire("run", "--cache", "none", "-B", "b", environment: ["ENPIRE_CACHE": cache.address]).code == 0)
    try workspace.write(#"{"config": 1, "cache": "\#(cache.address)"}"#, to: "config/enpire/config.json")
    let other = try Workspace(#"{"manifest": 1, "steps": {"b": {"run": ["sh", "-c", "echo 2 > b"], "out": {"o": "b"}}}}"#)
    let outcome = try other.enpire("run", environment: ["XDG_CONFIG_HOME": workspace.path("config").path()])
    #expect(outcome.errors.contains("restored"), "\(outcome.errors)")
  }

  @Test func `a step that always runs is not taken from the cache`() throws {
    let cache = try Cache(.directory)
    defer { cache.remove() }
    let manifest = #"{"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo 1 > a"], "out": {"o": "a"}, "always": true}}}"#
    #expect(try summary(run(try Workspace(manifest), cache.address))["ran"] == 1)
    #expect(try summary(run(try Workspace(manifest), cache.address))["ran"] == 1)
  }

  @Test func `a damaged store is repaired from the cache`() throws {
    let cache = try Cache(.directory)
    defer { cache.remove() }
    let workspace = try clone()
    #expect(try summary(run(workspace, cache.address))["ran"] == 3)
    let store = workspace.path(".enpire/store")
    for name in FileManager.default.enumerator(atPath: store.path())?.compactMap({ $0 as? String }).filter({ $0.count > 3 }) ?? [] {
      try FileManager.default.removeItem(at: store.appending(path: name))
      if name.utf8.last! % 2 == 0 { try workspace.write("damaged", to: ".enpire/store/" + name) }
    }
    let repaired = try workspace.enpire("check", "--repair", "--json", "--cache", cache.address)
    #expect(try JSON(parsing: repaired.output)["fetched"] == 4 && JSON(parsing: repaired.output)["steps"] == [], "\(repaired.output)")
    #expect(try workspace.enpire("check", "--store").code == 0)
    #expect(try workspace.summary()["upToDate"] == 3)
  }
}
