// Asks a running `enpire watch` which watched files changed, so that nobody has to look at all of them.

internal import Glibc

enum WatchClient {
  /// Indices of the snapshot's watches that may have changed, or nil if nobody knows.
  static func changed(in snapshot: Snapshot, of request: Request) -> [Int]? {
    guard let socket = connect(state: request.state) else { return nil }
    defer { close(socket) }
    var question = Array(Files.name(of: request.snapshot).utf8)
    withUnsafeBytes(of: snapshot.id) { question += $0 }
    guard send(socket, question, question.count, Int32(MSG_NOSIGNAL)) == question.count else { return nil }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count >= 0 else { return nil }
      if count == 0 { break }
      answer += buffer[..<count]
    }
    // How many, then the indices; a watcher that does not know says nothing.
    let words = answer.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
    guard let count = words.first, words.count == Int(count) + 1, answer.count % 4 == 0 else { return nil }
    let indices = words.dropFirst().map(Int.init)
    return indices.allSatisfy { $0 < snapshot.watches.count } ? indices : nil
  }

  private static func connect(state: String) -> Int32? {
    let directory = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return nil }
    defer { close(directory) }
    // A lookup that costs nothing where nobody watches.
    guard faccessat(directory, "watch.sock", F_OK, 0) == 0 else { return nil }
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return nil }
    // Whoever hangs must not hang us.
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    guard withAddress(directory, { Glibc.connect(socket, $0, $1) }) == 0 else {
      close(socket)
      return nil
    }
    return socket
  }

  /// The socket's address through the directory's descriptor: a path of any length fits.
  static func withAddress<Result>(_ directory: Int32, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array("/proc/self/fd/\(directory)/watch.sock".utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }
}
