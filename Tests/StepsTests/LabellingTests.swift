// The labelling page as a browser uses it: what it is given, what it writes, and whom it does not answer.

import Foundation
import HTTP
import JSON
import Robot
import Steps
import Testing
import Vision

@Suite struct `Labelling clips` {
  private static let films = StepRun.checkout + "workflows/demos/push-t/videos/"

  private func request(_ room: StepRun, by: String = "ada", sheets: String? = nil) -> Labelling.Request {
    var json: JSON = [
      "videos": [.string(Self.films + "episode_000.mp4"), .string(Self.films + "episode_013.mp4")], "file": .string(room.directory + "/labels.json"),
      "by": .string(by), "criterion": "human",
    ]
    if let sheets { json["sheets"] = .string(sheets) }
    return Labelling.Request(json: json)
  }

  /// Serves on a thread of its own, until the page ends it.
  private func serve(_ request: Labelling.Request, _ body: (_ address: String) throws -> Void) throws {
    let said = Mailbox()
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      do {
        var labelling = try Labelling(request)
        try labelling.run { said.put($0) }
      } catch { said.put("! \(error)") }
      ended.signal()
    }
    let line = said.take()
    let address = try #require(line.split(separator: " ").first { $0.hasPrefix("http://127.0.0.1:") }.map(String.init), "\(line)")
    defer {
      _ = try? HTTPClient().send(HTTPRequest("POST", address + "end", body: []))
      ended.wait()
    }
    try body(address)
  }

  @Test func `the page gets clips and frames, and what it sends is a file that ingest-demos reads`() throws {
    let room = try StepRun()
    defer { room.remove() }
    let client = HTTPClient()
    func post(_ address: String, _ json: JSON) throws -> HTTPResponse {
      try client.send(HTTPRequest("POST", address + "labels", body: Array(json.compact.utf8)))
    }
    try serve(request(room)) { address in
      let page = try client.send(HTTPRequest("GET", address)).text
      #expect(page.contains("<kbd>s</kbd> success"))
      let clips = try JSON(parsing: client.send(HTTPRequest("GET", address + "clips")).body)
      #expect(clips["clips"]?[0]?["frames"] == 161 && clips["clips"]?[1]?["clip"] == "episode_013.mp4" && clips["by"] == "ada")
      // Forwards, and back again.
      for frame in [40, 41, 3] {
        let image = try Image(pngData: Data(client.send(HTTPRequest("GET", address + "frame/0/\(frame).png")).body))
        #expect(image.width == 480)
      }
      #expect(try client.send(HTTPRequest("GET", address + "frame/0/161.png")).status == 400)
      let sheet = try Image(pngData: Data(client.send(HTTPRequest("GET", address + "sheet/1")).body))
      #expect(sheet.width > 800)

      let spans: JSON = [["from": 0, "to": 120, "label": "failure"], ["from": 120, "to": 161, "label": "success"]]
      #expect(try post(address, ["clip": "episode_000.mp4", "spans": spans]).status == 200)
      #expect(try post(address, ["clip": "episode_000.mp4", "spans": [["from": 0, "to": 162, "label": "failure"]]]).status == 400)
      #expect(try post(address, ["clip": "episode_000.mp4", "spans": [["from": 0, "to": 9, "label": "good"]]]).status == 400)
      #expect(try post(address, ["clip": "other.mp4", "spans": []]).status == 400)

      // Neither another name for this machine, nor another page, nor who does not know the path.
      #expect(try client.send(HTTPRequest("GET", address + "clips", headers: [("Host", "evil.example")])).status == 403)
      #expect(try client.send(HTTPRequest("POST", address + "labels", headers: [("Origin", "http://evil.example")], body: [])).status == 403)
      let root = address.split(separator: "/").prefix(2).joined(separator: "//")
      #expect(try client.send(HTTPRequest("GET", root + "/clips")).status == 404)
    }
    let labels = try ClipLabels(json: room.json("labels.json"))
    #expect(labels.by == "ada" && labels.criterion == "human" && labels.clips["episode_000.mp4"]?.map(\.frames) == [0..<120, 120..<161])

    // Somebody else goes on: what was there stays ada's.
    try serve(request(room, by: "bob")) { (address: String) throws in
      let spans: JSON = [["from": 0, "to": 120, "label": "failure"], ["from": 120, "to": 161, "label": "ambiguous"]]
      #expect(try post(address, ["clip": "episode_000.mp4", "spans": spans]).status == 200)
    }
    let both = try ClipLabels(json: room.json("labels.json"))
    #expect(both.by == "ada" && both.clips["episode_000.mp4"]?.map(\.by) == [nil, "bob"])

    // What bob leaves of a stretch of hers is hers.
    try serve(request(room, by: "bob")) { (address: String) throws in
      let spans: JSON = [
        ["from": 0, "to": 80, "label": "failure"], ["from": 80, "to": 120, "label": "success"], ["from": 120, "to": 161, "label": "ambiguous"],
      ]
      #expect(try post(address, ["clip": "episode_000.mp4", "spans": spans]).status == 200)
    }
    #expect(try ClipLabels(json: room.json("labels.json")).clips["episode_000.mp4"]?.map(\.by) == [nil, "bob", "bob"])
  }

  @Test func `contact sheets are written, and a file that holds no labels is refused`() throws {
    let room = try StepRun()
    defer { room.remove() }
    var labelling = try Labelling(request(room, sheets: room.directory + "/sheets"))
    try labelling.run { _ in }
    let sheet = try Image(contentsOfPNG: room.directory + "/sheets/episode_000.mp4.png")
    #expect(sheet.height > 600)
    _ = try room.write(["labels": 2], to: "labels.json")
    do {
      _ = try Labelling(request(room))
      Issue.record("accepted")
    } catch { #expect("\(error)".contains("does not hold labels of version 1")) }
  }
}

/// Hands one line from one thread to another.
private final class Mailbox: @unchecked Sendable {  // because the semaphore orders the two threads
  private var line = ""
  private let arrived = DispatchSemaphore(value: 0)

  func put(_ text: String) {
    line = text
    arrived.signal()
  }

  func take() -> String {
    arrived.wait()
    return line
  }
}
