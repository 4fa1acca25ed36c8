// HTTP against a real server process on this machine.

import Foundation
import HTTP
import Testing

@Suite struct HTTPTests {
  @Test func sendsMethodHeadersAndBodyAndReadsStatusHeadersAndBody() throws {
    try withServer { server in
      let client = HTTPClient()
      let response = try client.send(
        HTTPRequest("POST", server + "/echo?q=1", headers: [("X-Word", "wörd"), ("Content-Type", "text/plain")], body: Array("hällo\0there".utf8)))
      #expect(response.status == 201)
      #expect(response.header("x-answer") == "yes")
      #expect(response.text == "POST /echo?q=1 wörd text/plain 12 hällo\0there")
      // The same connection serves the next request, with nothing left of the first.
      let second = try client.send(HTTPRequest("PUT", server + "/echo", body: []))
      #expect(second.text == "PUT /echo None application/x-www-form-urlencoded 0 ")
    }
  }

  @Test func aStatusOtherThan200IsAnAnswer() throws {
    try withServer { server in
      let response = try HTTPClient().send(HTTPRequest("GET", server + "/missing"))
      #expect(response.status == 404)
    }
  }

  @Test func redirectsAreFollowedOnlyWhenAskedFor() throws {
    try withServer { server in
      let request = HTTPRequest("GET", server + "/redirect")
      let response = try HTTPClient().send(request)
      #expect(response.status == 302 && response.header("Location") == "/plain")
      var following = request
      following.redirects = 1
      let followed = try HTTPClient().send(following)
      #expect(followed.status == 200 && followed.text == "plain" && followed.header("Location") == nil)
    }
  }

  @Test func aBodyOverTheLimitIsRefused() throws {
    try withServer { server in
      let error = #expect(throws: HTTPError.self) { try HTTPClient().send(HTTPRequest("GET", server + "/plain", largestBody: 4)) }
      #expect(error?.code == .tooLarge)
    }
  }

  @Test func aServerThatNeverAnswersTimesOut() throws {
    try withServer { server in
      let error = #expect(throws: HTTPError.self) { try HTTPClient().send(HTTPRequest("GET", server + "/hang", timeout: .milliseconds(100))) }
      #expect(error?.code == .timeout)
    }
  }

  @Test func errorsNameTheAddressWithoutItsSecrets() {
    let error = #expect(throws: HTTPError.self) {
      try HTTPClient().send(HTTPRequest("GET", "http://user:hunter2@127.0.0.1:1/path?key=hunter2#hunter2", headers: [("Authorization", "hunter2")]))
    }
    #expect(error?.code == .unreachable)
    #expect(error?.description.hasPrefix("GET http://127.0.0.1:1/path: ") == true)
    #expect(error?.description.contains("hunter2") == false)
  }

  @Test func otherProtocolsAndBrokenHeadersAreRefused() {
    #expect(throws: HTTPError.self) { try HTTPClient().send(HTTPRequest("GET", "file:///etc/hostname")) }
    let error = #expect(throws: HTTPError.self) { try HTTPClient().send(HTTPRequest("GET", "http://127.0.0.1:1/", headers: [("A", "b\r\nC: d")])) }
    #expect(error?.reason == "a header holds a line break")
  }

  // MARK: -

  private static let program = """
    import http.server, sys, threading
    class Handler(http.server.BaseHTTPRequestHandler):
      protocol_version = "HTTP/1.1"
      def log_message(self, *a): pass
      def answer(self, status, body, headers=()):
        self.send_response(status)
        for h in headers: self.send_header(*h)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
      def handle_any(self):
        path = self.path.split("?")[0]
        if path == "/echo":
          body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
          word = self.headers.get("X-Word")
          word = word.encode("latin-1").decode() if word else "None"
          head = f"{self.command} {self.path} {word} {self.headers.get('Content-Type')} {self.headers.get('Content-Length')} "
          self.answer(201, head.encode() + body, [("X-Answer", "yes")])
        elif path == "/plain": self.answer(200, b"plain")
        elif path == "/redirect": self.answer(302, b"moved", [("Location", "/plain")])
        elif path == "/hang": threading.Event().wait()
        else: self.answer(404, b"no")
      do_GET = do_POST = do_PUT = handle_any
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    """

  /// Runs `body` with the address of a server that ends with it.
  private func withServer(_ body: (String) throws -> Void) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", Self.program]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    defer {
      try? input.fileHandleForWriting.close()
      process.waitUntilExit()
    }
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data([10]), !byte.isEmpty { line += byte }
    try body("http://127.0.0.1:\(String(decoding: line, as: UTF8.self))")
  }
}
