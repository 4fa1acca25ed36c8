// What a confined program can do, and what happens when it does something else.

import Confinement
import Foundation
import Testing

/// The last answer of a shell script, or why there is none.
private func answer(_ script: String, _ limits: Confinement.Limits = .init(answerSeconds: 2), lines: [String] = ["go"]) -> String {
  do {
    let process = try ConfinedProcess(["/bin/sh", "-c", script], in: Confinement(limits: limits))
    var last = ""
    for line in lines {
      try process.send(line)
      last = try process.receive()
    }
    return last
  } catch { return "! \(error)" }
}

@Suite("Confinement")
struct ConfinementTests {
  @Test(
    "a program cannot leave its sandbox",
    arguments: [
      ("no network", "read l; (cat < /dev/tcp/127.0.0.1/1) 2>/dev/null; ls /sys/class/net 2>/dev/null | wc -l", "0"),
      ("no processes to look at", "read l; ls /proc 2>/dev/null | wc -l", "0"),
      ("no home, no workspace", "read l; ls -d /root /home /work /etc 2>/dev/null | wc -l", "0"),
      ("nothing writable but /tmp", "read l; for d in / /usr /dev /bin; do (: > $d/x) 2>/dev/null && printf $d; done; : > /tmp/x && echo ok", "ok"),
      ("nobody's environment", "read l; echo ${SECRET:-none} $HOME", "none /tmp"),
      ("no rights", "read l; set -- /usr/bin/*; test $(exec /usr/bin/id -u) = 65534 && echo nobody || echo other", "other"),
      ("no descriptor of ours but the three", "read l; for f in 3 4 5 6 7 8 9; do (: >&$f) 2>/dev/null && echo $f; done; echo none", "none"),
    ])
  func confined(what: String, script: String, expected: String) {
    setenv("SECRET", "told", 1)
    // What forks here is the shell; whether a program may is another test.
    #expect(answer(script, .init(mayFork: true)).replacingOccurrences(of: "nobody", with: "other") == expected, "\(what)")
  }

  @Test("no process can be started, so that memory is that of one")
  func fork() {
    #expect(answer("read l; (true) && echo forked").hasPrefix("! ended with code 2"))
    #expect(answer("read l; echo $PATH") == "/usr/bin:/bin")
  }

  @Test(
    "a limit ends a program with a sentence",
    arguments: [
      ("silence", "while :; do :; done", Confinement.Limits(startSeconds: 0.3), "did not answer within 0.3 s"),
      ("processor time", "while :; do :; done", Confinement.Limits(processorSeconds: 1), "ended by its limit of processor time, or killed"),
      (
        "a long answer", "while :; do printf aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", Confinement.Limits(),
        "answered with more than 65536 bytes in one line"
      ),
      (
        "chatter", "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa >&2; done", Confinement.Limits(),
        "wrote more than 1048576 bytes to standard error"
      ),
      ("an end", "read l; echo 'what went wrong' >&2; exit 3", Confinement.Limits(), "ended with code 3, saying: what went wrong"),
    ])
  func limits(what: String, script: String, limits: Confinement.Limits, sentence: String) {
    #expect(answer(script, limits) == "! \(sentence)", "\(what)")
  }

  @Test("memory and files are bounded")
  func memory() throws {
    let python = "import sys; sys.stdin.readline(); sys.stdout.write(str(len(bytearray(10**9))) + '\\n'); sys.stdout.flush()"
    let process = try ConfinedProcess(["/usr/bin/python3", "-I", "-c", python], in: Confinement())
    try process.send("go")
    #expect(throws: ConfinementError.self) { try process.receive() }
    #expect(answer("read l; dd if=/dev/zero of=/tmp/x bs=1M count=64 2>/dev/null; echo $? written", .init(mayFork: true)).hasSuffix("written"))
    #expect(!answer("read l; dd if=/dev/zero of=/tmp/x bs=1M count=64 2>/dev/null && echo all", .init(mayFork: true)).hasPrefix("all"))
  }

  @Test("what is shown is there, and cannot be written")
  func mounts() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try Data("seen\n".utf8).write(to: URL(filePath: directory + "/file"))
    let process = try ConfinedProcess(
      ["/bin/sh", "-c", "read l; read x < /shown/file; echo y > /shown/file; echo $x"], in: Confinement(mounts: [.init(directory, at: "/shown")]))
    try process.send("go")
    #expect(try process.receive() == "seen")
    #expect(try String(contentsOfFile: directory + "/file", encoding: .utf8) == "seen\n")
  }
}
