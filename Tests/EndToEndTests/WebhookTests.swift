// Webhooks: a real server in another process gets what it should, and nothing that goes wrong there fails a run.

import Foundation
import JSON
import Testing

/// Answers as its file `answers` says, a line a request (a status, or `silent`), and appends each request to `got`.
private final class Receiver {
  private let process = Process()
  let workspace: Workspace
  let port: Int

  init(_ workspace: Workspace) throws {
    self.workspace = workspace
    try workspace.write(
      """
      import http.server, json, os, time
      class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
          body = self.rfile.read(int(self.headers["Content-Length"])).decode()
          answers = open("answers").read().split() if os.path.exists("answers") else []
          how = answers.pop(0) if answers else "200"
          open("answers", "w").write("\\n".join(answers))
          with open("got", "a") as file:
            file.write(json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": json.loads(body)}) + "\\n")
          if how == "silent":
            time.sleep(3)
          else:
            self.send_response(int(how))
            self.end_headers()
        def log_message(self, *_): pass
      server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
      open("port.tmp", "w").write(str(server.server_port))
      os.rename("port.tmp", "port")
      server.serve_forever()
      """, to: "receiver.py")
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "receiver.py"]
    process.currentDirectoryURL = workspace.directory
    try process.run()
    workspace.wait(for: "port")
    port = Int(workspace.read("port")!)!
  }

  deinit { kill(process.processIdentifier, SIGKILL) }

  var got: [JSON] { (workspace.read("got") ?? "").split(separator: "\n").compactMap { try? JSON(parsing: String($0)) } }
}

@Suite struct `Webhooks` {
  private func workspace(_ hook: (Int) -> String) throws -> (Workspace, Receiver) {
    let workspace = try Workspace()
    let receiver = try Receiver(workspace)
    try workspace.write(
      #"""
      {"manifest": 1, "workflow": "w", "notify": \#(hook(receiver.port)), "steps": {
        "a": {"run": ["sh", "-c", "echo $KEY; grep -q good mood && cp mood a"], "secrets": ["KEY"], "in": {"m": "mood"}, "out": {"o": "a"}}}}
      """#, to: "enpire.json")
    try workspace.write("good\n", to: "mood")
    return (workspace, receiver)
  }

  private func call(_ workspace: Workspace, _ arguments: String...) throws -> JSON {
    try JSON(
      parsing: workspace.outcome(of: try workspace.start(["schedule", "run", "--json"] + arguments, environment: ["KEY": "hush-hush-hush"])).output)
  }

  @Test func `the summary is posted, with a token from a file, of those runs that are asked for`() throws {
    let (workspace, receiver) = try workspace { #"{"url": "http://127.0.0.1:\#($0)/told?key=in-the-address", "token": {"file": "token"}}"# }
    try workspace.write("a-token-of-the-hook\n", to: "token")
    #expect(try call(workspace)["deliveries"] == [])
    try workspace.write("bad\n", to: "mood")
    let failed = try call(workspace)
    #expect(failed["deliveries"] == [["to": .string("127.0.0.1:\(receiver.port)"), "tries": 1]])
    try workspace.write("good again\n", to: "mood")
    _ = try call(workspace)
    let got = receiver.got
    #expect(got.map { $0["headers"]?["x-enpire-event"] } == ["failure", "recovery"])
    let first = try #require(got.first)
    #expect(first["path"] == "/told?key=in-the-address")
    #expect(first["headers"]?["authorization"] == "Bearer a-token-of-the-hook")
    #expect(first["headers"]?["content-type"] == "application/json")
    var told = failed
    told["deliveries"] = []
    var body = try #require(first["body"])
    body["deliveries"] = []
    #expect(body == told)
    #expect(body["failures"]?[0]?["problem"]?.string?.contains("***") == true)
    let all =
      try FileManager.default.contentsOfDirectory(atPath: workspace.path(".enpire/schedule/enpire").path()).map {
        workspace.read(".enpire/schedule/enpire/" + $0) ?? ""
      }.joined() + (workspace.read("got") ?? "").replacingOccurrences(of: "Bearer a-token-of-the-hook", with: "")
    for secret in ["a-token-of-the-hook", "hush-hush-hush"] { #expect(!all.contains(secret)) }
  }

  @Test func `what may go better is tried again, what may not is told, and the run fares as it fared`() throws {
    let (workspace, receiver) = try workspace {
      #"[{"url": "http://127.0.0.1:\#($0)/", "on": ["success"], "tries": 3, "timeout": 0.5}, {"url": "http://127.0.0.1:1/", "on": "success", "tries": 1}]"#
    }
    func tries(_ answers: String, _ text: String) throws -> JSON? {
      try workspace.write(answers, to: "answers")
      try workspace.write("good \(text)\n", to: "mood")
      let summary = try call(workspace)
      #expect(summary["exit"] == 0 && summary["transition"] == "success")
      let away = summary["deliveries"]?[1]
      #expect(away?["to"] == "127.0.0.1:1" && away?["tries"] == 1 && away?["problem"] != nil)
      return summary["deliveries"]?[0]
    }
    #expect(try tries("500\n503", "1") == ["to": .string("127.0.0.1:\(receiver.port)"), "tries": 3])
    #expect(Set(receiver.got.map { $0["headers"]?["idempotency-key"]?.string }).count == 1)
    #expect(try tries("404", "2")?["problem"] == "status 404")
    let silent = try tries("silent\nsilent\nsilent", "3")
    #expect(silent?["tries"] == 3)
    #expect(silent?["problem"]?.string?.contains("no complete answer within") == true)
    // It is told on paper, and by the next summary that arrives.
    try workspace.write("404", to: "answers")
    let said = workspace.outcome(of: try workspace.start(["schedule", "run"], environment: ["KEY": "hush-hush-hush"])).output
    #expect(said.contains("warning: 127.0.0.1:\(receiver.port) was not told: status 404"), "\(said)")
    #expect(try call(workspace)["earlier"]?.array?.contains { $0["what"] == "undelivered" && $0["call"] == 4 } == true)
  }

  @Test func `the user's own hooks are told too, of a broken manifest as well, as text for a chat`() throws {
    let (workspace, receiver) = try workspace { _ in "[]" }
    try workspace.write(
      #"{"config": 1, "notify": {"url": {"file": "address"}, "form": "text"}}"#, to: "config/enpire/config.json")
    try workspace.write("http://127.0.0.1:\(receiver.port)/T000/B000\n", to: "config/enpire/address")
    try workspace.write("{", to: "enpire.json")
    let environment = ["XDG_CONFIG_HOME": workspace.path("config").path()]
    #expect(try workspace.enpire("schedule", "run", environment: environment).code == 65)
    #expect(receiver.got.first?["body"]?["text"]?.string?.hasPrefix("enpire: FAILURE: enpire.json:1:") == true, "\(receiver.got)")
    #expect(try workspace.enpire("summary", "--post", environment: environment).code == 0)
    #expect(receiver.got.count == 2)
  }

  @Test(arguments: [
    (#"{"url": "ftp://a/"}"#, "'url' must begin with https:// or http://"), (#"{"on": ["failure"]}"#, "a hook needs a 'url'"),
    (#"{"url": "http://a/", "token": "t"}"#, "'token' must be where it is"),
    (#"{"url": "http://a/", "on": ["failed"]}"#, "a hook is told of no 'failed'"),
    (#"{"url": "http://a/", "tries": 99}"#, "'tries' must be 1 to 8"),
  ]) func `a hook that is wrong is refused with its place`(hook: String, sentence: String) throws {
    let workspace = try Workspace(#"{"manifest": 1, "notify": \#(hook), "steps": {"a": {"run": ["true"], "out": {"o": "o"}}}}"#)
    let outcome = try workspace.enpire("check")
    #expect(outcome.code == 65 && outcome.errors.contains("enpire.json:1:") && outcome.errors.contains(sentence), "\(outcome.errors)")
  }
}
