// The talk with a program, as docs/programs.md fixes it: a line each way, words and numbers apart by spaces.
// The program runs confined and gets observations only. A wrong answer, a missed deadline or an end closes the session.

internal import Confinement
internal import Foundation

final class ProgramSession {
  private let process: ConfinedProcess

  /// Starts the program of `directory` and shakes hands.
  /// - Throws: `ProgramError`; without a sandbox nothing is run.
  init(_ program: Program, in directory: String, limits: Confinement.Limits) throws(ProgramError) {
    try program.check(in: directory)
    let place = "/program"
    var confinement = Confinement(mounts: [.init(directory, at: place)], limits: limits)
    let argv: [String]
    var copy: String?
    // Once it runs, it needs the name no more.
    defer { if let copy { try? FileManager.default.removeItem(atPath: copy) } }
    switch program.language {
    case .swift, .executable:
      argv = ["\(place)/\(program.run)"]
      copy = try Self.executable(program, in: directory)
      confinement.mounts.append(.init(copy!, at: argv[0]))
    case .python:
      guard let python = Self.python else {
        throw ProgramError("is in Python, and there is none in /usr/bin", hint: "apt-get install python3")
      }
      argv = [python, "-I", "-u", "\(place)/\(program.run)"]
      confinement.environment.append(("PYTHONDONTWRITEBYTECODE", "1"))
    }
    do { process = try ConfinedProcess(argv, in: confinement) } catch { throw .noSandbox(error, toBe: "run") }
    try expect("ready", to: "enpire \(Program.version) \(program.role.rawValue) \(program.task) \(Self.greeting(program.senses))")
  }

  func reset() throws(ProgramError) { try expect("ready", to: "reset") }

  /// The words of its answer to an observation.
  func ask(_ observation: Observation) throws(ProgramError) -> [Substring] {
    try answer(to: "observe " + observation.map { "\($0)" }.joined(separator: " ")).split(separator: " ")
  }

  func wrong(_ answer: [Substring], wanted: String) -> ProgramError {
    process.end()
    return ProgramError("answered '\(answer.joined(separator: " ").prefix(80))' where \(wanted) was wanted")
  }

  private func expect(_ word: String, to line: String) throws(ProgramError) {
    let answer = try answer(to: line)
    guard answer == word else { throw wrong([answer[...]], wanted: "'\(word)'") }
  }

  private func answer(to line: String) throws(ProgramError) -> String {
    let answer: String
    do {
      try process.expectQuiet()
      try process.send(line)
      answer = try process.receive()
    } catch { throw ProgramError(error.description) }
    guard answer.hasPrefix("fail") else { return answer }
    process.end()
    throw ProgramError("gave up: \(answer.dropFirst(5).prefix(200))")
  }

  /// A copy that may be executed. A program is its bytes: stores and archives keep these, and often not the permission.
  private static func executable(_ program: Program, in directory: String) throws(ProgramError) -> String {
    let copy = FileManager.default.temporaryDirectory.appending(path: "enpire-program-\(UUID().uuidString)").path
    do {
      try FileManager.default.copyItem(atPath: "\(directory)/\(program.run)", toPath: copy)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: copy)
    } catch { throw ProgramError("cannot be copied to be run: \(error.localizedDescription)") }
    return copy
  }

  /// How many numbers an observation has, and what those after agent x, y, block x, y and angle are.
  private static func greeting(_ senses: [Sense]) -> String { (["\(5 + senses.count)"] + senses.map(\.rawValue)).joined(separator: " ") }

  /// Debian's own, which is all there inside.
  static let python: String? = Confinement.exists("/usr/bin/python3") ? "/usr/bin/python3" : nil
}

extension ProgramError {
  /// `what` was to be done with it.
  static func noSandbox(_ problem: ConfinementError, toBe what: String) -> ProgramError {
    ProgramError("is not \(what) without a sandbox: \(problem)", hint: "install bubblewrap, and let this machine make name spaces")
  }
}

/// Keeps a session over episodes: begun when first needed, begun anew after a failure, given up after three that failed at once.
struct ProgramEpisodes {
  private let program: Program
  private let directory: String
  private let limits: Confinement.Limits
  private var session: ProgramSession?
  private var isFresh = true
  private var failures = 0

  /// - Throws: `ProgramError` for a program of another role, and where no sandbox can be made: that is the machine's fault, not a trial's result.
  init(_ program: Program, as role: Program.Role, in directory: String, limits: Confinement.Limits) throws(ProgramError) {
    if let problem = Confinement.problem { throw .noSandbox(problem, toBe: "run") }
    guard program.role == role else { throw ProgramError("is a \(program.role.rawValue), not a \(role.rawValue)") }
    (self.program, self.directory, self.limits) = (program, directory, limits)
  }

  var senses: [Sense] { program.senses }

  mutating func reset() { isFresh = true }

  /// The answer to an observation as `read` understands it.
  mutating func ask<Answer>(_ observation: Observation, wanted: String, _ read: ([Substring]) -> Answer?) throws(ProgramError) -> Answer {
    guard failures < 3 else { throw ProgramError("failed three times running and is not started again") }
    do throws(ProgramError) {
      let session: ProgramSession
      if let running = self.session {
        session = running
      } else {
        session = try ProgramSession(program, in: directory, limits: limits)
      }
      self.session = session
      if isFresh { try session.reset() }
      isFresh = false
      let words = try session.ask(observation)
      guard let answer = read(words) else { throw session.wrong(words, wanted: wanted) }
      failures = 0
      return answer
    } catch {
      session = nil
      failures += 1
      throw error
    }
  }
}
