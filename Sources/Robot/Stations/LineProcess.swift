// A subprocess that answers one line of JSON with one line of JSON. It knows nothing of what the lines mean.
// It ends when its standard input closes, which is when this object goes.

internal import Foundation
internal import JSON

final class LineProcess {
  private let station: String
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var buffer: [UInt8] = []

  init(station: String, executable: String, arguments: [String]) throws(StationFailure) {
    self.station = station
    process.executableURL = URL(filePath: executable)
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.standardError
    signal(SIGPIPE, SIG_IGN)  // a dead process is an error of the write, not the end of this program
    do { try process.run() } catch { throw StationFailure(station, "cannot start \(executable): \(error.localizedDescription)") }
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  func send(_ line: JSON) throws(StationFailure) {
    do { try input.fileHandleForWriting.write(contentsOf: Data((line.compact + "\n").utf8)) } catch { throw ended() }
  }

  /// The next line. Throws when it does not come in time, or the process has ended.
  func reply(within seconds: Int32) throws(StationFailure) -> JSON {
    let descriptor = output.fileHandleForReading.fileDescriptor
    while true {
      if let end = buffer.firstIndex(of: 10) {
        let line = Array(buffer[..<end])
        buffer.removeSubrange(...end)
        do { return try JSON(parsing: line) } catch {
          throw StationFailure(station, "its process wrote what is not JSON: \(String(decoding: line.prefix(200), as: UTF8.self))")
        }
      }
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&wait, 1, seconds * 1000)
      if ready < 0 && errno == EINTR { continue }
      guard ready > 0 else {
        kill(process.processIdentifier, SIGKILL)
        throw StationFailure(station, "its process did not answer within \(seconds) s")
      }
      var chunk = [UInt8](repeating: 0, count: 65536)
      let count = read(descriptor, &chunk, chunk.count)
      guard count > 0 else { throw ended() }
      buffer += chunk[..<count]
    }
  }

  private func ended() -> StationFailure {
    process.waitUntilExit()
    let manner = process.terminationReason == .exit ? "with code" : "by signal"
    return StationFailure(station, "its process ended \(manner) \(process.terminationStatus)")
  }
}
