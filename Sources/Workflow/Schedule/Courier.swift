// Brings a summary to webhooks and mailboxes. HTTP is spoken by the worker, for this program links none; mail by the machine's sendmail.
// Whatever happens there is told and fails nothing.

internal import CLinux
internal import Glibc
import JSON

public enum Courier {
  /// Posts a summary to those hooks that want to know of it. `text` is the summary for people.
  public static func post(_ summary: Summary, text: String, to hooks: [Hook]) -> [Summary.Delivery] {
    hooks.filter { $0.on.contains(summary.transition) }.map { hook in
      var name = "a hook"
      do {
        let url = try hook.url.value()
        name = host(of: url)
        var json = summary.json
        json["deliveries"] = nil
        var request: JSON = [
          "url": .string(url), "timeout": .number(hook.timeout), "tries": .integer(hook.tries), "event": .string(summary.transition.rawValue),
          "id": .string(
            "\(summary.schedule ?? summary.workflow)-\(summary.call.map { "\($0)" } ?? "run-\(summary.run ?? 0)")-\(Int(summary.started))"),
          "body": .string(hook.form == .summary ? json.compact : (["text": .string(text)] as JSON).compact),
        ]
        request["token"] = try hook.token.map { .string(try $0.value()) }
        let answer = try ask(request, within: Double(hook.tries) * (hook.timeout + 31) + 10)
        return Summary.Delivery(to: name, tries: answer["tries"]?.int ?? 0, problem: answer["problem"]?.string)
      } catch { return Summary.Delivery(to: name, tries: 0, problem: (error as? Problem)?.sentence ?? "\(error)") }
    }
  }

  /// The host alone: what follows may be a secret.
  private static func host(of url: String) -> String {
    let rest = url.firstIndex(of: "/").map { url[$0...].drop { $0 == "/" } } ?? url[...]
    let authority = rest.prefix { !"/?#".contains($0) }
    return String(authority.split(separator: "@").last ?? "a hook")
  }

  /// One request by one worker.
  private static func ask(_ request: JSON, within seconds: Double) throws -> JSON {
    let (child, commands, replies) = try Child.conversing([Catalogue.worker, "post"])
    defer { close(replies) }
    let before = signal(SIGPIPE, SIG_IGN)
    Array(request.compact.utf8).withUnsafeBytes { _ = Files.append($0, to: commands) }
    close(commands)
    signal(SIGPIPE, before)
    defer {
      child.signal(SIGKILL)
      _ = child.wait()
    }
    let answer = read(replies, until: Clock.monotonic + seconds)
    guard let json = try? JSON(parsing: answer) else { throw Problem(.inputOutput, "\(Catalogue.worker) gave no answer") }
    return json
  }

  private static func read(_ descriptor: Int32, until deadline: Double) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let left = deadline - Clock.monotonic, left > 0 {
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&polled, 1, Int32(min(left * 1000 + 1, 1e6)))
      if ready < 0, errno != EINTR { break }
      guard ready > 0 else { continue }
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count <= 0 { break }
      bytes += buffer[..<count]
    }
    return bytes
  }

  // MARK: Mail

  /// Hands a letter to `ENPIRE_SENDMAIL`, or the machine's sendmail.
  public static func mail(_ text: String, subject: String, to address: String) -> Summary.Delivery {
    let named = getenv("ENPIRE_SENDMAIL").map { String(cString: $0) }
    let candidates = named.map { [$0] } ?? ["/usr/sbin/sendmail", "/usr/lib/sendmail"]
    guard let program = candidates.first(where: { access($0, X_OK) == 0 }) else {
      return Summary.Delivery(to: address, tries: 0, problem: "there is no \(candidates[0]) to send mail with")
    }
    let letter = """
      To: \(address)
      Subject: \(subject)
      Auto-Submitted: auto-generated
      MIME-Version: 1.0
      Content-Type: text/plain; charset=utf-8
      Content-Transfer-Encoding: 8bit

      \(text)

      """
    var pipe: [Int32] = [-1, -1]
    guard enpire_pipe(&pipe) == 0 else { return Summary.Delivery(to: address, tries: 0, problem: "no pipe could be had") }
    do {
      // Its standard input is nothing, as of all children here; it reads descriptor 4.
      let child: Child
      do {
        defer { close(pipe[0]) }
        child = try Child.spawn(
          ["/bin/sh", "-c", "exec \"$0\" -t -i <&4", program], environment: Child.inheritedEnvironment, directory: "/", output: "/dev/null",
          passing: [pipe[0]])
      } catch {
        close(pipe[1])
        throw error
      }
      let before = signal(SIGPIPE, SIG_IGN)
      Array(letter.utf8).withUnsafeBytes { _ = Files.append($0, to: pipe[1]) }
      close(pipe[1])
      signal(SIGPIPE, before)
      let end = child.wait()
      return Summary.Delivery(to: address, tries: 1, problem: end == .exited(0) ? nil : "\(program) did not take the mail (\(end))")
    } catch { return Summary.Delivery(to: address, tries: 1, problem: (error as? Problem)?.sentence ?? "\(error)") }
  }
}
