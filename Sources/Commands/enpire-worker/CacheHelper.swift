// Carries files between the engine and an HTTP cache in Bazel's layout (GET and PUT of /ac/HEX and /cas/HEX): a command a line on
// descriptor 4, a reply a line on descriptor 5. It knows nothing of what the files are; whoever asks checks them.
//
//   url ADDRESS          comes first
//   get NAME FILE        ok, missing, or why not
//   put NAME FILE        content, unless it is there
//   replace NAME FILE    content, whatever is there
//   commit NAME FILE     an entry; stored only if all content put since the last one was

import Foundation
import HTTP

struct CacheHelper {
  private static let largest = 256 << 20
  /// After so many failures one after another nothing is tried any more.
  private static let patience = 3

  private let client = HTTPClient()
  private let headers: [(name: String, value: String)]
  private var address = ""
  private var failures = 0
  private var contentFailed = false

  private init() {
    let token = ProcessInfo.processInfo.environment["ENPIRE_CACHE_TOKEN"] ?? ""
    headers = token.isEmpty ? [] : [("Authorization", "Bearer " + token)]
  }

  static func run() {
    var helper = CacheHelper()
    let replies = FileHandle(fileDescriptor: 5)
    guard let commands = fdopen(4, "r") else { return }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while case let count = getline(&line, &capacity, commands), count > 0 {
      let words = String(cString: line!).dropLast().split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      let reply = helper.answer(words).split(separator: "\n").joined(separator: " ").prefix(300)
      do { try replies.write(contentsOf: Data((reply + "\n").utf8)) } catch { return }
    }
  }

  private mutating func answer(_ words: [String]) -> String {
    switch (words.first, words.count) {
    case ("url", 2):
      address = words[1].hasSuffix("/") ? String(words[1].dropLast()) : words[1]
      return "ok"
    case ("get", 3): return attempt { try $0.get(words[1], to: words[2]) }
    case ("put", 3), ("replace", 3):
      let reply = attempt { try $0.put(words[1], from: words[2], anew: words[0] == "replace") }
      if reply != "ok" { contentFailed = true }
      return reply
    case ("commit", 3):
      defer { contentFailed = false }
      return contentFailed ? "an entry was left out, for its content was not stored" : attempt { try $0.put(words[1], from: words[2], anew: true) }
    default: return "not a command: \(words.first ?? "")"
    }
  }

  private mutating func attempt(_ work: (CacheHelper) throws -> String) -> String {
    if failures >= Self.patience { return "not tried, after \(failures) failures" }
    do {
      let reply = try work(self)
      failures = 0
      return reply
    } catch {
      failures += 1
      return "\(error)"
    }
  }

  private struct Refusal: Error, CustomStringConvertible { let description: String }

  private func get(_ name: String, to file: String) throws -> String {
    // An entry is small and decides whether a step waits; content may be large.
    let limit: Duration = name.hasPrefix("ac/") ? .seconds(5) : .seconds(60)
    let response = try client.send(HTTPRequest("GET", url(name), headers: headers, timeout: limit, redirects: 3, largestBody: Self.largest))
    switch response.status {
    case 200:
      try Data(response.body).write(to: URL(filePath: file))
      return "ok"
    case 404, 410: return "missing"
    default: throw Refusal(description: "GET \(name.prefix(16))…: status \(response.status)")
    }
  }

  private func put(_ name: String, from file: String, anew: Bool) throws -> String {
    let body = [UInt8](try Data(contentsOf: URL(filePath: file)))
    if !anew, body.count > 1 << 16,
      try client.send(HTTPRequest("HEAD", url(name), headers: headers, timeout: .seconds(5))).status == 200
    {
      return "ok"
    }
    let response = try client.send(HTTPRequest("PUT", url(name), headers: headers, body: body, timeout: .seconds(60)))
    guard (200..<300).contains(response.status) else { throw Refusal(description: "PUT \(name.prefix(16))…: status \(response.status)") }
    return "ok"
  }

  private func url(_ name: String) -> String { address + "/" + name }
}
