// A small HTTP/1.1 server for one person at this machine: on 127.0.0.1 alone, behind a path nobody can guess, one request a connection, one at a
// time. What names another host, comes from another page or is too large is refused. It knows nothing of what is served.

internal import Glibc

public final class LoopbackServer {
  public struct Request: Sendable {
    public var method: String
    /// Below the secret path, without its query: `frame/0/12.png`.
    public var path: String
    public var body: [UInt8]
  }

  public struct Response: Sendable {
    public var status: Int
    public var type: String
    public var body: [UInt8]

    public init(status: Int = 200, type: String = "application/json", body: [UInt8]) { (self.status, self.type, self.body) = (status, type, body) }
  }

  public let port: UInt16
  private let token: String
  private let socket: Int32

  public var address: String { "http://127.0.0.1:\(port)/\(token)/" }

  /// - Parameter port: 0 for any that is free.
  /// - Throws: if the port is taken.
  public init(port wanted: UInt16) throws(LoopbackError) {
    // A reader that goes away is an error of the write.
    signal(SIGPIPE, SIG_IGN)
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { throw LoopbackError("no socket can be made") }
    _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
    var yes: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = wanted.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, size) == 0 && listen(socket, 16) == 0 && getsockname(socket, $0, &size) == 0
      }
    }
    guard bound else {
      close(socket)
      throw LoopbackError("port \(wanted) cannot be had: \(String(cString: strerror(errno)))")
    }
    (self.socket, port) = (socket, UInt16(bigEndian: address.sin_port))
    var random = SystemRandomNumberGenerator()
    token = String(random.next() as UInt64, radix: 36) + String(random.next() as UInt64, radix: 36)
  }

  deinit { close(socket) }

  /// Answers until `handle` gives nil, after which the last answer is an empty page.
  public func run(_ handle: (Request) -> Response?) {
    while true {
      let connection = accept(socket, nil, nil)
      guard connection >= 0 else {
        if errno == EINTR { continue }
        return
      }
      defer { close(connection) }
      _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
      var patience = timeval(tv_sec: 5, tv_usec: 0)
      for option in [SO_RCVTIMEO, SO_SNDTIMEO] { setsockopt(connection, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size)) }
      switch read(connection) {
      case .success(let request):
        guard let response = handle(request) else {
          answer(connection, Response(type: "text/plain", body: []))
          return
        }
        answer(connection, response)
      case .failure(let refusal): answer(connection, Response(status: refusal.status, type: "text/plain", body: Array(refusal.sentence.utf8)))
      }
    }
  }

  private struct Refusal: Error { let status: Int, sentence: String }

  private func read(_ connection: Int32) -> Result<Request, Refusal> {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    func more() -> Bool {
      let count = Glibc.read(connection, &chunk, chunk.count)
      if count > 0 { bytes += chunk[..<count] }
      return count > 0
    }
    let separator: [UInt8] = [13, 10, 13, 10]
    var headEnd: Int?
    while headEnd == nil {
      guard bytes.count < 1 << 15, more() else { return .failure(Refusal(status: 400, sentence: "no request")) }
      headEnd = bytes.indices.first { bytes[$0...].starts(with: separator) }
    }
    let lines = String(decoding: bytes[..<headEnd!], as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return .failure(Refusal(status: 400, sentence: "no request")) }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    // Another name that leads here, or another page that writes here, is somebody else's doing.
    guard ["127.0.0.1:\(port)", "localhost:\(port)"].contains(headers["host"] ?? "") else {
      return .failure(Refusal(status: 403, sentence: "this server is for 127.0.0.1"))
    }
    if let origin = headers["origin"], origin != "http://\(headers["host"]!)" {
      return .failure(Refusal(status: 403, sentence: "this server is for its own page"))
    }
    let target = words[1].prefix { $0 != "?" }
    guard target.hasPrefix("/\(token)/") else { return .failure(Refusal(status: 404, sentence: "nothing is here")) }
    let length = Int(headers["content-length"] ?? "0") ?? -1
    guard 0...(1 << 22) ~= length else { return .failure(Refusal(status: 413, sentence: "too large")) }
    let start = headEnd! + 4
    while bytes.count < start + length { guard more() else { return .failure(Refusal(status: 400, sentence: "cut short")) } }
    let body = Array(bytes[start..<start + length])
    return .success(Request(method: String(words[0]), path: String(target.dropFirst(token.count + 2)), body: body))
  }

  private func answer(_ connection: Int32, _ response: Response) {
    let words = [200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 413: "Content Too Large"][response.status] ?? "Error"
    let head = """
      HTTP/1.1 \(response.status) \(words)\r
      Content-Type: \(response.type)\r
      Content-Length: \(response.body.count)\r
      Content-Security-Policy: default-src 'none'; img-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\r
      Referrer-Policy: no-referrer\r
      X-Content-Type-Options: nosniff\r
      Cache-Control: no-store\r
      Connection: close\r
      \r

      """
    var bytes = (Array(head.utf8) + response.body)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}

public struct LoopbackError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
