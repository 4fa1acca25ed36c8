// What ran when, in Chrome's trace format: `chrome://tracing` and ui.perfetto.dev show it. An array of events, one a line; it may stay open at
// the end, so the file is good after a kill too. A step is drawn in the lane of its slot, and again in that of each station it held.

internal import Glibc
import JSON

final class Trace {
  private let descriptor: Int32
  private let path: String
  private let start: Double
  private var lanes: Set<[Int]> = []
  private var stations: [String: Int] = [:]
  private var isFirst = true
  /// Why it could not be written; nothing more is then.
  private(set) var problem: Problem?

  init(path: String, workflow: String) throws {
    self.path = path
    start = Clock.monotonic
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Files.problem("write", path) }
    name(1, nil, "process_name", "\(workflow): slots")
    name(2, nil, "process_name", "stations")
  }

  deinit { close(descriptor) }

  /// A span of a step; times are monotonic seconds, `lane` counts from 0.
  func span(_ name: String, lane: Int, stations held: [String], from began: Double, to ended: Double, _ arguments: JSON) {
    var places = [[1, lane + 1]]
    for station in held {
      let number = stations[station, default: stations.count + 1]
      stations[station] = number
      places.append([2, number])
    }
    for (index, place) in places.enumerated() {
      if lanes.insert(place).inserted { self.name(place[0], place[1], "thread_name", index == 0 ? "slot \(lane + 1)" : held[index - 1]) }
      write([
        "name": .string(name), "cat": "step", "ph": "X", "ts": .number(((began - start) * 1e6).rounded()),
        "dur": .number(max(((ended - began) * 1e6).rounded(), 1)), "pid": .integer(place[0]), "tid": .integer(place[1]), "args": arguments,
      ])
    }
  }

  /// An instant, such as a restored output.
  func instant(_ name: String, _ arguments: JSON) {
    write([
      "name": .string(name), "cat": "step", "ph": "i", "s": "p", "ts": .number(((Clock.monotonic - start) * 1e6).rounded()), "pid": 1, "tid": 0,
      "args": arguments,
    ])
  }

  func finish() { put("\n]\n") }

  private func name(_ process: Int, _ thread: Int?, _ event: String, _ name: String) {
    write(["name": .string(event), "ph": "M", "pid": .integer(process), "tid": .integer(thread ?? 0), "args": ["name": .string(name)]])
  }

  private func write(_ event: JSON) {
    put((isFirst ? "[\n" : ",\n") + event.compact)
    isFirst = false
  }

  private func put(_ text: String) {
    var bytes = Array(text.utf8)[...]
    // A trace is worth less than the run: a full disk does not stop it.
    while problem == nil, !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno != EINTR { problem = Files.problem("write", path) }
      bytes = bytes.dropFirst(max(0, count))
    }
  }
}

extension Run {
  func trace(_ attempt: Attempt, _ outcome: String) {
    guard let trace else { return }
    let number = attempts[attempt.step.id] ?? 1
    trace.span(
      attempt.step.name, lane: attempt.place.lane, stations: attempt.isPreparation ? [] : attempt.step.stations.map(\.name),
      from: attempt.startedMonotonic,
      to: attempt.startedMonotonic + attempt.seconds,
      [
        "key": .string(attempt.key.hex), "outcome": .string(outcome), "attempt": .integer(number),
        "reasons": .array(attempt.place.reasons.map { .string($0.text) }),
      ])
  }
}
