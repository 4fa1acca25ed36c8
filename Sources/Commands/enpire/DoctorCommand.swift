// enpire doctor: whether this machine has what workflows need.

import ArgumentParser
import JSON
import Workflow

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Checks this machine and says what to do.",
    discussion: """
      Example:
        enpire doctor --json
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    let checks = Machine.checks()
    if output.json {
      Terminal.print(
        JSON.object([
          "doctor": 1,
          "checks": .array(
            checks.map { check in
              var entry: JSON = ["name": .string(check.name), "state": .string(check.state.rawValue), "found": .string(check.found)]
              entry["hint"] = check.hint.map { .string($0) }
              return entry
            }),
        ]).pretty)
    } else {
      for check in checks {
        let mark =
          switch check.state {
          case .good: Terminal.paint("ok     ", .green);
          case .missing: Terminal.paint("missing", .yellow);
          case .bad: Terminal.paint("BAD    ", .red)
          }
        Terminal.print("\(mark) \(check.name): \(check.found)" + (check.hint.map { "\n        \($0)" } ?? ""))
      }
    }
    if checks.contains(where: { $0.state == .bad }) { leave(.internalError) }
  }
}
