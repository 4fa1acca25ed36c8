// Values that a step's environment holds and nothing else may: where they come from, and how they are kept out of what a step says.
// A step's output passes through here before it reaches its log, so the log never held them, not even for an instant.

internal import CLinux
internal import Glibc
import JSON

/// Replaces secrets in a stream of bytes by `***`, however the stream is cut.
struct Mask: Sendable {
  /// The longest first.
  private let secrets: [[UInt8]]
  private let starts: [Bool]
  /// What may be the start of a secret.
  private var pending: [UInt8] = []

  /// Of a value of several lines, each line that is long enough to tell something is kept out too.
  init(_ values: [String]) {
    let parts = values.flatMap { value in
      [value] + value.split(whereSeparator: \.isNewline).map(String.init).filter { $0.utf8.count >= 8 && $0 != value }
    }
    secrets = Set(parts).map { Array($0.utf8) }.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
    var starts = [Bool](repeating: false, count: 256)
    for secret in secrets { starts[Int(secret[0])] = true }
    self.starts = starts
  }

  /// What can be told of all bytes so far and has not been told; with `isLast` that is everything.
  mutating func take(_ bytes: some Collection<UInt8>, isLast: Bool = false) -> [UInt8] {
    let buffer = pending + bytes
    pending = []
    var out: [UInt8] = []
    out.reserveCapacity(buffer.count)
    var index = 0
    scan: while index < buffer.count {
      if starts[Int(buffer[index])] {
        let rest = buffer[index...]
        for secret in secrets {
          if rest.starts(with: secret) {
            out += "***".utf8
            index += secret.count
            continue scan
          }
          if !isLast, rest.count < secret.count, secret.starts(with: rest) {
            pending = Array(rest)
            return out
          }
        }
      }
      out.append(buffer[index])
      index += 1
    }
    return out
  }

  func callAsFunction(_ text: String) -> String {
    var mask = self
    return String(decoding: mask.take(Array(text.utf8), isLast: true), as: UTF8.self)
  }

  func callAsFunction(_ json: JSON) -> JSON {
    switch json {
    case .string(let text): .string(self(text))
    case .array(let elements): .array(elements.map { self($0) })
    case .object(let members): .object(.init(members.map { (self($0.key), self($0.value)) }) { $1 })
    default: json
    }
  }

  /// The secrets that are long enough not to stand somewhere by chance.
  private var distinct: [[UInt8]] { secrets.filter { $0.count >= 8 } }

  func occurs(in json: JSON) -> Bool {
    let mask = Mask(distinct.map { String(decoding: $0, as: UTF8.self) })
    return mask(json) != json
  }

  func occurs(in file: String) throws -> Bool {
    let wanted = distinct
    guard let longest = wanted.first?.count else { return false }
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Files.problem("read", file) }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: longest + 1 << 16)
    var kept = 0
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + kept, 1 << 16) }
      if count < 0 { throw Files.problem("read", file) }
      if count == 0 { return false }
      let found = buffer.withUnsafeBytes { bytes in
        wanted.contains { secret in enpire_contains(bytes.baseAddress!, kept + count, secret, secret.count) != 0 }
      }
      if found { return true }
      let keep = min(kept + count, longest - 1)
      buffer.replaceSubrange(0..<keep, with: Array(buffer[(kept + count - keep)..<(kept + count)]))
      kept = keep
    }
  }
}

/// A pipe whose other end is a file: what is written comes out with its secrets masked. A thread of its own moves the bytes, for a step
/// must be able to write whenever it likes.
final class MaskedLog {
  private final class Work {
    let from: Int32, to: Int32
    var mask: Mask
    init(from: Int32, to: Int32, mask: Mask) { (self.from, self.to, self.mask) = (from, to, mask) }
  }

  /// The end to write to; whoever takes it closes it.
  let descriptor: Int32
  private var thread: pthread_t?

  init(_ path: String, mask: Mask) throws {
    var pipe: [Int32] = [-1, -1]
    let log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard log >= 0 else { throw Files.problem("write", path) }
    guard enpire_pipe(&pipe) == 0 else {
      close(log)
      throw Files.problem("create", "a pipe")
    }
    descriptor = pipe[1]
    let work = Unmanaged.passRetained(Work(from: pipe[0], to: log, mask: mask))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        MaskedLog.copy(Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue())
        return nil
      }, work.toOpaque())
    guard code == 0 else {
      work.release()
      for end in pipe + [log] { close(end) }
      throw Files.problem("start", "a thread", code)
    }
    self.thread = thread
  }

  /// Returns when everything written is in the file; every process that could write has ended.
  func finish() {
    if let thread { pthread_join(thread, nil) }
    thread = nil
  }

  private static func copy(_ work: Work) {
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = Glibc.read(work.from, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      var out = work.mask.take(buffer[..<max(0, count)], isLast: count <= 0)[...]
      while !out.isEmpty, case let written = out.withUnsafeBytes({ Glibc.write(work.to, $0.baseAddress, $0.count) }), written > 0 {
        out = out.dropFirst(written)
      }
      if count <= 0 { break }
    }
    close(work.from)
    close(work.to)
  }
}

extension Secret {
  /// Its value; a secret that is not there fails its step.
  func value(manifest directory: String) throws -> String {
    switch source {
    case .environment(let variable):
      guard let value = getenv(variable).map({ String(cString: $0) }), !value.isEmpty else {
        throw Problem(.stepFailed, "the secret '\(name)' is not there: \(variable) is not set", hint: "export \(variable)=… before the run")
      }
      return value
    case .file(let path):
      let file = Files.absolute(path, in: directory)
      guard var bytes = try? Files.read(file) else {
        throw Problem(.stepFailed, "the secret '\(name)' is not there: \(Files.display(file)) cannot be read", hint: "write it there, for you alone")
      }
      if bytes.last == 10 { bytes.removeLast() }
      guard !bytes.isEmpty, !bytes.contains(0) else {
        throw Problem(.stepFailed, "the secret '\(name)' cannot be an environment variable: \(Files.display(file)) is empty or holds a zero byte")
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}
