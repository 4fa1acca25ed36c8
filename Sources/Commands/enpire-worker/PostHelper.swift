// Posts one summary to a webhook: the request is JSON on descriptor 4, how it went is JSON on descriptor 5. Tries again, with longer pauses, what
// may go better another time. It knows nothing of summaries, and its answers hold no address and no token.

import Foundation
import HTTP
import JSON

enum PostHelper {
  static func run() {
    let answer: JSON
    do {
      answer = post(try JSON(parsing: [UInt8](FileHandle(fileDescriptor: 4).readDataToEndOfFile())))
    } catch { answer = ["tries": 0, "problem": "the request could not be read"] }
    try? FileHandle(fileDescriptor: 5).write(contentsOf: Data(answer.compact.utf8))
  }

  private static func post(_ request: JSON) -> JSON {
    let client = HTTPClient()
    var headers = [
      ("Content-Type", "application/json"), ("User-Agent", "enpire"), ("X-Enpire-Event", request["event"]?.string ?? ""),
      // The same for every try, so that a receiver can tell a repetition.
      ("Idempotency-Key", request["id"]?.string ?? ""),
    ]
    if let token = request["token"]?.string { headers.append(("Authorization", "Bearer " + token)) }
    let limit = Duration.milliseconds(Int((request["timeout"]?.double ?? 10) * 1000))
    let most = request["tries"]?.int ?? 1
    var problem = ""
    for attempt in 1...most {
      var pause = Double(1 << (attempt - 1))
      do {
        let response = try client.send(
          HTTPRequest(
            "POST", request["url"]?.string ?? "", headers: headers.map { (name: $0.0, value: $0.1) },
            body: Array((request["body"]?.string ?? "").utf8),
            timeout: limit, largestBody: 1 << 20))
        if (200..<300).contains(response.status) { return ["tries": .integer(attempt)] }
        problem = "status \(response.status)"
        // What is wrong with the request stays wrong.
        guard response.status >= 500 || [408, 425, 429].contains(response.status) else {
          return ["tries": .integer(attempt), "problem": .string(problem)]
        }
        if let wait = response.header("Retry-After").flatMap(Double.init), wait > 0 { pause = min(wait, 30) }
      } catch {
        problem = error.reason
        if error.code == .badRequest { return ["tries": .integer(attempt), "problem": .string(problem)] }
      }
      if attempt < most { Thread.sleep(forTimeInterval: min(pause, 30)) }
    }
    return ["tries": .integer(most), "problem": .string(problem)]
  }
}
